internal import ConnectorKit
internal import Crypto
internal import Synchronization
internal import Values

/// Adds the connection's authorisation to requests.
final class Authorizer: Sendable {
    /// A request with its credentials, and which of them can be had anew.
    struct Authorized: Sendable {
        var message: HTTPMessage
        /// The token that was used.
        var token: String?
        /// The nonce that was used.
        var nonce: String?
    }

    private struct DigestState {
        var challenge: DigestChallenge?
        var count: UInt32 = 0
    }

    private let exchange: HTTPExchange
    private let tokens: TokenSource?
    private let digest = Mutex(DigestState())

    private var auth: HTTPAuthentication { self.exchange.settings.auth }
    private var secrets: any SecretResolver { self.exchange.secrets }

    init(_ exchange: HTTPExchange) {
        self.exchange = exchange
        if case .oauth2(let settings) = exchange.settings.auth {
            self.tokens = TokenSource(settings, exchange)
        } else {
            self.tokens = nil
        }
    }

    /// Header fields besides `Authorization` that carry a credential.
    var fieldNames: [String] {
        switch self.auth {
        case .apiKey(let name, .header, _): [name]
        case .hmac(let settings): [settings.header]
        case .awsSignature: ["x-amz-security-token"]
        default: []
        }
    }

    /// The request with its credentials; as it is when it goes to another server than theirs.
    func authorized(_ message: HTTPMessage, timeout: Duration) async throws -> Authorized {
        var result = Authorized(message: message)
        guard !message.isForeign else { return result }
        switch self.auth {
        case .none: break
        case .bearer(let token):
            let value = try await self.secrets.secret(token).reveal { "Bearer " + $0 }
            try self.set("Authorization", value, &result.message)
        case .basic(let user, let password):
            let pair = "\(try await self.secrets.text(user)):\(try await self.secrets.text(password))"
            try self.set("Authorization", "Basic " + Base64.encode(Array(pair.utf8)), &result.message)
        case .apiKey(let name, let place, let key):
            let value = try await self.secrets.secret(key).reveal { $0 }
            switch place {
            case .header: try self.set(name, value, &result.message)
            case .query: result.message.address = try self.adding([(name, value)], to: message.address)
            }
        case .digest(let user, let password): try await self.addDigest(user, password, &result)
        case .oauth2:
            let token = try await self.tokens?.token(timeout: timeout) ?? ""
            result.token = token
            try self.set("Authorization", "Bearer " + token, &result.message)
        case .jwt(let settings):
            try self.set("Authorization", "Bearer " + (try await self.exchange.signed(settings)), &result.message)
        case .awsSignature(let settings): try await self.addSignature(settings, &result.message)
        case .hmac(let settings): try await self.addSignature(settings, &result.message)
        }
        return result
    }

    /// Whether a refused request is worth sending again, with another token or an answer to the service's challenge.
    func canAnswer(_ response: HTTPResponse, to request: Authorized) -> Bool {
        switch self.auth {
        case .oauth2:
            guard let token = request.token else { return false }
            self.tokens?.refuse(token)
            return true
        case .digest:
            let fields = response.fields.filter { $0.name == "www-authenticate" }.map(\.value)
            guard let challenge = DigestChallenge(fields), challenge.nonce != request.nonce else { return false }
            self.digest.withLock { state in
                // Another request may have had the same challenge and counts already.
                if state.challenge != challenge { state = DigestState(challenge: challenge, count: 0) }
            }
            return true
        default: return false
        }
    }

    // MARK: - Signatures

    private func addDigest(
        _ user: HTTPCredential, _ password: HTTPCredential, _ request: inout Authorized
    ) async throws {
        let next: (challenge: DigestChallenge, count: UInt32)? = self.digest.withLock { state in
            guard let challenge = state.challenge, state.count < .max else { return nil }
            state.count += 1
            return (challenge, state.count)
        }
        guard let next else { return }
        let answer = next.challenge.answer(
            user: try await self.secrets.text(user), password: try await self.secrets.text(password),
            method: request.message.method, target: request.message.address.target, count: next.count,
            clientNonce: Self.nonce())
        request.nonce = next.challenge.nonce
        try self.set("Authorization", answer, &request.message)
    }

    private func addSignature(_ settings: AWSSignatureSettings, _ message: inout HTTPMessage) async throws {
        let timestamp = UTCTime(unixMilliseconds: self.exchange.clock.unixMilliseconds).basic
        let signature = AWSSignature(
            region: settings.region, service: settings.service,
            accessKeyID: try await self.secrets.text(settings.accessKeyID),
            secretAccessKey: try await self.secrets.secret(settings.secretAccessKey).reveal { $0 })
        if let token = settings.sessionToken {
            try self.set(
                "x-amz-security-token", try await self.secrets.secret(token).reveal { $0 }, &message)
        }
        if signature.isS3 {
            // Sent as it is signed: verifiers differ in what they make of a path that is encoded otherwise.
            let query = message.address.query.map { "?" + $0 } ?? ""
            let path = signature.canonical(path: message.address.path)
            message.address =
                HTTPAddress("\(message.address.scheme)://\(message.address.authority)\(path)\(query)")
                ?? message.address
        }
        let hash = try self.payloadHash(message, settings)
        try self.set("x-amz-date", timestamp, &message)
        if signature.isS3 { try self.set("x-amz-content-sha256", hash, &message) }
        var fields = message.fields.filter { field in
            let name = field.name.lowercased()
            return name == "content-type" || name.hasPrefix("x-amz-")
        }
        fields.append(("host", message.address.authority))
        let value = signature.authorization(
            method: message.method, path: message.address.path, query: message.address.query, fields: fields,
            payloadHash: hash, timestamp: timestamp)
        try self.set("Authorization", value, &message)
    }

    private func payloadHash(_ message: HTTPMessage, _ settings: AWSSignatureSettings) throws -> String {
        let body = message.body ?? HTTPContent([])
        if body.bytes == nil, settings.service == "s3", message.address.scheme == "https" { return "UNSIGNED-PAYLOAD" }
        do {
            return Hex.encode(try body.hash(SHA256.self))
        } catch {
            throw HTTPErrors.file(error)
        }
    }

    private func addSignature(_ settings: HMACSettings, _ message: inout HTTPMessage) async throws {
        let key = try await self.secrets.secret(settings.key).reveal { $0 }
        do {
            try settings.sign(
                &message, key: key, unixMilliseconds: self.exchange.clock.unixMilliseconds, nonce: Self.nonce())
        } catch let error as HTTPFileError {
            throw HTTPErrors.file(error)
        } catch let problem as HTTPRequest.Problem {
            throw HTTPErrors.invalid(problem)
        } catch is UnusableKey {
            throw HTTPErrors.unusableKey(self.exchange.id, "\(settings.keyEncoding.rawValue) key")
        }
    }

    // MARK: - Parts

    private static func nonce() -> String { Hex.encode((0..<16).map { _ in UInt8.random(in: 0 ... .max) }) }

    private func set(_ name: String, _ value: String, _ message: inout HTTPMessage) throws {
        do {
            try message.set(name, value)
        } catch {
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable,
                "The secret of the connection \(self.exchange.id) holds a line end or another control character.",
                remedy: "Store it without; editors like to add a line end.")
        }
    }

    private func adding(_ query: [(String, String)], to address: HTTPAddress) throws -> HTTPAddress {
        let separator = address.query == nil ? "?" : "&"
        guard let longer = HTTPAddress(address.text + separator + PercentEncoding.form(query)) else {
            throw HTTPErrors.malformedURL(address.text)
        }
        return longer
    }
}

extension HTTPExchange {
    /// A token signed with the key as it is now.
    func signed(_ settings: JWTSettings) async throws -> String {
        let key = try await self.secrets.secret(settings.key).reveal { $0 }
        do {
            return try settings.token(key: key, unixSeconds: self.clock.unixMilliseconds / 1_000)
        } catch {
            throw HTTPErrors.unusableKey(self.id, "key for \(settings.algorithm.rawValue)")
        }
    }
}
