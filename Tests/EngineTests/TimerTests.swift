import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Timers")
struct TimerTests {
    @Test(
        "a timer event waits until its time",
        arguments: [
            (Model.duration("PT10S"), 10_000), (Model.duration("=wait"), 10_000),
            (Model.duration("=duration(\"PT10S\")"), 10_000), (Model.duration("=\"P1M\""), 31 * 86_400_000),
            (Model.duration("=duration(\"P1M\")"), 31 * 86_400_000),
            (Model.timer("timeDate", "2026-01-01T00:00:10Z"), 10_000), (Model.timer("timeDate", "=at"), 10_000),
            (Model.timer("timeDate", "=date and time(at)"), 10_000), (Model.timer("timeCycle", "R/PT10S"), 10_000),
            (Model.timer("timeCycle", "R2/2026-01-01T00:00:10Z/PT1H"), 10_000),
        ] as [(String, Int64)])
    func catchEvent(_ event: String, _ milliseconds: Int64) throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> t -> end", nodes: [Model.catching("t", event)]))
        let key = try harness.start("p", #"{"wait":"PT10S","at":"2026-01-01T00:00:10Z"}"#)
        #expect(harness.partitions[0].engine.nextDue == harness.now + milliseconds)
        harness.advance(milliseconds: milliseconds - 1)
        #expect(harness.live == ["t"])
        harness.checkpointAll()
        harness.crash(0)
        #expect(harness.partitions[0].engine.nextDue == harness.now + 1)
        harness.advance(milliseconds: 1)
        #expect(!harness.isLive(key))
        #expect(harness.partitions[0].engine.openTimerCount == 0)
    }

    @Test(
        "a timer that cannot be understood is an incident with what was expected",
        arguments: [
            (Model.duration("=x"), "a duration"), (Model.timer("timeDate", "=x"), "a date and time"),
            (Model.timer("timeCycle", "=x"), "a repetition"),
        ], [#""soon""#, "7", "null", #""R0/PT1S""#])
    func wrong(_ timer: (event: String, expected: String), _ value: String) throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> t -> end", nodes: [Model.catching("t", timer.event)]))
        try harness.start("p", #"{"x":\#(value)}"#)
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        #expect(harness.incidents.first?.message.contains(timer.expected) == true)
    }

    @Test("an interrupting boundary timer ends its activity, whatever that is doing")
    func interrupting() throws {
        for node in [Model.task("x"), Model.user("x"), Model.sub("x", "start1 -> a -> end1")] {
            let harness = EngineHarness()
            try harness.deploy(
                Model.process(
                    "start -> x -> end; b -> after -> end2",
                    nodes: [node, Model.boundary("b", on: "x", Model.duration("PT1M"))]))
            try harness.start()
            harness.checkpointAll()
            harness.advance(seconds: 59)
            #expect(harness.live.contains("x"))
            harness.advance(seconds: 1)
            #expect(harness.live == ["after"])
        }
    }

    @Test("a boundary timer dies with its activity")
    func notFired() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> after -> end; b -> end2",
                nodes: [Model.task("a"), Model.boundary("b", on: "a", Model.duration("PT1M"))]))
        try harness.start()
        try harness.complete("a")
        #expect(harness.partitions[0].engine.openTimerCount == 0)
        harness.advance(seconds: 60)
        #expect(harness.live == ["after"])
    }

    @Test(
        "a non-interrupting boundary timer fires as often as it says",
        arguments: [
            (Model.duration("PT1M"), 1), (Model.timer("timeCycle", "R3/PT1M"), 3),
            (Model.timer("timeCycle", "R/PT1M"), 5),
        ])
    func nonInterrupting(_ event: String, _ times: Int) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> u -> end; b -> after -> end2",
                nodes: [Model.user("u"), Model.boundary("b", on: "u", event, interrupting: false)]))
        try harness.start()
        for round in 1...5 {
            if round == 2 {
                harness.checkpointAll()
                harness.crash(0)
            }
            // From the journal alone: the times it fired at before must not fire again.
            if round == 4 { harness.crash(0) }
            harness.advance(seconds: 59)
            #expect(harness.live.count == min(round - 1, times) + 1)
            harness.advance(seconds: 1)
            #expect(harness.live == Array(repeating: "after", count: min(round, times)) + ["u"])
        }
        try harness.completeTask("u")
        harness.advance(seconds: 600)
        #expect(harness.live == Array(repeating: "after", count: times))
    }

    @Test("repetitions missed while nobody ran: counted ones are made up, endless ones skipped")
    func missed() throws {
        for (event, expected) in [("R4/PT1M", 4), ("R/PT1M", 1)] {
            let harness = EngineHarness()
            try harness.deploy(
                Model.process(
                    "start -> u -> end; b -> after -> end2",
                    nodes: [
                        Model.user("u"),
                        Model.boundary("b", on: "u", Model.timer("timeCycle", event), interrupting: false),
                    ]))
            try harness.start()
            harness.advance(seconds: 3_630)
            #expect(harness.live.count == expected + 1)
            harness.advance(seconds: 30)
            #expect(harness.live.count == (event == "R/PT1M" ? 3 : 5))
        }
    }

    @Test("a clock set back delays timers but moves nothing into the past")
    func clockSetBack() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> a -> t -> end", nodes: [Model.catching("t", Model.duration("PT10S"))]))
        let key = try harness.start()
        let before = harness.now
        harness.now -= 3_600_000
        try harness.complete("a")
        #expect(harness.partitions[0].engine.nextDue == before + 10_000)
        harness.now = before + 10_000
        harness.tick()
        #expect(!harness.isLive(key))
    }

    @Test("a timer start event starts instances; a new version replaces it")
    func startTimer() throws {
        let harness = EngineHarness()
        func model(_ cycle: String, _ task: String) -> String {
            Model.process("s -> \(task) -> end", nodes: [Model.start("s", Model.timer("timeCycle", cycle))])
        }
        try harness.deploy(model("R2/PT1H", "a"))
        harness.advance(seconds: 3_600)
        #expect(harness.live == ["a"])
        harness.checkpointAll()
        harness.crash(0)
        try harness.deploy(model("R/PT10M", "b"))
        harness.advance(seconds: 3_600)
        #expect(Set(harness.live) == ["a", "b"] && harness.live.filter { $0 == "a" }.count == 1)
        try harness.deploy(Model.process("start -> c -> end"))
        let count = harness.live.count
        harness.advance(seconds: 7_200)
        #expect(harness.live.count == count)
        #expect(harness.partitions[0].engine.state.startTimers.isEmpty)
    }

    @Test("a start timer runs out after its last repetition")
    func startTimerEnds() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("s -> a -> end", nodes: [Model.start("s", Model.timer("timeDate", "2026-01-01T00:01:00Z"))]))
        harness.advance(seconds: 60)
        #expect(harness.live == ["a"])
        #expect(harness.partitions[0].engine.state.startTimers.isEmpty)
    }

    @Test("a start timer due before its deployment is durable waits for it")
    func startTimerNotYetDeployed() throws {
        let harness = EngineHarness()
        harness.holdsDeployments = true
        try harness.deploy(
            Model.process("s -> a -> end", nodes: [Model.start("s", Model.timer("timeDate", "2020-01-01T00:00:00Z"))]))
        harness.send(.tick)
        #expect(harness.instances.isEmpty)
        #expect((harness.partitions[0].engine.nextDue ?? .max) <= harness.now)
        harness.holdsDeployments = false
        harness.confirmDeployments()
        harness.tick()
        #expect(harness.live == ["a"])
    }

    @Test("two versions deployed in one batch leave the start timers of the second")
    func twoVersionsAtOnce() throws {
        let harness = EngineHarness()
        harness.holdsDeployments = true
        for task in ["a", "b"] {
            try harness.deploy(
                Model.process("s -> \(task) -> end", nodes: [Model.start("s", Model.timer("timeCycle", "R/PT1H"))]))
        }
        harness.confirmDeployments()
        harness.advance(seconds: 3_600)
        #expect(harness.live == ["b"])
    }

    @Test("one tick does a bounded amount, the next the rest")
    func bounded() throws {
        let harness = EngineHarness()
        harness.checks = false
        try harness.deploy(Model.process("start -> t -> end", nodes: [Model.catching("t", Model.duration("PT1S"))]))
        let count = PartitionEngine.duePerTickMax + 7
        for _ in 0..<count { try harness.start() }
        harness.now += 1_000
        harness.send(.tick)
        #expect(harness.partitions[0].engine.liveCount == 7)
        harness.send(.tick)
        #expect(harness.partitions[0].engine.liveCount == 0)
    }
}
