import ConnectorKit
import Foundation
import Values

/// A remote that works, and what to ask it for.
struct Fixture: Sendable {
    typealias GoodCall = ConnectorConformance.GoodCall
    typealias Source = ConnectorConformance.Source

    /// Which remote, for a connector that has several.
    var name: String
    var configuration: ConnectionConfiguration
    var calls: [GoodCall] = []
    var sources: [Source] = []
    /// Takes away what was made for it.
    var end: @Sendable () async -> Void = {}

    /// Those of one connector; given the module, with which they can prepare the remote.
    typealias Make = @Sendable (any ConnectorModule) async throws -> [Fixture]

    /// The fixtures of the built-in connectors.
    ///
    /// An MCP server is a connector only once its command is known; its own tests run the suite.
    static let byID: [String: Make] = [
        "http": { try await Self.http($0) },
        "graphql": { try await Self.graphQL($0) },
        "soap": { try await Self.soap($0) },
        "mail": { try await Self.mail($0) },
        "kafka": { try await Self.kafka($0) },
        "amqp": { try await Self.amqp($0) },
        "redis": { try await Self.redis($0) },
        "postgresql": { try await Self.postgreSQL($0) },
        "odbc": { try await Self.odbc($0) },
        "files": { try await Self.files($0) },
        "script": { try await Self.script($0) },
    ]

    static func call(_ operation: String, _ input: ValueContext, key: String? = nil) -> GoodCall {
        GoodCall(OperationCall(operation: operation, input: .context(input), idempotencyKey: key))
    }

    /// A name nobody else uses.
    static func unique(_ prefix: String) -> String {
        prefix + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }

    static func secrets(_ text: String) -> FixedSecrets {
        FixedSecrets([SecretReference(store: "test", name: "secret"): Secret(text)])
    }

    /// What stands for the secret of `secrets` in parameters.
    static let secret: Value = ["secret": "test:secret"]
}

/// The real services, which Scripts/services starts.
enum Service {
    struct Missing: Error, CustomStringConvertible {
        var name: String
        var description: String {
            "JUNCTION_SERVICE_\(self.name) is not set: run the tests with Scripts/test, or under Scripts/services run."
        }
    }

    static func address(_ name: String) throws -> String {
        guard let text = ProcessInfo.processInfo.environment["JUNCTION_SERVICE_\(name)"] else {
            throw Missing(name: name)
        }
        return text
    }

    static func url(_ name: String) throws -> URLComponents {
        guard let url = URLComponents(string: try Self.address(name)) else { throw Missing(name: name) }
        return url
    }
}

extension URLComponents {
    var portNumber: Value { .number(Number(Int64(self.port ?? 0))) }

    func item(_ name: String) -> String? { self.queryItems?.first { $0.name == name }?.value }
}

extension Connection {
    /// Calls an operation that must succeed.
    @discardableResult
    func call(_ operation: String, _ input: ValueContext) async throws -> Value {
        let outcome = await self.invoke(OperationCall(operation: operation, input: .context(input)))
        if let error = outcome.error { throw error }
        return outcome.value ?? .null
    }
}

/// A directory of its own, removed with the last reference.
final class TemporaryDirectory: Sendable {
    let url: URL

    init() throws {
        self.url = FileManager.default.temporaryDirectory.appending(path: "junction-registry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    func put(_ path: String, _ text: String) throws {
        let file = self.url.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}
