internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// A column of a result.
struct ODBCColumn: Sendable, Hashable {
    /// How its values are asked for.
    enum Form: Sendable, Hashable {
        case text
        /// Digits: integers that may not fit, decimals.
        case digits
        case double
        case float
        case boolean
        case uuid
        case date
        case time
        case timestamp
        case bytes
    }

    var name: String
    var form: Form
    /// The type as the driver names it.
    var sqlType = SQL_WVARCHAR
    /// Characters, digits or bytes.
    var size = 0
    /// Digits after the point.
    var digits = 0

    /// The form of an SQL type.
    static func form(_ sqlType: Int32) -> Form {
        switch sqlType {
        case SQL_BIGINT, SQL_INTEGER, SQL_SMALLINT, SQL_TINYINT, SQL_DECIMAL, SQL_NUMERIC: .digits
        case SQL_DOUBLE, SQL_FLOAT: .double
        case SQL_REAL: .float
        case SQL_BIT: .boolean
        case SQL_GUID: .uuid
        case SQL_TYPE_DATE, SQL_DATE: .date
        case SQL_TYPE_TIME, SQL_TIME: .time
        case SQL_TYPE_TIMESTAMP, SQL_TIMESTAMP: .timestamp
        case SQL_BINARY, SQL_VARBINARY, SQL_LONGVARBINARY: .bytes
        default: .text
        }
    }
}

/// Reads the values of the current row of a statement.
///
/// Columns have to be read in ascending order, and each piece by piece.
struct ODBCRowReader {
    /// Why a value cannot be read.
    enum Failure: Error {
        case driver(ODBCDiagnostic)
        case malformed(column: String, what: String)
        case tooLarge
    }

    private static let pieceBytes = 16 << 10

    let statement: SQLHSTMT
    let columns: [ODBCColumn]

    /// The row as a context; `bytesLeft` is what it may take, and is lowered by that.
    func read(_ bytesLeft: inout Int) throws(Failure) -> Value {
        var row = ValueContext()
        row.reserveCapacity(self.columns.count)
        for (index, column) in self.columns.enumerated() {
            row[column.name] = try self.value(SQLUSMALLINT(index + 1), column, &bytesLeft)
        }
        return .context(row)
    }

    /// The value of each column; what cannot be read is null, and is named in `problems`.
    ///
    /// `bytes` is what the row may take; it is set to what it took.
    func readWhatCanBeRead(_ bytes: inout Int, problems: inout [String]) throws(ODBCDiagnostic) -> [Value] {
        let maximum = bytes
        var left = maximum
        var values: [Value] = []
        values.reserveCapacity(self.columns.count)
        for (index, column) in self.columns.enumerated() {
            do throws(Failure) {
                values.append(try self.value(SQLUSMALLINT(index + 1), column, &left))
            } catch {
                switch error {
                case .driver(let diagnostic): throw diagnostic
                case .malformed(let column, let what):
                    problems.append("Column \(column) holds something that is no \(what).")
                case .tooLarge: problems.append("The row has more than \(maximum) bytes at column \(column.name).")
                }
                values.append(.null)
                // The others are still wanted: they say which row this is.
                left = max(left, Self.pieceBytes)
            }
        }
        bytes = max(0, maximum - left)
        return values
    }

    private func value(
        _ number: SQLUSMALLINT, _ column: ODBCColumn, _ bytesLeft: inout Int
    ) throws(Failure) -> Value {
        switch column.form {
        case .text:
            guard let text = try self.text(number, column, &bytesLeft) else { return .null }
            return .string(text)
        case .uuid:
            // Drivers write it as they like; the form of RFC 9562 is in lower case.
            guard let text = try self.ascii(number, column, &bytesLeft) else { return .null }
            return .string(text.lowercased())
        case .digits:
            guard let text = try self.ascii(number, column, &bytesLeft) else { return .null }
            return SQLText.number(text)
        case .double: return try self.fixed(number, JODBC_C_DOUBLE, Double.zero).map(SQLText.double) ?? .null
        case .float:
            guard let float = try self.fixed(number, JODBC_C_FLOAT, Float.zero) else { return .null }
            return float.isFinite ? SQLText.number(float.description) : SQLText.double(Double(float))
        case .boolean: return try self.fixed(number, JODBC_C_BIT, UInt8.zero).map { .boolean($0 != 0) } ?? .null
        case .date:
            // As text first: databases have dates that ODBC's structure has not.
            guard let text = try self.ascii(number, column, &bytesLeft) else { return .null }
            return CalendarDate(text).map { .date($0) } ?? .string(text)
        case .time:
            guard let text = try self.ascii(number, column, &bytesLeft) else { return .null }
            return Self.time(text).map { .time($0) } ?? .string(text)
        case .timestamp:
            guard let text = try self.ascii(number, column, &bytesLeft) else { return .null }
            return Self.timestamp(text) ?? .string(text)
        case .bytes:
            guard let bytes = try self.pieces(number, JODBC_C_BYTES, terminator: 0, &bytesLeft) else { return .null }
            return .string(Base64.encode(bytes))
        }
    }

    // MARK: - Times

    /// `13:20:00.5`, `13:20:00+02`; `nil` for times beyond a day.
    static func time(_ text: some StringProtocol) -> TimeOfDay? {
        guard !text.hasPrefix("24:") else { return nil }
        guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return TimeOfDay(text) }
        return TimeOfDay(text[text.index(after: sign)...].utf8.count == 2 ? text + ":00" : String(text))
    }

    /// `2026-11-24 13:20:00.5`, with an offset where the database has one.
    static func timestamp(_ text: String) -> Value? {
        guard let space = text.firstIndex(where: { $0 == " " || $0 == "T" }),
            let date = CalendarDate(text[..<space]), let time = Self.time(text[text.index(after: space)...])
        else { return nil }
        return .dateTime(DateTime(date: date, time: time))
    }

    // MARK: - Pieces

    private func text(
        _ number: SQLUSMALLINT, _ column: ODBCColumn, _ bytesLeft: inout Int
    ) throws(Failure) -> String? {
        guard let bytes = try self.pieces(number, JODBC_C_TEXT, terminator: 2, &bytesLeft) else { return nil }
        let units = bytes.withUnsafeBytes { raw in
            (0..<(raw.count / 2)).map { raw.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) }
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw .malformed(column: column.name, what: "UTF-16 text")
        }
        return text
    }

    private func ascii(
        _ number: SQLUSMALLINT, _ column: ODBCColumn, _ bytesLeft: inout Int
    ) throws(Failure) -> String? {
        guard let bytes = try self.pieces(number, JODBC_C_ASCII, terminator: 1, &bytesLeft) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(column: column.name, what: "UTF-8 text")
        }
        return text
    }

    /// The bytes of a value; `nil` for NULL.
    private func pieces(
        _ number: SQLUSMALLINT, _ type: SQLSMALLINT, terminator: Int, _ bytesLeft: inout Int
    ) throws(Failure) -> [UInt8]? {
        var bytes: [UInt8] = []
        var isFirst = true
        var buffer = [UInt8](repeating: 0, count: 512)
        while true {
            var length: SQLLEN = 0
            let size = buffer.count
            let code = buffer.withUnsafeMutableBytes { raw in
                SQLGetData(self.statement, number, type, raw.baseAddress, SQLLEN(size), &length)
            }
            if ODBC.isNoData(code) { return isFirst ? nil : bytes }
            guard ODBC.isSuccess(code) else {
                throw .driver(ODBCDiagnostic.first(SQL_HANDLE_STMT, self.statement))
            }
            if length == SQLLEN(SQL_NULL_DATA) { return nil }
            isFirst = false
            // The length is that of what was left before this piece, or unknown.
            let room = size - terminator
            let isWhole = length != SQLLEN(SQL_NO_TOTAL) && length >= 0 && length <= SQLLEN(room)
            let count = isWhole ? Int(length) : room
            bytesLeft -= count
            guard bytesLeft >= 0 else { throw .tooLarge }
            bytes.append(contentsOf: buffer[..<count])
            if isWhole { return bytes }
            if buffer.count < Self.pieceBytes { buffer = [UInt8](repeating: 0, count: Self.pieceBytes) }
        }
    }

    /// A value of fixed size; `nil` for NULL.
    private func fixed<Fixed: BitwiseCopyable>(
        _ number: SQLUSMALLINT, _ type: SQLSMALLINT, _ initial: Fixed
    ) throws(Failure) -> Fixed? {
        var value = initial
        var length: SQLLEN = 0
        let code = withUnsafeMutableBytes(of: &value) { raw in
            SQLGetData(self.statement, number, type, raw.baseAddress, SQLLEN(raw.count), &length)
        }
        guard ODBC.isSuccess(code) else {
            throw .driver(ODBCDiagnostic.first(SQL_HANDLE_STMT, self.statement))
        }
        return length == SQLLEN(SQL_NULL_DATA) ? nil : value
    }
}
