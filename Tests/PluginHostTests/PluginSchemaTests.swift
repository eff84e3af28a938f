import ConnectorKit
import FilesConnector
import Foundation
import Testing
import Values

@testable import PluginHost

/// The published schema says what is really sent, in both directions.
@Suite struct PluginSchemaTests {
    /// The Python of the virtual environment that Scripts/bootstrap makes; it has an independent validator.
    private static var python: String {
        ProcessInfo.processInfo.environment["JUNCTION_PYTHON"]
            ?? Fixture.root.appending(path: "var/python/bin/python").path
    }

    private static func taped(_ log: URL, _ command: [String]) -> LaunchSpecification {
        let tee = Fixture.root.appending(path: "Tests/PluginHostTests/Fixtures/tee.py").path
        return LaunchSpecification(command: ["python3", tee, log.path] + command)
    }

    /// One session after the other, each recorded in `log`.
    private static func talk(_ folder: URL, _ log: URL) async throws {
        let echo = try await RemoteModule.load(
            Self.taped(log, [Fixture.program, "echo"]), name: "echo", limits: .quick)
        let secrets = FixedSecrets([SecretReference(store: "env", name: "TOKEN"): Secret("s3cret")])
        let connection = try await echo.connect(
            ConnectionConfiguration(id: "c", parameters: ["token": ["secret": "env:TOKEN"]], secrets: secrets))
        try await connection.test()
        for operation in ["echo", "secret", "nothing"] {
            _ = await connection.invoke(
                OperationCall(operation: operation, input: ["a": 1], idempotencyKey: "k", traceparent: "00-a-b-01"))
        }
        _ = await connection.isRepeatable(OperationCall(operation: "print", input: [:]))
        _ = await connection.invokeBatch([OperationCall(operation: "echo", input: .null)])
        let waiting = Task { await connection.invoke(OperationCall(operation: "wait", input: [:])) }
        // Only a call that was sent is cancelled there.
        #expect(
            await eventually { (try? String(contentsOf: log, encoding: .utf8))?.contains("\"wait\",\"input") == true })
        waiting.cancel()
        _ = await waiting.value
        let memory = VolatileSourceMemory()
        memory.save(["at": 1])
        for replay in [nil, ["from": 1]] as [Value?] {
            let ticks = try await connection.armSource(
                SourceRequest(event: "tick", parameters: [:], memory: memory, replay: replay))
            try await ticks.connect()
            if let batch = try await ticks.read(maximum: 1, wait: .zero) { try? await ticks.acknowledge(batch.id) }
            await ticks.close()
        }
        await connection.close()
        _ = try? await echo.connect(ConnectionConfiguration(id: "c", parameters: ["refuse": true]))

        let files = RemoteModule(
            FilesModule().descriptor, launch: Self.taped(log, [Fixture.program, "files"]), limits: .quick)
        let inbox = folder.appending(path: "in")
        try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
        try Data("{\"a\":1}\nbad\n".utf8).write(to: inbox.appending(path: "x.ndjson"))
        let disk = try await files.connect(
            ConnectionConfiguration(id: "f", parameters: ["root": .string(folder.path)]))
        let source = try await disk.armSource(
            SourceRequest(
                event: "file", parameters: ["dir": "in", "stable": ["quietFor": "1ms", "checks": 1], "rescan": "20ms"]))
        try await source.connect()
        if let batch = try await source.read(maximum: 1, wait: .seconds(20)) {
            try await source.reject(batch.id, .redeliver(after: .zero))
        }
        if let batch = try await source.read(maximum: 9, wait: .seconds(20)) { try await source.acknowledge(batch.id) }
        _ = try await source.read(maximum: 1, wait: .zero)
        _ = await source.backlog()
        await source.close()
        await disk.close()
    }

    @Test func everyFrameMatchesItsSchema() async throws {
        let folder = try Fixture.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = folder.appending(path: "frames")
        try await Self.talk(folder, log)
        let frames = try String(contentsOf: log, encoding: .utf8)
        try Data((frames + Self.pings).utf8).write(to: log)

        let process = Process()
        process.executableURL = URL(filePath: Self.python)
        process.arguments = [
            Fixture.root.appending(path: "Tests/PluginHostTests/Fixtures/check_frames.py").path,
            Fixture.root.appending(path: "schema/plugin-protocol.schema.json").path, log.path,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let lines = output.split(separator: "\n")
        #expect(lines.dropLast() == [])
        let used = Set(lines.last?.split(separator: " ").dropFirst().map(String.init) ?? [])
        for method in PluginProtocol.Method.allCases {
            #expect(used.contains("\(method.rawValue).params"), "\(method) was not sent")
        }
        #expect(
            used.isSuperset(of: [
                "cancel.params", "secret.params", "secret.result", "save.params", "save.result", "error",
            ]))
    }

    /// What takes five seconds to come of itself.
    private static var pings: String {
        let request = RPCMessage.request(id: 9_999, method: PluginProtocol.Method.ping.rawValue, params: [:]).frame
        let answer = RPCMessage.response(id: 9_999, .success([:])).frame
        return "hub " + String(decoding: request, as: UTF8.self) + "plugin " + String(decoding: answer, as: UTF8.self)
    }
}
