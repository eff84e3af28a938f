internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum MailErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let unreachable = "CON-3401"
        static let denied = "CON-3402"
        static let insecure = "CON-3403"
        static let timeout = "CON-3404"
        static let interrupted = "CON-3405"
        static let refused = "CON-3406"
        static let recipients = "CON-3407"
        static let noSender = "CON-3408"
        static let tooLarge = "CON-3409"
        static let malformed = "CON-3410"
        static let command = "CON-3411"
        static let notFound = "CON-3412"
        static let notConfigured = "CON-3413"
        static let foreignPlace = "CON-3414"
        static let renumbered = "CON-3415"
    }

    static func notConfigured(_ protocolName: String) -> ConnectorError {
        ConnectorError(
            .unsupported, code: Code.notConfigured, "The connection has no \(protocolName) server.",
            remedy: "Add \(protocolName) to the connection's parameters.")
    }

    static var noSender: ConnectorError {
        ConnectorError(
            .validation, code: Code.noSender, "Neither the call nor the connection names a sender.",
            remedy: "Give from in the call or in the connection; nothing was sent.")
    }

    static func tooLarge(_ what: String, _ bytes: Int, _ maximum: Int) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.tooLarge, "\(what) has \(bytes) bytes; at most \(maximum) are allowed.",
            remedy: "Send less, or raise maxMessage if the server takes it.")
    }

    static func malformed(_ server: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "\(server) broke the protocol: \(reason).",
            remedy: "Check that host and port lead to a mail server.", mayHaveExecuted: true)
    }

    /// The error of a reply of an SMTP server (RFC 5321, 4.2; RFC 3463; RFC 4954).
    static func smtp(_ reply: SMTPReply, to command: String, mayHaveExecuted: Bool = false) -> ConnectorError {
        let kind = Self.kind(of: reply)
        return ConnectorError(
            kind, code: kind == .auth ? Code.denied : Code.refused,
            "The server answered \(command) with \(reply.code): \(reply.text.prefix(300))",
            remedy: Self.remedy(kind), mayHaveExecuted: mayHaveExecuted,
            details: [
                "smtpCode": .number(Number(Int64(reply.code))), "message": .string(String(reply.text.prefix(300))),
            ])
    }

    static func kind(of reply: SMTPReply) -> ConnectorError.Kind {
        switch (reply.code, reply.enhanced) {
        case (421, _): .unavailable
        case (_, "4.7.0"?), (454, _): reply.code == 454 ? .unavailable : .transient
        case (450, "4.7.1"?), (451, "4.7.1"?): .rateLimited
        case (452, _), (_, "4.2.2"?), (_, "4.3.1"?): .transient
        case (552, _), (_, "5.2.2"?): reply.enhanced == "5.2.2" ? .quotaExhausted : .validation
        case (530, _), (535, _), (534, _), (538, _): .auth
        case (550, "5.7.1"?), (554, "5.7.1"?), (553, "5.7.1"?): .permission
        case (550, _), (551, _), (_, "5.1.1"?), (_, "5.1.10"?): .notFound
        case (500...504, _): .unsupported
        case (400...499, _): .transient
        case (500...599, _): .validation
        default: .unknown
        }
    }

    private static func remedy(_ kind: ConnectorError.Kind) -> String {
        switch kind {
        case .auth: "Check user and password of the connection."
        case .permission: "Ask the server's operator whether this sender may send there."
        case .notFound: "Check the address."
        case .transient, .unavailable, .rateLimited, .timeout: "Usually passes; the server says to try again later."
        case .quotaExhausted: "The recipient's mailbox is full; a person has to make room."
        default: "Correct the message as the server says."
        }
    }

    static func imap(_ status: IMAPStatus, to command: String) -> ConnectorError {
        let code = status.code ?? ""
        let kind: ConnectorError.Kind =
            switch code.split(separator: " ").first.map({ $0.uppercased() }) ?? "" {
            case "UNAVAILABLE", "INUSE", "SERVERBUG": .unavailable
            case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED": .auth
            case "NOPERM", "PRIVACYREQUIRED": .permission
            case "NONEXISTENT", "TRYCREATE": .notFound
            case "OVERQUOTA": .quotaExhausted
            case "LIMIT": .rateLimited
            case "CONTACTADMIN", "CANNOT": .unsupported
            case "ALREADYEXISTS": .conflict
            default: status.word == "BAD" ? .validation : .unknown
            }
        return ConnectorError(
            kind, code: Code.command, "The server answered \(command) with \(status.word): \(status.text.prefix(300))",
            remedy: "Correct the mailbox or the search as the server says.",
            details: ["message": .string(String(status.text.prefix(300)))])
    }

    static func noMailbox(_ name: String, _ words: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.notFound,
            "The mailbox \"\(name.prefix(100))\" cannot be opened: \(words.prefix(300))",
            remedy: "Check its name, or create it.")
    }

    static func noMessage(_ uid: UInt32, _ mailbox: String) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.notFound, "There is no message \(uid) in \"\(mailbox.prefix(100))\".",
            remedy: "It may have been moved or deleted; search again.")
    }
}
