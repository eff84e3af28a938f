extension SchemaMigration {
    /// Events as they came from their sources.
    static let inbox = SchemaMigration(
        version: 4, file: "sqlite/records/0004_inbox.sql",
        sql: """
            -- Events as they came from their sources, with what came of them; see docs/adr/0028-what-an-event-causes.md.

            CREATE TABLE inbox (
                key INTEGER PRIMARY KEY,
                trigger TEXT NOT NULL,
                event_id TEXT NOT NULL,
                dedupe_key TEXT,
                received_at INTEGER NOT NULL,
                -- The last day it is kept, in days since 1970 (UTC).
                last_day INTEGER NOT NULL,
                -- 0 nothing, 1 a process instance, 2 a message that was taken, 3 a message that waits, 4 a signal.
                effect INTEGER NOT NULL,
                -- The key of that.
                effect_key INTEGER,
                content_type TEXT NOT NULL,
                -- JSON objects, or empty.
                headers TEXT NOT NULL,
                coordinates TEXT NOT NULL,
                -- The bytes as received.
                payload BLOB NOT NULL
            );
            CREATE INDEX inbox_received ON inbox (trigger, received_at);
            CREATE INDEX inbox_event ON inbox (event_id);
            CREATE INDEX inbox_last_day ON inbox (last_day);

            """)
}
