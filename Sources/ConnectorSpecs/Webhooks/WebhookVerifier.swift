import ConnectorKit
import Crypto
import Decisions
import HTTPTransport
import Values

/// Checks the signature of a webhook request.
struct WebhookVerifier: Sendable {
    let spec: VerifySpec

    /// Why the request is not genuine; `nil` when it is.
    func problem(_ scope: WebhookScope, secret: String?, now: Int64) -> String? {
        switch self.spec.scheme {
        case .none: return nil
        case .standardWebhooks: return self.standardWebhooks(scope, secret: secret, now: now)
        case .token: return self.token(scope, secret: secret)
        case .hmacSHA1, .hmacSHA256, .hmacSHA512, .ed25519: return self.signature(scope, secret: secret, now: now)
        }
    }

    // MARK: - Declared schemes

    private func token(_ scope: WebhookScope, secret: String?) -> String? {
        guard let secret, !secret.isEmpty else { return "There is no secret to compare with." }
        let candidates = self.signatures(scope)
        guard !candidates.isEmpty else { return "There is no token." }
        let expected = Array(secret.utf8)
        return candidates.contains { ConstantTime.areEqual(Array($0.utf8), expected) } ? nil : "The token is wrong."
    }

    private func signature(_ scope: WebhookScope, secret: String?, now: Int64) -> String? {
        guard let secret, let key = self.key(secret), !key.isEmpty else {
            return "There is no secret, or it cannot be decoded."
        }
        let variables = self.parsed(scope)
        let map = MapScope(variables, now: scope.now)
        if let tolerance = self.spec.tolerance {
            guard let timestamp = self.spec.timestamp?.text(map).flatMap({ Int64($0) }) else {
                return "There is no timestamp."
            }
            guard StandardWebhooks.isNear(now, timestamp, tolerance: tolerance.components.seconds) else {
                return "The timestamp is too far from now."
            }
        }
        let candidates = self.signatures(scope).compactMap { self.decoded($0) }
        guard !candidates.isEmpty else { return "There is no signature." }
        guard let message = self.message(map, scope) else { return "There is nothing to check the signature against." }
        if self.spec.scheme == .ed25519 {
            guard let publicKey = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else {
                return "The public key is none."
            }
            return candidates.contains { publicKey.isValidSignature($0, for: message) }
                ? nil
                : "The signature is wrong."
        }
        let expected = self.authenticationCode(message, key)
        return candidates.contains { ConstantTime.areEqual($0, expected) } ? nil : "The signature is wrong."
    }

    /// What was signed: the body byte for byte when that is all, else the text of the expression.
    private func message(_ map: MapScope, _ scope: WebhookScope) -> [UInt8]? {
        guard case .expression(let expression)? = self.spec.signed else { return nil }
        if expression.source == "rawBody" { return scope.raw }
        guard let text = expression.evaluateValue(map).plainText else { return nil }
        // A body that is no UTF-8 cannot be part of a text, so it cannot have been signed like this.
        return String(validating: scope.raw, as: UTF8.self) == nil ? nil : Array(text.utf8)
    }

    private func authenticationCode(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        switch self.spec.scheme {
        case .hmacSHA1: return Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
        case .hmacSHA512: return Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
        default: return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
    }

    private func key(_ secret: String) -> [UInt8]? {
        switch self.spec.secretDecoding {
        case .text: Array(secret.utf8)
        case .hex: Hex.decode(secret)
        case .base64: Base64.decode(secret)
        case .whsec: StandardWebhooks.key(secret)
        }
    }

    private func decoded(_ signature: String) -> [UInt8]? {
        switch self.spec.encoding {
        case .hex: Hex.decode(signature)
        case .base64: Base64.decode(signature)
        case .base64url: Base64URL.decode(signature)
        }
    }

    // MARK: - Headers

    /// The variables with `sig`, what the header says.
    private func parsed(_ scope: WebhookScope) -> [String: Value] {
        var variables = scope.variables
        let text = self.spec.header.flatMap { scope.headers[$0.lowercased()]?.asString } ?? ""
        switch self.spec.parsing {
        case .raw: variables["sig"] = .string(text)
        case .list:
            let items = text.split { $0 == " " || $0 == "," }.prefix(50)
            variables["sig"] = .list(items.map { .string(String($0)) })
        case .kv:
            var fields: [String: [Value]] = [:]
            for pair in text.split(separator: ",").prefix(50) {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                fields[parts[0].trimmed, default: []].append(.string(parts[1].trimmed))
            }
            variables["sig"] = .context(
                ValueContext(
                    fields.sorted { $0.key < $1.key }.map { name, values in
                        (name, values.count == 1 ? values[0] : .list(values))
                    }))
        }
        return variables
    }

    /// The signatures of a request, each without its prefix; those without it are not ours.
    private func signatures(_ scope: WebhookScope) -> [String] {
        let variables = self.parsed(scope)
        let value = self.spec.signatures?.value(MapScope(variables, now: scope.now)) ?? variables["sig"] ?? .null
        let texts = (value.asList ?? [value]).compactMap(\.asString).prefix(50)
        return texts.compactMap { text in
            guard !self.spec.prefix.isEmpty else { return text.isEmpty ? nil : text }
            return text.hasPrefix(self.spec.prefix) ? String(text.dropFirst(self.spec.prefix.count)) : nil
        }
    }

    // MARK: - Standard Webhooks 1.0.0

    private func standardWebhooks(_ scope: WebhookScope, secret: String?, now: Int64) -> String? {
        StandardWebhooks.problem(
            StandardWebhooks.Fields(
                id: scope.headers["webhook-id"]?.asString, timestamp: scope.headers["webhook-timestamp"]?.asString,
                signatures: scope.headers["webhook-signature"]?.asString),
            body: scope.raw, secrets: secret.map { [$0] } ?? [], now: now,
            tolerance: self.spec.tolerance?.components.seconds ?? StandardWebhooks.toleranceSeconds)
    }
}
