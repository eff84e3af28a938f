internal import Synchronization
internal import Values

/// Reads `records.db` through a pool of read-only connections: one for each thread that reads at the same time.
public final class SQLiteRecordReader: RecordReader {
    struct State {
        var idle: [RecordConnection] = []
        var definitions: [UInt64: ProcessDefinitionReference] = [:]
        var decisions: [UInt64: DecisionDefinitionRecord] = [:]
        var isClosed = false
    }

    private let path: String
    private let options: SQLiteOptions
    let state = Mutex(State())

    /// Connections kept open while nobody reads.
    private static let idleMaximum = 4

    /// Opens the file in a data directory; it must exist and may be written by another process.
    public init(directory: String, options: SQLiteOptions = SQLiteOptions()) throws(StoreError) {
        self.path = directory + "/records.db"
        self.options = options
        let first = try RecordConnection(path: self.path, options: options)
        self.state.withLock { $0.idle.append(first) }
    }

    /// See `RecordReader`.
    public func close() {
        self.state.withLock { state in
            state.idle.removeAll()
            state.isClosed = true
        }
    }

    /// See `RecordReader`.
    public func processInstances(
        _ query: Query<ProcessInstanceFilter>
    ) throws(StoreError) -> ResultPage<WithDefinition<ProcessInstanceRecord>> {
        try self.read { connection throws(StoreError) in
            let page = try connection.search(query, in: .processInstances) { keys throws(StoreError) in
                try connection.plan(query, definitionKeys: keys)
            }
            return try self.withDefinitions(page, connection) { $0.definitionKey }
        }
    }

    /// See `RecordReader`.
    public func processInstance(key: UInt64) throws(StoreError) -> WithDefinition<ProcessInstanceRecord>? {
        try self.read { connection throws(StoreError) in
            let table = RecordTable.processInstances
            let parameters = [SQLParameter.integer(Int64(bitPattern: key))]
            let found = try connection.rows(
                "SELECT \(table.columns.joined(separator: ", ")), path FROM process_instance WHERE key = ?", parameters
            ) { row in
                var record = table.row(row)
                record.path = row.byteArray(Int32(table.columns.count))
                return record
            }
            guard var record = found.first else { return nil }
            let parts = try connection.rows(
                "SELECT path FROM element_path WHERE instance_key = ? ORDER BY part", parameters
            ) { $0.byteArray(0) }
            for part in parts { record.path += part }
            return WithDefinition(record, definition: try self.definition(record.definitionKey, connection))
        }
    }

    /// See `RecordReader`.
    public func variables(instanceKey: UInt64) throws(StoreError) -> [VariableRecord] {
        try self.read { connection throws(StoreError) in
            try connection.rows(
                "SELECT scope_key, name, value FROM variable WHERE instance_key = ? ORDER BY scope_key, name",
                [.integer(Int64(bitPattern: instanceKey))]
            ) { row in
                VariableRecord(
                    instanceKey: instanceKey, scopeKey: row.uint64(0), name: row.text(1) ?? "",
                    value: VariableValue(json: row.byteArray(2)))
            }
        }
    }

    /// See `RecordReader`.
    public func jobs(_ query: Query<JobFilter>) throws(StoreError) -> ResultPage<WithDefinition<JobRecord>> {
        try self.read { connection throws(StoreError) in
            try self.withDefinitions(try connection.search(query, in: .jobs), connection) { $0.definitionKey }
        }
    }

    /// See `RecordReader`.
    public func userTasks(
        _ query: Query<UserTaskFilter>
    ) throws(StoreError) -> ResultPage<WithDefinition<UserTaskRecord>> {
        try self.read { connection throws(StoreError) in
            try self.withDefinitions(try connection.search(query, in: .userTasks), connection) { $0.definitionKey }
        }
    }

    /// See `RecordReader`.
    public func incidents(
        _ query: Query<IncidentFilter>
    ) throws(StoreError) -> ResultPage<WithDefinition<IncidentRecord>> {
        try self.read { connection throws(StoreError) in
            try self.withDefinitions(try connection.search(query, in: .incidents), connection) { $0.definitionKey }
        }
    }

    /// See `RecordReader`.
    public func timers(_ query: Query<TimerFilter>) throws(StoreError) -> ResultPage<WithDefinition<TimerRecord>> {
        try self.read { connection throws(StoreError) in
            try self.withDefinitions(try connection.search(query, in: .timers), connection) { $0.definitionKey }
        }
    }

    /// See `RecordReader`.
    public func messages(_ query: Query<MessageFilter>) throws(StoreError) -> ResultPage<MessageRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .messages) }
    }

    /// See `RecordReader`.
    public func inbox(_ query: Query<InboxFilter>) throws(StoreError) -> ResultPage<InboxRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .inbox) }
    }

    /// See `RecordReader`.
    public func deadLetters(_ query: Query<DeadLetterFilter>) throws(StoreError) -> ResultPage<DeadLetterRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .deadLetters) }
    }

    /// See `RecordReader`.
    public func audit(_ query: Query<AuditFilter>) throws(StoreError) -> ResultPage<AuditRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .audit) }
    }

    /// See `RecordReader`.
    public func processDefinitions(
        _ query: Query<ProcessDefinitionFilter>
    ) throws(StoreError) -> ResultPage<ProcessDefinitionRecord> {
        try self.read { connection throws(StoreError) in try connection.search(query, in: .processDefinitions) }
    }

    /// See `RecordReader`.
    public func processDefinition(key: UInt64) throws(StoreError) -> ProcessDefinitionRecord? {
        try self.read { connection throws(StoreError) in
            try connection.definition(where: "key = ?", .integer(Int64(bitPattern: key)))
        }
    }

    /// See `RecordReader`.
    public func latestProcessDefinition(processID: String) throws(StoreError) -> ProcessDefinitionRecord? {
        try self.read { connection throws(StoreError) in
            try connection.definition(where: "process_id = ? ORDER BY version DESC LIMIT 1", .text(processID))
        }
    }

    /// See `RecordReader`.
    public func instanceTotals() throws(StoreError) -> [ProcessInstanceTotal] {
        try self.read { connection throws(StoreError) in try connection.instanceTotals() }
    }

    /// See `RecordReader`.
    public func totals() throws(StoreError) -> RecordTotals {
        try self.read { connection throws(StoreError) in try connection.totals() }
    }

    // MARK: Connections and definitions

    func read<Result: Sendable>(
        _ body: (RecordConnection) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let idle = try self.state.withLock { (state) throws(StoreError) -> RecordConnection? in
            if state.isClosed { throw StoreError.closed(self.path) }
            return state.idle.popLast()
        }
        let connection: RecordConnection
        if let idle {
            connection = idle
        } else {
            connection = try RecordConnection(path: self.path, options: self.options)
        }
        // A connection whose query failed is not used again.
        let result = try connection.inSnapshot { () throws(StoreError) in try body(connection) }
        self.state.withLock { state in
            if !state.isClosed && state.idle.count < Self.idleMaximum { state.idle.append(connection) }
        }
        return result
    }

    private func withDefinitions<Record: Sendable>(
        _ page: ResultPage<Record>, _ connection: RecordConnection, _ key: (Record) -> UInt64
    ) throws(StoreError) -> ResultPage<WithDefinition<Record>> {
        try page.map { (record) throws(StoreError) -> WithDefinition<Record> in
            WithDefinition(record, definition: try self.definition(key(record), connection))
        }
    }

    /// The name of a definition; they never change, so each is read once.
    private func definition(
        _ key: UInt64, _ connection: RecordConnection
    ) throws(StoreError) -> ProcessDefinitionReference? {
        if let known = self.state.withLock({ $0.definitions[key] }) { return known }
        let found = try connection.rows(
            "SELECT process_id, version, version_tag, name FROM process_definition WHERE key = ?",
            [.integer(Int64(bitPattern: key))]
        ) { row in
            ProcessDefinitionReference(
                key: key, processID: row.text(0) ?? "", version: row.int(1), versionTag: row.text(2), name: row.text(3))
        }
        if let reference = found.first { self.state.withLock { $0.definitions[key] = reference } }
        return found.first
    }
}
