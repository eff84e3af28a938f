import Hub
import HubDocuments
import JunctionClient
import Testing
import Values

/// Connections over the API: what they show, and what operators decide.
@Suite(.timeLimit(.minutes(1))) struct ConnectionRouteTests {
    private static var configuration: HubConfiguration {
        let log = DiagnosticLog(file: "c.yaml")
        let connections = ConnectionsDocument.read(
            """
            apiVersion: hub/v1
            kind: Connections
            connections:
              the vendor:
                connector: none
                resilience: { breaker: { open: 7s }, faults: { failure: { rate: 50, kind: timeout } } }
                operations: { pay: { resilience: { retry: { max: 1 } } } }
              other: { connector: none }
            """, log: log)
        #expect(log.diagnostics.isEmpty)
        var configuration = HubConfiguration()
        configuration.connections = connections.connections
        return configuration
    }

    @Test func aConnectionShowsItsSettings() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            let connection = try await server.client.connection("the vendor")
            #expect(connection["connectionId"] == "the vendor")
            #expect(connection["breaker"] == "closed")
            #expect(connection["imposed"] == .null)
            #expect(connection["rehearsal"]?.asString?.contains("50% fail as timeout") == true)
            #expect(connection["settings"]?["breaker"]?["open"] == "7s")
            #expect(connection["operations"]?.asList?.first?["settings"]?["retry"]?["max"] == 1)
            #expect(connection["guards"] == [])
            let list = try await server.client.get("/hub/v1/connections")["items"]?.asList
            #expect(list?.map { $0["connectionId"] } == ["the vendor", "other"])
            #expect(list?.first?["settings"] == nil, "a list is short")
        }
    }

    @Test(arguments: [
        ("open", "forced-open"), ("close", "forced-closed"), ("isolate", "isolated"), ("reset", "closed"),
    ])
    func operatorsImposeAState(_ row: (command: String, breaker: String)) async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            try await server.client.setBreaker("isolate", connection: "the vendor")
            try await server.client.setBreaker(row.command, connection: "the vendor")
            #expect(try await server.client.connection("the vendor")["breaker"] == .string(row.breaker))
            #expect(try await server.client.connection("other")["breaker"] == "closed")
        }
    }

    @Test func mistakesAreNamed() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            let word = await #expect(throws: ClientError.self) {
                try await server.client.setBreaker("shut", connection: "other")
            }
            #expect(word?.status == 400)
            let name = await #expect(throws: ClientError.self) {
                try await server.client.setBreaker("open", connection: "othr")
            }
            #expect(name?.status == 404 && name?.code == "HB301")
            let shown = await #expect(throws: ClientError.self) { _ = try await server.client.connection("a/b c") }
            #expect(shown?.status == 404 && shown?.code == "HB301")
        }
    }
}
