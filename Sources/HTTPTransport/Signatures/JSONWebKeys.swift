internal import ConnectorKit
internal import Crypto
internal import CryptoExtras
public import Values

/// Public keys as authorisation servers publish them (RFC 7517).
public struct JSONWebKeys: Sendable {
    /// One key that can verify signatures.
    struct Key: Sendable {
        enum Material: Sendable {
            case rsa(_RSA.Signing.PublicKey)
            case p256(P256.Signing.PublicKey)
            case p384(P384.Signing.PublicKey)
        }

        var id: String?
        /// The only algorithm it is for; `nil`: any that fits.
        var algorithm: String?
        var material: Material
    }

    let keys: [Key]

    /// More keys than these are not looked at.
    private static let keysMaximum = 100

    /// No keys.
    public static let none = JSONWebKeys(keys: [])

    private init(keys: [Key]) { self.keys = keys }

    /// Whether there is none that can be used.
    public var isEmpty: Bool { self.keys.isEmpty }

    /// Reads a key set, or a single key; keys for other purposes and of other kinds are left out.
    ///
    /// `nil` when it is neither.
    public init?(_ value: Value) {
        let list: [Value]
        if let keys = value["keys"]?.asList {
            list = keys
        } else if value["kty"] != nil {
            list = [value]
        } else {
            return nil
        }
        self.keys = list.prefix(Self.keysMaximum).compactMap { Self.key($0) }
    }

    /// Whether a key of this name is among them.
    func hasKey(named id: String?) -> Bool {
        id.map { name in self.keys.contains { $0.id == name } } ?? !self.keys.isEmpty
    }

    private static func key(_ value: Value) -> Key? {
        guard value["use"]?.asString.map({ $0 == "sig" }) ?? true else { return nil }
        func bytes(_ name: String) -> [UInt8]? { value[name]?.asString.flatMap { Base64URL.decode($0) } }
        let material: Key.Material
        switch (value["kty"]?.asString, value["crv"]?.asString) {
        case ("RSA", _):
            guard let modulus = bytes("n"), let exponent = bytes("e"), modulus.count >= 256, modulus.count <= 1_024,
                let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { return nil }
            material = .rsa(key)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y"),
                let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
            else { return nil }
            material = .p256(key)
        case ("EC", "P-384"):
            guard let x = bytes("x"), let y = bytes("y"),
                let key = try? P384.Signing.PublicKey(x963Representation: [4] + x + y)
            else { return nil }
            material = .p384(key)
        default:
            return nil
        }
        return Key(id: value["kid"]?.asString, algorithm: value["alg"]?.asString, material: material)
    }
}

extension JSONWebKeys.Key {
    func isValid(_ signature: [UInt8], for message: [UInt8], algorithm: String) -> Bool {
        if let own = self.algorithm, own != algorithm { return false }
        switch (algorithm, self.material) {
        case (JWTSettings.Algorithm.rs256.rawValue, .rsa(let key)):
            return Self.isValid(signature, SHA256.hash(data: message), key)
        case (JWTSettings.Algorithm.rs384.rawValue, .rsa(let key)):
            return Self.isValid(signature, SHA384.hash(data: message), key)
        case (JWTSettings.Algorithm.rs512.rawValue, .rsa(let key)):
            return Self.isValid(signature, SHA512.hash(data: message), key)
        case (JWTSettings.Algorithm.es256.rawValue, .p256(let key)):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case (JWTSettings.Algorithm.es384.rawValue, .p384(let key)):
            guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        default:
            return false
        }
    }

    private static func isValid(_ signature: [UInt8], _ digest: some Digest, _ key: _RSA.Signing.PublicKey) -> Bool {
        key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature), for: digest, padding: .insecurePKCS1v1_5)
    }
}
