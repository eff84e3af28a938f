internal import Synchronization

/// Positions of sources in one SQLite file: `sources.db` in the data directory whose lock the journal store holds.
public final class SQLiteSourceStateStore: SourceStateStore {
    private let path: String
    private let owned: OwnedTable

    /// Opens or creates the file in a directory that exists.
    ///
    /// - Throws: `StoreError.schema` when a newer program wrote it, `.corrupt`, `.io`, `.full`.
    public init(directory: String, options: SQLiteOptions = SQLiteOptions(writerCacheBytes: 1 << 20)) throws(StoreError)
    {
        self.path = directory + "/sources.db"
        let connection = try SQLiteConnection.writer(path: self.path, synchronous: "FULL", options: options)
        // Few writes: the log is copied by the commit that makes it long.
        try connection.execute("PRAGMA wal_autocheckpoint = 1000")
        try SchemaMigration.apply(SchemaMigration.sources, to: connection)
        try makeDurable(directory)
        self.owned = OwnedTable(try SourceStateTable(connection))
    }

    deinit {
        self.close()
    }

    /// See `SourceStateStore`.
    public func acquire(_ id: String, owner: String, until: Int64, now: Int64) throws(StoreError) -> Int64? {
        try self.use { (table) throws(StoreError) in try table.acquire(id, owner, until, now) }
    }

    /// See `SourceStateStore`.
    public func renew(_ id: String, owner: String, fence: Int64, until: Int64) throws(StoreError) -> Bool {
        try self.use { (table) throws(StoreError) in try table.renew(id, owner, fence, until) }
    }

    /// See `SourceStateStore`.
    public func release(_ id: String, owner: String, fence: Int64) throws(StoreError) -> Bool {
        try self.use { (table) throws(StoreError) in try table.release(id, owner, fence) }
    }

    /// See `SourceStateStore`.
    public func save(_ id: String, fence: Int64, memory: [UInt8]) throws(StoreError) -> Bool {
        try self.use { (table) throws(StoreError) in try table.save(id, fence, memory) }
    }

    /// See `SourceStateStore`.
    public func load(_ id: String) throws(StoreError) -> [UInt8]? {
        try self.find(id)?.memory
    }

    /// See `SourceStateStore`.
    public func find(_ id: String) throws(StoreError) -> SourceState? {
        try self.use { (table) throws(StoreError) in try table.find(id) }
    }

    /// See `SourceStateStore`.
    public func list(prefix: String) throws(StoreError) -> [SourceState] {
        try self.use { (table) throws(StoreError) in try table.list(prefix) }
    }

    /// See `SourceStateStore`.
    public func reset(_ id: String, now: Int64) throws(StoreError) -> Bool {
        try self.use { (table) throws(StoreError) in try table.reset(id, now) }
    }

    /// See `SourceStateStore`.
    public func close() {
        self.owned.table.withLock { table in
            table?.close()
            table = nil
        }
    }

    private func use<Result: Sendable>(
        _ body: (borrowing SourceStateTable) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.owned.table.withLock { (table) throws(StoreError) -> Result in
            guard let table else { throw StoreError.closed(self.path) }
            return try body(table)
        }
    }
}

/// The connection; one thread at a time.
private final class OwnedTable: Sendable {
    let table: Mutex<SourceStateTable?>

    init(_ table: sending SourceStateTable) {
        self.table = Mutex(table)
    }
}

/// Every change is one statement that checks and writes, and therefore one transaction.
private final class SourceStateTable {
    private let connection: SQLiteConnection
    private let take: SQLiteStatement
    private let extend: SQLiteStatement
    private let give: SQLiteStatement
    private let keep: SQLiteStatement
    private let select: SQLiteStatement
    private let selectAll: SQLiteStatement
    private let clear: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.take = try connection.prepare(
            """
            INSERT INTO source_state (id, owner, fence, lease_until) VALUES (?1, ?2, 1, ?3)
            ON CONFLICT (id) DO UPDATE SET owner = ?2, fence = fence + 1, lease_until = ?3
            WHERE owner IS NULL OR owner = ?2 OR lease_until <= ?4
            RETURNING fence
            """)
        self.extend = try connection.prepare(
            "UPDATE source_state SET lease_until = ?4 WHERE id = ?1 AND owner = ?2 AND fence = ?3")
        self.give = try connection.prepare(
            "UPDATE source_state SET owner = NULL, lease_until = 0 WHERE id = ?1 AND owner = ?2 AND fence = ?3")
        self.keep = try connection.prepare(
            "UPDATE source_state SET memory = ?3 WHERE id = ?1 AND fence = ?2 AND owner IS NOT NULL")
        self.select = try connection.prepare(
            "SELECT id, owner, fence, lease_until, memory FROM source_state WHERE id = ?1")
        self.selectAll = try connection.prepare(
            """
            SELECT id, owner, fence, lease_until, memory FROM source_state
            WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id
            """)
        self.clear = try connection.prepare(
            """
            UPDATE source_state SET owner = NULL, lease_until = 0, memory = NULL
            WHERE id = ?1 AND (owner IS NULL OR lease_until <= ?2)
            """)
    }

    func close() {
        self.connection.close()
    }

    func acquire(_ id: String, _ owner: String, _ until: Int64, _ now: Int64) throws(StoreError) -> Int64? {
        self.take.bind(1, id)
        self.take.bind(2, owner)
        self.take.bind(3, until)
        self.take.bind(4, now)
        guard try self.take.step() else { return nil }
        let fence = self.take.int64(0)
        // Only the end of the statement commits it.
        _ = try self.take.step()
        return fence
    }

    func renew(_ id: String, _ owner: String, _ fence: Int64, _ until: Int64) throws(StoreError) -> Bool {
        self.extend.bind(1, id)
        self.extend.bind(2, owner)
        self.extend.bind(3, fence)
        self.extend.bind(4, until)
        return try self.changes(self.extend)
    }

    func release(_ id: String, _ owner: String, _ fence: Int64) throws(StoreError) -> Bool {
        self.give.bind(1, id)
        self.give.bind(2, owner)
        self.give.bind(3, fence)
        return try self.changes(self.give)
    }

    func save(_ id: String, _ fence: Int64, _ memory: [UInt8]) throws(StoreError) -> Bool {
        self.keep.bind(1, id)
        self.keep.bind(2, fence)
        self.keep.bind(3, memory)
        return try self.changes(self.keep)
    }

    func find(_ id: String) throws(StoreError) -> SourceState? {
        self.select.bind(1, id)
        defer { self.select.reset() }
        return try self.select.step() ? Self.state(self.select) : nil
    }

    func list(_ prefix: String) throws(StoreError) -> [SourceState] {
        self.selectAll.bind(1, prefix)
        defer { self.selectAll.reset() }
        var states: [SourceState] = []
        while try self.selectAll.step() { states.append(Self.state(self.selectAll)) }
        return states
    }

    func reset(_ id: String, _ now: Int64) throws(StoreError) -> Bool {
        self.clear.bind(1, id)
        self.clear.bind(2, now)
        if try self.changes(self.clear) { return true }
        return try self.find(id) == nil
    }

    private func changes(_ statement: SQLiteStatement) throws(StoreError) -> Bool {
        try statement.run()
        return self.connection.changes > 0
    }

    private static func state(_ row: SQLiteStatement) -> SourceState {
        SourceState(
            id: row.text(0) ?? "", owner: row.text(1), fence: row.int64(2), leaseUntil: row.int64(3),
            memory: row.isNull(4) ? nil : row.byteArray(4))
    }
}
