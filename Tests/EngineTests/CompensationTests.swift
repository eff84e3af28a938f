import Testing
import Values

@testable import Engine

/// Compensation (BPMN 2.0.2 clauses 10.7 and 13.5.5).
@Suite("Compensation")
struct CompensationTests {
    private static let root = [Model.signal("sig"), Model.error("err", "E1")]

    private func deployed(_ flows: String, _ nodes: [String]) throws -> EngineHarness {
        let harness = EngineHarness()
        harness.recordsEvents = true
        try harness.deploy(Model.process(flows, nodes: nodes, root: Self.root))
        return harness
    }

    /// Tasks that are undone by tasks of their name with an `X` behind.
    private static func undoable(_ activities: String...) -> [String] {
        activities.flatMap { [Model.task($0)] + Model.undo($0, by: $0 + "X") }
    }

    private func complete(_ harness: EngineHarness, _ activities: String...) throws {
        for activity in activities { try harness.complete(activity) }
    }

    @Test("completed activities are undone one by one, the last first; then the thrower goes on")
    func reverseOrder() throws {
        let harness = try deployed(
            "start -> a -> b -> c -> t -> d -> end",
            Self.undoable("a", "b", "c") + [Model.throwing("t", Model.compensate())])
        let key = try harness.start()
        try complete(harness, "a", "b", "c")
        for handler in ["cX", "bX", "aX"] {
            #expect(harness.live == [handler, "t"])
            harness.checkpointAll()
            harness.crash(0)
            try harness.complete(handler)
        }
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(!harness.isLive(key))
    }

    @Test("a reference compensates that activity alone, and only once")
    func oneActivity() throws {
        let harness = try deployed(
            "start -> a -> b -> t -> t2 -> d -> end",
            Self.undoable("a", "b") + [
                Model.throwing("t", Model.compensate("a")), Model.throwing("t2", Model.compensate()),
            ])
        try harness.start()
        try complete(harness, "a", "b")
        #expect(harness.live == ["aX", "t"])
        try harness.complete("aX")
        #expect(harness.live == ["bX", "t2"])
        try harness.complete("bX")
        #expect(harness.live == ["d"])
    }

    @Test("who does not wait goes on while the handlers run")
    func notWaiting() throws {
        let harness = try deployed(
            "start -> a -> t -> d -> end",
            Self.undoable("a") + [Model.throwing("t", Model.compensate(waits: false))])
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["aX", "d", "t"])
        try harness.complete("d")
        #expect(harness.outcome(key) == "live")
        try harness.complete("aX")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("what has not completed, or was interrupted, is not undone")
    func onlyCompleted() throws {
        let harness = try deployed(
            "start -> and1 -> a -> end; and1 -> b -> t -> d -> end2; out -> m1 -> end3; and1 -> c -> end4",
            Self.undoable("a", "b", "c") + [
                Model.boundary("out", on: "a", Model.onSignal("sig")), Model.throwing("t", Model.compensate()),
            ])
        try harness.start()
        try harness.broadcast("sig")
        try harness.complete("b")
        #expect(harness.live == ["bX", "c", "t"])
        try harness.complete("bX")
        #expect(harness.live == ["c", "d"])
    }

    @Test("an activity done several times is undone as often")
    func repeated() throws {
        let harness = try deployed(
            "start -> xor1 -> a -> xor2; xor2 -> [=again] xor1; xor2 -> [default] t -> end",
            Self.undoable("a") + [Model.throwing("t", Model.compensate("a"))])
        let key = try harness.start()
        for again in [true, true, false] { try harness.complete("a", #"{"again":\#(again)}"#) }
        for _ in 0..<3 { try harness.complete("aX") }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a marked activity with a handler is undone as a whole, what its rounds left behind round by round")
    func looped() throws {
        let inner = Model.sub(
            "s", "start1 -> a -> b -> end1", nodes: Self.undoable("a", "b"),
            loop: Model.loop(times: "=2", sequential: true))
        let harness = try deployed(
            "start -> l -> s -> t -> end",
            [Model.task("l", loop: Model.loop(times: "=2")), inner, Model.throwing("t", Model.compensate())]
                + Model.undo("l", by: "lX"))
        let key = try harness.start()
        for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
        try complete(harness, "a", "b", "a", "b")
        for handler in ["bX", "aX", "bX", "aX", "lX"] {
            #expect(harness.jobs.map(\.element) == [handler])
            try harness.complete(handler)
        }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a completed sub-process is undone from inside, its variables as they were when it ended")
    func subProcess() throws {
        let harness = try deployed(
            "start -> s -> b -> t -> end",
            [
                Model.sub(
                    "s", "start1 -> u -> v -> end1",
                    nodes: [
                        Model.task("u"), Model.script("v", "=1", to: "w"),
                    ] + Model.undo("u", by: "uX")
                        + Model.undo("v", by: "vX", as: Model.script("vX", "=local", to: "seen")),
                    io: Model.io([("=x", "local")])), Model.throwing("t", Model.compensate()),
            ] + Self.undoable("b"))
        let key = try harness.start("p", #"{"x":1}"#)
        try harness.complete("u", #"{"local":5}"#)
        try harness.complete("b")
        try harness.set(#"{"local":9}"#, of: key)
        try harness.complete("bX")
        #expect(harness.live == ["s", "t", "uX"])
        #expect(harness.variables(key) == #"{"x":1,"w":1,"local":9,"seen":5}"#)
        try harness.complete("uX")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("nested sub-processes are undone inside out, by the handler when they have one")
    func nested() throws {
        let inner = Model.sub("i", "start2 -> a -> end2", nodes: Self.undoable("a"))
        let handled = Model.sub("h", "start3 -> b -> end3", nodes: Self.undoable("b"))
        let outer = Model.sub("o", "start1 -> i -> h -> end1", nodes: [inner, handled] + Model.undo("h", by: "hX"))
        let harness = try deployed("start -> o -> t -> end", [outer, Model.throwing("t", Model.compensate("o"))])
        let key = try harness.start()
        try complete(harness, "a", "b", "hX", "aX")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a compensation event sub-process is what undoes its sub-process; it may compensate what is inside")
    func handler() throws {
        let undo = Model.handler(
            "undoS", on: Model.compensate(), "startU -> u -> t2 -> endU",
            nodes: [Model.throwing("t2", Model.compensate())])
        let harness = try deployed(
            "start -> s -> t -> d -> end",
            [
                Model.sub("s", "start1 -> a -> end1", nodes: Self.undoable("a") + [undo]),
                Model.throwing("t", Model.compensate()),
            ])
        try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["s", "t", "u", "undoS"])
        try harness.complete("u")
        #expect(harness.live == ["aX", "s", "t", "t2", "undoS"])
        try harness.complete("aX")
        #expect(harness.live == ["d"])
    }

    @Test("thrown in an event sub-process it is about the scope around it")
    func fromHandler() throws {
        let handler = Model.handler(
            "h", on: Model.onError("err"), "startH -> t -> c -> endH", nodes: [Model.throwing("t", Model.compensate())])
        let harness = try deployed(
            "start -> a -> b -> end", Self.undoable("a") + [Model.task("b"), handler])
        let key = try harness.start()
        try harness.complete("a")
        try harness.raise("b", "E1")
        #expect(harness.live == ["aX", "h", "t"])
        try complete(harness, "aX", "c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an end event compensates before it ends; with nothing to undo it only ends")
    func endEvent() throws {
        let nodes = Self.undoable("a") + [Model.end("endT", Model.compensate())]
        let harness = try deployed("start -> xor1; xor1 -> [=x = 1] a -> endT; xor1 -> [default] endT", nodes)
        let key = try harness.start("p", #"{"x":1}"#)
        try complete(harness, "a", "aX")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.outcome(try harness.start("p", #"{"x":2}"#)) == "completed")
    }

    @Test("handlers may be of any kind: a sub-process, a call activity, a script, one with a marker")
    func kinds() throws {
        let harness = try deployed(
            "start -> m1 -> m2 -> m3 -> m4 -> t -> end",
            [
                "<manualTask id=\"m1\"/>", "<manualTask id=\"m2\"/>", "<manualTask id=\"m3\"/>",
                "<manualTask id=\"m4\"/>",
                Model.throwing("t", Model.compensate()),
            ] + Model.undo("m1", by: "x1", as: Model.sub("x1", "start1 -> a -> end1"))
                + Model.undo("m2", by: "x2", as: Model.script("x2", "=1", to: "done"))
                + Model.undo("m3", by: "x3", as: Model.task("x3", loop: Model.loop(times: "=2", sequential: true)))
                + Model.undo("m4", by: "x4", as: Model.call("x4", "q")))
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        let key = try harness.start()
        try complete(harness, "w", "x3", "x3", "a")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"done":1}"#)
    }

    @Test("a handler that fails is an incident; cancelling ends it all")
    func failingHandler() throws {
        let harness = try deployed(
            "start -> a -> t -> end", Self.undoable("a") + [Model.throwing("t", Model.compensate())])
        let key = try harness.start()
        try harness.complete("a")
        try harness.fail("aX", retries: 0)
        #expect(harness.incidents.map(\.element) == ["aX"])
        try harness.resolve()
        harness.send(.cancelInstance(key: key))
        #expect(harness.outcome(key) == "terminated" && harness.leftovers == [0, 0, 0, 0, 0])
    }

    @Test("an interrupting event ends a compensation under way")
    func interrupted() throws {
        let harness = try deployed(
            "start -> s -> end; out -> d -> end2",
            [
                Model.sub(
                    "s", "start1 -> a -> t -> end1",
                    nodes: Self.undoable("a") + [Model.throwing("t", Model.compensate())]),
                Model.boundary("out", on: "s", Model.onSignal("sig")),
            ])
        try harness.start()
        try harness.complete("a")
        try harness.broadcast("sig")
        #expect(harness.live == ["d"])
    }

    @Test("thousands of rounds are undone, however little each has to do")
    func many() throws {
        let inner = Model.sub(
            "s", "start1 -> m1 -> end1",
            nodes: ["<manualTask id=\"m1\"/>"] + Model.undo("m1", by: "x1", as: "<manualTask id=\"x1\"/>"),
            loop: Model.loop(times: "=5000", sequential: true))
        let harness = EngineHarness()
        harness.checks = false
        harness.recordsEvents = true
        try harness.deploy(
            Model.process("start -> s -> t -> end", nodes: [inner, Model.throwing("t", Model.compensate())]))
        #expect(harness.outcome(try harness.start()) == "completed")
        #expect(harness.performed.filter { $0 == "x1" }.count == 5_000)
    }
}
