import ConnectorKit
import Crypto
import HTTPTransport
import Values

/// The signatures services put on their webhook requests.
///
/// Pure: the request, the secrets and the time decide. A problem is for us, not for the sender.
enum RequestSignature {
    /// More signatures than these in one header field are not looked at.
    private static let signaturesMaximum = 20

    /// GitHub: `X-Hub-Signature-256: sha256=` and the HMAC of the body in hexadecimal.
    static func githubProblem(_ request: IngressRequest, secrets: [String]) -> String? {
        guard let header = request.header("x-hub-signature-256"), header.hasPrefix("sha256="),
            let signature = Hex.decode(String(header.dropFirst("sha256=".count)))
        else { return "The header X-Hub-Signature-256 is missing or malformed." }
        return Self.problem([signature], of: request.body, secrets: secrets)
    }

    /// Stripe: `Stripe-Signature: t=…,v1=…`, the HMAC of `t.body` in hexadecimal, with the secret as it is written.
    static func stripeProblem(
        _ request: IngressRequest, secrets: [String], now: Int64, tolerance: Int64
    ) -> String? {
        guard let header = request.header("stripe-signature") else { return "The header Stripe-Signature is missing." }
        var timestamp: Substring?
        var signatures: [[UInt8]] = []
        for part in header.split(separator: ",").prefix(Self.signaturesMaximum) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            switch pair[0].drop(while: { $0 == " " }) {
            case "t": timestamp = pair[1]
            case "v1": if let signature = Hex.decode(String(pair[1])) { signatures.append(signature) }
            default: continue
            }
        }
        guard let timestamp, let seconds = Int64(timestamp) else { return "The header Stripe-Signature has no time." }
        guard StandardWebhooks.isNear(seconds, now, tolerance: tolerance) else {
            return "The timestamp is too far from now."
        }
        return Self.problem(signatures, of: Array("\(timestamp).".utf8) + request.body, secrets: secrets)
    }

    /// Slack: `X-Slack-Signature: v0=` and the HMAC of `v0:time:body` in hexadecimal.
    static func slackProblem(_ request: IngressRequest, secrets: [String], now: Int64, tolerance: Int64) -> String? {
        guard let timestamp = request.header("x-slack-request-timestamp"), let seconds = Int64(timestamp) else {
            return "The header X-Slack-Request-Timestamp is missing or malformed."
        }
        guard StandardWebhooks.isNear(seconds, now, tolerance: tolerance) else {
            return "The timestamp is too far from now."
        }
        guard let header = request.header("x-slack-signature"), header.hasPrefix("v0="),
            let signature = Hex.decode(String(header.dropFirst("v0=".count)))
        else { return "The header X-Slack-Signature is missing or malformed." }
        return Self.problem([signature], of: Array("v0:\(timestamp):".utf8) + request.body, secrets: secrets)
    }

    /// Twilio: `X-Twilio-Signature`, the HMAC with SHA-1 in base64 of the address and the form's fields by name.
    ///
    /// A body that is no form is bound by its hash in the query, `bodySHA256`.
    static func twilioProblem(_ request: IngressRequest, url: String, secrets: [String]) -> String? {
        guard let header = request.header("x-twilio-signature"), let signature = Base64.decode(header) else {
            return "The header X-Twilio-Signature is missing or malformed."
        }
        var text = request.query.map { url + "?" + $0 } ?? url
        if let expected = request.queryPairs.first(where: { $0.name == "bodySHA256" })?.value {
            guard let hash = Hex.decode(expected), ConstantTime.areEqual(hash, Array(SHA256.hash(data: request.body)))
            else { return "The body is not the one that was signed." }
        } else if !request.body.isEmpty {
            guard let body = String(validating: request.body, as: UTF8.self),
                request.header("content-type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
            else { return "The body is no form, and its hash is not in the address." }
            // By bytes: Swift's order of texts is another one.
            let pairs = FormText.pairs(body).sorted { a, b in
                a.name == b.name
                    ? a.value.utf8.lexicographicallyPrecedes(b.value.utf8)
                    : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
            }
            for (name, value) in pairs { text += name + value }
        }
        let message = Array(text.utf8)
        return Self.problem(secrets) { secret in
            let code = HMAC<Insecure.SHA1>.authenticationCode(
                for: message, using: SymmetricKey(data: Array(secret.utf8)))
            return ConstantTime.areEqual(signature, Array(code))
        }
    }

    /// SendGrid: an ECDSA signature on P-256 of time and body; `keys` are public keys in base64 of DER.
    static func sendGridProblem(
        _ request: IngressRequest, keys: [String], now: Int64, tolerance: Int64
    ) -> String? {
        guard let timestamp = request.header("x-twilio-email-event-webhook-timestamp"), let seconds = Int64(timestamp),
            let header = request.header("x-twilio-email-event-webhook-signature"),
            let signature = Base64.decode(header).flatMap({ try? P256.Signing.ECDSASignature(derRepresentation: $0) })
        else { return "The headers X-Twilio-Email-Event-Webhook-… are missing or malformed." }
        guard StandardWebhooks.isNear(seconds, now, tolerance: tolerance) else {
            return "The timestamp is too far from now."
        }
        let message = Array(timestamp.utf8) + request.body
        return Self.problem(keys) { key in
            guard let bytes = Base64.decode(key), let key = try? P256.Signing.PublicKey(derRepresentation: bytes) else {
                return false
            }
            return key.isValidSignature(signature, for: message)
        }
    }

    /// A token that both sides know.
    static func tokenProblem(
        _ request: IngressRequest, _ place: VerificationScheme.TokenPlace, secrets: [String]
    ) -> String? {
        guard let token = Self.token(of: request, place) else { return "There is no token." }
        let candidate = Array(token.utf8)
        return Self.problem(secrets) { ConstantTime.areEqual(candidate, Array($0.utf8)) }
    }

    /// User and password (RFC 7617).
    static func basicProblem(_ request: IngressRequest, user: String, passwords: [String]) -> String? {
        guard let header = request.header("authorization"), header.prefix(6).lowercased() == "basic ",
            let bytes = Base64.decode(String(header.dropFirst(6)))
        else { return "There are no user and password." }
        return Self.problem(passwords) { ConstantTime.areEqual(bytes, Array("\(user):\($0)".utf8)) }
    }

    /// The token of a request, without its prefix.
    static func token(of request: IngressRequest, _ place: VerificationScheme.TokenPlace) -> String? {
        switch place {
        case .query(let name):
            return request.queryPairs.first { $0.name == name }?.value
        case .header(let name, let prefix):
            guard let text = request.header(name), text.count >= prefix.count,
                text.prefix(prefix.count).lowercased() == prefix.lowercased()
            else { return nil }
            return String(text.dropFirst(prefix.count))
        }
    }

    /// A client certificate, as a trusted proxy tells of it.
    static func certificateProblem(
        _ request: IngressRequest, _ expected: VerificationScheme.ClientCertificate
    ) -> String? {
        guard expected.proxies.contains(request.peer) else {
            return "The request does not come from a proxy that is believed, but from \(request.peer)."
        }
        func value(_ name: String) -> String? {
            // Two fields of one name: one of them is the sender's own.
            let values = request.headers.filter { $0.name == name }
            return values.count == 1 ? values[0].value : nil
        }
        guard let verified = expected.verified, value(verified.header) == verified.word else {
            return "The proxy does not say that it verified a client certificate."
        }
        if let subject = expected.subject {
            guard let found = value(subject.header), subject.accepted.contains(found) else {
                return "The certificate's subject is not accepted."
            }
        }
        if let fingerprint = expected.fingerprint {
            guard
                let found = value(fingerprint.header).flatMap({ VerificationScheme.ClientCertificate.fingerprint($0) }),
                fingerprint.accepted.contains(found)
            else { return "The certificate's fingerprint is not accepted." }
        }
        return nil
    }

    // MARK: - Secrets

    private static func problem(_ signatures: [[UInt8]], of message: [UInt8], secrets: [String]) -> String? {
        guard !signatures.isEmpty else { return "There is no signature." }
        return Self.problem(secrets) { secret in
            let code = Array(
                HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Array(secret.utf8))))
            return signatures.contains { ConstantTime.areEqual($0, code) }
        }
    }

    private static func problem(_ secrets: [String], _ isRight: (String) -> Bool) -> String? {
        let usable = secrets.filter { !$0.isEmpty }
        guard !usable.isEmpty else { return "There is no secret." }
        return usable.contains(where: isRight) ? nil : "No secret of ours makes this signature."
    }
}
