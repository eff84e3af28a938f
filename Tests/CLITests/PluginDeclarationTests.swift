import ConnectorKit
import Hub
import HubDocuments
import Logging
import PluginHost
import Testing
import Values

@testable import junction

/// The section `plugins` of the project file.
@Suite struct PluginDeclarationTests {
    private static func read(_ text: String) throws -> (plugins: [PluginDeclaration], findings: [String]) {
        let log = DiagnosticLog(file: "junction.yaml")
        let document = try #require(YAMLDocument.parse(text, log: log))
        let project = ProjectConfiguration.read(document, folder: "/project", log: log)
        return (project.plugins, log.diagnostics.map(\.message))
    }

    @Test func everyFieldIsRead() throws {
        let (plugins, findings) = try Self.read(
            """
            plugins:
              one:
                command: [./bin/one, --fast]
                directory: work
                environment: [HOME]
                variables: { MODE: fast }
                limits: { cpu: 1h, memory: 512MiB, files: 64, processes: 9, message: 1MiB }
              two: { protocol: mcp, command: [python3, server.py] }
              three: { protocol: mcp, url: "http://127.0.0.1:1/mcp", token: { env: TOKEN } }
            """)
        #expect(findings == [])
        try #require(plugins.map(\.id) == ["one", "two", "three"])
        #expect(
            plugins[0].launch
                == LaunchSpecification(
                    command: ["/project/bin/one", "--fast"], directory: "/project/work", environmentNames: ["HOME"],
                    environment: ["MODE": "fast"],
                    limits: .init(cpuSeconds: 3_600, memoryBytes: 512 << 20, openFiles: 64, processes: 9)))
        #expect(plugins[0].limits.frameBytesMax == 1 << 20)
        #expect(plugins[1].language == .mcp)
        #expect(plugins[1].launch?.command == ["python3", "server.py"])
        #expect(plugins[2].launch == nil)
        #expect(plugins[2].tokenVariable == "TOKEN")
        #expect(plugins[2].url == "http://127.0.0.1:1/mcp")
    }

    @Test(arguments: [
        ("{}", "\"plugins.p.command\" is missing."),
        ("{ command: [a], comand: [b] }", "Unknown key \"plugins.p.comand\"."),
        ("{ command: [a], protocol: soap }", "protocol"),
        ("{ command: [a], limits: { files: 1 } }", "plugins.p.limits.files"),
        ("{ command: [a], url: \"http://x\" }", "Unknown key \"plugins.p.url\"."),
    ])
    func whatDoesNotFitIsReported(_ row: (fields: String, finding: String)) throws {
        let (_, findings) = try Self.read("plugins: { p: \(row.fields) }")
        #expect(findings.contains { $0.contains(row.finding) }, "\(findings)")
    }

    @Test func aPluginThatCannotBeStartedIsReportedWithItsName() async throws {
        var project = ProjectConfiguration()
        project.plugins = [PluginDeclaration(id: "gone", launch: LaunchSpecification(command: ["/nothing/here"]))]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await ModuleTable.load(project, isStarted: true, logger: logger)
        }
        #expect(failure?.message.contains("gone") == true)
        let table = try await ModuleTable.load(project, isStarted: false, logger: logger)
        #expect(table.modules.last?.descriptor.id == "gone")
    }

    @Test func aPluginMayNotTakeTheNameOfABuiltInConnector() async throws {
        var project = ProjectConfiguration()
        project.plugins = [PluginDeclaration(id: "http", launch: LaunchSpecification(command: ["true"]))]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        await #expect(throws: CommandFailure.self) {
            _ = try await ModuleTable.load(project, isStarted: false, logger: logger)
        }
    }
}
