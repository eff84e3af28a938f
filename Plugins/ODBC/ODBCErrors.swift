internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Errors of this connector, in the taxonomy.
enum ODBCErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let driver = "CON-5201"
        static let connecting = "CON-5202"
        static let timeout = "CON-5203"
        static let abandoned = "CON-5204"
        static let exhausted = "CON-5205"
        static let tooLarge = "CON-5206"
        static let mismatch = "CON-5207"
        static let malformed = "CON-5208"
        static let noRows = "CON-5209"
        static let refused = "CON-5210"
        static let cursorMissing = "CON-5211"
        static let cursorOrder = "CON-5212"
        static let cursorNotUnique = "CON-5213"
        static let cursorForeign = "CON-5214"
    }

    /// What a driver reported.
    static func driver(
        _ diagnostic: ODBCDiagnostic, _ capabilities: ODBCCapabilities?, mayHaveExecuted: Bool
    ) -> ConnectorError {
        let kind = Self.kind(diagnostic, capabilities)
        return ConnectorError(
            kind, code: Code.driver, "The driver answered \(diagnostic.state): \(Self.sentence(diagnostic.message))",
            remedy: SQLState.remedy(kind), mayHaveExecuted: mayHaveExecuted && kind != .conflict,
            details: Self.details(diagnostic))
    }

    /// No connection came about.
    static func connecting(_ diagnostic: ODBCDiagnostic, _ settings: ODBCSettings) -> ConnectorError {
        var kind = Self.kind(diagnostic, nil)
        // Most drivers say no more than that something is wrong.
        if kind == .unknown || kind == .transient { kind = .unavailable }
        let remedy =
            kind == .unavailable
            ? "Check that the server runs and that the attributes lead to it." : SQLState.remedy(kind)
        return ConnectorError(
            kind, code: Code.connecting,
            "\(settings.place) gave no connection, \(diagnostic.state): \(Self.sentence(diagnostic.message))",
            remedy: remedy, details: Self.details(diagnostic))
    }

    private static func details(_ diagnostic: ODBCDiagnostic) -> ValueContext {
        [
            "sqlstate": .string(diagnostic.state), "native": SQLText.whole(diagnostic.native),
            "message": .string(diagnostic.message),
        ]
    }

    private static func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }

    /// The kind of a diagnostic: by the database's own number where its driver has only one state for everything.
    static func kind(_ diagnostic: ODBCDiagnostic, _ capabilities: ODBCCapabilities?) -> ConnectorError.Kind {
        let product = capabilities?.product ?? ODBCCapabilities.product(inMessage: diagnostic.message)
        let native: ConnectorError.Kind? =
            switch product {
            case .mariaDB: Self.mariaDB[diagnostic.native]
            case .sqlite: Self.sqlite(diagnostic)
            case .postgreSQL, .other: nil
            }
        return native ?? SQLState.kind(diagnostic.state)
    }

    private static let mariaDB: [Int: ConnectorError.Kind] = [
        1022: .conflict, 1040: .rateLimited, 1044: .permission, 1045: .auth, 1048: .validation, 1049: .notFound,
        1053: .unavailable, 1062: .conflict, 1114: .quotaExhausted, 1142: .permission, 1146: .notFound,
        1203: .rateLimited, 1205: .transient, 1213: .transient, 1216: .conflict, 1217: .conflict, 1227: .permission,
        1290: .permission, 1305: .notFound, 1317: .timeout, 1364: .validation, 1451: .conflict, 1452: .conflict,
        1792: .permission, 1927: .unavailable, 1969: .timeout, 2002: .unavailable, 2003: .unavailable,
        2005: .unavailable, 2006: .transient, 2013: .transient, 2026: .unavailable, 4025: .validation,
    ]

    /// SQLite's driver passes its result codes, or just words.
    private static func sqlite(_ diagnostic: ODBCDiagnostic) -> ConnectorError.Kind? {
        let words = diagnostic.message
        if words.contains("UNIQUE constraint") || words.contains("PRIMARY KEY constraint") { return .conflict }
        if words.contains("FOREIGN KEY constraint") { return .conflict }
        if words.contains("constraint failed") { return .validation }
        if words.contains("no such") { return .notFound }
        if words.contains("syntax error") || words.contains("incomplete input") { return .validation }
        if words.contains("already exists") { return .conflict }
        if words.contains("interrupted") { return .timeout }
        if words.contains("is locked") { return .transient }
        if words.contains("readonly") { return .permission }
        switch diagnostic.native & 0xFF {
        case 5, 6: return .transient
        case 8: return .permission
        case 9: return .timeout
        case 13: return .quotaExhausted
        case 14: return .unavailable
        case 18, 20, 25: return .validation
        default: return nil
        }
    }

    // MARK: - Our own

    static func ended(
        _ ending: ODBCCall.Ending, connection: String, timeout: Duration, mayHaveExecuted: Bool
    ) -> ConnectorError {
        switch ending {
        case .timedOut:
            return ConnectorError(
                .timeout, code: Code.timeout, "The database gave no answer within \(Quantity.text(timeout)).",
                remedy: "Allow more time, or make the statement faster.", mayHaveExecuted: mayHaveExecuted)
        case .cancelled:
            var error = ConnectorError(wrapping: CancellationError())
            error.mayHaveExecuted = mayHaveExecuted
            return error
        case .closed:
            var error = ConnectorError.closed(connection)
            error.mayHaveExecuted = mayHaveExecuted
            return error
        }
    }

    static func abandoned(_ timeout: Duration) -> ConnectorError {
        ConnectorError(
            .timeout, code: Code.abandoned,
            "The driver did not come back within \(Quantity.text(timeout)), nor when it was asked to stop.",
            remedy: "Look at the database's log; restart the connector's process if this goes on.",
            mayHaveExecuted: true)
    }

    static func exhausted(_ connection: String, _ maximum: Int, timeout: Duration) -> ConnectorError {
        ConnectorError(
            .rateLimited, code: Code.exhausted,
            "All \(maximum) connections of \(connection) were in use for \(Quantity.text(timeout)).",
            remedy: "Raise maxConnections, or run fewer calls at once.")
    }

    static func tooLarge(_ maximum: Int, mayHaveExecuted: Bool) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "The result has more than \(maximum) bytes.",
            remedy: "Ask for fewer rows or columns, or raise maxResult of the connection.",
            mayHaveExecuted: mayHaveExecuted)
    }

    static func mismatch(_ parameter: String, expected: String, found: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.mismatch, "Parameter \(parameter): expected \(expected) but found \(found).",
            remedy: "Give a single value, or { type, value } with a value of that type.")
    }

    static func parameterCount(expected: Int, found: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.mismatch,
            "The statement has \(expected) parameters but \(found) values were given.",
            remedy: "Give one value for each ?, or name the parameters.")
    }

    static func malformed(_ column: String, _ what: String, mayHaveExecuted: Bool) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "Column \(column) holds something that is no \(what).",
            remedy: "Check the driver's character set, and whether it is the Unicode version of the driver.",
            mayHaveExecuted: mayHaveExecuted)
    }

    static func refused(_ problem: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.refused, "The statement \(problem).",
            remedy: "Leave transactions to the operations of the connector.")
    }

    static let noRows = ConnectorError(
        .validation, code: Code.noRows, "The statement returns no rows, so it is no query.",
        remedy: "Use execute for statements that change something.")

    // MARK: - Cursors

    static func cursorMissing(_ column: String, in columns: [String]) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.cursorMissing, "The rows of the query have no column \(column).",
            remedy: "Select the columns of cursor and identity; there are \(columns.joined(separator: ", ")).")
    }

    static func cursorUnreadable(_ column: String, _ what: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.cursorMissing, "The cursor column \(column) of a row \(what).",
            remedy: "Leave such rows out (where … is not null), or select an expression that always has a value.")
    }

    static func cursorOrder(_ problem: String, at cursor: Value) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.cursorOrder, "The query \(problem).",
            remedy: "Ask for rows with cursor columns > the parameters, and order by the cursor columns, ascending.",
            details: ["cursor": cursor])
    }

    static func cursorNotUnique(_ problem: String, at cursor: Value) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.cursorNotUnique, problem,
            remedy: "Add a unique column to cursor (and to the query's order), or to identity.",
            details: ["cursor": cursor])
    }

    static func cursorForeign(saved: String, wanted: String) -> ConnectorError {
        ConnectorError(
            .conflict, code: Code.cursorForeign, "The saved position is one of \(saved), not of \(wanted).",
            remedy: "Give the trigger with the new cursor an id of its own and a start, or restore the old columns.")
    }

    static func noThread() -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.connecting, "There is no thread left for a connection.",
            remedy: "Lower maxConnections, or allow the process more threads.")
    }
}
