import Testing
import Values

@testable import Engine

/// `startQuantity` and `completionQuantity` (BPMN 2.0.2 clause 10.3).
@Suite("Quantities of tokens")
struct QuantityTests {
    private func deployed(_ flows: String, _ nodes: [String]) throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(Model.process(flows, nodes: nodes, root: [Model.signal("sig")]))
        return harness
    }

    private static let two = Model.with("startQuantity=\"2\"", Model.task("b"))
    private static let three = Model.with("completionQuantity=\"3\"", Model.task("a"))

    @Test("an activity sends its quantity of tokens on each flow")
    func completion() throws {
        let harness = try deployed("start -> a -> b -> end; a -> c -> end2", [Self.three])
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["b", "b", "b", "c", "c", "c"])
        for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an activity begins when its quantity of tokens has arrived, by whatever flows")
    func start() throws {
        let harness = try deployed("start -> and1 -> x -> b; and1 -> y -> b; and1 -> z -> b; b -> end", [Self.two])
        let key = try harness.start()
        try harness.complete("y")
        #expect(harness.live == ["x", "z"])
        harness.checkpointAll()
        harness.crash(0)
        try harness.complete("x")
        #expect(harness.live == ["b", "z"])
        try harness.complete("b")
        try harness.complete("z")
        #expect(harness.live == [] && harness.isLive(key), "one token waits for a second")
        harness.send(.cancelInstance(key: key))
        #expect(harness.instances.isEmpty)
    }

    @Test("tokens that are left count for the next time")
    func leftOver() throws {
        let harness = try deployed(
            "start -> xor1 -> a -> b -> xor2; xor2 -> [=again] xor1; xor2 -> [default] end", [Self.three, Self.two])
        try harness.start("p", #"{"again":true}"#)
        try harness.complete("a")
        #expect(harness.live == ["b"])
        try harness.complete("b")
        try harness.complete("a")
        #expect(harness.live == ["b", "b"], "one of the first round and three of the second")
    }

    @Test("an interrupted scope takes waiting tokens with it")
    func interrupted() throws {
        let harness = try deployed(
            "start -> s -> end; out -> d -> end2",
            [
                Model.sub("s", "start1 -> b -> end1", nodes: [Self.two]),
                Model.boundary("out", on: "s", Model.onSignal("sig")),
            ])
        try harness.start()
        #expect(harness.live == ["s"])
        try harness.broadcast("sig")
        #expect(harness.live == ["d"])
    }

    @Test("an activity that passes at once has quantities too")
    func passing() throws {
        let harness = try deployed(
            "start -> m1 -> m2 -> a -> end",
            [
                Model.with("completionQuantity=\"4\"", "<manualTask id=\"m1\"/>"),
                Model.with("startQuantity=\"2\" completionQuantity=\"3\"", "<manualTask id=\"m2\"/>"),
            ])
        try harness.start()
        #expect(harness.live == Array(repeating: "a", count: 6))
    }
}
