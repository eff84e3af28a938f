internal import CSQLite

/// One SQLite connection: used by one thread at a time.
final class SQLiteConnection {
    /// How a connection may use its file.
    enum Access {
        /// Creates the file when it is missing.
        case readWrite
        /// Never writes; the file must exist.
        case readOnly
    }

    /// The open database; nil after `close`.
    private(set) var handle: OpaquePointer?
    /// The file, for messages.
    let path: String

    /// Opens a file.
    ///
    /// `vfs` names a registered SQLite VFS; nil is the operating system's.
    init(path: String, access: Access, vfs: String? = nil) throws(StoreError) {
        self.path = path
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        switch access {
        case .readWrite: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        }
        let code = sqlite3_open_v2(path, &self.handle, flags, vfs)
        guard code == SQLITE_OK else {
            let error = self.failure(code, doing: "opening")
            self.close()
            throw error
        }
        // Another connection holds the write lock for milliseconds only; SQLite sleeps and retries meanwhile.
        sqlite3_busy_timeout(self.handle, 10_000)
    }

    deinit {
        self.close()
    }

    /// Closes the connection.
    ///
    /// Idempotent; statements still alive keep the file open until they go.
    func close() {
        sqlite3_close_v2(self.handle)
        self.handle = nil
    }

    /// Runs statements without results.
    func execute(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(self.handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw self.failure(code, doing: "running \"\(sql.prefix(60))\"") }
    }

    /// Compiles a statement that is used again and again.
    func prepare(_ sql: String) throws(StoreError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(self.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw self.failure(code, doing: "preparing \"\(sql.prefix(200))\"")
        }
        return SQLiteStatement(statement, connection: self)
    }

    /// The first column of the first row, as an integer; nil without a row.
    func integer(_ sql: String) throws(StoreError) -> Int64? {
        let statement = try self.prepare(sql)
        return try statement.step() ? statement.int64(0) : nil
    }

    /// The first column of every row, as text.
    func texts(_ sql: String) throws(StoreError) -> [String] {
        let statement = try self.prepare(sql)
        var rows: [String] = []
        while try statement.step() { rows.append(statement.text(0) ?? "") }
        return rows
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool {
        self.handle != nil && sqlite3_get_autocommit(self.handle) == 0
    }

    /// How many rows the last statement changed.
    var changes: Int {
        Int(sqlite3_changes64(self.handle))
    }

    /// Ends an open transaction without its changes; errors leave nothing to undo.
    func rollbackIfNeeded() {
        if self.isInTransaction { sqlite3_exec(self.handle, "ROLLBACK", nil, nil, nil) }
    }

    /// The error for a result code of this connection.
    func failure(_ code: Int32, doing action: String) -> StoreError {
        let detail =
            if let handle { String(cString: sqlite3_errmsg(handle)) } else { String(cString: sqlite3_errstr(code)) }
        return StoreError(sqlite: code, detail: detail, path: self.path, doing: action)
    }
}
