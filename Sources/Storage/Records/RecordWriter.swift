internal import Values

/// The writing side of `records.db`.
///
/// Callers hold the store's lock.
final class RecordWriter {
    let connection: SQLiteConnection
    private let meter: WALMeter
    private let begin: SQLiteStatement
    private let commit: SQLiteStatement
    private let movePosition: SQLiteStatement
    private let selectPositions: SQLiteStatement
    private let instances: InstanceWriter
    private let userTasks: UserTaskWriter
    private let changes: RecordChangeWriter
    private let decisions: DecisionWriter
    private let inbox: InboxWriter
    private let upsertDefinition: SQLiteStatement
    private let upsertVariable: SQLiteStatement
    private let upsertJob: SQLiteStatement
    private let deleteJob: SQLiteStatement
    private let upsertIncident: SQLiteStatement
    private let upsertMessage: SQLiteStatement
    private let upsertTimer: SQLiteStatement
    private let deleteTimer: SQLiteStatement
    private let deleteTimers: SQLiteStatement
    private let upsertDeadLetter: SQLiteStatement
    private let deleteDeadLetter: SQLiteStatement
    private let insertAudit: SQLiteStatement
    private var jsonBuffer: [UInt8] = []

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.meter = WALMeter(connection)
        self.begin = try connection.prepare("BEGIN IMMEDIATE")
        self.commit = try connection.prepare("COMMIT")
        self.movePosition = try connection.prepare(
            """
            INSERT INTO projection VALUES (?1, ?2)
            ON CONFLICT (partition) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence
            """)
        self.selectPositions = try connection.prepare("SELECT partition, sequence FROM projection")
        self.instances = try InstanceWriter(connection)
        self.userTasks = try UserTaskWriter(connection)
        self.changes = try RecordChangeWriter(connection)
        self.decisions = try DecisionWriter(connection)
        self.inbox = try InboxWriter(connection)
        self.upsertDefinition = try connection.prepareUpsert("process_definition", columns: 9)
        self.upsertVariable = try connection.prepareUpsert("variable", columns: 4)
        self.upsertJob = try connection.prepareUpsert("job", columns: 13)
        self.deleteJob = try connection.prepare("DELETE FROM job WHERE key = ?1")
        self.upsertIncident = try connection.prepareUpsert("incident", columns: 11)
        self.upsertMessage = try connection.prepareUpsert("message", columns: 8)
        self.upsertTimer = try connection.prepareUpsert("timer", columns: 6)
        self.deleteTimer = try connection.prepare("DELETE FROM timer WHERE key = ?1")
        self.deleteTimers = try connection.prepare(
            "DELETE FROM timer WHERE instance_key = ?1 AND element_instance_key = ?2")
        self.upsertDeadLetter = try connection.prepareUpsert("dead_letter", columns: 23)
        self.deleteDeadLetter = try connection.prepare("DELETE FROM dead_letter WHERE key = ?1")
        self.insertAudit = try connection.prepareUpsert("audit", columns: 6)
    }

    /// Pages in the write-ahead log after the newest commit.
    var walPages: Int { self.meter.pageCount }

    /// Closes the file.
    func close() {
        self.connection.rollbackIfNeeded()
        self.connection.close()
    }

    /// The projected position of every partition.
    func projectedSequences(count: Int) throws(StoreError) -> [UInt64] {
        var sequences = [UInt64](repeating: 0, count: count)
        while try self.selectPositions.step() {
            let partition = self.selectPositions.int(0)
            if partition < count { sequences[partition] = self.selectPositions.uint64(1) }
        }
        return sequences
    }

    /// An instance with its whole path.
    func instance(key: UInt64) throws(StoreError) -> ProcessInstanceRecord? {
        try self.instances.read(key: key)
    }

    /// Forgets events of the inbox whose last day is over; how many.
    func purgeInbox(at milliseconds: Int64, limit: Int) throws(StoreError) -> Int {
        try self.inbox.purge(at: milliseconds, limit: limit)
    }

    /// Writes a batch and its positions; all or nothing.
    func apply(_ batch: RecordBatch) throws(StoreError) {
        try self.begin.run()
        do {
            try self.write(batch)
            try self.commit.run()
        } catch {
            self.connection.rollbackIfNeeded()
            throw error
        }
    }

    private func write(_ batch: RecordBatch) throws(StoreError) {
        for (partition, sequence) in batch.positions {
            self.movePosition.bind(1, partition)
            self.movePosition.bind(2, sequence)
            try self.movePosition.run()
            guard self.connection.changes == 1 else {
                throw StoreError(
                    .misuse, "Partition \(partition) is already projected up to batch \(sequence) or beyond.",
                    remedy: "This is a defect of Junction; report it.")
            }
        }
        for record in batch.definitions { try self.write(record) }
        for record in batch.decisionRequirements { try self.decisions.write(record) }
        for record in batch.decisionDefinitions { try self.decisions.write(record) }
        for record in batch.decisionInstances { try self.decisions.write(record) }
        try self.instances.write(batch.instances)
        for record in batch.variables { try self.write(record) }
        for record in batch.jobs { try self.write(record) }
        for change in batch.jobChanges { try self.changes.write(change) }
        for key in batch.endedJobs {
            self.deleteJob.bind(1, key)
            try self.deleteJob.run()
        }
        for record in batch.userTasks { try self.userTasks.write(record) }
        for change in batch.userTaskChanges { try self.changes.write(change) }
        for record in batch.incidents { try self.write(record) }
        for change in batch.incidentChanges { try self.changes.write(change) }
        for record in batch.messages { try self.write(record) }
        for change in batch.messageChanges { try self.changes.write(change) }
        for record in batch.timers { try self.write(record) }
        for change in batch.timerChanges { try self.changes.write(change) }
        for (instance, element) in batch.endedTimerOwners {
            self.deleteTimers.bind(1, instance)
            self.deleteTimers.bind(2, element)
            try self.deleteTimers.run()
        }
        for key in batch.endedTimers {
            self.deleteTimer.bind(1, key)
            try self.deleteTimer.run()
        }
        for record in batch.deadLetters { try self.write(record) }
        for change in batch.deadLetterChanges { try self.changes.write(change) }
        for key in batch.purgedDeadLetters {
            self.deleteDeadLetter.bind(1, key)
            try self.deleteDeadLetter.run()
        }
        for record in batch.inbox { try self.inbox.write(record) }
        for record in batch.audit { try self.write(record) }
    }

    private func write(_ record: ProcessDefinitionRecord) throws(StoreError) {
        let row = self.upsertDefinition
        row.bind(1, record.key)
        row.bind(2, record.processID)
        row.bind(3, record.version)
        row.bind(4, record.versionTag)
        row.bind(5, record.name)
        row.bind(6, record.resourceName)
        row.bind(7, record.deploymentKey)
        row.bind(8, record.resource)
        row.bind(9, record.deployedAt)
        try row.run()
    }

    private func write(_ record: VariableRecord) throws(StoreError) {
        let row = self.upsertVariable
        row.bind(1, record.instanceKey)
        row.bind(2, record.scopeKey)
        row.bind(3, record.name)
        self.jsonBuffer.removeAll(keepingCapacity: true)
        record.value.writeJSON(into: &self.jsonBuffer)
        row.bindText(4, self.jsonBuffer)
        try row.run()
    }

    private func write(_ record: JobRecord) throws(StoreError) {
        let row = self.upsertJob
        row.bind(1, record.key)
        row.bind(2, record.instanceKey)
        row.bind(3, record.elementInstanceKey)
        row.bind(4, record.definitionKey)
        row.bind(5, record.elementID)
        row.bind(6, record.type)
        row.bind(7, Int(record.state))
        row.bind(8, record.retries)
        row.bind(9, record.priority)
        row.bind(10, record.worker)
        row.bind(11, record.deadline)
        row.bind(12, record.errorMessage)
        row.bind(13, record.createdAt)
        try row.run()
    }

    private func write(_ record: IncidentRecord) throws(StoreError) {
        let row = self.upsertIncident
        row.bind(1, record.key)
        row.bind(2, record.instanceKey)
        row.bind(3, record.elementInstanceKey)
        row.bind(4, record.definitionKey)
        row.bind(5, record.elementID)
        row.bind(6, record.jobKey)
        row.bind(7, record.type)
        row.bind(8, record.message)
        row.bind(9, record.remedy)
        row.bind(10, record.createdAt)
        row.bind(11, record.resolvedAt)
        try row.run()
    }

    private func write(_ record: MessageRecord) throws(StoreError) {
        let row = self.upsertMessage
        row.bind(1, record.key)
        row.bind(2, record.name)
        row.bind(3, record.correlationKey)
        row.bind(4, record.messageID)
        row.bind(5, Int(record.state))
        row.bind(6, record.instanceKey)
        row.bind(7, record.publishedAt)
        row.bind(8, record.expiresAt)
        try row.run()
    }

    private func write(_ record: TimerRecord) throws(StoreError) {
        let row = self.upsertTimer
        row.bind(1, record.key)
        row.bind(2, record.instanceKey)
        row.bind(3, record.elementInstanceKey)
        row.bind(4, record.definitionKey)
        row.bind(5, record.elementID)
        row.bind(6, record.dueAt)
        try row.run()
    }

    private func write(_ record: DeadLetterRecord) throws(StoreError) {
        let row = self.upsertDeadLetter
        row.bind(1, record.key)
        row.bind(2, record.origin)
        row.bindText(3, record.coordinates)
        row.bind(4, record.dedupeKey)
        row.bind(5, record.stage)
        row.bind(6, record.errorCode)
        row.bind(7, record.errorMessage)
        row.bind(8, record.contentType)
        row.bind(9, Int(record.state))
        row.bind(10, record.redriveCount)
        row.bind(11, record.createdAt)
        row.bind(12, record.endedAt)
        row.bind(13, record.payload)
        row.bind(14, Int(record.kind))
        row.bind(15, record.connection)
        row.bind(16, record.jobKey)
        row.bind(17, record.parentKey)
        row.bind(18, record.orderingKey)
        row.bind(19, record.schemaID)
        row.bindText(20, record.headers)
        row.bindText(21, record.report)
        row.bind(22, record.originalPayload)
        row.bind(23, record.updatedAt)
        try row.run()
    }

    private func write(_ record: AuditRecord) throws(StoreError) {
        let row = self.insertAudit
        row.bind(1, record.key)
        row.bind(2, record.at)
        row.bind(3, record.actor)
        row.bind(4, record.action)
        row.bind(5, record.object)
        row.bind(6, record.detail)
        try row.run()
    }
}

extension SQLiteConnection {
    /// A statement that writes a whole row, replacing the one with the same primary key.
    func prepareUpsert(_ table: String, columns: Int) throws(StoreError) -> SQLiteStatement {
        let parameters = (1...columns).map { "?\($0)" }.joined(separator: ", ")
        return try self.prepare("INSERT OR REPLACE INTO \(table) VALUES (\(parameters))")
    }
}
