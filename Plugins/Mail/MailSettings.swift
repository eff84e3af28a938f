internal import ConnectorKit
internal import Values

/// The parameters of a connection, checked.
struct MailSettings: Sendable {
    var smtp: MailServer?
    var imap: MailServer?
    /// The sender unless a call names another.
    var from: MailAddress?
    /// Where attached files are; nil: nowhere.
    var attachmentsRoot: String?
    var messageBytesMax = 25 << 20
    var recipientsMax = 100

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.smtp = reader.object("smtp").map { MailServer($0, ports: [.starttls: 587, .implicit: 465, .none: 25]) }
        self.imap = reader.object("imap").map { MailServer($0, ports: [.starttls: 143, .implicit: 993, .none: 143]) }
        if self.smtp == nil, self.imap == nil { reader.add("parameters: expected smtp, imap or both.") }
        if let from = reader.value("from") {
            do throws(MailAddress.Problem) {
                self.from = try MailAddress(from)
            } catch {
                reader.add("parameters.from: \(error.reason)")
            }
        }
        self.attachmentsRoot = reader.string("attachmentsRoot")
        if let root = self.attachmentsRoot, !root.hasPrefix("/") {
            reader.add("parameters.attachmentsRoot: expected an absolute path.")
        }
        self.messageBytesMax = reader.bytes("maxMessage") ?? self.messageBytesMax
        self.recipientsMax = reader.integer("maxRecipients", in: 1...10_000) ?? self.recipientsMax
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}

/// One server and how it is spoken to.
struct MailServer: Sendable {
    /// How a connection is secured.
    enum Security: String, CaseIterable, Sendable {
        /// A command of the protocol; without it nothing goes on.
        case starttls
        /// From the first byte.
        case implicit
        /// Not at all.
        case none
    }

    /// Who logs in.
    enum Credential: Sendable {
        case password(SecretReference)
        /// An OAuth 2 access token.
        case token(SecretReference)
    }

    var host = ""
    var port = 0
    var security = Security.starttls
    var user: String?
    var credential: Credential?
    var caFile: String?
    var connectTimeout = Duration.seconds(20)
    /// How long an open connection is kept for the next call.
    var idle = Duration.seconds(30)

    init(_ reader: FieldReader, ports: [Security: Int]) {
        reader.require("host")
        self.host = reader.string("host") ?? ""
        let isHost = self.host.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789.-:_".unicodeScalars.contains($0))
        }
        if !isHost || self.host.utf8.count > 255 || (reader.has("host") && self.host.isEmpty) {
            reader.add("\(reader.path).host: expected the name or the address of a host.")
        }
        self.security = reader.word("tls", of: Security.self) ?? self.security
        if self.security == .none, reader.boolean("allowPlaintext") != true {
            reader.add(
                "\(reader.path).tls: none sends mail and password in the clear.",
                "Use starttls or implicit; or set allowPlaintext: true for a server on the same machine.")
        }
        _ = reader.boolean("allowPlaintext")
        self.port = reader.integer("port", in: 1...65_535) ?? ports[self.security] ?? 0
        self.user = reader.string("user")
        for (key, make) in [("password", Credential.password), ("token", Credential.token)] {
            guard let value = reader.value(key) else { continue }
            if let reference = SecretReference(value), self.credential == nil {
                self.credential = make(reference)
            } else {
                reader.add(
                    "\(reader.path).\(key): expected one secret reference.",
                    "Write { secret: \"env:NAME\" }, for password or for token.")
            }
        }
        if (self.user == nil) != (self.credential == nil) {
            reader.add("\(reader.path): expected user together with password or token.")
        }
        if let user, user.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            reader.add("\(reader.path).user: expected no control characters.")
        }
        self.caFile = reader.string("caFile")
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        self.idle = reader.duration("idle") ?? self.idle
        reader.finish()
    }
}
