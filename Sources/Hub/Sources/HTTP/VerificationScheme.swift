import ConnectorKit
import HTTPTransport
import Values

/// How a request to a trigger proves that it is genuine, as declared.
enum VerificationScheme: Sendable {
    /// Where a token stands.
    enum TokenPlace: Sendable, Hashable {
        /// In a header field, after a prefix such as `Bearer `.
        case header(String, prefix: String)
        /// In a parameter of the query.
        case query(String)
    }

    /// A client certificate, as a proxy that ended the TLS connection tells us of it.
    struct ClientCertificate: Sendable {
        /// Addresses of the proxies that are believed; `unix` for a Unix socket.
        var proxies: Set<String>
        /// The header field with the subject, and the subjects that are accepted; empty: any.
        var subject: (header: String, accepted: [String])?
        /// The header field with the SHA-256 fingerprint, and those that are accepted.
        var fingerprint: (header: String, accepted: [[UInt8]])?
        /// The header field in which the proxy says that it has verified the certificate, and its word for that.
        var verified: (header: String, word: String)?
    }

    /// A token of an authorisation server.
    struct Token: Sendable {
        var rules: JWTRules
        /// Where the keys are published.
        var keysURL: HTTPAddress?
        /// The keys, when they are declared.
        var keys: JSONWebKeys?
        var secrets: [SecretReference]
        var place: TokenPlace
        /// Hosts of `keysURL` with private addresses that may be asked.
        var privateHosts: Set<String>
        var allowsPrivate: Bool
    }

    case standardWebhooks([SecretReference], tolerance: Int64)
    case github([SecretReference])
    case stripe([SecretReference], tolerance: Int64)
    case slack([SecretReference], tolerance: Int64)
    /// `url` is what the sender calls: it is part of what is signed.
    case twilio([SecretReference], url: String)
    case sendGrid([SecretReference], tolerance: Int64)
    case sharedToken([SecretReference], TokenPlace)
    case basic(user: String, passwords: [SecretReference])
    case jwt(Token)
    case mtls(ClientCertificate)
    case none

    /// The words for the schemes.
    enum Word: String, CaseIterable {
        case standardWebhooks, github, stripe, slack, twilio, sendGrid, sharedToken, basic, jwt, mtls, none
    }

    /// The header fields in which it has something secret.
    var secretHeaders: [String] {
        switch self {
        case .sharedToken(_, .header(let name, _)): [name]
        case .jwt(let token):
            if case .header(let name, _) = token.place { [name] } else { [] }
        default: []
        }
    }

    /// The parameters of the query in which it has something secret.
    var secretParameters: [String] {
        switch self {
        case .sharedToken(_, .query(let name)): [name]
        case .jwt(let token):
            if case .query(let name) = token.place { [name] } else { [] }
        default: []
        }
    }

    /// Whether nothing is proved.
    var isNone: Bool { if case .none = self { true } else { false } }
}

// MARK: - Reading

extension VerificationScheme {
    /// The schemes in `verify`: one, or a list of which any will do.
    static func read(_ key: String, of reader: FieldReader) -> [VerificationScheme] {
        guard reader.has(key) else {
            reader.add(
                "\(reader.path).\(key) is missing.",
                "Say how requests prove that they are genuine; write { scheme: none } to take whatever comes.")
            return []
        }
        guard let readers = reader.objects(key) else { return [] }
        if readers.isEmpty { reader.add("\(reader.path).\(key): the list is empty.") }
        let schemes = readers.compactMap { VerificationScheme($0) }
        if schemes.count > 1, schemes.contains(where: \.isNone) {
            reader.add(
                "\(reader.path).\(key): with none in the list, the other schemes have no meaning.",
                "Remove one or the other.")
        }
        return schemes
    }

    private init?(_ reader: FieldReader) {
        reader.require("scheme")
        defer { reader.finish() }
        guard let word = reader.word("scheme", of: Word.self) else { return nil }
        func secrets() -> [SecretReference] { Self.secrets(reader) }
        func tolerance(_ standard: Int64 = StandardWebhooks.toleranceSeconds) -> Int64 {
            guard let duration = reader.duration("tolerance") else { return standard }
            guard (.seconds(1) ... .seconds(86_400)).contains(duration) else {
                reader.add("\(reader.path).tolerance: expected 1s to 24h.")
                return standard
            }
            return duration.components.seconds
        }
        switch word {
        case .standardWebhooks: self = .standardWebhooks(secrets(), tolerance: tolerance())
        case .github: self = .github(secrets())
        case .stripe: self = .stripe(secrets(), tolerance: tolerance())
        case .slack: self = .slack(secrets(), tolerance: tolerance())
        case .sendGrid: self = .sendGrid(secrets(), tolerance: tolerance())
        case .twilio:
            reader.require("url")
            let url = reader.string("url")
            if let url, HTTPAddress(url)?.isHTTP != true {
                reader.add(
                    "\(reader.path).url: expected the address Twilio calls, such as https://example.com/hooks/sms.")
            }
            self = .twilio(secrets(), url: url ?? "")
        case .sharedToken: self = .sharedToken(secrets(), Self.place(reader))
        case .basic:
            reader.require("user")
            let user = reader.string("user")
            if user?.contains(":") == true { reader.add("\(reader.path).user: a user name has no colon.") }
            self = .basic(user: user ?? "", passwords: Self.secrets(reader, one: "password", many: "passwords"))
        case .jwt: self = .jwt(Token(reader))
        case .mtls:
            guard let certificate = ClientCertificate(reader) else { return nil }
            self = .mtls(certificate)
        case .none: self = .none
        }
    }

    /// `secret: env:NAME` or `secrets: [env:NEW, env:OLD]`.
    fileprivate static func secrets(
        _ reader: FieldReader, one: String = "secret", many: String = "secrets", isRequired: Bool = true
    ) -> [SecretReference] {
        var values: [Value] = []
        if let value = reader.value(one) { values.append(value) }
        if let list = reader.value(many) { values += list.asList ?? [list] }
        if values.isEmpty, isRequired {
            reader.add("\(reader.path).\(one) is missing.", "Write \(one): env:NAME, file:PATH or vault:NAME.")
        }
        if values.count > 10 { reader.add("\(reader.path).\(many): expected at most 10.") }
        return values.compactMap { value in
            if let reference = value.asString.flatMap({ SecretReference($0) }) ?? SecretReference(value) {
                return reference
            }
            reader.add(
                "\(reader.path).\(one): expected where the secret is kept.",
                "Write env:NAME, file:PATH or vault:NAME, never the secret.")
            return nil
        }
    }

    fileprivate static func place(_ reader: FieldReader) -> TokenPlace {
        let header = reader.string("header")?.lowercased()
        let query = reader.string("query")
        if header != nil, query != nil {
            reader.add("\(reader.path): expected header or query but found both.", "Keep one of them.")
        }
        let prefix = reader.string("prefix")
        if let query { return .query(query) }
        return .header(header ?? "authorization", prefix: prefix ?? (header == nil ? "Bearer " : ""))
    }
}

extension VerificationScheme.Token {
    fileprivate init(_ reader: FieldReader) {
        self.rules = JWTRules()
        self.rules.issuers = reader.strings("issuer") ?? []
        self.rules.audiences = reader.strings("audience") ?? []
        if let leeway = reader.duration("leeway") { self.rules.leeway = max(0, min(3_600, leeway.components.seconds)) }
        if let claims = reader.object("claims") {
            for name in claims.keys() { self.rules.claims[name] = claims.value(name) ?? .null }
        }
        self.secrets = VerificationScheme.secrets(reader, isRequired: false)
        if let text = reader.string("jwksUrl") {
            self.keysURL = HTTPAddress(text)
            if self.keysURL?.isHTTP != true { reader.add("\(reader.path).jwksUrl: expected an http or https URL.") }
        }
        if let value = reader.value("jwks") {
            self.keys = JSONWebKeys(value)
            if self.keys?.isEmpty ?? true {
                reader.add("\(reader.path).jwks: expected keys for signatures (RFC 7517).")
            }
        }
        self.allowsPrivate = reader.boolean("allowPrivate") ?? false
        self.privateHosts = Set((reader.strings("allowPrivateHosts") ?? []).map { $0.lowercased() })
        let hasKeys = self.keysURL != nil || self.keys != nil
        if !hasKeys, self.secrets.isEmpty {
            reader.add("\(reader.path): there is nothing to check the signature with.", "Add jwksUrl, jwks or secret.")
        }
        if let algorithms = reader.words("algorithms", of: JWTSettings.Algorithm.self) {
            self.rules.algorithms = Set(algorithms)
        } else {
            self.rules.algorithms = (hasKeys ? [.rs256, .es256] : [])
            if !self.secrets.isEmpty { self.rules.algorithms.insert(.hs256) }
        }
        if self.rules.audiences.isEmpty, hasKeys {
            reader.add(
                "\(reader.path).audience is missing: a token for anybody else would be accepted.",
                "Add audience: what the sender's tokens are for.")
        }
        self.place = VerificationScheme.place(reader)
    }
}

extension VerificationScheme.ClientCertificate {
    fileprivate init?(_ reader: FieldReader) {
        let subjects = reader.strings("subjects")
        let fingerprints = reader.strings("fingerprints")
        guard let proxy = reader.object("proxy") else {
            reader.add(
                "\(reader.path): this server speaks no TLS, so it sees no client certificates.",
                "Let a proxy verify them, and declare it: proxy: { from: [127.0.0.1], verified: { header: X-Client-Verify, "
                    + "value: SUCCESS }, subjectHeader: X-Client-DN }.")
            return nil
        }
        proxy.require("from")
        self.proxies = Set(proxy.strings("from") ?? [])
        proxy.require("verified")
        if let verified = proxy.object("verified") {
            verified.require("header")
            self.verified = (verified.string("header")?.lowercased() ?? "", verified.string("value") ?? "SUCCESS")
            verified.finish()
        }
        let subjectHeader = proxy.string("subjectHeader")?.lowercased()
        if let subjects, let subjectHeader { self.subject = (subjectHeader, subjects) }
        if (subjects == nil) != (subjectHeader == nil) {
            reader.add("\(reader.path): subjects and proxy.subjectHeader belong together.")
        }
        let fingerprintHeader = proxy.string("fingerprintHeader")?.lowercased()
        if let fingerprints, let fingerprintHeader {
            let decoded = fingerprints.compactMap { Self.fingerprint($0) }
            if decoded.count != fingerprints.count {
                reader.add("\(reader.path).fingerprints: expected SHA-256 fingerprints in hexadecimal.")
            }
            self.fingerprint = (fingerprintHeader, decoded)
        }
        if (fingerprints == nil) != (fingerprintHeader == nil) {
            reader.add("\(reader.path): fingerprints and proxy.fingerprintHeader belong together.")
        }
        if self.subject == nil, self.fingerprint == nil {
            reader.add(
                "\(reader.path): every certificate would be accepted.",
                "Add subjects or fingerprints, with the header field the proxy gives them in.")
        }
        proxy.finish()
    }

    /// The bytes of a fingerprint, with or without colons.
    static func fingerprint(_ text: String) -> [UInt8]? {
        guard let bytes = Hex.decode(text.filter { $0 != ":" }), bytes.count == 32 else { return nil }
        return bytes
    }
}
