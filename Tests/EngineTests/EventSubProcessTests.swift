import Testing
import Values

@testable import Engine

/// Event sub-processes (BPMN 2.0.2 clause 13.5.4).
@Suite("Event sub-processes")
struct EventSubProcessTests {
    private static let root = [
        Model.message("msg"), Model.signal("sig"), Model.error("err", "E1"), Model.escalation("X1"),
    ]

    private func deployed(
        _ handler: String, flows: String = "start -> a -> end", nodes: [String] = [], partitions: Int = 1
    ) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, nodes: [handler] + nodes, root: Self.root))
        return harness
    }

    struct Trigger: Sendable, CustomTestStringConvertible {
        var name: String
        var event: String
        var occur: @Sendable (EngineHarness, UInt64) throws -> Void

        var testDescription: String { name }
    }

    static let triggers = [
        Trigger(name: "message", event: Model.onMessage("msg")) { harness, _ in try harness.publish("msg", "k") },
        Trigger(name: "signal", event: Model.onSignal("sig")) { harness, _ in try harness.broadcast("sig") },
        Trigger(name: "timer", event: Model.duration("PT1M")) { harness, _ in harness.advance(seconds: 60) },
        Trigger(name: "condition", event: Model.onCondition("=x > 5")) { harness, key in
            try harness.set(#"{"x":9}"#, of: key)
        },
    ]

    @Test("a trigger that interrupts ends what runs, jobs too, and takes its place", arguments: triggers)
    func interrupting(_ trigger: Trigger) throws {
        let harness = try deployed(Model.handler("h", on: trigger.event, "startH -> b -> endH"))
        let key = try harness.start("p", #"{"key":"k"}"#)
        let job = try harness.job("a")
        try trigger.occur(harness, key)
        #expect(harness.live == ["b", "h"])
        #expect(harness.send(.completeJob(key: job.key, variables: .empty)).rejection?.code == .notFound)
        try trigger.occur(harness, key)
        #expect(harness.live == ["b", "h"], "it occurs once")
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.leftovers == [0, 0, 0, 0, 0])
    }

    @Test("a trigger that does not interrupt runs beside, as often as it occurs", arguments: triggers)
    func nonInterrupting(_ trigger: Trigger) throws {
        let harness = try deployed(
            Model.handler(
                "h",
                on: trigger.event.replacingFirst(
                    Model.duration("PT1M"), with: Model.timer("timeCycle", "R2/PT1M")), interrupting: false,
                "startH -> b -> endH"))
        let key = try harness.start("p", #"{"key":"k"}"#)
        try trigger.occur(harness, key)
        #expect(harness.live == ["a", "b", "h"])
        try harness.set(#"{"x":1}"#, of: key)
        try trigger.occur(harness, key)
        #expect(harness.live == ["a", "b", "b", "h", "h"])
        try harness.complete("a")
        #expect(harness.outcome(key) == "live", "the process ends when its handlers have")
        for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("what a process waits for ends with it", arguments: triggers, [true, false])
    func endsWithProcess(_ trigger: Trigger, completes: Bool) throws {
        let harness = try deployed(
            Model.handler("h", on: trigger.event, interrupting: false, "startH -> b -> endH"), partitions: 2)
        let key = try harness.start("p", #"{"key":"k"}"#)
        if completes { try harness.complete("a") } else { harness.send(.cancelInstance(key: key)) }
        #expect(harness.outcome(key) == (completes ? "completed" : "terminated"))
        #expect(harness.leftovers == [0, 0, 0, 0, 0])
        harness.checkSubscriptions()
    }

    @Test("a cycle fires while its scope lives")
    func cycle() throws {
        let harness = try deployed(
            Model.handler("h", on: Model.timer("timeCycle", "R/PT1M"), interrupting: false, "startH -> m1 -> endH"),
            flows: "start -> s -> end", nodes: [Model.sub("s", "start1 -> a -> end1")])
        harness.recordsEvents = true
        let key = try harness.start()
        harness.advance(seconds: 60)
        harness.advance(seconds: 60)
        #expect(harness.performed.filter { $0 == "m1" }.count == 2)
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
        harness.advance(seconds: 600)
        #expect(harness.performed.filter { $0 == "m1" }.count == 2)
    }

    @Test("an error inside reaches the event sub-process, before the boundary event outside")
    func error() throws {
        let handler = Model.handler("h", on: Model.onError("err"), "startH -> b -> endH")
        let harness = try deployed(
            Model.sub("s", "start1 -> and1 -> a -> end1; and1 -> c -> end2", nodes: [handler]),
            flows: "start -> s -> end; out -> d -> end3", nodes: [Model.boundary("out", on: "s", Model.onError(nil))])
        let key = try harness.start()
        try harness.raise("a", "E1", #"{"why":"x"}"#)
        #expect(harness.live == ["b", "h", "s"], "c is interrupted too")
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"why":"x"}"#)
    }

    @Test("an error thrown in an event sub-process is for the scopes outside")
    func errorInside() throws {
        let handler = Model.handler(
            "h", on: Model.onError(nil), "startH -> b -> endH", nodes: [Model.end("endH", Model.onError("err"))])
        let harness = try deployed(
            Model.sub("s", "start1 -> a -> end1", nodes: [handler]), flows: "start -> s -> end; out -> d -> end2",
            nodes: [Model.boundary("out", on: "s", Model.onError("err"))])
        let key = try harness.start()
        try harness.raise("a", "other")
        try harness.complete("b")
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an escalation that does not interrupt lets its thrower go on")
    func escalation() throws {
        let harness = try deployed(
            Model.handler("h", on: Model.onEscalation("X1"), interrupting: false, "startH -> b -> endH"),
            flows: "start -> t -> a -> end", nodes: [Model.throwing("t", Model.onEscalation("X1"))])
        let key = try harness.start()
        #expect(harness.live == ["a", "b", "h"])
        try harness.complete("a")
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("variables of the trigger and of its mappings are the event sub-process's or the process's")
    func variables() throws {
        for (io, expected) in [
            ("", #"{"key":"k","m":1}"#), (Model.io([], [("=m + 1", "n")]), #"{"key":"k","n":2}"#),
        ] {
            let harness = try deployed(
                Model.handler("h", on: Model.onMessage("msg"), interrupting: false, "startH -> b -> endH", io: io))
            let key = try harness.start("p", #"{"key":"k"}"#)
            try harness.publish("msg", "k", #"{"m":1}"#)
            try harness.complete("a")
            try harness.complete("b")
            #expect(harness.variables(key) == expected)
        }
    }

    @Test("a message and a signal find an event sub-process of an evicted instance, after a crash too")
    func evicted() throws {
        let harness = try deployed(
            Model.handler(
                "h", on: Model.onMessage("msg") + Model.onSignal("sig"), interrupting: false, "startH -> b -> endH"),
            partitions: 3)
        try harness.start("p", #"{"key":"k"}"#, in: 1)
        harness.checkpointAll()
        try harness.publish("msg", "k")
        #expect(harness.live == ["a", "b", "h"])
        harness.checkpointAll()
        for index in 0..<3 { harness.crash(index) }
        try harness.broadcast("sig", in: 2)
        #expect(harness.live == ["a", "b", "b", "h", "h"])
    }

    @Test("a condition that holds from the beginning acts before anything inside begins", arguments: [true, false])
    func holdsAtOnce(interrupting: Bool) throws {
        let handler = Model.handler(
            "h", on: Model.onCondition("=x = 1"), interrupting: interrupting, "startH -> b -> endH")
        for (flows, nodes, around) in [
            ("start -> a -> end", [handler], [String]()),
            ("start -> s -> end", [Model.sub("s", "start1 -> a -> end1", nodes: [handler])], ["s"]),
        ] {
            let harness = EngineHarness()
            try harness.deploy(Model.process(flows, nodes: nodes))
            let key = try harness.start("p", #"{"x":1}"#)
            #expect(harness.live == ((interrupting ? [] : ["a"]) + ["b", "h"] + around).sorted())
            for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
            #expect(harness.outcome(key) == "completed")
        }
    }

    @Test("a process whose event sub-process cannot begin to wait has an incident, and begins when that is resolved")
    func failedBeginning() throws {
        let harness = try deployed(Model.handler("h", on: Model.onMessage("msg"), "startH -> b -> endH"))
        let key = try harness.start()
        #expect(harness.live == [] && harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"key":7}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["a"])
        try harness.publish("msg", "7")
        #expect(harness.live == ["b", "h"])
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
        let other = try harness.start()
        harness.send(.cancelInstance(key: other))
        #expect(harness.leftovers == [0, 0, 0, 0, 0])
    }

    @Test("event sub-processes nest")
    func nested() throws {
        let inner = Model.handler("i", on: Model.onSignal("sig"), "startI -> c -> endI")
        let harness = try deployed(
            Model.handler("h", on: Model.onMessage("msg"), "startH -> b -> endH", nodes: [inner]))
        let key = try harness.start("p", #"{"key":"k"}"#)
        try harness.broadcast("sig")
        #expect(harness.live == ["a"])
        try harness.publish("msg", "k")
        try harness.broadcast("sig")
        #expect(harness.live == ["c", "h", "i"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }
}
