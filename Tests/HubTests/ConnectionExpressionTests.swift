import Testing
import Values

@testable import Hub

@Suite struct ConnectionExpressionTests {
    static let variables: ValueContext = [
        "data": ["directory": "/var/lib/junction"], "env": ["PORT": "8090"],
    ]

    private func read(_ parameters: String) -> (parameters: Value?, log: DiagnosticLog) {
        let log = DiagnosticLog(file: "connections.yaml")
        let text = """
            apiVersion: hub/v1
            kind: Connections
            connections:
              inbox: { connector: files, parameters: \(parameters) }
            """
        let document = ConnectionsDocument.read(text, log: log, variables: Self.variables)
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

    @Test func anExpressionThatDoesNotCompileIsAFinding() {
        #expect(places(read(#"{ root: "=data." }"#).log.diagnostics) == ["HB108 4:50"])
    }
}
