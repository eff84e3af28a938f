import Testing
import Values

@testable import Engine

/// Messages that processes throw, and throw events in general (BPMN 2.0.2 clauses 10.5.3 and 13.5.2).
@Suite("Throwing")
struct ThrowTests {
    private static let root = [
        Model.message("msg"), Model.message("go", key: nil), Model.message("keyed", key: "=to"),
        Model.error("err", "E1"),
    ]

    private static func published(_ attributes: String) -> String {
        "<zeebe:publishMessage \(attributes)/>"
    }

    private func harness(_ flows: String, _ nodes: [String], partitions: Int = 3) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, nodes: nodes, root: Self.root))
        return harness
    }

    static let throwers = [
        (
            "throw event", "start -> t -> end",
            Model.throwing("t", Model.onMessage("keyed"), io: Model.io([("=x + 1", "y")]))
        ),
        ("end event", "start -> t", Model.end("t", Model.onMessage("keyed"), io: Model.io([("=x + 1", "y")]))),
        (
            "send task", "start -> t -> end",
            "<sendTask id=\"t\" messageRef=\"keyed\"><extensionElements>\(Model.io([("=x + 1", "y")]))</extensionElements></sendTask>"
        ),
    ]

    @Test(
        "a thrown message reaches the instance of its key, wherever it is, with the mapped variables only",
        arguments: throwers)
    func correlates(_ name: String, _ flows: String, _ thrower: String) throws {
        let harness = try harness(flows, [thrower])
        try harness.deploy(
            Model.process(
                "start -> r -> a -> end", id: "q", nodes: [Model.receive("r", "m2")],
                root: [Model.message("m2", name: "keyed", key: "=me")]))
        let receivers = try (0..<3).map { try harness.start("q", #"{"me":"k\#($0)"}"#, in: $0) }
        harness.checkpointAll()
        let key = try harness.start("p", #"{"x":1,"to":"k2"}"#)
        #expect(harness.outcome(key) == "completed")
        #expect(harness.live == ["a", "r", "r"])
        #expect(harness.variables(receivers[2]) == #"{"me":"k2","y":2}"#)
    }

    @Test("a thrown message waits for its catcher for an hour, or as long as it says")
    func timeToLive() throws {
        for (io, seconds) in [("", Int64(3_600)), (Self.published("correlationKey=\"=to\" timeToLive=\"PT5S\""), 5)] {
            for delay in [seconds - 1, seconds] {
                let harness = try harness("start -> t -> end", [Model.throwing("t", Model.onMessage("keyed"), io: io)])
                try harness.deploy(
                    Model.process(
                        "start -> r -> a -> end", id: "q", nodes: [Model.receive("r", "m2")],
                        root: [Model.message("m2", name: "keyed", key: "=\"k\"")]))
                try harness.start("p", #"{"to":"k"}"#)
                harness.advance(seconds: delay)
                try harness.start("q")
                #expect(harness.live == [delay < seconds ? "a" : "r"])
            }
        }
    }

    @Test("one with an id is there once")
    func messageID() throws {
        let io = Self.published("correlationKey=\"=to\" messageId=\"=id\"")
        let harness = try harness("start -> t -> end", [Model.throwing("t", Model.onMessage("keyed"), io: io)])
        for id in ["1", "1", "2"] { try harness.start("p", #"{"to":"k","id":"\#(id)"}"#) }
        #expect(harness.partitions.reduce(0) { $0 + $1.engine.state.messages.count } == 2)
    }

    @Test("a thrown message begins another process")
    func starts() throws {
        let harness = try harness("start -> t -> end", [Model.throwing("t", Model.onMessage("go"))])
        try harness.deploy(
            Model.process(
                "start -> a -> end", id: "q", nodes: [Model.start("start", Model.onMessage("go"))], root: Self.root))
        try harness.start()
        #expect(harness.live == ["a"])
    }

    @Test("a process may throw to itself: a branch that comes to wait later gets the message")
    func toItself() throws {
        let harness = try harness(
            "start -> and1 -> t -> and2 -> end; and1 -> a -> r -> and2",
            [Model.throwing("t", Model.onMessage("msg")), Model.receive("r", "msg")])
        let key = try harness.start("p", #"{"key":"k"}"#)
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a key that is no text is an incident; resolving it throws once")
    func badKey() throws {
        let harness = try harness("start -> t -> end", [Model.throwing("t", Model.onMessage("keyed"))])
        let key = try harness.start()
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"to":7}"#, of: key)
        try harness.resolve()
        #expect(harness.outcome(key) == "completed")
        #expect(harness.partitions.reduce(0) { $0 + $1.engine.state.messages.count } == 1)
    }

    @Test("a message event with a job is a worker's affair")
    func byWorker() throws {
        let job = "<zeebe:taskDefinition type=\"mail\"/>"
        let harness = try harness(
            "start -> t -> end",
            [
                Model.throwing("t", Model.onMessage("keyed"), io: job),
                Model.end("end", Model.onMessage("keyed"), io: job),
            ])
        let key = try harness.start()
        try harness.complete("t")
        try harness.complete("end")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a throw event without definition passes; links lead on, several to one")
    func links() throws {
        let harness = try harness(
            "start -> ior1; ior1 -> [=x > 0] a -> l1; ior1 -> [=x > 1] n -> l2; c -> d -> end",
            [
                Model.throwing("l1", Model.link("L")), Model.throwing("l2", Model.link("L")),
                Model.catching("c", Model.link("L")), Model.throwing("n", ""),
            ])
        try harness.start("p", #"{"x":2}"#)
        #expect(harness.live == ["a", "d"])
        try harness.complete("a")
        #expect(harness.live == ["d", "d"])
    }
}
