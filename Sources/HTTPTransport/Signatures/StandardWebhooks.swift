internal import ConnectorKit
internal import Crypto

/// Signatures after Standard Webhooks 1.0.0.
public enum StandardWebhooks {
    /// How far a timestamp may lie from now, both ways, in seconds.
    public static let toleranceSeconds: Int64 = 300
    /// More signatures than these are not looked at.
    private static let signaturesMaximum = 50

    /// The header fields of a request.
    public struct Fields: Sendable {
        /// `webhook-id`: the same for every delivery of one event.
        public var id: String
        /// `webhook-timestamp`: Unix seconds of the attempt.
        public var timestamp: String
        /// `webhook-signature`: signatures, separated by blanks.
        public var signatures: String

        /// Creates fields; `nil` unless all three are there.
        public init?(id: String?, timestamp: String?, signatures: String?) {
            guard let id, let timestamp, let signatures else { return nil }
            self.id = id
            self.timestamp = timestamp
            self.signatures = signatures
        }
    }

    /// Why a request is not genuine; `nil` when it is.
    ///
    /// - Parameters:
    ///   - secrets: `whsec_…` for `v1`, public keys `whpk_…` for `v1a`; any of them will do.
    ///   - now: Unix seconds.
    public static func problem(
        _ fields: Fields?, body: [UInt8], secrets: [String], now: Int64, tolerance: Int64 = Self.toleranceSeconds
    ) -> String? {
        guard let fields, !fields.id.isEmpty, !fields.id.contains("."), let seconds = Int64(fields.timestamp) else {
            return "The headers webhook-id, webhook-timestamp and webhook-signature are not all there."
        }
        guard Self.isNear(seconds, now, tolerance: tolerance) else { return "The timestamp is too far from now." }
        guard secrets.contains(where: { !$0.isEmpty }) else { return "There is no secret." }
        let message = Array("\(fields.id).\(fields.timestamp).".utf8) + body
        for entry in fields.signatures.split(separator: " ").prefix(Self.signaturesMaximum) {
            let parts = entry.split(separator: ",", maxSplits: 1)
            guard parts.count == 2, let candidate = Base64.decode(String(parts[1])) else { continue }
            let isGenuine = secrets.contains { Self.isValid(candidate, version: parts[0], message, secret: $0) }
            if isGenuine { return nil }
        }
        return "No signature is right."
    }

    private static func isValid(
        _ signature: [UInt8], version: Substring, _ message: [UInt8], secret: String
    ) -> Bool {
        switch version {
        case "v1":
            guard !secret.hasPrefix("whpk_"), let key = Self.key(secret, prefix: "whsec_") else { return false }
            let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))
            return ConstantTime.areEqual(signature, Array(code))
        case "v1a":
            guard !secret.hasPrefix("whsec_"), let key = Self.key(secret, prefix: "whpk_"),
                let publicKey = try? Curve25519.Signing.PublicKey(rawRepresentation: key)
            else { return false }
            return publicKey.isValidSignature(signature, for: message)
        default:
            return false
        }
    }

    /// The key in a secret: base64 after the prefix, which may be missing.
    public static func key(_ secret: String, prefix: String = "whsec_") -> [UInt8]? {
        let encoded = secret.hasPrefix(prefix) ? String(secret.dropFirst(prefix.count)) : secret
        guard let key = Base64.decode(encoded), !key.isEmpty else { return nil }
        return key
    }

    /// Whether two moments lie no further apart than `tolerance`.
    public static func isNear(_ a: Int64, _ b: Int64, tolerance: Int64) -> Bool {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return !overflow && difference.magnitude <= UInt64(max(0, tolerance))
    }
}
