public import ConnectorKit
internal import Values

/// How requests of a connection are authorised.
///
/// Secrets are asked for with each request, so a rotated one is used without restart.
public enum HTTPAuthentication: Sendable {
    /// Not at all.
    case none
    /// A token in `Authorization`.
    case bearer(token: SecretReference)
    /// User and password in `Authorization` (RFC 7617).
    case basic(user: HTTPCredential, password: HTTPCredential)
    /// A key in a header field or in the query.
    case apiKey(name: String, place: HTTPKeyPlace, value: SecretReference)
    /// User and password, proven without being sent (RFC 7616; MD5, SHA-256, SHA-512-256 without).
    case digest(user: HTTPCredential, password: HTTPCredential)
    /// A token from an authorisation server (RFC 6749), kept until it expires or is refused.
    case oauth2(OAuth2Settings)
    /// A token signed here (RFC 7519), sent as a bearer token.
    case jwt(JWTSettings)
    /// A signature over the request, as AWS wants it (Signature Version 4).
    case awsSignature(AWSSignatureSettings)
    /// A signature over parts of the request, as the service describes it.
    case hmac(HMACSettings)
}

/// One half of a credential: it may be a secret, but need not.
public enum HTTPCredential: Sendable, Hashable {
    /// A text everybody may read.
    case text(String)
    /// A secret.
    case secret(SecretReference)
}

/// Where an API key goes.
public enum HTTPKeyPlace: String, CaseIterable, Sendable {
    /// Into a header field.
    case header
    /// Into the query of the URL.
    case query
}

extension HTTPAuthentication {
    private enum Word: String, CaseIterable {
        case none, bearer, basic, apiKey, digest, oauth2, jwt, awsSignature, hmac
    }

    /// Reads the `auth` object of a connection.
    ///
    /// What is wrong is added to `reader`.
    init(_ reader: FieldReader) {
        self = .none
        reader.require("type")
        switch reader.word("type", of: Word.self) {
        case nil, .some(.none): break
        case .bearer:
            if let token = reader.secret("token") { self = .bearer(token: token) }
        case .basic:
            if let (user, password) = Self.pair(reader) { self = .basic(user: user, password: password) }
        case .digest:
            if let (user, password) = Self.pair(reader) { self = .digest(user: user, password: password) }
        case .apiKey: self = Self.apiKey(reader)
        case .oauth2:
            if let settings = OAuth2Settings(reader) { self = .oauth2(settings) }
        case .jwt:
            if let settings = JWTSettings(reader) { self = .jwt(settings) }
        case .awsSignature:
            if let settings = AWSSignatureSettings(reader) { self = .awsSignature(settings) }
        case .hmac:
            if let settings = HMACSettings(reader) { self = .hmac(settings) }
        }
        reader.finish()
    }

    private static func pair(_ reader: FieldReader) -> (HTTPCredential, HTTPCredential)? {
        let user = reader.credential("user")
        var password: HTTPCredential? = .text("")
        if reader.has("password") { password = reader.secret("password").map { .secret($0) } }
        guard let user, let password else { return nil }
        if case .text(let name) = user, name.utf8.contains(UInt8(ascii: ":")) {
            reader.add("\(reader.path).user: expected no colon.")
        }
        return (user, password)
    }

    private static func apiKey(_ reader: FieldReader) -> HTTPAuthentication {
        let place: HTTPKeyPlace = reader.has("query") ? .query : .header
        if place == .header { reader.require("header") }
        let name = reader.string(place.rawValue)
        guard let value = reader.secret("value"), let name else { return .none }
        if place == .header, let problem = HTTPFields.problem(name: name, value: "") {
            reader.add("\(reader.path).header: \(problem)")
        }
        return .apiKey(name: name, place: place, value: value)
    }
}

extension FieldReader {
    /// A secret reference that must be there.
    func secret(_ key: String) -> SecretReference? {
        self.require(key)
        return self.optionalSecret(key)
    }

    /// A secret reference, if there is one.
    func optionalSecret(_ key: String) -> SecretReference? {
        guard let value = self.value(key) else { return nil }
        if let reference = SecretReference(value) { return reference }
        self.add(
            "\(self.path).\(key): expected a secret reference.", "Write { secret: \"env:NAME\" }, never the secret.")
        return nil
    }

    /// A text or a secret reference that must be there.
    func credential(_ key: String) -> HTTPCredential? {
        self.require(key)
        return self.optionalCredential(key)
    }

    /// A text or a secret reference, if there is one.
    func optionalCredential(_ key: String) -> HTTPCredential? {
        guard let value = self.value(key), value.asContext != nil else { return self.string(key).map { .text($0) } }
        return self.optionalSecret(key).map { .secret($0) }
    }
}

extension SecretResolver {
    /// The text of a credential.
    func text(_ credential: HTTPCredential) async throws -> String {
        switch credential {
        case .text(let text): text
        case .secret(let reference): try await self.secret(reference).reveal { $0 }
        }
    }
}
