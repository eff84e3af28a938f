internal import CSQLite

/// A prepared statement: bind, step, read columns, reset.
///
/// Columns count from 0, parameters from 1.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection

    /// Tells SQLite to copy bytes while binding; the C macro is a cast that Swift cannot import.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ handle: OpaquePointer, connection: SQLiteConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(self.handle)
    }

    // MARK: Parameters

    /// Binds an integer.
    func bind(_ index: Int32, _ value: Int64) {
        sqlite3_bind_int64(self.handle, index, value)
    }

    /// Binds an integer.
    func bind(_ index: Int32, _ value: Int) {
        sqlite3_bind_int64(self.handle, index, Int64(value))
    }

    /// Binds a key by its bits; keys beyond 63 bits become negative numbers.
    func bind(_ index: Int32, _ value: UInt64) {
        sqlite3_bind_int64(self.handle, index, Int64(bitPattern: value))
    }

    /// Binds an integer or NULL.
    func bind(_ index: Int32, _ value: Int64?) {
        if let value { self.bind(index, value) } else { sqlite3_bind_null(self.handle, index) }
    }

    /// Binds a key or NULL.
    func bind(_ index: Int32, _ value: UInt64?) {
        if let value { self.bind(index, value) } else { sqlite3_bind_null(self.handle, index) }
    }

    /// Binds text, copied.
    func bind(_ index: Int32, _ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            _ = utf8.withMemoryRebound(to: CChar.self) { characters in
                // An empty buffer may have no address, which would bind NULL.
                if let base = characters.baseAddress {
                    sqlite3_bind_text(self.handle, index, base, Int32(characters.count), Self.transient)
                } else {
                    sqlite3_bind_text(self.handle, index, "", 0, Self.transient)
                }
            }
        }
    }

    /// Binds text or NULL, copied.
    func bind(_ index: Int32, _ value: String?) {
        if let value { self.bind(index, value) } else { sqlite3_bind_null(self.handle, index) }
    }

    /// Binds bytes as a blob, copied.
    func bind(_ index: Int32, _ value: [UInt8]) {
        value.withUnsafeBytes { self.bind(index, $0, destructor: Self.transient) }
    }

    /// Binds bytes or NULL, copied.
    func bind(_ index: Int32, _ value: [UInt8]?) {
        if let value { self.bind(index, value) } else { sqlite3_bind_null(self.handle, index) }
    }

    /// Binds UTF-8 bytes as text, copied.
    func bindText(_ index: Int32, _ utf8: [UInt8]) {
        utf8.withUnsafeBytes { bytes in
            _ =
                if let base = bytes.baseAddress {
                    sqlite3_bind_text(
                        self.handle, index, base.assumingMemoryBound(to: CChar.self), Int32(bytes.count), Self.transient
                    )
                } else {
                    sqlite3_bind_text(self.handle, index, "", 0, Self.transient)
                }
        }
    }

    /// Binds bytes that stay where they are until the statement has run.
    func bind(_ index: Int32, borrowing bytes: UnsafeRawBufferPointer) {
        self.bind(index, bytes, destructor: nil)
    }

    private func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer, destructor: sqlite3_destructor_type?) {
        if let base = bytes.baseAddress, bytes.count > 0 {
            sqlite3_bind_blob64(self.handle, index, base, UInt64(bytes.count), destructor)
        } else {
            sqlite3_bind_zeroblob(self.handle, index, 0)
        }
    }

    // MARK: Running

    /// Runs a statement without result rows to its end and resets it.
    func run() throws(StoreError) {
        let code = self.runReturningCode()
        guard code == SQLITE_DONE else { throw self.failure(code) }
    }

    /// Runs a statement to its end and resets it; the result code, for closures that cannot throw typed errors.
    func runReturningCode() -> Int32 {
        let code = sqlite3_step(self.handle)
        sqlite3_reset(self.handle)
        return code
    }

    /// Moves to the next row; false after the last one, when the statement is reset.
    func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(self.handle)
        if code == SQLITE_ROW { return true }
        sqlite3_reset(self.handle)
        guard code == SQLITE_DONE else { throw self.failure(code) }
        return false
    }

    /// Ends reading early, so that no snapshot stays open.
    func reset() {
        sqlite3_reset(self.handle)
    }

    /// The error for a result code of `runReturningCode`.
    func failure(_ code: Int32) -> StoreError {
        let sql = sqlite3_sql(self.handle).map { String(cString: $0) } ?? ""
        return self.connection.failure(code, doing: "running \"\(sql.prefix(60))\"")
    }

    // MARK: Columns

    /// An integer column; 0 for NULL.
    func int64(_ column: Int32) -> Int64 {
        sqlite3_column_int64(self.handle, column)
    }

    /// An integer column; 0 for NULL.
    func int(_ column: Int32) -> Int {
        Int(sqlite3_column_int64(self.handle, column))
    }

    /// A key column.
    func uint64(_ column: Int32) -> UInt64 {
        UInt64(bitPattern: sqlite3_column_int64(self.handle, column))
    }

    /// Whether a column is NULL.
    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(self.handle, column) == SQLITE_NULL
    }

    /// Whether a column holds text.
    func isText(_ column: Int32) -> Bool {
        sqlite3_column_type(self.handle, column) == SQLITE_TEXT
    }

    /// An integer column or nil for NULL.
    func optionalInt64(_ column: Int32) -> Int64? {
        self.isNull(column) ? nil : self.int64(column)
    }

    /// A key column or nil for NULL.
    func optionalUInt64(_ column: Int32) -> UInt64? {
        self.isNull(column) ? nil : self.uint64(column)
    }

    /// A text column; nil for NULL.
    func text(_ column: Int32) -> String? {
        guard let text = sqlite3_column_text(self.handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(self.handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// The bytes of a blob or text column; valid until the next step.
    ///
    /// Empty for NULL.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let base = sqlite3_column_blob(self.handle, column)
        return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(self.handle, column)))
    }

    /// The bytes of a blob or text column, copied.
    func byteArray(_ column: Int32) -> [UInt8] {
        [UInt8](self.bytes(column))
    }
}
