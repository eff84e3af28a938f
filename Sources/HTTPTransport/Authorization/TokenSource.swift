internal import ConnectorKit
internal import Synchronization
internal import Values

/// Has tokens from an authorisation server, keeps them, and renews them before they expire.
///
/// One request for a token runs at a time; whoever needs one meanwhile waits for it. Near its end a token is renewed in
/// the background while it is still used.
final class TokenSource: Sendable {
    private struct Token: Sendable {
        var value: String
        var renewFrom: Duration
        var usableUntil: Duration
    }

    private struct State {
        var token: Token?
        var refreshToken: Secret?
        var isFetching = false
        var waiters: [UInt64: CheckedContinuation<String, any Error>] = [:]
        var cancelled: Set<UInt64> = []
        var nextWaiter: UInt64 = 0
    }

    /// What a token is taken to last when the server does not say: refused earlier, it is renewed all the same.
    private static let usualLifetime = Duration.seconds(1_800)
    private static let requestTimeout = Duration.seconds(30)
    /// How long nothing is tried after a renewal in the background failed.
    private static let pause = Duration.seconds(10)

    private let settings: OAuth2Settings
    private let exchange: HTTPExchange
    private let state = Mutex(State())

    init(_ settings: OAuth2Settings, _ exchange: HTTPExchange) {
        self.settings = settings
        self.exchange = exchange
    }

    /// A token that can be used now.
    ///
    /// - Parameter timeout: How long a request for one may take that starts now.
    /// - Throws: `ConnectorError` when the server refuses or cannot be reached; `CancellationError`.
    func token(timeout: Duration) async throws -> String {
        let now = self.exchange.clock.now
        let (usable, startsRenewal): (String?, Bool) = self.state.withLock { state in
            guard let token = state.token, now < token.usableUntil else { return (nil, false) }
            guard now >= token.renewFrom, !state.isFetching else { return (token.value, false) }
            state.isFetching = true
            return (token.value, true)
        }
        if startsRenewal { Task { await self.fetch(timeout: Self.requestTimeout) } }
        if let usable { return usable }
        return try await self.wait(timeout: timeout)
    }

    /// Forgets a token the service refused, unless it was replaced already.
    func refuse(_ value: String) {
        self.state.withLock { state in
            if state.token?.value == value { state.token = nil }
        }
    }

    // MARK: - Waiting

    private func wait(timeout: Duration) async throws -> String {
        let id = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (result, starts) = self.enqueue(id, continuation)
                if let result { continuation.resume(with: result) }
                if starts { Task { await self.fetch(timeout: min(timeout, Self.requestTimeout)) } }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func enqueue(
        _ id: UInt64, _ continuation: CheckedContinuation<String, any Error>
    ) -> (Result<String, any Error>?, Bool) {
        let now = self.exchange.clock.now
        return self.state.withLock { state in
            if state.cancelled.remove(id) != nil { return (.failure(CancellationError()), false) }
            if let token = state.token, now < token.usableUntil { return (.success(token.value), false) }
            state.waiters[id] = continuation
            let starts = !state.isFetching
            state.isFetching = true
            return (nil, starts)
        }
    }

    private func fetch(timeout: Duration) async {
        let result: Result<String, any Error>
        do {
            result = .success(try await self.request(timeout: timeout))
        } catch {
            result = .failure(error)
        }
        let now = self.exchange.clock.now
        let waiters = self.state.withLock { state in
            state.isFetching = false
            if case .failure = result { state.token?.renewFrom = now + Self.pause }
            defer { state.waiters = [:] }
            // Cancelled after they had their answer: nobody will ask for these any more.
            state.cancelled = []
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    // MARK: - Asking

    private func request(timeout: Duration) async throws -> String {
        let known = self.state.withLock { $0.refreshToken }
        var refresh = known
        if refresh == nil, case .authorizationCode = self.settings.grant, let kept = self.settings.refreshToken {
            // A code works once; what it brought may have been kept by an earlier run.
            refresh = try? await self.exchange.secrets.secret(kept)
        }
        if let refresh {
            do {
                return try await self.ask(Self.form(refresh), timeout: timeout)
            } catch let error as ConnectorError where error.kind == .auth {
                // It may have been revoked, and the stored credential replaced.
                self.state.withLock { $0.refreshToken = nil }
            }
        }
        return try await self.ask(try await self.grant(), timeout: timeout)
    }

    private static func form(_ refreshToken: Secret) -> [(String, String)] {
        [("grant_type", "refresh_token"), ("refresh_token", refreshToken.reveal { $0 })]
    }

    private func grant() async throws -> [(String, String)] {
        let secrets = self.exchange.secrets
        switch self.settings.grant {
        case .clientCredentials: return [("grant_type", "client_credentials")]
        case .refreshToken(let reference):
            return Self.form(try await secrets.secret(reference))
        case .authorizationCode(let reference, let redirect, let verifier):
            let code = try await secrets.secret(reference).reveal { $0 }
            var form = [("grant_type", "authorization_code"), ("code", code)]
            if let redirect { form.append(("redirect_uri", redirect)) }
            if let verifier { form.append(("code_verifier", try await secrets.secret(verifier).reveal { $0 })) }
            return form
        case .jwtBearer(let assertion):
            return [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", try await self.exchange.signed(assertion)),
            ]
        }
    }

    private func ask(_ grant: [(String, String)], timeout: Duration) async throws -> String {
        var form = grant
        if let scope = self.settings.scope { form.append(("scope", scope)) }
        form += self.settings.parameters
        var message = HTTPMessage(method: "POST", address: self.settings.tokenAddress)
        // No credential of the connection's service goes to the authorisation server.
        message.isForeign = !self.settings.tokenAddress.hasSameOrigin(
            as: self.exchange.settings.base ?? self.settings.tokenAddress)
        message.fields = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
        try await self.addClient(&message, &form)
        message.body = HTTPContent(Array(PercentEncoding.form(form).utf8))
        let options = HTTPExchange.Options(
            timeout: timeout, statedTimeout: timeout, isRepeatable: false, responseBytesMaximum: 256 * 1024)
        do {
            return try await self.read(try await self.exchange.perform(message, options))
        } catch var error as ConnectorError {
            // Whatever became of the request for a token, the call itself was not sent.
            error.mayHaveExecuted = false
            throw error
        }
    }

    private func addClient(_ message: inout HTTPMessage, _ form: inout [(String, String)]) async throws {
        guard let credential = self.settings.clientID else { return }
        let id = try await self.exchange.secrets.text(credential)
        guard let reference = self.settings.clientSecret else {
            form.append(("client_id", id))
            return
        }
        let secret = try await self.exchange.secrets.secret(reference).reveal { $0 }
        switch self.settings.clientAuthentication {
        case .body: form += [("client_id", id), ("client_secret", secret)]
        case .basic:
            // Both are form-encoded first (RFC 6749, 2.3.1).
            let pair = PercentEncoding.component(id) + ":" + PercentEncoding.component(secret)
            message.fields.append(("Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
        }
    }

    private func read(_ response: HTTPResponse) async throws -> String {
        let body = try? JSON.parse(response.bytes)
        guard (200..<300).contains(response.status) else {
            throw HTTPErrors.tokenRefused(response, body, now: self.exchange.clock.unixMilliseconds)
        }
        guard let token = body?["access_token"]?.asString, !token.isEmpty,
            HTTPFields.problem(name: "authorization", value: token) == nil
        else { throw HTTPErrors.tokenMalformed(response, body) }
        let stated = body?["expires_in"].flatMap { $0.asInt64 ?? $0.asString.flatMap { Int64($0) } }
        let lifetime = stated.map { Duration.seconds(min(max($0, 0), 31_536_000)) } ?? Self.usualLifetime
        let refresh = body?["refresh_token"]?.asString.flatMap { $0.isEmpty ? nil : Secret($0) }
        if let refresh, let place = self.settings.refreshToken {
            // Kept in memory in any case: a store that cannot be written matters after a restart only.
            _ = await self.exchange.secrets.replace(place, with: refresh)
        }
        let now = self.exchange.clock.now
        self.state.withLock { state in
            // Ten per cent before the end, at most a minute; the last seconds are left to the way to the service.
            state.token = Token(
                value: token, renewFrom: now + lifetime - min(lifetime / 10, .seconds(60)),
                usableUntil: now + lifetime - min(lifetime / 20, .seconds(5)))
            if let refresh { state.refreshToken = refresh }
        }
        return token
    }
}
