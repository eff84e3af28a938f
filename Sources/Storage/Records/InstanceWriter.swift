internal import CSQLite

/// Writes process instances: the hot path of the projector, one statement for an instance that is new in its batch.
final class InstanceWriter {
    /// A path that stays below is kept in the instance's row; more goes to `element_path`.
    static let inlinePathBytes = 1_024

    private struct Total: Hashable {
        let definitionKey: UInt64
        let state: LifecycleState.RawValue
    }

    private let connection: SQLiteConnection
    private let insert: SQLiteStatement
    private let selectOld: SQLiteStatement
    private let update: SQLiteStatement
    private let selectPart: SQLiteStatement
    private let selectRow: SQLiteStatement
    private let selectPath: SQLiteStatement
    private let insertPart: SQLiteStatement
    private let addTotal: SQLiteStatement
    private var totals: [Total: Int] = [:]

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.insert = try connection.prepare(
            "INSERT OR IGNORE INTO process_instance VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
        self.selectOld = try connection.prepare(
            "SELECT definition_key, state, path FROM process_instance WHERE key = ?1")
        self.update = try connection.prepare(
            """
            UPDATE process_instance SET definition_key = ?2, state = ?3, started_at = ?4, ended_at = ?5,
                open_incidents = ?6, parent_instance_key = ?7, parent_element_instance_key = ?8, business_id = ?9,
                path = ?10
            WHERE key = ?1
            """)
        self.selectRow = try connection.prepare(
            """
            SELECT definition_key, state, started_at, ended_at, open_incidents, parent_instance_key,
                parent_element_instance_key, business_id, path
            FROM process_instance WHERE key = ?1
            """)
        self.selectPath = try connection.prepare(
            "SELECT path FROM element_path WHERE instance_key = ?1 ORDER BY part")
        self.selectPart = try connection.prepare(
            "SELECT coalesce(max(part) + 1, 0) FROM element_path WHERE instance_key = ?1")
        self.insertPart = try connection.prepare("INSERT INTO element_path VALUES (?1, ?2, ?3)")
        self.addTotal = try connection.prepare(
            """
            INSERT INTO process_instance_total VALUES (?1, ?2, ?3)
            ON CONFLICT (definition_key, state) DO UPDATE SET count = count + excluded.count
            """)
    }

    /// Writes instances, in key order so that neighbours in the tree are written one after the other.
    func write(_ records: [ProcessInstanceRecord]) throws(StoreError) {
        self.totals.removeAll(keepingCapacity: true)
        let order = records.indices.sorted { records[$0].key < records[$1].key }
        for index in order { try self.write(records[index]) }
        for (total, change) in self.totals where change != 0 {
            self.addTotal.bind(1, total.definitionKey)
            self.addTotal.bind(2, Int(total.state))
            self.addTotal.bind(3, change)
            try self.addTotal.run()
        }
    }

    /// Reads an instance back with its whole path.
    func read(key: UInt64) throws(StoreError) -> ProcessInstanceRecord? {
        let row = self.selectRow
        row.bind(1, key)
        defer { row.reset() }
        guard try row.step() else { return nil }
        var record = ProcessInstanceRecord(
            key: key, definitionKey: row.uint64(0), parentInstanceKey: row.optionalUInt64(5),
            parentElementInstanceKey: row.optionalUInt64(6), businessID: row.text(7),
            state: LifecycleState(rawValue: UInt8(clamping: row.int64(1))) ?? .active, startedAt: row.int64(2),
            endedAt: row.optionalInt64(3), openIncidents: row.int(4), path: row.byteArray(8))
        self.selectPath.bind(1, key)
        defer { self.selectPath.reset() }
        while try self.selectPath.step() { record.path += self.selectPath.byteArray(0) }
        return record
    }

    private func write(_ record: ProcessInstanceRecord) throws(StoreError) {
        let code = record.path.withUnsafeBytes { path in
            self.bind(record, path: path, to: self.insert)
            return self.insert.runReturningCode()
        }
        guard code == SQLITE_DONE else { throw self.insert.failure(code) }
        if self.connection.changes == 0 { try self.change(record) }
        self.totals[Total(definitionKey: record.definitionKey, state: record.state.rawValue), default: 0] += 1
    }

    private func change(_ record: ProcessInstanceRecord) throws(StoreError) {
        self.selectOld.bind(1, record.key)
        guard try self.selectOld.step() else { return }
        let old = Total(definitionKey: self.selectOld.uint64(0), state: UInt8(clamping: self.selectOld.int64(1)))
        var path = self.selectOld.byteArray(2)
        self.selectOld.reset()
        self.totals[old, default: 0] -= 1
        if !record.path.isEmpty {
            // Parts stay in order: once one went to the other table, all later ones do.
            let part = try self.nextPart(record.key)
            if part == 0 && path.count + record.path.count <= Self.inlinePathBytes {
                path += record.path
            } else {
                try self.insert(record, part: part)
            }
        }
        let code = path.withUnsafeBytes { path in
            self.bind(record, path: path, to: self.update)
            return self.update.runReturningCode()
        }
        guard code == SQLITE_DONE else { throw self.update.failure(code) }
    }

    private func nextPart(_ key: UInt64) throws(StoreError) -> Int64 {
        self.selectPart.bind(1, key)
        defer { self.selectPart.reset() }
        return try self.selectPart.step() ? self.selectPart.int64(0) : 0
    }

    private func insert(_ record: ProcessInstanceRecord, part: Int64) throws(StoreError) {
        self.insertPart.bind(1, record.key)
        self.insertPart.bind(2, part)
        self.insertPart.bind(3, record.path)
        try self.insertPart.run()
    }

    private func bind(_ record: ProcessInstanceRecord, path: UnsafeRawBufferPointer, to row: SQLiteStatement) {
        row.bind(1, record.key)
        row.bind(2, record.definitionKey)
        row.bind(3, Int(record.state.rawValue))
        row.bind(4, record.startedAt)
        row.bind(5, record.endedAt)
        row.bind(6, record.openIncidents)
        row.bind(7, record.parentInstanceKey)
        row.bind(8, record.parentElementInstanceKey)
        row.bind(9, record.businessID)
        row.bind(10, borrowing: path)
    }
}
