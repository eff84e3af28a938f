import Testing
import Values

@testable import Engine

@Suite("Errors")
struct ErrorTests {
    private static let root = [Model.error("e1", "E1"), Model.error("e2", "E2")]

    @Test(
        "an error is caught by its code first, then by any",
        arguments: [("E1", "exact"), ("E2", "any"), ("", "any")])
    func catching(_ code: String, _ expected: String) throws {
        for order in [["c1", "c2"], ["c2", "c1"]] {
            let events = [
                "c1": Model.boundary("c1", on: "a", Model.onError("e1")),
                "c2": Model.boundary("c2", on: "a", Model.onError(nil)),
            ]
            let harness = EngineHarness()
            try harness.deploy(
                Model.process(
                    "start -> a -> end; c1 -> exact -> end1; c2 -> any -> end2",
                    nodes: [Model.task("a")] + order.compactMap { events[$0] }, root: Self.root))
            try harness.start()
            try harness.raise("a", code)
            #expect(harness.live == [expected])
        }
    }

    @Test("an error passes scopes until one catches it, and ends what is inside that one")
    func nested() throws {
        let harness = EngineHarness()
        let inner = Model.sub("inner", "start2 -> and2 -> a -> end2; and2 -> b -> end3")
        try harness.deploy(
            Model.process(
                "start -> outer -> end; c -> after -> end4; d -> other -> end5",
                nodes: [
                    Model.sub(
                        "outer", "start1 -> inner -> end1; wrong -> end6",
                        nodes: [inner, Model.boundary("wrong", on: "inner", Model.onError("e2"))]),
                    Model.boundary("c", on: "outer", Model.onError("e1"), io: Model.io([], [("=why", "reason")])),
                    Model.boundary("d", on: "outer", Model.onError(nil)),
                ], root: Self.root))
        let key = try harness.start()
        harness.checkpointAll()
        try harness.raise("a", "E1", #"{"why":"broken"}"#)
        #expect(harness.live == ["after"])
        #expect(harness.variables(key) == #"{"reason":"broken"}"#)
    }

    @Test("an error end event throws, and the rest of the scope ends")
    func endEvent() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; c -> after -> end4",
                nodes: [
                    Model.sub(
                        "s", "start1 -> and1 -> a -> endE; and1 -> b -> end2",
                        nodes: [Model.end("endE", Model.onError("e1"))]),
                    Model.boundary("c", on: "s", Model.onError("e1")),
                ], root: Self.root))
        try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["after"])
    }

    @Test("an uncaught error of an end event is an incident each time it is resolved")
    func uncaughtEnd() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> endE", nodes: [Model.end("endE", Model.onError("e1"))], root: Self.root))
        let key = try harness.start()
        #expect(harness.incidents.map(\.type) == ["UNHANDLED_ERROR_EVENT"])
        try harness.resolve()
        #expect(harness.incidents.map(\.element) == ["endE"])
        #expect(harness.send(.cancelInstance(key: key)).isDone)
    }

    @Test("an uncaught error of a job is an incident; resolving offers a new job and keeps the other waits")
    func uncaughtJob() throws {
        let harness = EngineHarness(partitions: 2)
        try harness.deploy(
            Model.process(
                "start -> a -> end; t -> late -> end1; r -> end2",
                nodes: [
                    Model.task("a"), Model.boundary("t", on: "a", Model.duration("PT1H")),
                    Model.boundary("r", on: "a", Model.onMessage("msg"), interrupting: false),
                ], root: [Model.message("msg")]))
        try harness.start("p", #"{"key":"k"}"#)
        let first = try harness.job("a").key
        try harness.raise("a", "E9")
        #expect(harness.incidents.map(\.type) == ["UNHANDLED_ERROR_EVENT"])
        #expect(harness.incidents.first?.message.contains("E9") == true)
        harness.checkpointAll()
        try harness.resolve()
        #expect(try harness.job("a").key != first)
        #expect(harness.partitions[0].engine.openTimerCount == 1)
        #expect(harness.partitions.reduce(0) { $0 + $1.engine.subscriptionCount } == 1)
        harness.advance(seconds: 3_600)
        #expect(harness.live == ["late"])
    }

    @Test("an error in a multi-instance activity is caught once, at its body", arguments: [true, false])
    func multiInstance(_ sequential: Bool) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> end; c -> after -> end1",
                nodes: [
                    Model.task("a", loop: Model.loop(times: "=3", sequential: sequential)),
                    Model.boundary("c", on: "a", Model.onError("e1")),
                ], root: Self.root))
        try harness.start()
        let job = try #require(harness.jobs.first)
        harness.send(.throwJobError(key: job.key, code: "E1", message: nil, variables: .empty))
        #expect(harness.live == ["after"])
    }
}
