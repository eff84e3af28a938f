import Testing
import Values

@testable import Engine

@Suite("Connector calls")
struct ConnectorCallTests {
    private let call = """
        <serviceTask id="a"><extensionElements>
        <apg:call connector="http" operation="send">
        <apg:with target="path" source="/orders"/><apg:with target="body.id" source="=order.id"/>
        <apg:with target="body.kind" source="new"/></apg:call>
        <apg:result variable="response"/>
        <apg:errors><apg:error when="=result.status = 404" code="GONE"/><apg:error when="=result.status > 399" code="BAD"/></apg:errors>
        </extensionElements></serviceTask>
        """

    private func deployed() throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> b -> end; caught -> c -> end2",
                nodes: [call, Model.boundary("caught", on: "a", Model.onError("e"))], root: [Model.error("e", "GONE")]))
        return harness
    }

    @Test("a call sees its own input only")
    func input() throws {
        let harness = try deployed()
        try harness.start("p", #"{"order":{"id":7},"secret":"s"}"#)
        let job = try #require(harness.take("connector:http").first)
        #expect(String(decoding: job.variables, as: UTF8.self) == #"{"path":"/orders","body":{"id":7,"kind":"new"}}"#)
    }

    @Test("the whole result goes into one variable")
    func result() throws {
        let harness = try deployed()
        let key = try harness.start()
        try harness.complete("a", #"{"status":200,"body":{"ok":true}}"#)
        #expect(harness.live == ["b"])
        #expect(harness.variables(key) == #"{"response":{"status":200,"body":{"ok":true}}}"#)
    }

    @Test("the first rule that holds throws its error")
    func caughtError() throws {
        let harness = try deployed()
        let key = try harness.start()
        try harness.complete("a", #"{"status":404}"#)
        #expect(harness.live == ["c"])
        #expect(harness.variables(key) == "{}")
    }

    @Test("an error nobody catches is an incident; resolving calls again")
    func uncaughtError() throws {
        let harness = try deployed()
        try harness.start()
        let first = try #require(harness.take("connector:http").first)
        try harness.fail("a", retries: 2)
        harness.checkpointAll()
        harness.crash(0)
        #expect(harness.take("connector:http").map(\.idempotencyKey) == [first.idempotencyKey], "one attempt")
        try harness.complete("a", #"{"status":500}"#)
        #expect(harness.incidents.map(\.type) == ["UNHANDLED_ERROR_EVENT"])
        #expect(harness.jobs.isEmpty)
        try harness.resolve()
        #expect(harness.take("connector:http").first?.idempotencyKey != first.idempotencyKey, "a new attempt")
        try harness.complete("a", #"{"status":204}"#)
        #expect(harness.live == ["b"])
    }
}
