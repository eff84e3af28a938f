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
        case none, bearer, basic, apiKey
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
            let user = reader.credential("user")
            var password: HTTPCredential? = .text("")
            if reader.has("password") { password = reader.secret("password").map { .secret($0) } }
            if let user, let password {
                if case .text(let name) = user, name.utf8.contains(UInt8(ascii: ":")) {
                    reader.add("\(reader.path).user: expected no colon.")
                }
                self = .basic(user: user, password: password)
            }
        case .apiKey: self = Self.apiKey(reader)
        }
        reader.finish()
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
        guard let value = self.value(key) else { return nil }
        if let reference = SecretReference(value) { return reference }
        self.add(
            "\(self.path).\(key): expected a secret reference.", "Write { secret: \"env:NAME\" }, never the secret.")
        return nil
    }

    /// A text or a secret reference that must be there.
    func credential(_ key: String) -> HTTPCredential? {
        self.require(key)
        guard let value = self.value(key), value.asContext != nil else { return self.string(key).map { .text($0) } }
        return self.secret(key).map { .secret($0) }
    }
}
