import ArgumentParser
import Hub
import HubDocuments
import Testing
import Values

@testable import junction

@Suite struct ConfigurationTests {
    private static func read(_ text: String, folder: String = ".") throws -> (ProjectConfiguration, [Diagnostic]) {
        let log = DiagnosticLog(file: "junction.yaml")
        let document = try #require(YAMLDocument.parse(text, log: log))
        return (ProjectConfiguration.read(document, folder: folder, log: log), log.diagnostics)
    }

    @Test func everyKeyIsOptional() throws {
        let (project, diagnostics) = try Self.read("", folder: "/nowhere")
        #expect(project == ProjectConfiguration())
        #expect(diagnostics == [])
    }

    @Test func pathsAreRelativeToTheProject() throws {
        let folder = try TemporaryFolder()
        let second = try folder.write("models/b.bpmn", "")
        let first = try folder.write("models/a.bpmn", "")
        let trigger = try folder.write("t.yaml", "")
        let (project, diagnostics) = try Self.read(
            """
            data: var
            http: { port: 8080 }
            deploy: ["models/*.bpmn", "models/a.bpmn"]
            triggers: t.yaml
            connections: /etc/connections.yaml
            engine: { partitions: 8, threads: 2 }
            """, folder: folder.path)
        #expect(diagnostics == [])
        #expect(
            project
                == ProjectConfiguration(
                    data: folder.path + "/var", port: 8_080, deploy: [first, second], triggers: [trigger],
                    connections: "/etc/connections.yaml", partitions: 8, threads: 2))
    }

    static let wrong: [(text: String, says: String)] = [
        ("triger: x", "Unknown key \"triger\""), ("http: { prot: 1 }", "Unknown key \"http.prot\""),
        ("http: { port: 70000 }", "\"http.port\""), ("engine: { threads: 0 }", "\"engine.threads\""),
        ("deploy: nothing-here-*.bpmn", "no file matches"),
    ]

    @Test(arguments: wrong)
    func wrongKeysAndValuesAreFound(_ row: (text: String, says: String)) throws {
        let (_, diagnostics) = try Self.read(row.text)
        #expect(diagnostics.contains { $0.message.contains(row.says) }, "\(diagnostics)")
    }

    @Test func aProjectFileWithErrorsStopsTheCommand() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("junction.yaml", "deplo: x")
        let error = #expect(throws: CommandFailure.self) {
            _ = try ProjectConfiguration.load(folder: folder.path, isRequired: false)
        }
        #expect(error?.code == .projectFile)
        #expect(error?.description.contains("Did you mean \"deploy\"?") == true)
        let empty = try TemporaryFolder()
        #expect(try ProjectConfiguration.load(folder: empty.path, isRequired: false) == nil)
        #expect(throws: CommandFailure.self) { _ = try ProjectConfiguration.load(folder: empty.path, isRequired: true) }
    }

    static let directories: [(arguments: [String], variables: [String: String], project: String?, result: String)] = [
        ([], [:], nil, "var/junction"), ([], [:], "p/var", "p/var"), ([], ["JUNCTION_DATA": "e"], "p/var", "e"),
        (["--data", "d"], ["JUNCTION_DATA": "e"], "p/var", "d"), ([], ["JUNCTION_DATA": ""], nil, "var/junction"),
    ]

    @Test(arguments: directories)
    func theDataDirectoryHasAnOrderOfPrecedence(
        _ row: (arguments: [String], variables: [String: String], project: String?, result: String)
    ) throws {
        let options = try GlobalOptions.parse(row.arguments)
        let project = row.project.map { ProjectConfiguration(data: $0) }
        #expect(options.dataDirectory(Environment(lookup: { row.variables[$0] }), project: project) == row.result)
    }

    @Test func jsonArgumentsAreObjectsFromTextOrFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("v.json", #"{"a":1}"#)
        #expect(try JSONArgument(argument: #"{"a":1}"#)?.object("--variables") == Array(#"{"a":1}"#.utf8))
        #expect(try JSONArgument(argument: "@" + file)?.object("--variables") == Array(#"{"a":1}"#.utf8))
        #expect(throws: ValidationError.self) { _ = try JSONArgument(argument: "[1]")?.object("--variables") }
        #expect(throws: CommandFailure.self) { _ = try JSONArgument(argument: "@nowhere")?.object("--variables") }
    }

    static let places: [(coordinates: Value?, text: String?)] = [
        (["file": "in/orders.csv", "line": 12], "orders.csv:12"), (["path": "a.json"], "a.json"),
        (["topic": "t", "offset": 4], "topic=t offset=4"), (nil, nil), (.null, nil),
    ]

    @Test(arguments: places)
    func placesOfDeadLettersAreShort(_ row: (coordinates: Value?, text: String?)) {
        #expect(DeadLetterCommand.place(row.coordinates) == row.text)
    }

    static let joins: [(folder: String, path: String, result: String)] = [
        (".", "a", "a"), ("", "a", "a"), ("f", "a", "f/a"), ("f/", "a", "f/a"), ("f", "/a", "/a"),
    ]

    @Test(arguments: joins)
    func pathsAreJoined(_ row: (folder: String, path: String, result: String)) {
        #expect(join(row.folder, row.path) == row.result)
    }
}
