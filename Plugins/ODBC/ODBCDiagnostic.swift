internal import CODBC
internal import SQLSupport

/// What a driver or the driver manager said about a call that failed.
struct ODBCDiagnostic: Error, Sendable, Hashable {
    var state: String
    var native: Int
    var message: String

    /// The records of `handle`, the first of which is the most important.
    static func records(_ type: Int32, _ handle: SQLHANDLE?) -> [ODBCDiagnostic] {
        var records: [ODBCDiagnostic] = []
        var text = [SQLWCHAR](repeating: 0, count: 2_048)
        var state = [SQLWCHAR](repeating: 0, count: 6)
        while records.count < 8 {
            var native: SQLINTEGER = 0
            var length: SQLSMALLINT = 0
            let code = SQLGetDiagRecW(
                SQLSMALLINT(type), handle, SQLSMALLINT(records.count + 1), &state, &native, &text,
                SQLSMALLINT(text.count), &length)
            guard ODBC.isSuccess(code) else { break }
            let count = min(max(0, Int(length)), text.count - 1)
            records.append(
                ODBCDiagnostic(
                    state: String(decoding: state.prefix(5), as: UTF16.self), native: Int(native),
                    message: Self.oneLine(String(decoding: text.prefix(count), as: UTF16.self))))
        }
        return records
    }

    /// The first record of a handle.
    static func first(_ type: Int32, _ handle: SQLHANDLE?) -> ODBCDiagnostic {
        self.records(type, handle).first
            ?? ODBCDiagnostic(state: SQLState.general, native: 0, message: "The driver gave no reason.")
    }

    /// Whether the records of a statement have `state`.
    static func has(_ state: String, _ handle: SQLHANDLE?) -> Bool {
        self.records(SQL_HANDLE_STMT, handle).contains { $0.state == state }
    }

    private static func oneLine(_ text: String) -> String {
        String(text.split(whereSeparator: { $0.isNewline || $0 == "\0" }).joined(separator: " ").prefix(1_000))
    }
}

/// Return codes.
enum ODBC {
    static func isSuccess(_ code: SQLRETURN) -> Bool {
        Int32(code) == SQL_SUCCESS || Int32(code) == SQL_SUCCESS_WITH_INFO
    }

    static func isNoData(_ code: SQLRETURN) -> Bool { Int32(code) == SQL_NO_DATA }

    static func utf16(_ text: String) -> [SQLWCHAR] { Array(text.utf16) }
}
