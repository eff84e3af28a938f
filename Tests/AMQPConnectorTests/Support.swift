import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import AMQPConnector

/// The RabbitMQ that Scripts/services runs.
struct Broker: Sendable {
    var port: Int
    var tlsPort: Int
    var folder: String
    static let user = "junction"
    static let password = "junction-rabbit"

    /// What the environment says; fails the test when it says nothing.
    static func running() throws -> Broker {
        let text = try #require(
            ProcessInfo.processInfo.environment["JUNCTION_SERVICE_RABBITMQ"],
            "JUNCTION_SERVICE_RABBITMQ is not set: run Scripts/services start rabbitmq")
        let url = try #require(URLComponents(string: text))
        func item(_ name: String) -> String? { url.queryItems?.first { $0.name == name }?.value }
        return Broker(
            port: try #require(url.port), tlsPort: try #require(item("tls").flatMap { Int($0) }),
            folder: try #require(item("folder")))
    }

    func configuration(
        port: Int? = nil, password: String = Broker.password, _ extra: ValueContext = [:]
    ) -> ConnectionConfiguration {
        var parameters: ValueContext = [
            "hosts": .string("127.0.0.1:\(port ?? self.port)"), "user": .string(Self.user),
            "password": ["secret": "test:rabbit"],
        ]
        parameters.merge(extra)
        return ConnectionConfiguration(
            id: "rabbit", parameters: .context(parameters), secrets: FixedSecrets.rabbit(password))
    }

    func connect(port: Int? = nil, _ extra: ValueContext = [:]) async throws -> any Connection {
        try await AMQPModule().connect(self.configuration(port: port, extra))
    }

    /// A connected source of a queue, which is made unless it is there.
    func source(
        _ connection: any Connection, _ queue: String, arguments: ValueContext = [:], _ extra: ValueContext = [:]
    ) async throws -> any EventSource {
        var parameters: ValueContext = [
            "queue": .string(queue), "declare": ["arguments": .context(arguments)],
        ]
        parameters.merge(extra)
        let source = try await connection.armSource(SourceRequest(event: "message", parameters: .context(parameters)))
        try await source.connect()
        return source
    }
}

extension FixedSecrets {
    static func rabbit(_ password: String) -> FixedSecrets {
        FixedSecrets([SecretReference(store: "test", name: "rabbit"): Secret(password)])
    }
}

/// A name no other test uses; the queue is deleted by the broker when nobody has used it for a while.
func newName(_ what: String) -> String { "test-\(what)-\(UUID().uuidString)" }

/// Arguments of a queue that does not outlive the tests for long.
let shortLived: ValueContext = ["x-expires": 60_000]

extension OperationCall {
    static func publish(
        _ body: Value, to queue: String, _ extra: ValueContext = [:], timeout: Duration = .seconds(10)
    ) -> OperationCall {
        var input: ValueContext = ["routingKey": .string(queue), "body": body]
        input.merge(extra)
        return OperationCall(operation: "publish", input: .context(input), timeout: timeout)
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
}

/// Whether `condition` comes true in time.
func eventually(_ condition: () async throws -> Bool, within: Duration = .seconds(10)) async rethrows -> Bool {
    let deadline = ContinuousClock.now + within
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
