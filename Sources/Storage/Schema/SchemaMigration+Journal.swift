extension SchemaMigration {
    /// The schema of `journal.db`, oldest step first.
    package static let journal: [SchemaMigration] = [
        SchemaMigration(
            version: 1, file: "sqlite/journal/0001_initial.sql",
            sql: """
                -- The journal of the embedded store; see docs/adr and Sources/Storage/Journal.

                -- One row per partition: who may write (epoch) and where its journal ends. Small, so that all rows share one page.
                CREATE TABLE partition (
                    partition INTEGER PRIMARY KEY,
                    epoch INTEGER NOT NULL,
                    sequence INTEGER NOT NULL,
                    checkpoint_sequence INTEGER NOT NULL,
                    -- journal.id of the newest batch, 0 when there never was one.
                    last_id INTEGER NOT NULL
                );

                -- Where the retained journal of a partition begins: after base_sequence, with the chain value base_hash.
                CREATE TABLE journal_base (
                    partition INTEGER PRIMARY KEY,
                    base_sequence INTEGER NOT NULL,
                    base_hash BLOB NOT NULL
                );

                -- Batches of all partitions in commit order, so that a group commit writes the last page only, whatever it holds.
                CREATE TABLE journal (
                    id INTEGER PRIMARY KEY,
                    partition INTEGER NOT NULL,
                    sequence INTEGER NOT NULL,
                    epoch INTEGER NOT NULL,
                    -- id of the partition's batch before this one, 0 for its first.
                    previous_id INTEGER NOT NULL,
                    events INTEGER NOT NULL,
                    -- SHA-256(hash of the batch before, payload).
                    hash BLOB NOT NULL,
                    payload BLOB NOT NULL
                );

                -- Finds the batches of one partition: the ids of 64 batches in a row, little-endian, written when the row is full.
                CREATE TABLE journal_index (
                    partition INTEGER NOT NULL,
                    first_sequence INTEGER NOT NULL,
                    ids BLOB NOT NULL,
                    PRIMARY KEY (partition, first_sequence)
                ) WITHOUT ROWID;

                -- How far dead batches have been deleted, in id order.
                CREATE TABLE journal_sweep (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    swept_id INTEGER NOT NULL
                );
                INSERT INTO journal_sweep VALUES (1, 0);

                -- Checkpointed entities. scope = partition * 256 + kind.
                CREATE TABLE state (
                    scope INTEGER NOT NULL,
                    key INTEGER NOT NULL,
                    idx BLOB,
                    state BLOB NOT NULL,
                    PRIMARY KEY (scope, key)
                ) WITHOUT ROWID;

                -- What recovery reads without touching the states.
                CREATE INDEX state_idx ON state (scope, key, idx) WHERE idx IS NOT NULL;

                -- Messages between partitions, written by the sender's commit, deleted by the receiver's.
                CREATE TABLE inbox (
                    target INTEGER NOT NULL,
                    source INTEGER NOT NULL,
                    source_sequence INTEGER NOT NULL,
                    part INTEGER NOT NULL,
                    payload BLOB NOT NULL,
                    PRIMARY KEY (target, source, source_sequence, part)
                ) WITHOUT ROWID;

                -- Large values by content.
                CREATE TABLE blob (
                    hash BLOB PRIMARY KEY,
                    bytes BLOB NOT NULL
                );

                """)
    ]
}
