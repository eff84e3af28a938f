import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import ConnectorSpecs

/// Every specification that comes with the program is right, and its tests pass.
@Suite struct ShippedSpecsTests {
    private static let published = Result {
        let log = DiagnosticLog(file: "connector-spec.schema.json")
        let node = try #require(
            YAMLDocument.parse(try Files.repository("schema/connector-spec.schema.json"), log: log))
        let schema = JSONSchema(node, path: "", log: log)
        try #require(log.diagnostics == [])
        return schema
    }

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
        let schema = try Self.published.get()
        let log = DiagnosticLog(file: name)
        let node = try #require(YAMLDocument.parse(try Files.repository("connector-specs/\(name)"), log: log))
        #expect(log.diagnostics == [])
        #expect(schema.violations(of: node.value).map(\.description) == [])
    }

    @Test(arguments: ["kitchen.yaml", "httpbin.yaml"])
    func everythingASpecificationCanSayIsInThePublishedSchema(_ name: String) throws {
        let schema = try Self.published.get()
        let log = DiagnosticLog(file: name)
        let node = try #require(YAMLDocument.parse(try Files.fixture(name), log: log))
        #expect(schema.violations(of: node.value).map(\.description) == [])
    }

    /// Every key of a section is known to the reader and to the published schema, or to neither.
    @Test(arguments: [
        (["properties", "metadata"], "metadata: { KEY: x }"),
        (["properties", "connection"], "connection: { KEY: x }"),
        (["properties", "connection", "properties", "egress"], "connection: { egress: { KEY: x } }"),
        (["properties", "defaults"], "defaults: { KEY: x }"),
        (["$defs", "error"], "defaults: { errors: [{ KEY: x }] }"),
        (["$defs", "rateLimit"], "defaults: { rateLimits: [{ KEY: x }] }"),
        (["$defs", "operation"], "operations: { o: { KEY: x } }"),
        (["$defs", "operation", "properties", "request"], "operations: { o: { request: { KEY: x } } }"),
        (["$defs", "operation", "properties", "response"], "operations: { o: { response: { KEY: x } } }"),
        (["$defs", "event"], "events: { e: { KEY: x } }"),
        (["$defs", "event", "properties", "webhook"], "events: { e: { webhook: { KEY: x } } }"),
        (["$defs", "event", "properties", "poll"], "events: { e: { poll: { KEY: x } } }"),
        (["$defs", "verify"], "events: { e: { webhook: { verify: { KEY: x } } } }"),
        (["$defs", "test"], "tests: [{ KEY: x }]"),
        (["$defs", "expectRequest"], "tests: [{ expectRequest: { KEY: x } }]"),
        (["$defs", "respond"], "tests: [{ respond: { KEY: x } }]"),
    ])
    func sectionsHaveTheSameKeys(_ row: (path: [String], text: String)) throws {
        var schema = try JSON.parse(try Files.repository("schema/connector-spec.schema.json"))
        for key in row.path { schema = try #require(schema[key]) }
        let published = try #require(schema["properties"]?.asContext).keys
        let log = DiagnosticLog(file: "spec.yaml")
        _ = ConnectorSpec.read(row.text.replacing("KEY", with: "xxxxxxxxxxxxxxxxxxxx"), log: log)
        let remedy = try #require(log.diagnostics.first { $0.message.contains("xxxxxxxxxxxxxxxxxxxx") }?.remedy)
        let known = remedy.drop { $0 != ":" }.dropFirst(2).dropLast().split(separator: ", ").map(String.init)
        let perKind = ["cursor", "token", "next", "start"]
        #expect(Set(known) == Set(published).subtracting(row.path.last == "pagination" ? perKind : []))
    }

    private static func check(_ spec: ConnectorSpec) async throws {
        for result in await SpecTestRunner(spec).run() {
            #expect(result.failures == [], "\(result.target): \(result.name)")
        }
    }
}
