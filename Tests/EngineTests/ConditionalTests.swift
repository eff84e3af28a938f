import Testing
import Values

@testable import Engine

/// Conditional events (BPMN 2.0.2 clause 10.5.5.3): a condition occurs when it becomes true.
@Suite("Conditional events")
struct ConditionalTests {
    private func deployed(_ flows: String, _ nodes: [String], partitions: Int = 1) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, nodes: nodes, root: [Model.message("msg")]))
        return harness
    }

    private static let waits = Model.catching("c", Model.onCondition("=x > 1"))

    @Test("a condition that holds already does not wait")
    func holds() throws {
        let harness = try deployed("start -> c -> end", [Self.waits])
        #expect(harness.outcome(try harness.start("p", #"{"x":2}"#)) == "completed")
    }

    @Test("a condition is looked at whenever variables change: from outside, by a job, a script, a message")
    func changes() throws {
        let harness = try deployed(
            "start -> and1 -> c -> end; and1 -> a -> s -> end2; and1 -> r -> end3",
            [Self.waits, Model.script("s", "=y", to: "x"), Model.receive("r", "msg")])
        let byCommand = try harness.start("p", #"{"key":"1","x":0}"#)
        try harness.set(#"{"x":1}"#, of: byCommand)
        #expect(harness.live.contains("c"))
        try harness.set(#"{"x":2}"#, of: byCommand)
        #expect(!harness.live.contains("c"))
        harness.send(.cancelInstance(key: byCommand))
        try harness.start("p", #"{"key":"2"}"#)
        try harness.complete("a", #"{"x":2}"#)
        #expect(harness.live == ["r"])
        harness.send(.cancelInstance(key: try #require(harness.instances.first).key))
        try harness.start("p", #"{"key":"3"}"#)
        try harness.complete("a", #"{"y":5}"#)
        #expect(harness.live == ["r"])
        harness.send(.cancelInstance(key: try #require(harness.instances.first).key))
        try harness.start("p", #"{"key":"4"}"#)
        try harness.publish("msg", "4", #"{"x":7}"#)
        #expect(harness.live == ["a"])
    }

    @Test("a change reaches an evicted instance and one rebuilt after a crash")
    func evicted() throws {
        let harness = try deployed("start -> c -> a -> end", [Self.waits])
        let key = try harness.start()
        harness.checkpoint(0)
        harness.crash(0)
        try harness.set(#"{"x":2}"#, of: key)
        #expect(harness.live == ["a"])
    }

    @Test("a boundary condition that does not interrupt occurs each time it becomes true")
    func repeats() throws {
        let harness = try deployed(
            "start -> a -> end; b -> d -> end2",
            [Model.task("a"), Model.boundary("b", on: "a", Model.onCondition("=x > 1"), interrupting: false)])
        let key = try harness.start("p", #"{"x":2}"#)
        #expect(harness.live == ["a", "d"])
        for (x, handlers) in [(3, 1), (1, 1), (2, 2), (9, 2), (0, 2), (2, 3)] {
            try harness.set(#"{"x":\#(x)}"#, of: key)
            #expect(harness.live == ["a"] + Array(repeating: "d", count: handlers), "x = \(x)")
        }
    }

    @Test("a condition that cannot be evaluated does not hold")
    func unknown() throws {
        let harness = try deployed("start -> c -> a -> end", [Self.waits])
        let key = try harness.start("p", #"{"x":"text"}"#)
        #expect(harness.live == ["c"] && harness.incidents.isEmpty)
        try harness.set(#"{"x":2}"#, of: key)
        #expect(harness.live == ["a"])
    }

    @Test(
        "an activity whose interrupting condition holds already does not begin its work",
        arguments: ["call", "sub", "task"])
    func interruptedAtOnce(kind: String) throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        let activity =
            switch kind {
            case "call": Model.call("a", "q")
            case "sub": Model.sub("a", "start1 -> w -> end1")
            default: Model.task("a")
            }
        try harness.deploy(
            Model.process(
                "start -> a -> end; b -> d -> end2",
                nodes: [activity, Model.boundary("b", on: "a", Model.onCondition("=x = 1"))]))
        let key = try harness.start("p", #"{"x":1}"#)
        #expect(harness.live == ["d"])
        #expect(harness.instances.map(\.key) == [key])
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("one change can end several waits, each once")
    func several() throws {
        let harness = try deployed(
            "start -> and1 -> c -> a -> end; and1 -> d -> b -> end2; and1 -> e -> end3",
            [
                Self.waits, Model.catching("d", Model.onCondition("=x > 0")),
                Model.catching("e", Model.onCondition("=x > 9")),
            ])
        let key = try harness.start()
        try harness.set(#"{"x":5}"#, of: key)
        #expect(harness.live == ["a", "b", "e"])
    }

    @Test("a variable of an inner scope hides the one outside")
    func scopes() throws {
        let harness = try deployed(
            "start -> s -> end",
            [Model.sub("s", "start1 -> c -> end1", nodes: [Self.waits], io: Model.io([("=0", "x")]))])
        let key = try harness.start()
        try harness.set(#"{"x":5}"#, of: key)
        #expect(harness.live == ["c", "s"])
        let scope = harness.instances[0].elements[1].key
        harness.send(.setVariables(scope: scope, variables: try document(#"{"x":2}"#), local: true))
        #expect(harness.outcome(key) == "completed")
    }
}
