import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import ConnectorSpecs

/// Every specification that comes with the program is right, and its tests pass.
@Suite struct ShippedSpecsTests {
    @Test func thereAreSome() throws {
        #expect(try Files.shipped().contains("stripe.yaml"))
    }

    @Test(arguments: try Files.shipped())
    func specificationsAreRightAndTheirTestsPass(_ name: String) async throws {
        let text = try Files.repository("connector-specs/\(name)")
        let spec = try specification(text)
        #expect(spec.metadata.id + ".yaml" == name)
        try await Self.check(spec)
    }

    @Test func everythingASpecificationCanSayIsRightAndItsTestsPass() async throws {
        try await Self.check(try specification(try Files.fixture("kitchen.yaml")))
    }

    @Test(arguments: try Files.shipped())
    func specificationsMatchTheirPublishedSchema(_ name: String) throws {
        let log = DiagnosticLog(file: name)
        let schemaNode = try #require(
            YAMLDocument.parse(try Files.repository("schema/connector-spec.schema.json"), log: log))
        let schema = JSONSchema(schemaNode, path: "", log: log)
        let node = try #require(YAMLDocument.parse(try Files.repository("connector-specs/\(name)"), log: log))
        #expect(log.diagnostics == [])
        #expect(schema.violations(of: node.value).map(\.description) == [])
    }

    /// What the conformance suite checks of a description, for every specification.
    @Test(arguments: try Files.shipped())
    func descriptionsAreComplete(_ name: String) throws {
        let spec = try specification(try Files.repository("connector-specs/\(name)"))
        let suite = ConnectorConformance(
            module: DeclaredConnector(spec), configuration: ConnectionConfiguration(id: "c", parameters: [:]))
        #expect(suite.checkDescriptor().map(\.description) == [])
    }

    private static func check(_ spec: ConnectorSpec) async throws {
        for result in await SpecTestRunner(spec).run() {
            #expect(result.failures == [], "\(result.target): \(result.name)")
        }
    }
}
