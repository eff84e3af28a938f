import ConnectorKit
import Foundation
import PluginHost
import Testing
import Values

@testable import MCPConnector

/// `junction mcp`, spoken to by the official SDK's client and by our own.
@Suite(.serialized) struct JunctionServerTests {
    private static var junction: String {
        if let named = ProcessInfo.processInfo.environment["JUNCTION_PROGRAM"] { return named }
        return URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "junction").path
    }

    private static let model = """
        <?xml version="1.0" encoding="UTF-8"?>
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
          <process id="approval" name="Approval" isExecutable="true">
            <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="review"/>
            <userTask id="review" name="Review"/>
            <sequenceFlow id="f2" sourceRef="review" targetRef="e"/><endEvent id="e"/>
          </process>
          <process id="quick" isExecutable="true">
            <startEvent id="s2"/><sequenceFlow id="f3" sourceRef="s2" targetRef="e2"/><endEvent id="e2"/>
          </process>
        </definitions>
        """

    private static func run(_ command: [String], input: String = "") throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// A data directory with the model deployed.
    private static func withData(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jm-\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = folder.appending(path: "approval.bpmn")
        try Data(Self.model.utf8).write(to: model)
        let data = folder.appending(path: "data").path
        #expect(try Self.run([Self.junction, "deploy", model.path, "--data", data]).code == 0)
        try await body(data)
    }

    @Test func theOfficialClientStartsAProcess() async throws {
        try await Self.withData { data in
            let (code, output) = try Self.run(
                [Python.program, Python.fixture("client.py"), Self.junction, "mcp", "--data", data],
                input: """
                    {"name": "start_quick", "arguments": {"variables": {"a": 1}, "waitSeconds": 20}}
                    {"name": "list_user_tasks", "arguments": {}}
                    {"name": "complete_user_task", "arguments": {"key": "nonsense"}}

                    """)
            #expect(code == 0)
            let lines = try output.split(separator: "\n").map { try JSON.parse(String($0)) }
            try #require(lines.count == 4, "\(output)")
            #expect(
                lines[0] == [
                    "list_user_tasks", "list_dead_letters", "get_process_instance", "complete_user_task",
                    "replay_dead_letter", "start_approval", "start_quick",
                ])
            #expect(lines[1]["structuredContent"]?["variables"] == ["a": 1])
            #expect(lines[2]["structuredContent"] == ["items": []])
            #expect(lines[3]["isError"] == true)
        }
    }

    @Test func aTaskIsListedAndCompletedThroughOurOwnConnector() async throws {
        try await Self.withData { data in
            let launch = LaunchSpecification(
                command: [Self.junction, "mcp", "--data", data], environmentNames: ["HOME", "USER"])
            let module = try await MCPModule.load(id: "self", .process(launch))
            #expect(module.descriptor.title == "Junction")
            let connection = try await module.connect(ConnectionConfiguration(id: "c", parameters: [:]))
            func call(_ operation: String, _ input: Value) async throws -> Value {
                let outcome = await connection.invoke(OperationCall(operation: operation, input: input))
                return try #require(outcome.value?["structured"], "\(operation): \(outcome)")
            }
            let instance = try #require(try await call("start_approval", [:])["processInstanceKey"])
            let tasks = try await call("list_user_tasks", [:])["items"]?.asList ?? []
            #expect(tasks.map { $0["processInstanceKey"] } == [instance])
            let key = try #require(tasks.first?["userTaskKey"])
            #expect(
                try await call("complete_user_task", ["key": key, "variables": ["ok": true]]) == ["completed": true])
            #expect(try await call("get_process_instance", ["key": instance])["state"] == "COMPLETED")
            #expect(try await call("list_dead_letters", [:]) == ["items": []])
            await connection.close()
        }
    }

    @Test func aReadOnlyServerOffersNothingThatChanges() async throws {
        try await Self.withData { data in
            let launch = LaunchSpecification(command: [Self.junction, "mcp", "--read-only", "--data", data])
            let module = try await MCPModule.load(id: "self", .process(launch))
            #expect(module.descriptor.operations.allSatisfy { $0.effect == .read })
            let connection = try await module.connect(ConnectionConfiguration(id: "c", parameters: [:]))
            let outcome = await connection.invoke(OperationCall(operation: "start_quick", input: [:]))
            #expect(outcome.error?.kind == .unsupported)
            await connection.close()
        }
    }
}
