import HubDocuments
import Resilience
import Testing
import Values

@testable import Hub

@Suite struct ConnectionExpressionTests {
    static let variables: ValueContext = [
        "data": ["directory": "/var/lib/junction"], "env": ["PORT": "8090"],
    ]

    private func read(
        _ parameters: String, variables: ValueContext? = variables
    ) -> (parameters: Value?, log: DiagnosticLog) {
        let log = DiagnosticLog(file: "connections.yaml")
        let text = """
            apiVersion: hub/v1
            kind: Connections
            connections:
              inbox: { connector: files, parameters: \(parameters) }
            """
        let document = ConnectionsDocument.read(text, log: log, variables: variables)
        return (document.connections.first?.parameters, log)
    }

    static let values: [(parameters: String, expected: Value)] = [
        (#"{ root: "=data.directory + \"/inbox\"" }"#, ["root": "/var/lib/junction/inbox"]),
        (#"{ hosts: [a, "=env.PORT"] }"#, ["hosts": ["a", "8090"]]),
        (#"{ port: "=number(env.PORT)" }"#, ["port": 8090]),
        (#"{ token: { secret: "env:TOKEN" }, readOnly: true }"#, ["token": ["secret": "env:TOKEN"], "readOnly": true]),
    ]

    @Test(arguments: values)
    func textsThatBeginWithAnEqualsSignAreEvaluated(parameters: String, expected: Value) {
        let (value, log) = read(parameters)
        #expect(log.diagnostics == [])
        #expect(value == expected)
    }

    @Test func anExpressionWithoutValueIsAFindingThatNamesTheParameter() throws {
        let (_, log) = read(#"{ root: "=data.folder + \"/inbox\"" }"#)
        let finding = try #require(log.diagnostics.first)
        #expect(places(log.diagnostics) == ["HB108 4:50"])
        #expect(finding.message.contains("connections.inbox.parameters.root"))
        #expect(finding.remedy == "Expressions here see data, env.")
    }

    @Test(arguments: [variables, nil])
    func anExpressionThatDoesNotCompileIsAFinding(variables: ValueContext?) {
        #expect(places(read(#"{ root: "=data." }"#, variables: variables).log.diagnostics) == ["HB108 4:50"])
    }

    /// `junction lint` does not know where the data will be.
    @Test func withoutVariablesExpressionsAreOnlyCompiled() {
        let (value, log) = read(#"{ root: "=data.directory" }"#, variables: nil)
        #expect(log.diagnostics == [])
        #expect(value == ["root": "=data.directory"])
    }

    @Test func aConnectorsOwnGuardsCountWhereAConnectionSaysNothing() {
        var own = ResilienceProfile.standard
        own.name = "own"
        own.totalTimeout = .seconds(77)
        var writes = own
        writes.name = "own.writes"
        writes.totalTimeout = .seconds(88)
        let guards = ConnectorGuards(profile: own, operations: ["write": writes])
        let log = DiagnosticLog(file: "c.yaml")
        let document = ConnectionsDocument.read(
            """
            apiVersion: hub/v1
            kind: Connections
            connections:
              a: { connector: own }
              b: { connector: own, resilience: { retry: { max: 9 } } }
              c: { connector: own, resilience: interactive }
              d: { connector: own, operations: { write: { resilience: { retry: { max: 9 } } } } }
              e: { connector: other }
            """, log: log, guards: { $0 == "own" ? guards : nil })
        #expect(log.diagnostics == [])
        let found = document.connections
        #expect(found.map(\.profile.name) == ["own", "b", "interactive", "own", ResilienceProfile.standard.name])
        #expect(found[1].profile.totalTimeout == .seconds(77) && found[1].profile.retry.maximumAttempts == 9)
        #expect(found.map { $0.operations.isEmpty } == [false, true, true, false, true])
        #expect(found[0].operations["write"]?.totalTimeout == .seconds(88))
        #expect(found[3].operations["write"]?.totalTimeout == .seconds(77))
    }
}
