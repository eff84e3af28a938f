internal import Synchronization

/// Idempotency records in one SQLite file: `idempotency.db` in the data directory whose lock the journal store holds.
public final class SQLiteIdempotencyStore: IdempotencyStore {
    private let path: String
    private let owned: OwnedTable

    /// Opens or creates the file in a directory that exists.
    ///
    /// - Throws: `StoreError.schema` when a newer program wrote it, `.corrupt`, `.io`, `.full`.
    public init(directory: String, options: SQLiteOptions = SQLiteOptions(writerCacheBytes: 4 << 20)) throws(StoreError)
    {
        self.path = directory + "/idempotency.db"
        let connection = try SQLiteConnection.writer(path: self.path, synchronous: "FULL", options: options)
        // Few writes: the log is copied by the commit that makes it long.
        try connection.execute("PRAGMA wal_autocheckpoint = 1000")
        try SchemaMigration.apply(SchemaMigration.idempotency, to: connection)
        try makeDurable(directory)
        self.owned = OwnedTable(try SQLiteIdempotencyTable(connection))
    }

    deinit {
        self.close()
    }

    /// See `IdempotencyStore`.
    public func transact<Result: Sendable>(
        _ body: @Sendable (any IdempotencyTable) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.owned.table.withLock { (table) throws(StoreError) -> Result in
            guard let table else { throw StoreError.closed(self.path) }
            return try table.transact(body)
        }
    }

    /// See `IdempotencyStore`.
    public func close() {
        self.owned.table.withLock { table in
            table?.close()
            table = nil
        }
    }
}

/// The connection; one thread at a time.
private final class OwnedTable: Sendable {
    let table: Mutex<SQLiteIdempotencyTable?>

    init(_ table: sending SQLiteIdempotencyTable) {
        self.table = Mutex(table)
    }
}

private final class SQLiteIdempotencyTable: IdempotencyTable {
    private let connection: SQLiteConnection
    private let select: SQLiteStatement
    private let replace: SQLiteStatement
    private let delete: SQLiteStatement
    private let deleteExpired: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.select = try connection.prepare(
            """
            SELECT fingerprint, owner, lease_until, status, headers, body, created, expires
            FROM idempotency WHERE scope = ? AND key = ?
            """)
        self.replace = try connection.prepare(
            """
            INSERT OR REPLACE INTO idempotency
            (scope, key, fingerprint, owner, lease_until, status, headers, body, created, expires)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        self.delete = try connection.prepare("DELETE FROM idempotency WHERE scope = ? AND key = ?")
        self.deleteExpired = try connection.prepare(
            """
            DELETE FROM idempotency WHERE (scope, key) IN (
                SELECT scope, key FROM idempotency WHERE expires < ? AND status IS NOT NULL LIMIT ?)
            """)
    }

    func close() {
        self.connection.close()
    }

    func transact<Result>(_ body: @Sendable (any IdempotencyTable) throws(StoreError) -> Result) throws(StoreError)
        -> Result
    {
        try self.connection.execute("BEGIN IMMEDIATE")
        do {
            let result = try body(self)
            try self.connection.execute("COMMIT")
            return result
        } catch {
            self.connection.rollbackIfNeeded()
            throw error
        }
    }

    func find(scope: String, key: String) throws(StoreError) -> IdempotencyRow? {
        self.select.bind(1, scope)
        self.select.bind(2, key)
        defer { self.select.reset() }
        guard try self.select.step() else { return nil }
        return IdempotencyRow(
            scope: scope, key: key, fingerprint: self.select.text(0) ?? "", owner: self.select.text(1),
            leaseUntil: self.select.optionalInt64(2), status: self.select.optionalInt64(3).map { Int($0) },
            headers: self.select.isNull(4) ? nil : self.select.byteArray(4),
            body: self.select.isNull(5) ? nil : self.select.byteArray(5), created: self.select.int64(6),
            expires: self.select.int64(7))
    }

    func put(_ row: IdempotencyRow) throws(StoreError) {
        self.replace.bind(1, row.scope)
        self.replace.bind(2, row.key)
        self.replace.bind(3, row.fingerprint)
        self.replace.bind(4, row.owner)
        self.replace.bind(5, row.leaseUntil)
        self.replace.bind(6, row.status.map { Int64($0) })
        self.replace.bind(7, row.headers)
        self.replace.bind(8, row.body)
        self.replace.bind(9, row.created)
        self.replace.bind(10, row.expires)
        try self.replace.run()
    }

    func remove(scope: String, key: String) throws(StoreError) {
        self.delete.bind(1, scope)
        self.delete.bind(2, key)
        try self.delete.run()
    }

    func removeExpired(before milliseconds: Int64, limit: Int) throws(StoreError) -> Int {
        self.deleteExpired.bind(1, milliseconds)
        self.deleteExpired.bind(2, limit)
        try self.deleteExpired.run()
        return self.connection.changes
    }
}
