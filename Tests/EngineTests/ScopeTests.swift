import Testing

@testable import Engine

@Suite("Embedded sub-processes and end events")
struct ScopeTests {
    @Test("a sub-process ends when nothing inside it is left")
    func subProcess() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> c -> end", nodes: [Model.sub("s", "start1 -> and1 -> a -> end1; and1 -> b -> end2")]))
        let key = try harness.start()
        #expect(harness.live == ["a", "b", "s"])
        try harness.complete("a")
        #expect(harness.live == ["b", "s"])
        try harness.complete("b")
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a sub-process without a wait state is passed at once")
    func emptySubProcess() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> s -> end", nodes: [Model.sub("s", "start1 -> end1")]))
        #expect(harness.outcome(try harness.start()) == "completed")
    }

    @Test("sub-processes nest, and each scope has its own variables")
    func nested() throws {
        let harness = EngineHarness()
        let inner = Model.sub(
            "inner", "start2 -> a -> end2", io: Model.io([("=x + 1", "x")], [("=x", "fromInner")]))
        try harness.deploy(
            Model.process(
                "start -> outer -> end",
                nodes: [
                    Model.sub(
                        "outer", "start1 -> inner -> end1", nodes: [inner],
                        io: Model.io([("=x * 10", "x")], [("=fromInner", "y")]))
                ]))
        let key = try harness.start("p", #"{"x":1}"#)
        #expect(harness.live == ["a", "inner", "outer"])
        harness.checkpointAll()
        try harness.complete("a", #"{"x":99}"#)
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"x":1,"fromInner":99,"y":99}"#)
    }

    @Test("a terminate end event ends its own scope only")
    func terminateInside() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> and1 -> s -> end; and1 -> c -> end2",
                nodes: [
                    Model.sub(
                        "s", "start1 -> and2 -> a -> endT; and2 -> b -> and3 -> end3; and2 -> m -> and3",
                        nodes: [Model.end("endT", Model.terminate)])
                ]))
        let key = try harness.start()
        #expect(harness.live == ["a", "b", "c", "s"])
        try harness.complete("a")
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a terminate end event of the process ends everything, called processes and waits too")
    func terminateProcess() throws {
        let harness = EngineHarness(partitions: 3)
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> and1 -> a -> endT; and1 -> q1 -> end1; and1 -> r -> end2; and1 -> t -> end3",
                nodes: [
                    Model.end("endT", Model.terminate), Model.call("q1", "q"), Model.receive("r", "msg"),
                    Model.catching("t", Model.duration("PT1H")),
                ], root: [Model.message("msg")]))
        let key = try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.live == ["a", "q1", "r", "t", "w"])
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.instances.isEmpty)
        #expect(harness.partitions.allSatisfy { $0.engine.subscriptionCount == 0 && $0.engine.openTimerCount == 0 })
    }

    @Test("a terminate end event reached by a start token ends the scope at once")
    func terminateAtOnce() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> and1 -> endT; and1 -> a -> end", nodes: [Model.end("endT", Model.terminate)]))
        #expect(harness.outcome(try harness.start()) == "completed")
        #expect(harness.jobs.isEmpty)
    }

    @Test("cancelling ends an instance and everything inside it, called processes included")
    func cancel() throws {
        let harness = EngineHarness(partitions: 2)
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> s -> end",
                nodes: [
                    Model.sub(
                        "s", "start1 -> and1 -> q1 -> end1; and1 -> u -> end2; and1 -> r -> end3",
                        nodes: [Model.call("q1", "q"), Model.user("u"), Model.receive("r", "msg")])
                ], root: [Model.message("msg")]))
        let key = try harness.start("p", #"{"key":"k"}"#)
        harness.checkpointAll()
        let called = try #require(harness.instances.first { $0.parent == key })
        #expect(harness.send(.cancelInstance(key: called.key)).rejection?.code == .invalidState)
        #expect(harness.send(.cancelInstance(key: key)).isDone)
        #expect(harness.outcome(key) == "terminated")
        #expect(harness.instances.isEmpty && harness.userTasks.isEmpty)
        #expect(harness.send(.cancelInstance(key: key)).rejection?.code == .notFound)
    }
}
