public import ConnectorKit
internal import Crypto
internal import CryptoExtras
public import Values

/// A JSON Web Token (RFC 7519) that is signed here.
public struct JWTSettings: Sendable {
    /// The signature (RFC 7518).
    public enum Algorithm: String, Sendable, CaseIterable {
        /// HMAC with SHA-256; the key is a shared secret.
        case hs256 = "HS256"
        /// HMAC with SHA-384.
        case hs384 = "HS384"
        /// HMAC with SHA-512.
        case hs512 = "HS512"
        /// RSA with SHA-256, PKCS #1 v1.5; the key is a private key in PEM.
        case rs256 = "RS256"
        /// RSA with SHA-384.
        case rs384 = "RS384"
        /// RSA with SHA-512.
        case rs512 = "RS512"
        /// ECDSA with P-256; the key is a private key in PEM.
        case es256 = "ES256"
        /// ECDSA with P-384.
        case es384 = "ES384"
    }

    /// The signature.
    public var algorithm: Algorithm
    /// The key that signs.
    public var key: SecretReference
    /// How a shared secret is written; a private key is always PEM.
    public var keyEncoding = SecretEncoding.text
    /// Names the key to the verifier: `kid`.
    public var keyID: String?
    /// `iss`.
    public var issuer: String?
    /// `sub`.
    public var subject: String?
    /// `aud`.
    public var audience: String?
    /// From `iat` to `exp`.
    public var lifetime = Duration.seconds(300)
    /// Further claims.
    public var claims = ValueContext()

    /// Creates settings.
    public init(algorithm: Algorithm, key: SecretReference) {
        self.algorithm = algorithm
        self.key = key
    }

    init?(_ reader: FieldReader) {
        reader.require("algorithm")
        let algorithm = reader.word("algorithm", of: Algorithm.self)
        let key = reader.secret("key")
        let encoding = reader.word("keyEncoding", of: SecretEncoding.self) ?? .text
        let (keyID, issuer, subject) = (reader.string("keyId"), reader.string("issuer"), reader.string("subject"))
        let audience = reader.string("audience")
        let lifetime = reader.duration("lifetime")
        if let lifetime, !(.seconds(10) ... .seconds(86_400)).contains(lifetime) {
            reader.add("\(reader.path).lifetime: expected 10s to 24h.")
        }
        var claims = ValueContext()
        if let extra = reader.object("claims") {
            for name in extra.keys() { claims[name] = extra.value(name) ?? .null }
        }
        guard let algorithm, let key else { return nil }
        self.init(algorithm: algorithm, key: key)
        self.keyEncoding = encoding
        (self.keyID, self.issuer, self.subject, self.audience) = (keyID, issuer, subject, audience)
        self.lifetime = lifetime ?? self.lifetime
        self.claims = claims
    }
}

/// How a secret stands for bytes.
public enum SecretEncoding: String, Sendable, CaseIterable {
    /// The bytes of its UTF-8.
    case text
    /// Base64.
    case base64
    /// Hexadecimal.
    case hex

    /// The bytes; `nil` when the secret is not written so.
    func bytes(_ secret: String) -> [UInt8]? {
        switch self {
        case .text: Array(secret.utf8)
        case .base64: Base64.decode(secret)
        case .hex: Hex.decode(secret)
        }
    }
}

/// The key is not what the algorithm needs.
struct UnusableKey: Error {}

extension JWTSettings {
    /// Writes and signs the token.
    ///
    /// - Throws: `UnusableKey`.
    func token(key: String, unixSeconds: Int64) throws -> String {
        var header: ValueContext = ["alg": .string(self.algorithm.rawValue), "typ": "JWT"]
        if let id = self.keyID { header["kid"] = .string(id) }
        var claims = ValueContext()
        if let issuer = self.issuer { claims["iss"] = .string(issuer) }
        if let subject = self.subject { claims["sub"] = .string(subject) }
        if let audience = self.audience { claims["aud"] = .string(audience) }
        claims["iat"] = .number(Number(unixSeconds))
        claims["exp"] = .number(Number(unixSeconds + self.lifetime.components.seconds))
        claims["jti"] = .string(Hex.encode((0..<16).map { _ in UInt8.random(in: 0 ... .max) }))
        claims.merge(self.claims)
        let text = Base64URL.encode(Self.json(header)) + "." + Base64URL.encode(Self.json(claims))
        return text + "." + Base64URL.encode(try self.signature(of: Array(text.utf8), key: key))
    }

    private static func json(_ context: ValueContext) -> [UInt8] {
        var bytes: [UInt8] = []
        JSON.write(.context(context), into: &bytes)
        return bytes
    }

    private func signature(of text: [UInt8], key: String) throws -> [UInt8] {
        switch self.algorithm {
        case .hs256: Array(HMAC<SHA256>.authenticationCode(for: text, using: try self.shared(key)))
        case .hs384: Array(HMAC<SHA384>.authenticationCode(for: text, using: try self.shared(key)))
        case .hs512: Array(HMAC<SHA512>.authenticationCode(for: text, using: try self.shared(key)))
        case .rs256: try Self.rsa(key, SHA256.hash(data: text))
        case .rs384: try Self.rsa(key, SHA384.hash(data: text))
        case .rs512: try Self.rsa(key, SHA512.hash(data: text))
        case .es256:
            Array(
                try Self.usable { try P256.Signing.PrivateKey(pemRepresentation: key).signature(for: text) }
                    .rawRepresentation)
        case .es384:
            Array(
                try Self.usable { try P384.Signing.PrivateKey(pemRepresentation: key).signature(for: text) }
                    .rawRepresentation)
        }
    }

    private func shared(_ key: String) throws -> SymmetricKey {
        guard let bytes = self.keyEncoding.bytes(key), !bytes.isEmpty else { throw UnusableKey() }
        return SymmetricKey(data: bytes)
    }

    private static func rsa(_ key: String, _ digest: some Digest) throws -> [UInt8] {
        let signature = try Self.usable {
            try _RSA.Signing.PrivateKey(pemRepresentation: key)
                .signature(for: digest, padding: .insecurePKCS1v1_5)
        }
        return Array(signature.rawRepresentation)
    }

    /// What the cryptographic library says of a key it cannot read is not for messages: it may quote it.
    private static func usable<Result>(_ body: () throws -> Result) throws(UnusableKey) -> Result {
        do { return try body() } catch { throw UnusableKey() }
    }
}
