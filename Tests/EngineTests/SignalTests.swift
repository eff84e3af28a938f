import Testing
import Values

@testable import Engine

/// Signals (BPMN 2.0.2 clause 10.5.1): everybody who waits for one gets it.
@Suite("Signals")
struct SignalTests {
    private static let root = [Model.signal("sig"), Model.signal("other"), Model.signal("named", name: "=\"s-\" + id")]

    @Test("a signal reaches everybody who waits for it, in all partitions, evicted or not, and is not kept")
    func everybody() throws {
        let harness = EngineHarness(partitions: 3)
        try harness.deploy(
            Model.process(
                "start -> c -> a -> end", nodes: [Model.catching("c", Model.onSignal("sig"))], root: Self.root))
        for partition in [0, 1, 1, 2] { try harness.start(in: partition) }
        harness.checkpoint(1)
        try harness.broadcast("other")
        #expect(harness.live == ["c", "c", "c", "c"])
        try harness.broadcast("sig", #"{"x":1}"#, in: 2)
        #expect(harness.live == ["a", "a", "a", "a"])
        #expect(harness.instances.allSatisfy { $0.variables.map(\.name) == ["x"] })
        try harness.start()
        #expect(harness.live.contains("c"), "a signal does not wait")
    }

    @Test("a signal that is thrown reaches its own instance and others, with the mapped variables only")
    func thrown() throws {
        let harness = EngineHarness(partitions: 2)
        try harness.deploy(
            Model.process(
                "start -> a -> t -> end",
                nodes: [Model.throwing("t", Model.onSignal("sig"), io: Model.io([("=x + 1", "y")]))], root: Self.root))
        try harness.deploy(
            Model.process(
                "start -> c -> b -> end", id: "q", nodes: [Model.catching("c", Model.onSignal("sig"))], root: Self.root)
        )
        try harness.start("q", "{}", in: 1)
        let key = try harness.start("p", #"{"x":1}"#)
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.live == ["b"])
        #expect(harness.variables(harness.instances[0].key) == #"{"y":2}"#)
    }

    @Test("an interrupting catcher ends the thrower of its signal")
    func interruptsItself() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; b -> c -> end2",
                nodes: [
                    Model.sub(
                        "s", "start1 -> t -> a -> end1", nodes: [Model.throwing("t", Model.onSignal("sig"))]),
                    Model.boundary("b", on: "s", Model.onSignal("sig")),
                ], root: Self.root))
        let key = try harness.start()
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a parallel branch that comes to wait in the same step gets the signal")
    func sameStep() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> and1 -> t -> and2 -> end; and1 -> m1 -> m2 -> c -> and2",
                nodes: [Model.throwing("t", Model.onSignal("sig")), Model.catching("c", Model.onSignal("sig"))],
                root: Self.root))
        #expect(harness.outcome(try harness.start()) == "completed")
    }

    @Test("the name may be an expression; without a text it is an incident")
    func names() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> c -> end", nodes: [Model.catching("c", Model.onSignal("named"))], root: Self.root))
        let key = try harness.start("p", #"{"id":"7"}"#)
        try harness.broadcast("s-8")
        #expect(harness.live == ["c"])
        try harness.broadcast("s-7")
        #expect(harness.outcome(key) == "completed")
        let other = try harness.start()
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"id":"9"}"#, of: other)
        try harness.resolve()
        try harness.broadcast("s-9")
        #expect(harness.outcome(other) == "completed")
    }

    @Test("an end event throws its signal before it ends")
    func end() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> and1 -> a -> endS; and1 -> c -> end2",
                nodes: [Model.end("endS", Model.onSignal("sig")), Model.catching("c", Model.onSignal("sig"))],
                root: Self.root))
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
    }
}
