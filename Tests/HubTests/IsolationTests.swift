import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import Hub

/// Which module a connection is made with.
@Suite struct IsolationTests {
    private static func declaration(_ isolation: ConnectionDeclaration.Isolation?) -> ConnectionDeclaration {
        ConnectionDeclaration(id: "c", connector: "inner", parameters: [:], isolation: isolation)
    }

    @Test func aConnectionGetsTheModuleItAsksFor() throws {
        let registry = ConnectorRegistry([FakeConnector(id: "inner")]) { _ in FakeConnector(id: "outer") }
        #expect(try registry.module(for: Self.declaration(.some(.none))).descriptor.id == "inner")
        #expect(try registry.module(for: Self.declaration(.process)).descriptor.id == "outer")
    }

    @Test func someConnectorsAreIsolatedUnlessTheConnectionSaysOtherwise() throws {
        let modules = [FakeConnector(id: "inner")]
        let registry = ConnectorRegistry(modules, isolated: ["inner"]) { _ in FakeConnector(id: "outer") }
        #expect(try registry.module(for: Self.declaration(nil)).descriptor.id == "outer")
        #expect(try registry.module(for: Self.declaration(.some(.none))).descriptor.id == "inner")
        // Where no process can be started, the default is the module itself.
        let alone = ConnectorRegistry(modules, isolated: ["inner"])
        #expect(try alone.module(for: Self.declaration(nil)).descriptor.id == "inner")
        let usual = ConnectorRegistry(modules) { _ in FakeConnector(id: "outer") }
        #expect(try usual.module(for: Self.declaration(nil)).descriptor.id == "inner")
    }

    @Test func isolationThatCannotBeHadIsRefused() {
        let registry = ConnectorRegistry([FakeConnector(id: "inner")])
        let error = #expect(throws: HubError.self) { try registry.module(for: Self.declaration(.process)) }
        #expect(error?.code == .notSupported)
    }

    @Test(arguments: [
        ("", nil), ("isolation: none", ConnectionDeclaration.Isolation?.some(.none)), ("isolation: process", .process),
    ])
    func theDocumentSaysWhere(_ row: (field: String, isolation: ConnectionDeclaration.Isolation?)) {
        let log = DiagnosticLog(file: "c.yaml")
        let text = """
            apiVersion: hub/v1
            kind: Connections
            connections:
              c:
                connector: inner
                \(row.field)
            """
        #expect(ConnectionsDocument.read(text, log: log).connections.map(\.isolation) == [row.isolation])
        #expect(log.diagnostics == [])
    }
}
