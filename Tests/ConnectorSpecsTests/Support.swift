import ConnectorKit
import Foundation
import HubDocuments
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

/// Files of the repository and of these tests.
enum Files {
    private static let here = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    private static let root = Self.here.deletingLastPathComponent().deletingLastPathComponent()

    static func fixture(_ name: String) throws -> String {
        try String(contentsOf: Self.here.appending(path: "Fixtures/\(name)"), encoding: .utf8)
    }

    static func repository(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The specifications that come with the program, by file name.
    static func shipped() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "connector-specs").path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
    }
}

/// The real services, which Scripts/services starts.
enum Service {
    struct Missing: Error, CustomStringConvertible {
        var name: String
        var description: String {
            "JUNCTION_SERVICE_\(self.name) is not set: run the tests with Scripts/test, or under Scripts/services run."
        }
    }

    static func url(_ name: String) throws -> String {
        guard let url = ProcessInfo.processInfo.environment["JUNCTION_SERVICE_\(name)"] else {
            throw Missing(name: name)
        }
        return url
    }
}

/// What reading `text` finds, as `CODE line:column`.
func findings(_ text: String) -> (spec: ConnectorSpec?, places: [String], messages: [String]) {
    let log = DiagnosticLog(file: "spec.yaml")
    let spec = ConnectorSpec.read(text, log: log)
    return (
        spec, log.diagnostics.map { "\($0.code) \($0.line ?? 0):\($0.column ?? 0)" }, log.diagnostics.map(\.message)
    )
}

/// A specification that must be right.
func specification(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> ConnectorSpec {
    let (spec, _, messages) = findings(text)
    #expect(messages == [], sourceLocation: sourceLocation)
    return try #require(spec, sourceLocation: sourceLocation)
}

/// Answers requests by a function, and remembers them.
final class ScriptedTransport: SpecTransport {
    private let answer: @Sendable (SpecRequest) throws -> SpecResponse
    private let log = Mutex<[SpecRequest]>([])

    init(_ answer: @escaping @Sendable (SpecRequest) throws -> SpecResponse) {
        self.answer = answer
    }

    var requests: [SpecRequest] { self.log.withLock { $0 } }

    func send(_ request: SpecRequest) async throws -> SpecResponse {
        try Task.checkCancellation()
        self.log.withLock { $0.append(request) }
        return try self.answer(request)
    }

    func close() async {}
}

extension SpecResponse {
    static func json(_ value: Value, status: Int = 200) -> SpecResponse {
        SpecResponse(
            status: status, headers: [("content-type", "application/json")], body: Array(JSON.string(value).utf8))
    }
}

/// A module whose connections use a scripted transport.
struct ScriptedModule: ConnectorModule {
    let connector: DeclaredConnector
    let transport: ScriptedTransport

    var descriptor: ConnectorDescriptor { self.connector.descriptor }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let real = try await self.connector.connect(configuration)
        let connection = try #require(real as? DeclaredConnection)
        await connection.runner.transport.close()
        return DeclaredConnection(
            id: configuration.id, module: self.connector,
            runner: OperationRunner(
                spec: self.connector.spec, connection: connection.runner.connection, transport: self.transport,
                clock: configuration.clock),
            credential: connection.credential, secrets: configuration.secrets)
    }
}
