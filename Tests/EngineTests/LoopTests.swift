import Testing
import Values

@testable import Engine

/// Standard loops (BPMN 2.0.2 clause 13.3.6; WCP-21).
@Suite("Standard loops")
struct LoopTests {
    private func deployed(_ loop: String, _ activity: (String) -> String = { Model.task("a", loop: $0) }) throws
        -> EngineHarness
    {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> d -> end; out -> c -> end2",
                nodes: [activity(loop), Model.boundary("out", on: "a", Model.onSignal("sig"))],
                root: [Model.signal("sig")]))
        return harness
    }

    /// Completes rounds until the loop is left; gives their number.
    private func rounds(_ harness: EngineHarness, most: Int = 9, _ variables: (Int) -> String = { _ in "{}" }) throws
        -> Int
    {
        var count = 0
        while harness.live.contains("a"), harness.incidents.isEmpty, count < most {
            #expect(harness.live == ["a", "a"], "one round at a time, in its body")
            count += 1
            try harness.complete("a", variables(count))
            harness.checkpointAll()
        }
        return count
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var condition: String?
        var testBefore = false
        var maximum: String?
        var rounds: Int

        var testDescription: String {
            "while \(condition ?? "true"), before \(testBefore), at most \(maximum ?? "any"): \(rounds)"
        }
    }

    @Test(
        "it goes on while its condition holds, tested before or after each round, up to its maximum",
        arguments: [
            Row(condition: "=x < 3", rounds: 3), Row(condition: "=x < 3", testBefore: true, rounds: 3),
            Row(condition: "=x < 0", rounds: 1), Row(condition: "=x < 0", testBefore: true, rounds: 0),
            Row(condition: "=x < 9", maximum: "2", rounds: 2), Row(condition: "=x < 2", maximum: "5", rounds: 2),
            Row(maximum: "4", rounds: 4), Row(maximum: "0", rounds: 0), Row(maximum: "=x + 2", rounds: 2),
            Row(condition: "=loopCounter < 3", rounds: 3),
            Row(condition: "=loopCounter < 3", testBefore: true, rounds: 3),
        ])
    func rounds(_ row: Row) throws {
        let harness = try deployed(
            Model.standardLoop(while: row.condition, testBefore: row.testBefore, maximum: row.maximum))
        let key = try harness.start("p", #"{"x":0}"#)
        #expect(try rounds(harness) { #"{"x":\#($0)}"# } == row.rounds)
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("without condition and maximum it goes on until it is interrupted")
    func endless() throws {
        let harness = try deployed(Model.standardLoop())
        try harness.start()
        #expect(try rounds(harness) == 9)
        try harness.broadcast("sig")
        #expect(harness.live == ["c"])
    }

    @Test("a loop that never waits is stopped by an incident")
    func neverWaits() throws {
        let harness = try deployed(Model.standardLoop()) { "<manualTask id=\"a\">\($0)</manualTask>" }
        harness.checks = false
        let key = try harness.start()
        #expect(harness.incidents.map(\.type) == ["LOOP_LIMIT"])
        harness.send(.cancelInstance(key: key))
        #expect(harness.instances.isEmpty)
    }

    @Test(
        "a condition that cannot be evaluated is an incident, before the first round and after one",
        arguments: [true, false])
    func failedCondition(testBefore: Bool) throws {
        let harness = try deployed(Model.standardLoop(while: "=y > 0", testBefore: testBefore))
        let key = try harness.start()
        if !testBefore { try harness.complete("a") }
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.resolve()
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.set(#"{"y":1}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["a", "a"])
        try harness.complete("a", #"{"y":0}"#)
        #expect(harness.live == ["d"])
    }

    @Test("sub-processes loop, each round with variables of its own")
    func subProcess() throws {
        let harness = try deployed(Model.standardLoop(while: "=loopCounter < 2")) { loop in
            Model.sub(
                "a", "start1 -> s -> b -> end1", nodes: [Model.script("s", "=n + loopCounter", to: "n")],
                io: Model.io([("=0", "n")], [("=n", "n" + "Out")]), loop: loop)
        }
        let key = try harness.start()
        for round in 1...2 {
            #expect(harness.live == ["a", "a", "b"])
            #expect(
                harness.instances[0].variables.contains { $0.name == "n" && $0.value.json == Array("\(round)".utf8) })
            try harness.complete("b")
        }
        #expect(harness.live == ["d"])
        #expect(harness.variables(key) == #"{"nOut":2}"#)
    }

    @Test("the next round sees what the last one wrote; an error ends the loop")
    func error() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> end; out -> c -> end2",
                nodes: [
                    Model.task("a", loop: Model.standardLoop(while: "=true")),
                    Model.boundary("out", on: "a", Model.onError("err")),
                ], root: [Model.error("err", "E1")]))
        try harness.start()
        try harness.complete("a")
        try harness.raise("a", "E1")
        #expect(harness.live == ["c"])
    }
}
