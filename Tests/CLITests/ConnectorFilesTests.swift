import ConnectorKit
import HubDocuments
import Logging
import Testing
import Values

@testable import junction

/// The declarative connectors of a project.
@Suite struct ConnectorFilesTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func project(_ text: String, _ folder: TemporaryFolder) throws -> ProjectConfiguration {
        let log = DiagnosticLog(file: "junction.yaml")
        let document = try #require(YAMLDocument.parse(text, log: log))
        let project = ProjectConfiguration.read(document, folder: folder.path, log: log)
        #expect(log.diagnostics == [])
        return project
    }

    private static func specification(_ id: String) async -> String {
        await junction("connector", "new", id, "--output", "-").output
    }

    @Test func aProjectHasTheSpecificationsOfItsFolder() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("connector-specs/acme.yaml", await Self.specification("acme"))
        _ = try folder.write("connector-specs/README.md", "no specification")
        let table = try await ModuleTable.load(
            try Self.project("{}", folder), isStarted: false, logger: Self.logger)
        let module = try #require(table.modules.last)
        #expect(module.descriptor.id == "acme")
        #expect(module.descriptor.operations.map(\.id) == ["items.get"])
    }

    @Test func aProjectFileNamesItsSpecifications() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("connector-specs/acme.yaml", await Self.specification("acme"))
        _ = try folder.write("vendor/other.yaml", await Self.specification("other"))
        let project = try Self.project("connectors: [\"vendor/*.yaml\"]", folder)
        #expect(project.connectors == [folder.path + "/vendor/other.yaml"])
        #expect(try Self.project("connectors: []", folder).connectors == [])
    }

    @Test(arguments: [
        ("a name that is taken", "id: http", "CL105", "is there already"),
        ("a mistake", "id: acme\n  colour: red", "CL105", "has errors"),
    ])
    func whatCannotBeUsedIsNamed(
        _ row: (name: String, id: String, code: String, message: String)
    ) async throws {
        let folder = try TemporaryFolder()
        let text = await Self.specification("acme").replacing("id: acme\n", with: row.id + "\n")
        _ = try folder.write("connector-specs/acme.yaml", text)
        let project = try Self.project("{}", folder)
        let failure = await #expect(throws: CommandFailure.self, "\(row.name)") {
            _ = try await ModuleTable.load(project, isStarted: false, logger: Self.logger)
        }
        #expect(failure?.code.rawValue == row.code)
        #expect(failure?.message.contains(row.message) == true)
    }
}
