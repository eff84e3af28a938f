internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum RedisErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let unreachable = "CON-4301"
        static let credentials = "CON-4302"
        static let permission = "CON-4303"
        static let wrongType = "CON-4304"
        static let elsewhere = "CON-4305"
        static let notReady = "CON-4306"
        static let readOnly = "CON-4307"
        static let full = "CON-4308"
        static let notFound = "CON-4309"
        static let timeout = "CON-4310"
        static let lost = "CON-4311"
        static let protocolViolation = "CON-4312"
        static let notAllowed = "CON-4313"
        static let refused = "CON-4314"
        static let tls = "CON-4315"
        static let tooMany = "CON-4316"
        static let tooLarge = "CON-4317"
        static let replay = "CON-4318"
    }

    static func unreachable(_ server: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.unreachable, "The server \(server) cannot be reached: \(reason).",
            remedy: "Check that it runs and that host names it.")
    }

    static func lost(_ server: String, _ reason: String, mayHaveExecuted: Bool = false) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.lost, "The connection to \(server) was lost: \(reason).",
            remedy: "It is opened again by itself; look at the server's log if this repeats.",
            mayHaveExecuted: mayHaveExecuted)
    }

    static func violation(_ server: String, _ reason: String, mayHaveExecuted: Bool = true) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.protocolViolation, "The answer of \(server) is not acceptable: \(reason).",
            remedy: "Check that host names a Redis port; raise maxReply if the reply is merely large.",
            mayHaveExecuted: mayHaveExecuted)
    }

    /// Only streams keep what was read.
    static func noReplay(_ event: String) -> ConnectorError {
        ConnectorError(
            .unsupported, code: Code.replay, "Redis keeps nothing of a \(event) once it was read.",
            remedy: "Replay events from the inbox of the trigger, or read a stream.")
    }

    /// An answer of another shape than the command has.
    static func unexpected(_ reply: RedisReply) -> ConnectorError {
        if case .error(let text) = reply { return Self.refusal(text) }
        return ConnectorError(
            .unavailable, code: Code.protocolViolation, "The server's answer does not fit the command.",
            remedy: "Check that host names a Redis of version 6.2 or later.", mayHaveExecuted: true)
    }

    static func timeout(wasSent: Bool) -> ConnectorError {
        ConnectorError(
            .timeout, code: Code.timeout, "The server did not answer in time.",
            remedy: "Allow more time, or look at the load of the server (SLOWLOG).", mayHaveExecuted: wasSent)
    }

    static func tooMany(_ maximum: Int) -> ConnectorError {
        ConnectorError(
            .rateLimited, code: Code.tooMany, "\(maximum) commands wait for their answers already.",
            remedy: "Send slower, or raise maxWaiting.", retryAfter: .seconds(1))
    }

    static func tooLarge(_ count: Int, _ maximum: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "The command has \(count) bytes; at most \(maximum) are allowed.",
            remedy: "Raise maxRequest, or send less.")
    }

    static func notAllowed(_ name: String, _ why: String, remedy: String) -> ConnectorError {
        ConnectorError(
            .permission, code: Code.notAllowed, "The command \(name.shortened(to: 40)) \(why).", remedy: remedy)
    }

    /// What the first word of an error reply means.
    static func refusal(_ text: String) -> ConnectorError {
        let text = text.shortened(to: 400)
        let word = String(text.prefix { $0 != " " })
        func error(
            _ kind: ConnectorError.Kind, _ code: String, _ remedy: String, isRetryable: Bool? = nil
        ) -> ConnectorError {
            ConnectorError(
                kind, code: code, "The server answered: \(text).", remedy: remedy, isRetryable: isRetryable,
                details: ["error": .string(word), "message": .string(text)])
        }
        switch word {
        case "NOAUTH", "WRONGPASS":
            return error(.auth, Code.credentials, "Set user and password of the connection.")
        case "ERR" where text.contains("invalid password") || text.contains("AUTH"):
            return error(.auth, Code.credentials, "Set user and password of the connection.")
        case "NOPERM":
            return error(.permission, Code.permission, "Allow it in the user's ACL, or use another user.")
        case "WRONGTYPE":
            return error(.conflict, Code.wrongType, "Use another key: this one holds something else.")
        case "MOVED", "ASK", "CROSSSLOT":
            return error(
                .unsupported, Code.elsewhere, "Name the node that holds the key, or use a server that is no cluster.")
        case "CLUSTERDOWN", "LOADING", "MASTERDOWN", "TRYAGAIN", "BUSY", "BUSYKEY":
            return error(.unavailable, Code.notReady, "Usually passes; look at the server if not.")
        case "READONLY":
            return error(
                .unavailable, Code.readOnly, "Name the primary; after a failover the connection is opened again.")
        case "OOM", "MISCONF", "NOREPLICAS":
            return error(
                .quotaExhausted, Code.full, "Give the server memory, disk or replicas, or delete what is not needed.",
                isRetryable: true)
        case "NOGROUP", "UNBLOCKED":
            return error(.notFound, Code.notFound, "Create the stream and its group, or leave create switched on.")
        case "ERR" where text.contains("no such key"):
            return error(.notFound, Code.notFound, "Check the key.")
        default:
            return error(.validation, Code.refused, "Correct the command; the server's words say how.")
        }
    }
}
