internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// One physical connection.
///
/// Not `Sendable`: lives on the thread of an `ODBCLink`.
final class ODBCSession {
    private let environment: SQLHENV
    private let connection: SQLHDBC
    let capabilities: ODBCCapabilities
    /// Whether the connection must not be used by another call.
    var mustClose = false
    private var commitsByItself = true
    private var isClosed = false

    // MARK: - Opening and closing

    /// Connects.
    ///
    /// Connections of one driver are made one after the other.
    static func open(
        _ settings: ODBCSettings, _ secrets: [(name: String, value: String)], _ call: ODBCCall
    ) throws(ConnectorError) -> ODBCSession {
        let made = ConnectGate.of(settings.gate).alone(within: call.timeout) {
            () -> Result<ODBCSession, ODBCDiagnostic> in
            do throws(ODBCDiagnostic) {
                return .success(try ODBCSession(settings, secrets, call))
            } catch {
                return .failure(error)
            }
        }
        switch made {
        case .success(let session):
            try session.run(settings.onConnect, call)
            return session
        case .failure(var diagnostic):
            diagnostic.message = Self.hiding(secrets, in: diagnostic.message)
            throw ODBCErrors.connecting(diagnostic, settings)
        case nil:
            throw ODBCErrors.ended(.timedOut, connection: "", timeout: call.timeout, mayHaveExecuted: false)
        }
    }

    private init(
        _ settings: ODBCSettings, _ secrets: [(name: String, value: String)], _ call: ODBCCall
    ) throws(ODBCDiagnostic) {
        var environment: SQLHANDLE?
        guard ODBC.isSuccess(SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_ENV), nil, &environment)), let environment else {
            throw ODBCDiagnostic(state: SQLState.noMemory, native: 0, message: "There is no memory for an environment.")
        }
        SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, jodbc_number(3), 0)
        var connection: SQLHANDLE?
        guard ODBC.isSuccess(SQLAllocHandle(SQLSMALLINT(SQL_HANDLE_DBC), environment, &connection)), let connection
        else {
            let diagnostic = ODBCDiagnostic.first(SQL_HANDLE_ENV, environment)
            SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_ENV), environment)
            throw diagnostic
        }
        SQLSetConnectAttr(connection, SQL_ATTR_LOGIN_TIMEOUT, jodbc_number(SQLULEN(call.timeoutSeconds)), 0)
        var text = ODBC.utf16(settings.connectionString(secrets))
        let code = SQLDriverConnectW(
            connection, nil, &text, SQLSMALLINT(clamping: text.count), nil, 0, nil, SQLUSMALLINT(SQL_DRIVER_NOPROMPT))
        // The password is in it.
        for index in text.indices { text[index] = 0 }
        guard ODBC.isSuccess(code) else {
            let diagnostic = ODBCDiagnostic.first(SQL_HANDLE_DBC, connection)
            SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), connection)
            SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_ENV), environment)
            throw diagnostic
        }
        self.environment = environment
        self.connection = connection
        self.capabilities = ODBCCapabilities(connection)
    }

    deinit { self.close() }

    /// Ends the connection.
    ///
    /// May be called twice.
    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        if !self.commitsByItself { SQLEndTran(SQLSMALLINT(SQL_HANDLE_DBC), self.connection, SQLSMALLINT(SQL_ROLLBACK)) }
        SQLDisconnect(self.connection)
        SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_DBC), self.connection)
        SQLFreeHandle(SQLSMALLINT(SQL_HANDLE_ENV), self.environment)
    }

    /// Takes secrets out of a driver's words: some repeat the connection string.
    static func hiding(_ secrets: [(name: String, value: String)], in text: String) -> String {
        var text = text
        for (_, value) in secrets where !value.isEmpty {
            for form in Set([value, ODBCSettings.quoted(value)]) {
                while let range = text.firstRange(of: form) { text.replaceSubrange(range, with: "…") }
            }
        }
        return text
    }

    /// Runs statements that prepare the connection.
    private func run(_ statements: [String], _ call: ODBCCall) throws(ConnectorError) {
        for text in statements {
            do throws(ODBCDiagnostic) {
                let statement = try ODBCStatement(self.connection, call)
                try statement.prepare(text)
                if case .failed(let diagnostic) = statement.execute() { throw diagnostic }
            } catch {
                throw ODBCErrors.driver(error, self.capabilities, mayHaveExecuted: false)
            }
        }
    }

    // MARK: - State

    /// Whether the other end still answers: asks the driver, and the database if the connection stood idle for long.
    func isAlive(asksDatabase: Bool) -> Bool {
        var dead: SQLUINTEGER = 0
        let code = SQLGetConnectAttr(self.connection, SQL_ATTR_CONNECTION_DEAD, &dead, 4, nil)
        if ODBC.isSuccess(code), Int32(bitPattern: dead) == SQL_CD_TRUE { return false }
        guard asksDatabase else { return true }
        do throws(ODBCDiagnostic) {
            let statement = try ODBCStatement(self.connection, ODBCCall(timeout: .seconds(5)))
            try statement.prepare("SELECT 1")
            guard case .done = statement.execute() else { return false }
            return true
        } catch {
            return false
        }
    }

    func statement(_ call: ODBCCall) throws(ODBCDiagnostic) -> ODBCStatement {
        try ODBCStatement(self.connection, call)
    }

    /// Makes each statement a transaction of its own, or not.
    func setCommitsByItself(_ commitsByItself: Bool) throws(ODBCDiagnostic) {
        guard commitsByItself != self.commitsByItself, self.capabilities.hasTransactions else { return }
        let value = commitsByItself ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF
        guard
            ODBC.isSuccess(
                SQLSetConnectAttr(self.connection, SQL_ATTR_AUTOCOMMIT, jodbc_number(SQLULEN(value)), 0))
        else {
            self.mustClose = true
            throw ODBCDiagnostic.first(SQL_HANDLE_DBC, self.connection)
        }
        self.commitsByItself = commitsByItself
    }

    /// Ends the transaction.
    func endTransaction(commits: Bool) throws(ODBCDiagnostic) {
        guard !self.commitsByItself else { return }
        let code = SQLEndTran(
            SQLSMALLINT(SQL_HANDLE_DBC), self.connection, SQLSMALLINT(commits ? SQL_COMMIT : SQL_ROLLBACK))
        guard ODBC.isSuccess(code) else { throw ODBCDiagnostic.first(SQL_HANDLE_DBC, self.connection) }
    }

    /// Undoes what is not committed; a connection where that fails is not used again.
    func rollBack() {
        do throws(ODBCDiagnostic) {
            try self.endTransaction(commits: false)
        } catch {
            self.mustClose = true
        }
    }

    /// Runs `body` in a transaction, which is committed unless it throws.
    ///
    /// `commits`: whether it is committed at all.
    func transaction<Success>(
        commits: Bool, _ body: () throws(ODBCFailure) -> Success
    ) throws(ODBCFailure) -> Success {
        do throws(ODBCDiagnostic) {
            try self.setCommitsByItself(false)
        } catch {
            throw .driver(error, mayHaveExecuted: false)
        }
        let success: Success
        do throws(ODBCFailure) {
            success = try body()
        } catch {
            self.rollBack()
            self.resume()
            // What was not committed did not happen, where there are transactions.
            throw self.capabilities.hasTransactions ? error.undone : error
        }
        do throws(ODBCDiagnostic) {
            try self.endTransaction(commits: commits)
        } catch {
            self.rollBack()
            self.resume()
            if commits { throw .driver(error, mayHaveExecuted: SQLState.kind(error.state) != .conflict) }
        }
        self.resume()
        return success
    }

    private func resume() {
        do throws(ODBCDiagnostic) {
            try self.setCommitsByItself(true)
        } catch {
            self.mustClose = true
        }
    }
}

/// Why an operation failed.
enum ODBCFailure: Error {
    case driver(ODBCDiagnostic, mayHaveExecuted: Bool)
    /// The call was to end before this was sent.
    case notBegun
    case ours(ConnectorError)

    /// The same where everything was rolled back.
    var undone: ODBCFailure {
        switch self {
        case .driver(let diagnostic, _): return .driver(diagnostic, mayHaveExecuted: false)
        case .notBegun: return self
        case .ours(var error):
            error.mayHaveExecuted = false
            return .ours(error)
        }
    }
}
