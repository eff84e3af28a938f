extension SchemaMigration {
    /// The schema of `records.db`, oldest step first.
    package static let records: [SchemaMigration] = [
        SchemaMigration(
            version: 1, file: "sqlite/records/0001_initial.sql",
            sql: """
                -- The query model of the embedded store; see docs/adr and Sources/Storage/Records.
                -- Times are Unix milliseconds. Keys sort by creation time, so "newest first" is key order and needs no index; every
                -- index ends with the key by itself.

                -- How far each partition's journal is projected; moves in the transaction that writes the rows.
                CREATE TABLE projection (
                    partition INTEGER PRIMARY KEY,
                    sequence INTEGER NOT NULL
                );

                CREATE TABLE process_definition (
                    key INTEGER PRIMARY KEY,
                    process_id TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    version_tag TEXT,
                    name TEXT,
                    resource_name TEXT NOT NULL,
                    deployment_key INTEGER NOT NULL,
                    resource BLOB NOT NULL,
                    deployed_at INTEGER NOT NULL
                );
                -- Versions of a process, the latest one, and definitions by process id in every other query.
                CREATE UNIQUE INDEX process_definition_version ON process_definition (process_id, version);

                CREATE TABLE process_instance (
                    key INTEGER PRIMARY KEY,
                    definition_key INTEGER NOT NULL,
                    -- 0 active, 1 completed, 2 terminated.
                    state INTEGER NOT NULL,
                    started_at INTEGER NOT NULL,
                    ended_at INTEGER,
                    open_incidents INTEGER NOT NULL,
                    parent_instance_key INTEGER,
                    parent_element_instance_key INTEGER,
                    business_id TEXT,
                    -- The first part of the path; the rest is in element_path.
                    path BLOB NOT NULL
                );
                -- Every instance pays for these three: of a definition, by start, by end (also for retention).
                CREATE INDEX process_instance_definition ON process_instance (definition_key);
                CREATE INDEX process_instance_started ON process_instance (started_at);
                CREATE INDEX process_instance_ended ON process_instance (ended_at);
                -- The rest are partial: an instance that starts and ends in one projector batch touches none of them.
                CREATE INDEX process_instance_active ON process_instance (definition_key) WHERE state = 0;
                CREATE INDEX process_instance_terminated ON process_instance (state) WHERE state = 2;
                CREATE INDEX process_instance_incident ON process_instance (open_incidents) WHERE open_incidents > 0;
                CREATE INDEX process_instance_parent ON process_instance (parent_instance_key) WHERE parent_instance_key IS NOT NULL;
                CREATE INDEX process_instance_business ON process_instance (business_id) WHERE business_id IS NOT NULL;

                -- Counts by definition and state, kept up to date by every batch.
                CREATE TABLE process_instance_total (
                    definition_key INTEGER NOT NULL,
                    state INTEGER NOT NULL,
                    count INTEGER NOT NULL,
                    PRIMARY KEY (definition_key, state)
                ) WITHOUT ROWID;

                -- Later parts of long paths.
                CREATE TABLE element_path (
                    instance_key INTEGER NOT NULL,
                    part INTEGER NOT NULL,
                    path BLOB NOT NULL,
                    PRIMARY KEY (instance_key, part)
                ) WITHOUT ROWID;

                CREATE TABLE variable (
                    instance_key INTEGER NOT NULL,
                    scope_key INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    -- JSON.
                    value TEXT NOT NULL,
                    PRIMARY KEY (instance_key, scope_key, name)
                ) WITHOUT ROWID;

                -- Jobs that have not ended.
                CREATE TABLE job (
                    key INTEGER PRIMARY KEY,
                    instance_key INTEGER NOT NULL,
                    element_instance_key INTEGER NOT NULL,
                    definition_key INTEGER NOT NULL,
                    element_id TEXT NOT NULL,
                    type TEXT NOT NULL,
                    -- 0 activatable, 1 activated, 2 failed, 3 incident.
                    state INTEGER NOT NULL,
                    retries INTEGER NOT NULL,
                    priority INTEGER NOT NULL,
                    worker TEXT,
                    deadline INTEGER,
                    error_message TEXT,
                    created_at INTEGER NOT NULL
                );
                CREATE INDEX job_instance ON job (instance_key);
                CREATE INDEX job_type ON job (type);

                CREATE TABLE user_task (
                    key INTEGER PRIMARY KEY,
                    instance_key INTEGER NOT NULL,
                    element_instance_key INTEGER NOT NULL,
                    definition_key INTEGER NOT NULL,
                    element_id TEXT NOT NULL,
                    name TEXT,
                    -- 0 created, 1 completed, 2 cancelled.
                    state INTEGER NOT NULL,
                    assignee TEXT,
                    -- JSON arrays of strings; user_task_candidate is the index over them.
                    candidate_groups TEXT NOT NULL,
                    candidate_users TEXT NOT NULL,
                    priority INTEGER NOT NULL,
                    due_date TEXT,
                    follow_up_date TEXT,
                    form_key TEXT,
                    created_at INTEGER NOT NULL,
                    ended_at INTEGER
                );
                CREATE INDEX user_task_open ON user_task (state) WHERE state = 0;
                CREATE INDEX user_task_instance ON user_task (instance_key);
                CREATE INDEX user_task_assignee ON user_task (assignee) WHERE assignee IS NOT NULL;

                -- kind: 0 group, 1 user.
                CREATE TABLE user_task_candidate (
                    kind INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    task_key INTEGER NOT NULL,
                    PRIMARY KEY (kind, name, task_key)
                ) WITHOUT ROWID;

                CREATE TABLE incident (
                    key INTEGER PRIMARY KEY,
                    instance_key INTEGER NOT NULL,
                    element_instance_key INTEGER NOT NULL,
                    definition_key INTEGER NOT NULL,
                    element_id TEXT NOT NULL,
                    job_key INTEGER,
                    type TEXT NOT NULL,
                    message TEXT NOT NULL,
                    remedy TEXT NOT NULL,
                    created_at INTEGER NOT NULL,
                    resolved_at INTEGER
                );
                CREATE INDEX incident_open ON incident (resolved_at) WHERE resolved_at IS NULL;
                CREATE INDEX incident_instance ON incident (instance_key);

                CREATE TABLE message (
                    key INTEGER PRIMARY KEY,
                    name TEXT NOT NULL,
                    correlation_key TEXT NOT NULL,
                    message_id TEXT,
                    -- 0 buffered, 1 correlated, 2 expired.
                    state INTEGER NOT NULL,
                    instance_key INTEGER,
                    published_at INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL
                );
                CREATE INDEX message_name ON message (name, correlation_key);
                CREATE INDEX message_buffered ON message (state) WHERE state = 0;
                CREATE INDEX message_instance ON message (instance_key) WHERE instance_key IS NOT NULL;

                -- Timers that have not fired.
                CREATE TABLE timer (
                    key INTEGER PRIMARY KEY,
                    instance_key INTEGER,
                    element_instance_key INTEGER,
                    definition_key INTEGER NOT NULL,
                    element_id TEXT NOT NULL,
                    due_at INTEGER NOT NULL
                );
                CREATE INDEX timer_instance ON timer (instance_key) WHERE instance_key IS NOT NULL;

                CREATE TABLE dead_letter (
                    key INTEGER PRIMARY KEY,
                    origin TEXT NOT NULL,
                    coordinates TEXT NOT NULL,
                    dedupe_key TEXT,
                    stage TEXT NOT NULL,
                    error_code TEXT NOT NULL,
                    error_message TEXT NOT NULL,
                    content_type TEXT NOT NULL,
                    -- 0 parked, 1 replayed, 2 discarded.
                    state INTEGER NOT NULL,
                    redrive_count INTEGER NOT NULL,
                    created_at INTEGER NOT NULL,
                    ended_at INTEGER,
                    payload BLOB NOT NULL
                );
                CREATE INDEX dead_letter_parked ON dead_letter (state) WHERE state = 0;
                CREATE INDEX dead_letter_origin ON dead_letter (origin);

                CREATE TABLE audit (
                    key INTEGER PRIMARY KEY,
                    at INTEGER NOT NULL,
                    actor TEXT NOT NULL,
                    action TEXT NOT NULL,
                    object TEXT NOT NULL,
                    detail TEXT
                );
                CREATE INDEX audit_object ON audit (object);

                """),
        decisions, deadLetters, inbox,
    ]
}
