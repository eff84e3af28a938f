import Testing
import Values

@testable import Engine

/// Transactions (BPMN 2.0.2 clauses 10.3.5.2 and 13.5.3).
@Suite("Transactions")
struct TransactionTests {
    private static let root = [Model.error("err", "E1"), Model.signal("sig")]

    private static func undoable(_ activities: String...) -> [String] {
        activities.flatMap { [Model.task($0)] + Model.undo($0, by: $0 + "X") }
    }

    private func deployed(
        _ flows: String, nodes: [String] = [], cancels: Bool = true, outside: String = "start -> x -> d -> end",
        loop: String = "", more: [String] = []
    ) throws -> EngineHarness {
        let harness = EngineHarness()
        let boundary = cancels ? [Model.boundary("out", on: "x", Model.cancel)] : []
        try harness.deploy(
            Model.process(
                outside + (cancels ? "; out -> c -> end9" : ""),
                nodes: [
                    Model.transaction("x", flows, nodes: [Model.end("endC", Model.cancel)] + nodes, loop: loop)
                ] + boundary + more, root: Self.root))
        return harness
    }

    private static let flows = """
        start1 -> and1 -> a -> b -> xor1; xor1 -> [=ok = true] end1; xor1 -> [default] endC; and1 -> r -> end2
        """

    @Test("a cancelled transaction ends what runs, undoes what is done, the last first, and leaves by its cancel event")
    func cancelled() throws {
        let harness = try deployed(Self.flows, nodes: Self.undoable("a", "b"))
        let key = try harness.start()
        try harness.complete("a")
        try harness.complete("b")
        for handler in ["bX", "aX"] {
            #expect(harness.live == [handler, "x"], "r is ended")
            harness.checkpointAll()
            harness.crash(0)
            try harness.complete(handler)
        }
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(!harness.isLive(key))
    }

    @Test("a transaction that succeeds goes on as a sub-process does")
    func succeeds() throws {
        let harness = try deployed(Self.flows, nodes: Self.undoable("a", "b"))
        try harness.start("p", #"{"ok":true}"#)
        for activity in ["a", "b", "r"] { try harness.complete(activity) }
        #expect(harness.live == ["d"])
    }

    @Test("without a cancel event its token ends with it")
    func withoutBoundary() throws {
        let harness = try deployed(Self.flows, nodes: Self.undoable("a"), cancels: false)
        let key = try harness.start()
        for activity in ["a", "b", "aX"] { try harness.complete(activity) }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an end event in a sub-process inside cancels the transaction around it")
    func nestedCancel() throws {
        let inner = Model.sub(
            "s", "start2 -> a -> endC2; b2 -> end3",
            nodes: Self.undoable("a") + [Model.end("endC2", Model.cancel), Model.task("b2")])
        let harness = try deployed("start1 -> b -> s -> e -> endC", nodes: Self.undoable("b") + [inner])
        try harness.start()
        try harness.complete("b")
        try harness.complete("a")
        #expect(harness.live == ["bX", "x"], "a sub-process that did not complete is not undone")
        try harness.complete("bX")
        #expect(harness.live == ["c"])
    }

    @Test("a transaction inside another is cancelled alone")
    func innerTransaction() throws {
        let inner = Model.transaction(
            "i", "start2 -> a -> endC2", nodes: [Model.end("endC2", Model.cancel)] + Self.undoable("a"))
        let harness = try deployed(
            "start1 -> i -> end1; o2 -> e -> end2", nodes: [inner, Model.boundary("o2", on: "i", Model.cancel)])
        try harness.start()
        try harness.complete("a")
        try harness.complete("aX")
        #expect(harness.live == ["e", "x"])
    }

    @Test("an error is a hazard: it ends the transaction, nothing is undone")
    func hazard() throws {
        let harness = try deployed(
            Self.flows, nodes: Self.undoable("a", "b"), outside: "start -> x -> d -> end; hz -> h -> end8",
            more: [Model.boundary("hz", on: "x", Model.onError(nil))])
        try harness.start()
        try harness.complete("a")
        try harness.raise("b", "E1")
        #expect(harness.live == ["h"])
    }

    @Test("an event sub-process no longer reacts while the transaction is cancelled")
    func handlersAreQuiet() throws {
        let handler = Model.handler("h", on: Model.onSignal("sig"), "startH -> e -> endH")
        let harness = try deployed(Self.flows, nodes: Self.undoable("a") + [handler])
        try harness.start()
        try harness.complete("a")
        try harness.complete("b")
        try harness.broadcast("sig")
        #expect(harness.live == ["aX", "x"])
        try harness.complete("aX")
        #expect(harness.live == ["c"])
    }

    @Test("cancelling in an event sub-process undoes what the transaction did")
    func fromHandler() throws {
        let handler = Model.handler(
            "h", on: Model.onSignal("sig"), interrupting: false, "startH -> endC2",
            nodes: [Model.end("endC2", Model.cancel)])
        let harness = try deployed("start1 -> a -> b -> end1; m1 -> endC", nodes: Self.undoable("a") + [handler])
        try harness.start()
        try harness.complete("a")
        try harness.broadcast("sig")
        #expect(harness.live == ["aX", "x"])
    }

    @Test("with a marker, cancelling one instance ends them all")
    func marked() throws {
        let harness = try deployed(
            Self.flows, nodes: Self.undoable("a"), loop: Model.loop(over: "=[false, true]", as: "ok"))
        let key = try harness.start()
        for element in ["a", "b"] {
            let job = try #require(harness.jobs.first { $0.element == element })
            harness.send(.completeJob(key: job.key, variables: .empty))
        }
        try harness.complete("aX")
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a completed transaction can be compensated from outside")
    func compensatedLater() throws {
        let harness = try deployed(
            "start1 -> a -> end1; m1 -> endC", nodes: Self.undoable("a"), outside: "start -> x -> t -> d -> end",
            more: [Model.throwing("t", Model.compensate("x"))])
        try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["aX", "t", "x"])
        try harness.complete("aX")
        #expect(harness.live == ["d"])
    }
}
