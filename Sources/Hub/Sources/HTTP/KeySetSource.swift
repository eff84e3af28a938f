import ConnectorKit
import HTTPTransport
import Synchronization
import Values

/// The keys of an authorisation server, fetched when first needed and again when a token names one that is not there.
final class KeySetSource: Sendable {
    private struct State {
        var keys: JSONWebKeys?
        var fetchedAt: Duration?
        var fetching: Task<JSONWebKeys, any Error>?
        var client: HTTPClient?
        var isClosed = false
    }

    private let url: HTTPAddress
    private let settings: HTTPSettings
    private let clock: any ConnectorClock
    private let state = Mutex(State())

    /// Keys are fetched again after this time.
    private static let lifetime = Duration.seconds(3_600)
    /// An unknown key does not lead to a fetch more often than this: anybody can name one.
    private static let pause = Duration.seconds(30)
    private static let timeout = Duration.seconds(10)
    private static let bytesMaximum = 1 << 20

    init(_ url: HTTPAddress, allowsPrivate: Bool, privateHosts: Set<String>, clock: any ConnectorClock) {
        self.url = url
        self.clock = clock
        var settings = HTTPSettings()
        settings.allowedHosts = [url.host]
        settings.allowsPrivate = allowsPrivate
        settings.privateHosts = privateHosts
        settings.connectionsMaximum = 2
        settings.responseBytesMaximum = Self.bytesMaximum
        self.settings = settings
    }

    /// The keys; with `isStale` those fetched after one was not among them, if that may be.
    ///
    /// Throws `ConnectorError`.
    func keys(isStale: Bool = false) async throws -> JSONWebKeys {
        let now = self.clock.now
        let (known, task) = try self.state.withLock { state -> (JSONWebKeys?, Task<JSONWebKeys, any Error>?) in
            let age = state.fetchedAt.map { now - $0 }
            if let keys = state.keys, let age, age < (isStale ? Self.pause : Self.lifetime) { return (keys, nil) }
            if let fetching = state.fetching { return (state.keys, fetching) }
            if state.keys == nil, let age, age < .seconds(1) {
                throw ConnectorError(
                    .unavailable, code: ConnectorError.Code.secretUnavailable,
                    "The keys at \(self.url.text) could not be fetched a moment ago.", remedy: "Look at the issuer.")
            }
            let client = try self.client(&state)
            let task = Task { try await self.fetch(client) }
            state.fetching = task
            return (state.keys, task)
        }
        guard let task else { return known ?? .none }
        do { return try await task.value } catch {
            // Keys that were good an hour ago are better than none.
            if let known, !isStale { return known }
            throw error
        }
    }

    /// Ends the connection to the server.
    func close() async {
        let client = self.state.withLock { state in
            state.isClosed = true
            defer { state.client = nil }
            return state.client
        }
        await client?.close()
    }

    private func client(_ state: inout State) throws -> HTTPClient {
        if let client = state.client { return client }
        guard !state.isClosed else { throw CancellationError() }
        let client = try HTTPClient(
            id: "keys", settings: self.settings, secrets: NoSecrets(), clock: self.clock, userAgent: "junction")
        state.client = client
        return client
    }

    private func fetch(_ client: HTTPClient) async throws -> JSONWebKeys {
        let request = HTTPRequest(
            target: .url(self.url), headers: [("Accept", "application/json")], timeout: Self.timeout)
        let result: Result<JSONWebKeys, any Error>
        do {
            let response = try await client.send(request)
            guard response.status == 200 else { throw client.failure(response, of: request) }
            guard let value = try? JSON.parse(response.bytes), let keys = JSONWebKeys(value), !keys.isEmpty else {
                throw ConnectorError(
                    .unavailable, code: ConnectorError.Code.secretUnavailable,
                    "What is at \(self.url.text) are no keys for signatures.", remedy: "Correct jwksUrl.")
            }
            result = .success(keys)
        } catch {
            result = .failure(error)
        }
        let now = self.clock.now
        self.state.withLock { state in
            state.fetching = nil
            state.fetchedAt = now
            if case .success(let keys) = result { state.keys = keys }
        }
        return try result.get()
    }
}
