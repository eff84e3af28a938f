import ConnectorKit
import Foundation
import Testing
import Values

@testable import RedisConnector

/// The Redis that Scripts/services runs.
struct Server: Sendable {
    var port: Int
    static let password = "junction-redis"

    /// What the environment says; fails the test when it says nothing.
    static func running() throws -> Server {
        let text = try #require(
            ProcessInfo.processInfo.environment["JUNCTION_SERVICE_REDIS"],
            "JUNCTION_SERVICE_REDIS is not set: run Scripts/services start redis")
        return Server(port: try #require(URLComponents(string: text)?.port))
    }

    func configuration(
        port: Int? = nil, password: String? = Server.password, _ extra: ValueContext = [:]
    ) -> ConnectionConfiguration {
        var parameters: ValueContext = ["host": .string("127.0.0.1:\(port ?? self.port)")]
        if password != nil { parameters["password"] = ["secret": "test:redis"] }
        parameters.merge(extra)
        let secrets = FixedSecrets([SecretReference(store: "test", name: "redis"): Secret(password ?? "")])
        return ConnectionConfiguration(id: "cache", parameters: .context(parameters), secrets: secrets)
    }

    func connect(port: Int? = nil, _ extra: ValueContext = [:]) async throws -> any Connection {
        try await RedisModule().connect(self.configuration(port: port, extra))
    }
}

/// A name no other test uses.
func newName(_ what: String) -> String { "test:\(what):\(UUID().uuidString)" }

extension Connection {
    func call(
        _ operation: String, _ input: ValueContext, key: String? = nil, timeout: Duration = .seconds(10)
    ) async -> Outcome {
        await self.invoke(
            OperationCall(operation: operation, input: .context(input), idempotencyKey: key, timeout: timeout))
    }

    /// The result of a raw command; fails the test when there is none.
    @discardableResult
    func redis(_ parts: Value...) async throws -> Value {
        let outcome = await self.call("command", ["command": .list(parts)])
        return try #require(outcome.value?["result"], "\(parts): \(String(describing: outcome.error))")
    }

    func source(_ event: String, _ parameters: ValueContext) async throws -> any EventSource {
        let source = try await self.armSource(SourceRequest(event: event, parameters: .context(parameters)))
        try await source.connect()
        return source
    }
}

extension EventSource {
    /// Reads until there are `count` events or none comes in `wait`; acknowledges them unless told not to.
    func events(
        _ count: Int, acknowledging: Bool = true, wait: Duration = .seconds(5)
    ) async throws -> [SourceEvent] {
        var events: [SourceEvent] = []
        while events.count < count, let batch = try await self.read(maximum: count - events.count, wait: wait) {
            events += batch.events
            if acknowledging { try await self.acknowledge(batch.id) }
        }
        return events
    }

    /// Reads on until the event `id` comes again, and acknowledges all others; it is alone in its batch.
    func redelivered(_ id: String) async throws -> EventBatch {
        while true {
            let batch = try #require(try await self.read(maximum: 1, wait: .seconds(10)), "\(id) did not come again")
            if batch.events.first?.id == id { return batch }
            try await self.acknowledge(batch.id)
        }
    }

    /// Connects again after the connection was lost, as the hub does.
    func reconnect() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await self.connect()
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

extension SourceEvent {
    var value: Value? {
        if case .value(let value) = self.body { value } else { nil }
    }

    var text: String { String(decoding: self.payload, as: UTF8.self) }
}
