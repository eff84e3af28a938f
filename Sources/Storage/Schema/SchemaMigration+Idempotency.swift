extension SchemaMigration {
    /// The schema of `idempotency.db`, oldest step first.
    package static let idempotency: [SchemaMigration] = [
        SchemaMigration(
            version: 1, file: "sqlite/idempotency/0001_initial.sql",
            sql: """
                -- Requests that carry an idempotency key, and what became of them; see docs/adr/0022-idempotency-records.md.
                -- Times are Unix milliseconds.

                CREATE TABLE idempotency (
                    -- Tenant, principal and operation: keys of different scopes never meet.
                    scope TEXT NOT NULL,
                    key TEXT NOT NULL,
                    -- Digest of what makes two requests the same.
                    fingerprint TEXT NOT NULL,
                    -- Who works on it and until when; null once there is an answer.
                    owner TEXT,
                    lease_until INTEGER,
                    -- The answer; null until then.
                    status INTEGER,
                    -- JSON object.
                    headers BLOB,
                    body BLOB,
                    created INTEGER NOT NULL,
                    expires INTEGER NOT NULL,
                    PRIMARY KEY (scope, key)
                ) WITHOUT ROWID;
                CREATE INDEX idempotency_expires ON idempotency (expires);

                """)
    ]
}
