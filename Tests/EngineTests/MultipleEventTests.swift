import Testing
import Values

@testable import Engine

/// Events with several definitions (BPMN 2.0.2 clause 10.5.5.7 and 10.5.5.8).
@Suite("Multiple and parallel multiple events")
struct MultipleEventTests {
    private static let root = [
        Model.message("msg"), Model.signal("sig"), Model.message("go", key: nil), Model.escalation("X1"),
    ]
    private static let both = Model.onMessage("msg") + Model.onSignal("sig")

    private func deployed(_ flows: String, _ nodes: [String], partitions: Int = 2) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, nodes: nodes, root: Self.root))
        return harness
    }

    @Test(
        "a multiple event occurs with any of its definitions, the others are no longer waited for",
        arguments: [0, 1, 2])
    func any(occurring: Int) throws {
        let harness = try deployed(
            "start -> c -> a -> end", [Model.catching("c", Self.both + Model.duration("PT1M"))])
        try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.leftovers == [0, 1, 1, 1, 1])
        switch occurring {
        case 0: try harness.publish("msg", "k")
        case 1: try harness.broadcast("sig")
        default: harness.advance(seconds: 60)
        }
        #expect(harness.live == ["a"])
        #expect(harness.leftovers == [1, 0, 0, 0, 1])
    }

    @Test("a parallel multiple event needs all of its definitions, in any order", arguments: [true, false])
    func all(messageFirst: Bool) throws {
        let harness = try deployed("start -> c -> a -> end", [Model.parallel(Model.catching("c", Self.both))])
        let key = try harness.start("p", #"{"key":"k"}"#)
        for isMessage in [messageFirst, messageFirst, !messageFirst] {
            #expect(harness.live == ["c"])
            if isMessage {
                try harness.publish("msg", "k", #"{"m":1}"#)
            } else {
                try harness.broadcast("sig", #"{"s":2}"#)
            }
            harness.checkpointAll()
        }
        #expect(harness.live == ["a"])
        #expect(harness.variables(key) == (messageFirst ? #"{"key":"k","m":1,"s":2}"# : #"{"key":"k","s":2,"m":1}"#))
    }

    @Test("an interrupting parallel multiple boundary event interrupts when all have occurred")
    func boundary() throws {
        let harness = try deployed(
            "start -> a -> end; b -> c -> end2",
            [Model.task("a"), Model.parallel(Model.boundary("b", on: "a", Self.both))])
        try harness.start("p", #"{"key":"k"}"#)
        try harness.publish("msg", "k")
        #expect(harness.live == ["a"])
        try harness.broadcast("sig")
        #expect(harness.live == ["c"])
    }

    @Test("one that does not interrupt waits for all of them again")
    func again() throws {
        let harness = try deployed(
            "start -> a -> end; b -> c -> end2",
            [Model.task("a"), Model.parallel(Model.boundary("b", on: "a", Self.both, interrupting: false))])
        let key = try harness.start("p", #"{"key":"k"}"#)
        for round in 1...3 {
            try harness.broadcast("sig")
            try harness.broadcast("sig")
            #expect(harness.live.count == round, "\(harness.live)")
            try harness.publish("msg", "k")
            #expect(harness.live == ["a"] + Array(repeating: "c", count: round))
        }
        try harness.complete("a")
        for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("conditions that have occurred together must become false before they do again")
    func conditionsAgain() throws {
        let harness = try deployed(
            "start -> a -> end; b -> c -> end2",
            [
                Model.task("a"),
                Model.parallel(
                    Model.boundary(
                        "b", on: "a", Model.onCondition("=x > 1") + Model.onCondition("=y > 1"), interrupting: false)),
            ])
        let key = try harness.start("p", #"{"x":2,"y":2}"#)
        #expect(harness.live == ["a", "c"])
        try harness.set(#"{"x":3,"y":3}"#, of: key)
        #expect(harness.live == ["a", "c"])
        try harness.set(#"{"x":0,"y":0}"#, of: key)
        try harness.set(#"{"x":2}"#, of: key)
        #expect(harness.live == ["a", "c"])
        try harness.set(#"{"y":2}"#, of: key)
        #expect(harness.live == ["a", "c", "c"])
    }

    @Test("a multiple throw event throws all of its definitions")
    func throwsAll() throws {
        let harness = try deployed(
            """
            start -> and1 -> s -> end; and1 -> c1 -> end2; and1 -> c2 -> end3; b -> d -> end5
            """,
            [
                Model.sub(
                    "s", "start1 -> t -> end4", nodes: [Model.throwing("t", Self.both + Model.onEscalation("X1"))]),
                Model.catching("c1", Model.onMessage("msg")), Model.catching("c2", Model.onSignal("sig")),
                Model.boundary("b", on: "s", Model.onEscalation("X1"), interrupting: false),
            ])
        let key = try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a multiple end event with a termination does everything else first")
    func endsAll() throws {
        let harness = try deployed(
            "start -> and1 -> a -> endT; and1 -> b -> end2",
            [Model.end("endT", Model.terminate + Model.onSignal("sig"))])
        try harness.deploy(
            Model.process(
                "start -> c -> end", id: "q", nodes: [Model.catching("c", Model.onSignal("sig"))], root: Self.root))
        let waiting = try harness.start("q")
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed" && harness.outcome(waiting) == "completed")
    }
}
