/// Writes changes of rows that earlier batches wrote.
final class RecordChangeWriter {
    private let job: SQLiteStatement
    private let userTask: SQLiteStatement
    private let assign: SQLiteStatement
    private let incident: SQLiteStatement
    private let message: SQLiteStatement
    private let timer: SQLiteStatement
    private let deadLetter: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.job = try connection.prepare(
            """
            UPDATE job SET state = coalesce(?2, state), retries = coalesce(?3, retries),
                worker = CASE WHEN ?2 IS NULL THEN coalesce(?4, worker) ELSE ?4 END,
                deadline = CASE WHEN ?2 IS NULL THEN coalesce(?5, deadline) ELSE ?5 END,
                error_message = coalesce(?6, error_message)
            WHERE key = ?1
            """)
        self.userTask = try connection.prepare(
            "UPDATE user_task SET state = coalesce(?2, state), ended_at = coalesce(?3, ended_at) WHERE key = ?1")
        self.assign = try connection.prepare("UPDATE user_task SET assignee = ?2 WHERE key = ?1")
        self.incident = try connection.prepare("UPDATE incident SET resolved_at = ?2 WHERE key = ?1")
        self.message = try connection.prepare(
            """
            UPDATE message SET state = CASE WHEN state = 1 THEN 1 ELSE ?2 END,
                instance_key = coalesce(?3, instance_key)
            WHERE key = ?1
            """)
        self.timer = try connection.prepare("UPDATE timer SET due_at = ?2 WHERE key = ?1")
        self.deadLetter = try connection.prepare(
            """
            UPDATE dead_letter SET
                state = coalesce(?2, state), ended_at = coalesce(?3, ended_at),
                original_payload = CASE WHEN ?4 IS NULL THEN original_payload
                    ELSE coalesce(original_payload, payload) END,
                payload = coalesce(?4, payload), redrive_count = coalesce(?5, redrive_count),
                report = coalesce(?6, report), updated_at = ?7
            WHERE key = ?1
            """)
    }

    func write(_ change: JobChange) throws(StoreError) {
        self.job.bind(1, change.key)
        self.job.bind(2, change.state.map { Int64($0) })
        self.job.bind(3, change.retries.map { Int64($0) })
        self.job.bind(4, change.worker)
        self.job.bind(5, change.deadline)
        self.job.bind(6, change.errorMessage)
        try self.job.run()
    }

    func write(_ change: UserTaskChange) throws(StoreError) {
        if let assignee = change.assignee {
            self.assign.bind(1, change.key)
            self.assign.bind(2, assignee)
            try self.assign.run()
        }
        guard change.state != nil || change.endedAt != nil else { return }
        self.userTask.bind(1, change.key)
        self.userTask.bind(2, change.state.map { Int64($0) })
        self.userTask.bind(3, change.endedAt)
        try self.userTask.run()
    }

    func write(_ change: IncidentChange) throws(StoreError) {
        self.incident.bind(1, change.key)
        self.incident.bind(2, change.resolvedAt)
        try self.incident.run()
    }

    func write(_ change: MessageChange) throws(StoreError) {
        self.message.bind(1, change.key)
        self.message.bind(2, Int(change.state))
        self.message.bind(3, change.instanceKey)
        try self.message.run()
    }

    func write(_ change: TimerChange) throws(StoreError) {
        self.timer.bind(1, change.key)
        self.timer.bind(2, change.dueAt)
        try self.timer.run()
    }

    func write(_ change: DeadLetterChange) throws(StoreError) {
        self.deadLetter.bind(1, change.key)
        self.deadLetter.bind(2, change.state.map { Int64($0) })
        self.deadLetter.bind(3, change.endedAt)
        self.deadLetter.bind(4, change.payload)
        self.deadLetter.bind(5, change.redriveCount.map { Int64($0) })
        self.deadLetter.bind(6, change.report.map { String(decoding: $0, as: UTF8.self) })
        self.deadLetter.bind(7, change.updatedAt)
        try self.deadLetter.run()
    }
}
