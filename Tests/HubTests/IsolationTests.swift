import ConnectorKit
import HubDocuments
import Testing
import Values

@testable import Hub

/// Which module a connection is made with.
@Suite struct IsolationTests {
    private static func declaration(_ isolation: ConnectionDeclaration.Isolation) -> ConnectionDeclaration {
        ConnectionDeclaration(id: "c", connector: "inner", parameters: [:], isolation: isolation)
    }

    @Test func aConnectionGetsTheModuleItAsksFor() throws {
        let registry = ConnectorRegistry([FakeConnector(id: "inner")]) { _ in FakeConnector(id: "outer") }
        #expect(try registry.module(for: Self.declaration(.none)).descriptor.id == "inner")
        #expect(try registry.module(for: Self.declaration(.process)).descriptor.id == "outer")
    }

    @Test func isolationThatCannotBeHadIsRefused() {
        let registry = ConnectorRegistry([FakeConnector(id: "inner")])
        let error = #expect(throws: HubError.self) { try registry.module(for: Self.declaration(.process)) }
        #expect(error?.code == .notSupported)
    }

    @Test(arguments: [("", ConnectionDeclaration.Isolation.none), ("isolation: process", .process)])
    func theDocumentSaysWhere(_ row: (field: String, isolation: ConnectionDeclaration.Isolation)) {
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
