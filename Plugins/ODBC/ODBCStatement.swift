internal import CODBC
internal import SQLSupport
internal import Values

/// One statement handle.
///
/// Not `Sendable`: belongs to the thread of its connection.
final class ODBCStatement {
    let raw: SQLHSTMT
    private let call: ODBCCall

    /// Allocates it; throws what the connection says when it cannot.
    init(_ connection: SQLHDBC, _ call: ODBCCall) throws(ODBCDiagnostic) {
        var raw: SQLHANDLE?
        let code = SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_STMT), connection, &raw)
        guard ODBC.isSuccess(code), let raw else { throw ODBCDiagnostic.first(SQL_HANDLE_DBC, connection) }
        self.raw = raw
        self.call = call
        // Drivers that do not know it are stopped by us.
        _ = self.set(SQL_ATTR_QUERY_TIMEOUT, call.timeoutSeconds)
    }

    deinit {
        self.call.ended()
        SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_STMT), self.raw)
    }

    private var diagnostic: ODBCDiagnostic { ODBCDiagnostic.first(SQL_HANDLE_STMT, self.raw) }

    /// Sets an attribute that is a number; returns whether the driver took exactly that.
    func set(_ attribute: Int32, _ value: UInt) -> Bool {
        let code = SQLSetStmtAttr(self.raw, attribute, jodbc_number(SQLULEN(value)), 0)
        guard ODBC.isSuccess(code) else { return false }
        var found: SQLULEN = 0
        guard ODBC.isSuccess(SQLGetStmtAttr(self.raw, attribute, &found, 0, nil)) else { return false }
        return found == SQLULEN(value)
    }

    func prepare(_ text: String) throws(ODBCDiagnostic) {
        var units = ODBC.utf16(text)
        guard ODBC.isSuccess(SQLPrepareW(self.raw, &units, SQLINTEGER(units.count))) else { throw self.diagnostic }
    }

    /// How many parameters it has; `nil` when the driver cannot tell.
    var parameterCount: Int? {
        var count: SQLSMALLINT = 0
        return ODBC.isSuccess(SQLNumParams(self.raw, &count)) ? Int(count) : nil
    }

    /// How many columns the current result has; none for a statement that returns no rows.
    var columnCount: Int {
        var count: SQLSMALLINT = 0
        return ODBC.isSuccess(SQLNumResultCols(self.raw, &count)) ? Int(count) : 0
    }

    /// How many rows the current result touched.
    var affected: Int? {
        var count: SQLLEN = -1
        guard ODBC.isSuccess(SQLRowCount(self.raw, &count)), count >= 0 else { return nil }
        return Int(count)
    }

    func bind(_ block: ODBCParameterBlock) throws(ODBCDiagnostic) {
        guard ODBC.isSuccess(block.bind(self.raw)) else { throw self.diagnostic }
    }

    /// Makes the statement run once for each row of `block`; returns whether the driver can.
    func setRows(_ block: ODBCParameterBlock) -> Bool {
        guard self.set(SQL_ATTR_PARAM_BIND_TYPE, UInt(SQL_PARAM_BIND_BY_COLUMN)),
            self.set(SQL_ATTR_PARAMSET_SIZE, UInt(block.rowCount))
        else {
            self.setSingleRow()
            return false
        }
        let statuses = SQLSetStmtAttr(self.raw, SQL_ATTR_PARAM_STATUS_PTR, block.statuses, 0)
        let processed = SQLSetStmtAttr(self.raw, SQL_ATTR_PARAMS_PROCESSED_PTR, block.processed, 0)
        return ODBC.isSuccess(statuses) && ODBC.isSuccess(processed)
    }

    /// Makes the statement run once, and forget the memory of an array.
    func setSingleRow() {
        _ = self.set(SQL_ATTR_PARAMSET_SIZE, 1)
        SQLSetStmtAttr(self.raw, SQL_ATTR_PARAM_STATUS_PTR, nil, 0)
        SQLSetStmtAttr(self.raw, SQL_ATTR_PARAMS_PROCESSED_PTR, nil, 0)
    }

    /// How an execution went.
    enum Execution {
        case done
        /// The driver's errors; some rows may have been carried out all the same.
        case failed(ODBCDiagnostic)
        /// The call was to end before anything was sent.
        case notBegun
    }

    func execute() -> Execution {
        guard self.call.began(self.raw) else { return .notBegun }
        let code = SQLExecute(self.raw)
        self.call.ended()
        // A statement that touched no row.
        if ODBC.isSuccess(code) || ODBC.isNoData(code) { return .done }
        return .failed(self.diagnostic)
    }

    /// The columns of the current result.
    func columns() throws(ODBCDiagnostic) -> [ODBCColumn] {
        var columns: [ODBCColumn] = []
        var buffer = [SQLWCHAR](repeating: 0, count: 512)
        for number in 0..<self.columnCount {
            var length: SQLSMALLINT = 0
            var type: SQLSMALLINT = 0
            var size: SQLULEN = 0
            var digits: SQLSMALLINT = 0
            var nullable: SQLSMALLINT = 0
            let code = SQLDescribeColW(
                self.raw, SQLUSMALLINT(number + 1), &buffer, SQLSMALLINT(buffer.count), &length, &type, &size, &digits,
                &nullable)
            guard ODBC.isSuccess(code) else { throw self.diagnostic }
            let name = String(decoding: buffer.prefix(min(max(0, Int(length)), buffer.count - 1)), as: UTF16.self)
            columns.append(
                ODBCColumn(
                    name: name, form: ODBCColumn.form(Int32(type)), sqlType: Int32(type), size: Int(clamping: size),
                    digits: Int(digits)))
        }
        for (index, name) in SQLText.distinctNames(columns.map(\.name)).enumerated() { columns[index].name = name }
        return columns
    }

    /// Moves to the next row; returns whether there is one.
    func fetch() throws(ODBCDiagnostic) -> Bool {
        guard self.call.began(self.raw) else { throw Self.ended }
        let code = SQLFetch(self.raw)
        self.call.ended()
        if ODBC.isNoData(code) { return false }
        guard ODBC.isSuccess(code) else { throw self.diagnostic }
        return true
    }

    /// Moves to the next result; returns whether there is one.
    func nextResult() throws(ODBCDiagnostic) -> Bool {
        guard self.call.began(self.raw) else { throw Self.ended }
        let code = SQLMoreResults(self.raw)
        self.call.ended()
        if ODBC.isNoData(code) { return false }
        guard ODBC.isSuccess(code) else { throw self.diagnostic }
        return true
    }

    /// What is thrown when the call is to end: as if the driver had been stopped in time.
    private static let ended = ODBCDiagnostic(state: SQLState.cancelled, native: 0, message: "The call was ended.")

    func closeCursor() { SQLFreeStmt(self.raw, SQLUSMALLINT(SQL_CLOSE)) }
}
