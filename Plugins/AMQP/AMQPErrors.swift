internal import CAMQPShim
internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum AMQPErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let unreachable = "CON-4201"
        static let tls = "CON-4202"
        static let credentials = "CON-4203"
        static let permission = "CON-4204"
        static let notFound = "CON-4205"
        static let precondition = "CON-4206"
        static let notTaken = "CON-4207"
        static let unroutable = "CON-4208"
        static let unconfirmed = "CON-4209"
        static let lost = "CON-4210"
        static let protocolViolation = "CON-4211"
        static let blocked = "CON-4212"
        static let tooLarge = "CON-4213"
        static let tooMany = "CON-4214"
        static let broker = "CON-4215"
        static let replay = "CON-4216"
    }

    /// What a failure of the connection or of a question to the broker means.
    ///
    /// `mayHaveExecuted` concerns messages that were written before it.
    static func failure(_ failure: LinkFailure, mayHaveExecuted: Bool = false) -> ConnectorError {
        let text = failure.text
        switch failure.kind {
        case .resolve, .connect, .timeout:
            return ConnectorError(
                .unavailable, code: Code.unreachable, "The broker \(failure.broker) cannot be reached: \(text).",
                remedy: "Check that it runs and that hosts name it.", mayHaveExecuted: mayHaveExecuted)
        case .tls:
            return ConnectorError(
                .unavailable, code: Code.tls, "TLS with the broker \(failure.broker) failed: \(text).",
                remedy: "Check tls.caFile and that the broker's certificate names this host.", isRetryable: false)
        case .lost, .heartbeat, .memory:
            return ConnectorError(
                .unavailable, code: Code.lost, "The connection to the broker \(failure.broker) was lost: \(text).",
                remedy: "It is opened again by itself; look at the broker's log if this repeats.",
                mayHaveExecuted: mayHaveExecuted)
        case .violation:
            return ConnectorError(
                .unavailable, code: Code.protocolViolation,
                "The answer of \(failure.broker) is not AMQP 0-9-1: \(text).",
                remedy: "Check that hosts name an AMQP port, and not that of TLS or of HTTP.",
                mayHaveExecuted: mayHaveExecuted)
        case .connection, .channel:
            return Self.refusal(code: failure.code, text: text, mayHaveExecuted: mayHaveExecuted)
        }
    }

    /// What the broker's reply code means (AMQP 0-9-1, clause 1.2 "Reply codes").
    static func refusal(code: Int, text: String, mayHaveExecuted: Bool = false) -> ConnectorError {
        let details: ValueContext = ["replyCode": .number(Number(code)), "replyText": .string(text)]
        let message = "The broker answered \(code): \(text)."
        func error(
            _ kind: ConnectorError.Kind, _ code: String, _ remedy: String, isRetryable: Bool? = nil
        ) -> ConnectorError {
            ConnectorError(
                kind, code: code, message, remedy: remedy, isRetryable: isRetryable, mayHaveExecuted: mayHaveExecuted,
                details: details)
        }
        switch code {
        case 403 where text.contains("Login was refused") || text.contains("refused using authentication"):
            return error(.auth, Code.credentials, "Set user and password of the connection; both must exist there.")
        case 403:
            return error(.permission, Code.permission, "Give the user the right to it, or use another user.")
        case 530 where text.contains("not found") || text.contains("no such vhost"):
            return error(.notFound, Code.notFound, "Create the vhost, or correct vhost.")
        case 530:
            return error(.permission, Code.permission, "Give the user access to the vhost, or correct vhost.")
        case 404:
            return error(.notFound, Code.notFound, "Create it on the broker, or correct its name.")
        case 405:
            return error(
                .conflict, Code.precondition, "Somebody else uses it exclusively; wait, or end that consumer.",
                isRetryable: true)
        case 406 where text.contains("timed out"):
            return error(
                .timeout, Code.precondition, "Acknowledge sooner, or raise consumer_timeout on the broker.")
        case 406:
            return error(.conflict, Code.precondition, "Make the request fit what exists on the broker.")
        case 311:
            return error(.validation, Code.tooLarge, "Send a smaller message, or raise the broker's limit.")
        case 320, 541:
            return error(.unavailable, Code.lost, "It is opened again by itself; the broker may be restarting.")
        default:
            return error(.unknown, Code.broker, "Look at the broker's log.")
        }
    }

    static func nacked(exchange: String) -> ConnectorError {
        ConnectorError(
            .transient, code: Code.notTaken, "The broker did not take the message for the exchange \"\(exchange)\".",
            remedy: "A queue behind it may be full (overflow reject-publish) or without a leader.",
            mayHaveExecuted: true)
    }

    static func returned(exchange: String, routingKey: String, code: Int, text: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.unroutable,
            "No queue takes messages of the exchange \"\(exchange)\" with the key \"\(routingKey.shortened(to: 80))\": "
                + "\(code) \(text).",
            remedy: "Bind a queue, correct exchange and routingKey, or leave out mandatory.",
            details: ["replyCode": .number(Number(code)), "replyText": .string(text)])
    }

    static func unconfirmed(wasSent: Bool, isBlocked: String?) -> ConnectorError {
        if let isBlocked, !wasSent { return Self.blocked(isBlocked) }
        return ConnectorError(
            .timeout, code: Code.unconfirmed,
            wasSent ? "The broker did not confirm the message in time." : "The message could not be sent in time.",
            remedy: "Allow more time, or look at the load of the broker.", mayHaveExecuted: wasSent)
    }

    static func blocked(_ reason: String) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.blocked, "The broker takes no messages now: \(reason).",
            remedy: "Free memory or disk space on the broker.")
    }

    static func tooLarge(_ what: String, _ count: Int, _ maximum: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "\(what) \(count) bytes; at most \(maximum) are allowed.",
            remedy: "Raise maxMessage, or send less.")
    }

    static func tooMany(_ maximum: Int) -> ConnectorError {
        ConnectorError(
            .rateLimited, code: Code.tooMany, "\(maximum) messages wait for their confirmation already.",
            remedy: "Send slower, or raise maxWaiting.", retryAfter: .seconds(1))
    }

    static func tooManyExchanges(_ maximum: Int) -> ConnectorError {
        ConnectorError(
            .rateLimited, code: Code.tooMany, "Messages to \(maximum) exchanges wait for their confirmation already.",
            remedy: "Use fewer exchanges at a time.", retryAfter: .seconds(1))
    }
}

extension String {
    /// The text itself if it is short enough, else its beginning and an ellipsis.
    func shortened(to count: Int) -> String {
        self.count <= count ? self : self.prefix(count) + "…"
    }
}
