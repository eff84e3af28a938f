internal import ConnectorKit
internal import Crypto
internal import Values

/// The credential in the header of a message (WS-Security UsernameToken Profile 1.1).
struct UsernameToken: Sendable {
    enum PasswordType: String, CaseIterable, Sendable {
        case text, digest
    }

    var user: String
    var password: SecretReference
    var passwordType = PasswordType.text
    /// How long the message counts as fresh; nil: it says nothing of that.
    var timeToLive: Duration?
    var mustUnderstand = true

    /// Reads the parameter `security`.
    init?(_ reader: FieldReader) {
        reader.require("user")
        reader.require("password")
        let user = reader.string("user")
        var password: SecretReference?
        if let value = reader.value("password") {
            password = SecretReference(value)
            if password == nil {
                reader.add(
                    "\(reader.path).password: expected a secret reference.",
                    "Write { secret: \"env:NAME\" }, never the secret.")
            }
        }
        self.passwordType = reader.word("passwordType", of: PasswordType.self) ?? .text
        self.timeToLive = reader.duration("timeToLive")
        self.mustUnderstand = reader.boolean("mustUnderstand") ?? true
        reader.finish()
        guard let user, let password else { return nil }
        self.user = user
        self.password = password
    }

    private static let tokenProfile =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
    private static let base64 =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"

    /// Base64 of SHA-1 of nonce, time and password, one after the other.
    static func digest(nonce: [UInt8], created: String, password: String) -> String {
        var hash = Insecure.SHA1()
        hash.update(data: nonce)
        hash.update(data: Array(created.utf8))
        hash.update(data: Array(password.utf8))
        return Base64.encode(Array(hash.finalize()))
    }

    /// The moment, in the form XML Schema gives it.
    static func text(_ unixMilliseconds: Int64) -> String {
        DateTime(epochMilliseconds: unixMilliseconds)?.description ?? "1970-01-01T00:00:00Z"
    }

    /// Writes the header entry.
    func write(
        _ secret: Secret, nonce: [UInt8], now: Int64, _ version: SOAPVersion, into xml: inout XMLWriter
    ) throws(XMLWriter.UnwritableText) {
        let created = Self.text(now)
        xml.start(XMLName(Namespace.security, "Security"))
        if self.mustUnderstand { try xml.attribute(XMLName(version.envelope, "mustUnderstand"), "1") }
        if let timeToLive = self.timeToLive {
            xml.start(XMLName(Namespace.securityUtility, "Timestamp"))
            try Self.element(XMLName(Namespace.securityUtility, "Created"), created, into: &xml)
            let expires = Self.text(now + timeToLive.wholeMilliseconds)
            try Self.element(XMLName(Namespace.securityUtility, "Expires"), expires, into: &xml)
            xml.end()
        }
        xml.start(XMLName(Namespace.security, "UsernameToken"))
        try Self.element(XMLName(Namespace.security, "Username"), self.user, into: &xml)
        xml.start(XMLName(Namespace.security, "Password"))
        switch self.passwordType {
        case .text:
            try xml.attribute(XMLName("", "Type"), "\(Self.tokenProfile)#PasswordText")
            try secret.reveal { (password) throws(XMLWriter.UnwritableText) in try xml.text(password) }
        case .digest:
            try xml.attribute(XMLName("", "Type"), "\(Self.tokenProfile)#PasswordDigest")
            try xml.text(secret.reveal { Self.digest(nonce: nonce, created: created, password: $0) })
        }
        xml.end()
        xml.start(XMLName(Namespace.security, "Nonce"))
        try xml.attribute(XMLName("", "EncodingType"), Self.base64)
        try xml.text(Base64.encode(nonce))
        xml.end()
        try Self.element(XMLName(Namespace.securityUtility, "Created"), created, into: &xml)
        xml.end()
        xml.end()
    }

    private static func element(
        _ name: XMLName, _ text: String, into xml: inout XMLWriter
    ) throws(XMLWriter.UnwritableText) {
        xml.start(name)
        try xml.text(text)
        xml.end()
    }
}

extension Duration {
    /// In milliseconds, cut.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
