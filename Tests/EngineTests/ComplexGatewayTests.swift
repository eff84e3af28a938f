import Testing
import Values

@testable import Engine

/// Complex gateways (BPMN 2.0.2 clause 13.4.5; WCP-9, WCP-28, WCP-30).
@Suite("Complex gateways")
struct ComplexGatewayTests {
    private func deployed(_ flows: String, when condition: String?, _ nodes: [String] = []) throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(Model.process(flows, nodes: [Model.complex("g", when: condition)] + nodes))
        return harness
    }

    private static let three = "start -> and1 -> a -> g -> d -> end; and1 -> b -> g; and1 -> c -> g"

    @Test(
        "n of three: it fires when its condition holds, takes the late tokens and lets none of them through",
        arguments: [1, 2, 3])
    func partialJoin(needed: Int) throws {
        let harness = try deployed(Self.three, when: "=activationCount >= n")
        let key = try harness.start("p", #"{"n":\#(needed)}"#)
        for (position, branch) in ["b", "c", "a"].enumerated() {
            #expect(harness.live.contains("d") == (position >= needed))
            try harness.complete(branch)
            harness.checkpointAll()
            harness.crash(0)
        }
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(!harness.isLive(key))
    }

    @Test("what comes behind may be over before the late tokens arrive")
    func lateTokens() throws {
        let harness = try deployed(Self.three, when: "=activationCount >= 1")
        let key = try harness.start()
        try harness.complete("a")
        try harness.complete("d")
        #expect(harness.live == ["b", "c", "g"])
        try harness.complete("b")
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a discriminator in a loop: the next round's tokens wait for the reset")
    func discriminatorInLoop() throws {
        let harness = try deployed(
            "start -> xor1 -> and1 -> a -> g -> d -> xor2; and1 -> b -> g; xor2 -> [=again] xor1; xor2 -> [default] end",
            when: "=activationCount >= 1")
        let key = try harness.start()
        try harness.complete("a")
        try harness.complete("d", #"{"again":true}"#)
        #expect(harness.live == ["a", "b", "b", "g"])
        try harness.complete("a")
        #expect(harness.live == ["b", "b", "g"], "the gateway still waits for b of the first round")
        let first = try #require(harness.jobs.first { $0.element == "b" })
        harness.send(.completeJob(key: first.key, variables: .empty))
        #expect(harness.live == ["b", "d", "g"])
        try harness.complete("b")
        #expect(harness.live == ["d"])
        try harness.complete("d", #"{"again":false}"#)
        #expect(harness.outcome(key) == "completed")
    }

    @Test("it resets when no late token can come any more")
    func branchTurnsAway() throws {
        let harness = try deployed(
            "start -> and1 -> a -> g -> d -> end; and1 -> b -> xor1; xor1 -> [=x = 1] g; xor1 -> [default] c -> end2",
            when: "=activationCount >= 1")
        try harness.start("p", #"{"x":2}"#)
        try harness.complete("a")
        #expect(harness.live == ["b", "d", "g"])
        try harness.complete("b")
        #expect(harness.live == ["c", "d"])
    }

    @Test("flows may ask for the start or the reset")
    func resetFlow() throws {
        let harness = try deployed(
            """
            start -> and1 -> a -> g; and1 -> b -> g
            g -> [=waitingForStart] c -> end; g -> [=not(waitingForStart)] d -> end2
            """, when: "=activationCount >= 1")
        try harness.start()
        try harness.complete("b")
        #expect(harness.live == ["a", "c", "g"])
        try harness.complete("a")
        #expect(harness.live == ["c", "d"])
    }

    @Test("conditions of its flows see the start when all tokens come together")
    func startFlowOfAll() throws {
        let harness = try deployed(
            """
            start -> and1 -> a -> g; and1 -> b -> g
            g -> [=waitingForStart and activationCount = null] c -> end; g -> [default] d -> end2
            """, when: "=activationCount >= 2")
        try harness.start()
        try harness.complete("b")
        try harness.complete("a")
        #expect(harness.live == ["c"])
    }

    @Test("a condition that cannot be evaluated is an incident; resolving it asks again, with all tokens there are")
    func failedCondition() throws {
        let harness = try deployed(Self.three, when: "=activationCount >= n")
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.resolve()
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.complete("b")
        try harness.set(#"{"n":3}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["c"] && harness.incidents.isEmpty)
        try harness.complete("c")
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("flows of which none can be taken are an incident; afterwards it waits for the late tokens")
    func failedFlows() throws {
        let harness = try deployed(
            "start -> and1 -> a -> g; and1 -> b -> g; g -> [=x = 1] c -> end; g -> [=x = 2] d -> end2",
            when: "=activationCount >= 1")
        let key = try harness.start("p", #"{"x":0}"#)
        try harness.complete("a")
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.set(#"{"x":1}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["b", "c", "g"])
        try harness.set(#"{"x":0}"#, of: key)
        try harness.complete("b")
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("without condition it joins as an inclusive gateway does")
    func withoutCondition() throws {
        let harness = try deployed(
            "start -> ior1; ior1 -> [=x > 0] a -> g; ior1 -> [=x > 1] b -> g; ior1 -> [=x > 2] c -> g; g -> d -> end",
            when: nil)
        try harness.start("p", #"{"x":2}"#)
        try harness.complete("a")
        #expect(harness.live == ["b"])
        try harness.complete("b")
        #expect(harness.live == ["d"])
    }
}
