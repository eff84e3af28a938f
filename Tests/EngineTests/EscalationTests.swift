import Testing
import Values

@testable import Engine

/// Escalations (BPMN 2.0.2 clause 10.5.1): the nearest catcher outwards, or nobody.
@Suite("Escalations")
struct EscalationTests {
    private static let root = [Model.escalation("X1"), Model.escalation("X2")]

    private static func thrower(_ code: String, io: String = "") -> String {
        Model.sub("s", "start1 -> t -> a -> end1", nodes: [Model.throwing("t", Model.onEscalation(code), io: io)])
    }

    @Test("a boundary event ends the activity, or not", arguments: [true, false])
    func boundary(interrupting: Bool) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; b -> c -> end2",
                nodes: [
                    Self.thrower("X1", io: Model.io([("=x + 1", "y")])),
                    Model.boundary("b", on: "s", Model.onEscalation("X1"), interrupting: interrupting),
                ], root: Self.root))
        let key = try harness.start("p", #"{"x":1}"#)
        #expect(harness.live == (interrupting ? ["c"] : ["a", "c", "s"]))
        #expect(harness.variables(key) == #"{"x":1,"y":2}"#)
    }

    @Test("the exact code comes before any code, another code is not caught", arguments: [("X1", "c"), ("X2", "d")])
    func codes(_ code: String, _ handler: String) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; any -> d -> end2; one -> c -> end3",
                nodes: [
                    Self.thrower(code), Model.boundary("any", on: "s", Model.onEscalation(nil)),
                    Model.boundary("one", on: "s", Model.onEscalation("X1")),
                ], root: Self.root))
        try harness.start()
        #expect(harness.live == [handler])
    }

    @Test("nobody needs to catch it")
    func uncaught() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> endX; one -> c -> end3",
                nodes: [
                    Self.thrower("X2"), Model.boundary("one", on: "s", Model.onEscalation("X1")),
                    Model.end("endX", Model.onEscalation("X2")),
                ], root: Self.root))
        let key = try harness.start()
        #expect(harness.live == ["a", "s"] && harness.incidents.isEmpty)
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("the caller catches what a called process throws at its end", arguments: [true, false])
    func fromCalled(interrupting: Bool) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> and1 -> endX; and1 -> w -> end", id: "q",
                nodes: [Model.end("endX", Model.onEscalation("X1"))],
                root: Self.root))
        try harness.deploy(
            Model.process(
                "start -> call -> end; b -> c -> end2",
                nodes: [
                    Model.call("call", "q"),
                    Model.boundary("b", on: "call", Model.onEscalation("X1"), interrupting: interrupting),
                ], root: Self.root))
        let key = try harness.start()
        #expect(harness.live == (interrupting ? ["c"] : ["c", "call", "w"]))
        try harness.complete("c")
        if !interrupting { try harness.complete("w") }
        #expect(harness.outcome(key) == "completed")
        #expect(harness.instances.isEmpty)
    }

    @Test("an event sub-process of the thrower's scope comes before the boundary event of that scope")
    func nearest() throws {
        let handler = Model.handler("h", on: Model.onEscalation(nil), interrupting: false, "startH -> b -> endH")
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; out -> c -> end2",
                nodes: [
                    Model.sub(
                        "s", "start1 -> t -> a -> end1",
                        nodes: [handler, Model.throwing("t", Model.onEscalation("X1"))]),
                    Model.boundary("out", on: "s", Model.onEscalation("X1")),
                ], root: Self.root))
        try harness.start()
        #expect(harness.live == ["a", "b", "h", "s"])
    }

    @Test("an escalation in an event sub-process is for the scopes outside")
    func fromHandler() throws {
        let handler = Model.handler(
            "h", on: Model.onEscalation("X1"), interrupting: false, "startH -> t2 -> endH",
            nodes: [Model.throwing("t2", Model.onEscalation("X1"))])
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; out -> c -> end2",
                nodes: [
                    Model.sub(
                        "s", "start1 -> t -> a -> end1",
                        nodes: [handler, Model.throwing("t", Model.onEscalation("X1"))]),
                    Model.boundary("out", on: "s", Model.onEscalation("X1"), interrupting: false),
                ], root: Self.root))
        try harness.start()
        #expect(harness.live == ["a", "c", "s"])
    }
}
