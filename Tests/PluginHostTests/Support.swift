import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import PluginHost

/// Programs and folders of the tests.
enum Fixture {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The plugin built together with these tests.
    static var program: String {
        URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "plugin-fixture").path
    }

    static func hosted(_ module: String) -> LaunchSpecification {
        LaunchSpecification(command: [Self.program, module])
    }

    static func hostile(_ mode: String) -> LaunchSpecification {
        let script = Self.root.appending(path: "Tests/PluginHostTests/Fixtures/hostile.py").path
        return LaunchSpecification(command: ["python3", "-u", script, mode])
    }

    static var sqlite: LaunchSpecification {
        LaunchSpecification(
            command: ["python3", Self.root.appending(path: "examples/plugin-python/sqlite_plugin.py").path])
    }

    /// A new empty directory; the caller removes it.
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "plugin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

extension RPCLimits {
    /// Short times, for tests that wait for what happens at their end.
    static var quick: RPCLimits {
        var limits = RPCLimits()
        limits.closeTimeout = .milliseconds(400)
        limits.backoffBase = .milliseconds(1)
        limits.backoffMax = .milliseconds(50)
        return limits
    }
}

/// Collects what a peer logs.
final class LogRecorder: Sendable {
    private let recorded = Mutex<[PeerLogLine]>([])

    var lines: [PeerLogLine] { self.recorded.withLock { $0 } }

    var log: RemoteModule.Log { { _, line in self.recorded.withLock { $0.append(line) } } }

    func contains(_ text: String) -> Bool { self.lines.contains { $0.message.contains(text) } }
}

/// A connection of a hostile plugin, closed in the end; nothing it does may keep the test waiting.
func withHostile<Result: Sendable>(
    _ mode: String, limits: RPCLimits = .quick, log: LogRecorder = LogRecorder(),
    _ body: @Sendable (any Connection) async throws -> Result
) async throws -> Result {
    let module = RemoteModule(
        ConnectorDescriptor(id: "hostile", version: 1, title: "", summary: "", parameters: true),
        launch: Fixture.hostile(mode), limits: limits, log: log.log)
    let connection = try await module.connect(ConnectionConfiguration(id: "enemy", parameters: [:]))
    do {
        let result = try await body(connection)
        await connection.close()
        return result
    } catch {
        await connection.close()
        throw error
    }
}

let go = OperationCall(operation: "go", input: [:])

/// Waits until `condition` holds; `false` when it does not within ten seconds.
func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(10)
    while !condition() {
        if clock.now > deadline { return false }
        await Task.yield()
        usleep(1_000)
    }
    return true
}

extension Outcome {
    /// The kind of the error, and whether the remote may have executed the call.
    var failure: String? {
        self.error.map { "\($0.kind.rawValue) \($0.code)\($0.mayHaveExecuted ? " mayHaveExecuted" : "")" }
    }
}
