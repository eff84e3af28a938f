internal import Crypto
public import Values

/// What a JSON Web Token (RFC 7519) must say and be signed with to be accepted.
public struct JWTRules: Sendable {
    /// The signatures that are accepted; `none` never is.
    public var algorithms: Set<JWTSettings.Algorithm> = [.rs256, .es256]
    /// `iss`, any of them; empty accepts every issuer.
    public var issuers: [String] = []
    /// `aud`, any of them; empty accepts every audience.
    public var audiences: [String] = []
    /// How far clocks may differ, in seconds.
    public var leeway: Int64 = 60
    /// Claims that must be there with this value; a list claim must contain it.
    public var claims = ValueContext()

    /// Creates rules that accept any token that is signed and has not expired.
    public init() {}

    /// What comes of looking at a token.
    public enum Verdict: Sendable {
        /// It is genuine and says what it must.
        case accepted(claims: ValueContext)
        /// It is not; the reason is for us, not for the sender.
        case refused(String)
        /// It is signed with a key that is not among those given: newer ones may have it.
        case unknownKey
    }

    /// Longer tokens are not looked at.
    private static let bytesMaximum = 16 << 10

    /// Looks at a token.
    ///
    /// - Parameters:
    ///   - secrets: The shared secrets of HS256, HS384 and HS512; any of them will do.
    ///   - now: Unix seconds.
    public func verdict(on token: String, keys: JSONWebKeys?, secrets: [[UInt8]], now: Int64) -> Verdict {
        guard token.utf8.count <= Self.bytesMaximum else { return .refused("The token is too long.") }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(String(parts[2])), !signature.isEmpty
        else { return .refused("The token is no signed JSON Web Token.") }
        guard header["crit"] == nil else { return .refused("The token has extensions that are not understood.") }
        guard let algorithm = (header["alg"]?.asString).flatMap({ JWTSettings.Algorithm(rawValue: $0) }),
            self.algorithms.contains(algorithm)
        else { return .refused("The token is signed with an algorithm that is not accepted.") }
        let message = Array((parts[0] + "." + parts[1]).utf8)
        if algorithm.isShared {
            guard secrets.contains(where: { Self.isValid(signature, for: message, algorithm, secret: $0) }) else {
                return .refused("The signature of the token is wrong.")
            }
        } else {
            let id = header["kid"]?.asString
            guard let keys, keys.hasKey(named: id) else { return .unknownKey }
            let candidates = keys.keys.filter { id == nil || $0.id == id }
            guard
                candidates.contains(where: { $0.isValid(signature, for: message, algorithm: algorithm.rawValue) })
            else { return .refused("The signature of the token is wrong.") }
        }
        return self.objection(to: claims, now: now).map { .refused($0) } ?? .accepted(claims: claims)
    }

    private func objection(to claims: ValueContext, now: Int64) -> String? {
        guard let expiry = Self.seconds(claims["exp"]) else { return "The token has no exp." }
        if now >= Self.sum(expiry, self.leeway) { return "The token has expired." }
        if let begin = claims["nbf"] {
            guard let begin = Self.seconds(begin) else { return "The token's nbf is no time." }
            if now < Self.sum(begin, -self.leeway) { return "The token is not valid yet." }
        }
        if let issued = claims["iat"] {
            guard let issued = Self.seconds(issued) else { return "The token's iat is no time." }
            if now < Self.sum(issued, -self.leeway) { return "The token was issued in the future." }
        }
        if !self.issuers.isEmpty {
            guard let issuer = claims["iss"]?.asString, self.issuers.contains(issuer) else {
                return "The token is from another issuer."
            }
        }
        if !self.audiences.isEmpty {
            let named = Self.texts(claims["aud"])
            guard self.audiences.contains(where: named.contains) else { return "The token is for another audience." }
        }
        for (name, expected) in self.claims {
            guard let found = claims[name], found == expected || found.asList?.contains(expected) == true else {
                return "The claim \(name) is missing or different."
            }
        }
        return nil
    }

    private static func object(_ part: Substring) -> ValueContext? {
        guard let bytes = Base64URL.decode(String(part)), let value = try? JSON.parse(bytes) else { return nil }
        return value.asContext
    }

    private static func texts(_ value: Value?) -> [String] {
        switch value {
        case .string(let text): [text]
        case .list(let items): items.compactMap(\.asString)
        default: []
        }
    }

    /// A NumericDate, which may have a fraction.
    private static func seconds(_ value: Value?) -> Int64? {
        guard let number = value?.asNumber?.double, number.magnitude < 1e15 else { return nil }
        return Int64(number)
    }

    private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? (b > 0 ? .max : .min) : sum
    }

    private static func isValid(
        _ signature: [UInt8], for message: [UInt8], _ algorithm: JWTSettings.Algorithm, secret: [UInt8]
    ) -> Bool {
        guard !secret.isEmpty else { return false }
        let key = SymmetricKey(data: secret)
        let expected: [UInt8] =
            switch algorithm {
            case .hs384: Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
            case .hs512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
            default: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
            }
        return ConstantTime.areEqual(signature, expected)
    }
}

extension JWTSettings.Algorithm {
    /// Whether whoever can check a signature can make one.
    public var isShared: Bool { [.hs256, .hs384, .hs512].contains(self) }
}
