extension SchemaMigration {
    /// Decision models and evaluations.
    static let decisions = SchemaMigration(
        version: 2, file: "sqlite/records/0002_decisions.sql",
        sql: """
            -- Decision models, their decisions, and what evaluations came to.

            CREATE TABLE decision_requirements (
                key INTEGER PRIMARY KEY,
                requirements_id TEXT NOT NULL,
                version INTEGER NOT NULL,
                name TEXT NOT NULL,
                resource_name TEXT NOT NULL,
                deployment_key INTEGER NOT NULL,
                resource BLOB NOT NULL,
                deployed_at INTEGER NOT NULL
            );
            CREATE UNIQUE INDEX decision_requirements_version ON decision_requirements (requirements_id, version);

            CREATE TABLE decision_definition (
                key INTEGER PRIMARY KEY,
                decision_id TEXT NOT NULL,
                version INTEGER NOT NULL,
                name TEXT NOT NULL,
                version_tag TEXT,
                -- 0 something else, 1 decision table, 2 literal expression.
                type INTEGER NOT NULL,
                -- The model it belongs to, whose rows never change.
                requirements_key INTEGER NOT NULL,
                requirements_id TEXT NOT NULL,
                requirements_version INTEGER NOT NULL,
                requirements_name TEXT NOT NULL
            );
            CREATE UNIQUE INDEX decision_definition_version ON decision_definition (decision_id, version);
            CREATE INDEX decision_definition_requirements ON decision_definition (requirements_key);

            -- One row per evaluated decision; those of one evaluation share evaluation_key.
            CREATE TABLE decision_instance (
                key INTEGER PRIMARY KEY,
                evaluation_key INTEGER NOT NULL,
                decision_key INTEGER NOT NULL,
                -- The decision that was asked for.
                root_decision_key INTEGER NOT NULL,
                -- Missing for evaluations without a process.
                instance_key INTEGER,
                element_instance_key INTEGER,
                definition_key INTEGER,
                evaluated_at INTEGER NOT NULL,
                failure TEXT,
                -- JSON.
                output TEXT NOT NULL,
                -- Inputs and matched rules; see Sources/Engine/Events/DecisionTrace.swift.
                trace BLOB NOT NULL
            );
            CREATE INDEX decision_instance_evaluation ON decision_instance (evaluation_key);
            CREATE INDEX decision_instance_decision ON decision_instance (decision_key);
            CREATE INDEX decision_instance_instance ON decision_instance (instance_key) WHERE instance_key IS NOT NULL;
            CREATE INDEX decision_instance_failed ON decision_instance (key) WHERE failure IS NOT NULL;

            """)
}
