extension SchemaMigration {
    /// Everything that is known about dead letters.
    static let deadLetters = SchemaMigration(
        version: 3, file: "sqlite/records/0003_dead_letters.sql",
        sql: """
            -- Dead letters with all that is known about them; of those that are there nothing else is.

            ALTER TABLE dead_letter ADD COLUMN kind INTEGER NOT NULL DEFAULT 0; -- 0 an event of a trigger, 1 the call of a job.
            ALTER TABLE dead_letter ADD COLUMN connection TEXT;
            ALTER TABLE dead_letter ADD COLUMN job_key INTEGER;
            -- The dead letter it replaces.
            ALTER TABLE dead_letter ADD COLUMN parent_key INTEGER;
            ALTER TABLE dead_letter ADD COLUMN ordering_key TEXT;
            ALTER TABLE dead_letter ADD COLUMN schema_id TEXT;
            -- JSON objects, or empty.
            ALTER TABLE dead_letter ADD COLUMN headers TEXT NOT NULL DEFAULT '';
            ALTER TABLE dead_letter ADD COLUMN report TEXT NOT NULL DEFAULT '';
            -- The payload as received, when it was corrected.
            ALTER TABLE dead_letter ADD COLUMN original_payload BLOB;
            ALTER TABLE dead_letter ADD COLUMN updated_at INTEGER;

            -- States: 0 parked, 1 resolved, 2 discarded, 3 queued, 4 replaying.
            CREATE INDEX dead_letter_queued ON dead_letter (state) WHERE state > 2;
            CREATE INDEX dead_letter_ended ON dead_letter (ended_at) WHERE ended_at IS NOT NULL;
            CREATE INDEX dead_letter_job ON dead_letter (job_key) WHERE job_key IS NOT NULL;

            """)
}
