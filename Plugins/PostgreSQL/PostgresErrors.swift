internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Errors of this connector, in the taxonomy.
enum PostgresErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let server = "CON-5101"
        static let unreachable = "CON-5102"
        static let timeout = "CON-5103"
        static let interrupted = "CON-5104"
        static let untrusted = "CON-5105"
        static let exhausted = "CON-5106"
        static let tooLarge = "CON-5107"
        static let mismatch = "CON-5108"
        static let malformed = "CON-5109"
        static let file = "CON-5110"
    }

    /// The error the server reported.
    static func server(_ error: PQServerError, mayHaveExecuted: Bool) -> ConnectorError {
        let kind = SQLState.kind(error.state)
        var details: ValueContext = ["sqlstate": .string(error.state), "message": .string(Self.clip(error.message))]
        for (key, value) in [
            ("schema", error.schema), ("table", error.table), ("column", error.column),
            ("constraint", error.constraint), ("type", error.type), ("hint", error.hint),
        ] {
            if let value { details[key] = .string(Self.clip(value)) }
        }
        if let position = error.position { details["position"] = SQLText.whole(position) }
        var message = "The server answered \(error.state): \(Self.clip(error.message))"
        if let constraint = error.constraint { message += " (constraint \(constraint))" }
        if let position = error.position { message += " (at character \(position))" }
        if !message.hasSuffix(".") { message += "." }
        return ConnectorError(
            kind, code: Code.server, message,
            remedy: error.state == "25006"
                ? "A query may not change anything; use execute." : error.hint ?? SQLState.remedy(kind),
            mayHaveExecuted: mayHaveExecuted, details: details)
    }

    private static func clip(_ text: String) -> String { String(text.prefix(1_000)) }

    /// No connection came about.
    static func connecting(_ failure: PQFailure, _ settings: PostgresSettings, timeout: Duration) -> ConnectorError {
        let place = "\(settings.hosts.joined(separator: ", ")):\(settings.port)"
        switch failure {
        case .interrupted: return ConnectorError(wrapping: CancellationError())
        case .timedOut:
            return ConnectorError(
                .timeout, code: Code.timeout, "\(place) gave no connection within \(Quantity.text(timeout)).",
                remedy: "Check that the server runs and that name and port are right.")
        case .notConnected(let words), .broken(let words):
            let state = Self.state(in: words)
            let details: ValueContext = [
                "message": .string(Self.clip(words)), "sqlstate": state.map { .string($0) } ?? .null,
            ]
            if let state {
                let kind = SQLState.kind(state)
                return ConnectorError(
                    kind, code: Code.server, "\(place) refused the connection: \(words)",
                    remedy: SQLState.remedy(kind), details: details)
            }
            let words = words.isEmpty ? "no reason given" : words
            if words.contains("SSL") || words.contains("certificate") || words.contains("TLS") {
                return ConnectorError(
                    .unavailable, code: Code.untrusted, "\(place): no secure connection: \(words)",
                    remedy: "Check the server's certificate; set caFile for an authority of your own.",
                    isRetryable: false, details: details)
            }
            if words.contains("no password supplied") || words.contains("password authentication") {
                return ConnectorError(
                    .auth, code: Code.server, "\(place) refused the connection: \(words)",
                    remedy: SQLState.remedy(.auth), details: details)
            }
            return ConnectorError(
                .unavailable, code: Code.unreachable, "\(place) cannot be reached: \(words)",
                remedy: "Check that the server runs and that name and port are right.", details: details)
        }
    }

    /// The SQLSTATE in a verbose message, `FATAL:  28P01: password …`.
    private static func state(in words: String) -> String? {
        for part in words.split(separator: ":") {
            let word = part.drop { $0 == " " }
            if word.utf8.count == 5, word.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) }),
                word.utf8.contains(where: { (48...57).contains($0) })
            {
                return String(word)
            }
        }
        return nil
    }

    /// A call was cut short.
    static func cut(_ failure: PQFailure, timeout: Duration, mayHaveExecuted: Bool) -> ConnectorError {
        switch failure {
        case .timedOut:
            return ConnectorError(
                .timeout, code: Code.timeout, "The server gave no answer within \(Quantity.text(timeout)).",
                remedy: "Allow more time, or make the statement faster.", mayHaveExecuted: mayHaveExecuted)
        case .interrupted:
            var error = ConnectorError(wrapping: CancellationError())
            error.mayHaveExecuted = mayHaveExecuted
            return error
        case .broken(let words), .notConnected(let words):
            return ConnectorError(
                .transient, code: Code.interrupted,
                "The connection to the server broke: \(words.isEmpty ? "no reason given" : words)",
                remedy: "Usually passes; look at the server's log if it does not.", mayHaveExecuted: mayHaveExecuted,
                details: ["message": .string(Self.clip(words))])
        }
    }

    static func exhausted(_ connection: String, _ maximum: Int, timeout: Duration) -> ConnectorError {
        ConnectorError(
            .rateLimited, code: Code.exhausted,
            "All \(maximum) connections of \(connection) were in use for \(Quantity.text(timeout)).",
            remedy: "Raise maxConnections, or run fewer calls at once.")
    }

    static func tooLarge(_ maximum: Int, mayHaveExecuted: Bool = false) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "The result has more than \(maximum) bytes.",
            remedy: "Ask for fewer rows or columns, or raise maxResult of the connection.",
            mayHaveExecuted: mayHaveExecuted)
    }

    static func mismatch(_ parameter: String, _ mismatch: PostgresEncoder.Mismatch) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.mismatch,
            "Parameter \(parameter): expected \(mismatch.expected) but found "
                + "\(mismatch.found).",
            remedy: "Give a value of the parameter's type, or cast the parameter in the statement.")
    }

    static func parameterCount(expected: Int, found: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.mismatch,
            "The statement has \(expected) parameters but \(found) values were given.",
            remedy: "Give one value for each of $1, $2, …, or name the parameters.")
    }

    static func malformed(_ what: String, mayHaveExecuted: Bool) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "The server answered with something that is no \(what).",
            remedy: "Check that the port leads to a PostgreSQL server.", mayHaveExecuted: mayHaveExecuted)
    }

    static func file(_ path: String, _ problem: String, kind: ConnectorError.Kind = .validation) -> ConnectorError {
        ConnectorError(
            kind, code: Code.file, "The file \(path.prefix(200)) \(problem).",
            remedy: "Check the path; it is relative to fileRoot of the connection.")
    }
}
