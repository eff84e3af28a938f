import Testing
import Values

@testable import Engine

/// Inclusive gateways (BPMN 2.0.2 clause 13.4.3; WCP-6, WCP-7, WCP-37).
@Suite("Inclusive gateways")
struct InclusiveGatewayTests {
    private func deployed(_ flows: String, _ nodes: [String] = []) throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(Model.process(flows, nodes: nodes, root: [Model.signal("sig")]))
        return harness
    }

    private static let block = """
        start -> ior1; ior2 -> d -> end
        ior1 -> [=x > 0] a -> ior2
        ior1 -> [=x > 1] b -> ior2
        ior1 -> [default] c -> ior2
        """

    @Test(
        "a split takes every flow whose condition holds, the join waits for exactly those",
        arguments: [(0, ["c"]), (1, ["a"]), (2, ["a", "b"])])
    func structured(_ x: Int, _ branches: [String]) throws {
        let harness = try deployed(Self.block)
        let key = try harness.start("p", #"{"x":\#(x)}"#)
        #expect(harness.live == branches)
        for (position, branch) in branches.enumerated() {
            try harness.complete(branch)
            harness.checkpointAll()
            harness.crash(0)
            #expect(harness.live == (position == branches.count - 1 ? ["d"] : Array(branches[(position + 1)...])))
        }
        try harness.complete("d")
        #expect(!harness.isLive(key))
    }

    @Test("a split without a flow to take is an incident")
    func nothingToTake() throws {
        let harness = try deployed("start -> ior1; ior1 -> [=x > 0] a -> end; ior1 -> [=x > 1] b -> end2")
        let key = try harness.start("p", #"{"x":0}"#)
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.set(#"{"x":5}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["a", "b"])
    }

    @Test("a flow without condition is always taken")
    func unconditional() throws {
        let harness = try deployed("start -> ior1; ior1 -> [=x > 0] a -> end; ior1 -> b -> end2")
        try harness.start("p", #"{"x":0}"#)
        #expect(harness.live == ["b"])
    }

    @Test("a join fires as soon as no other token can reach it any more")
    func tokenTurnsAway() throws {
        for (x, expected) in [(1, ["d"]), (2, ["c", "d"])] {
            let harness = try deployed(
                """
                start -> and1 -> a -> ior1 -> d -> end
                and1 -> b -> xor1; xor1 -> [=x = 1] ior1; xor1 -> [default] c -> end2
                """)
            try harness.start("p", #"{"x":\#(x)}"#)
            try harness.complete("a")
            #expect(harness.live == ["b"])
            try harness.complete("b")
            #expect(harness.live == expected)
        }
    }

    @Test("a branch that is interrupted no longer holds up the join, one that ends does not either")
    func interruptedBranch() throws {
        let harness = try deployed(
            "start -> and1 -> a -> ior1 -> d -> end; and1 -> b -> ior1; out -> c -> end2",
            [Model.task("b"), Model.boundary("out", on: "b", Model.onSignal("sig"))])
        try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["b"])
        try harness.broadcast("sig")
        #expect(harness.live == ["c", "d"])
    }

    @Test("a token at a boundary event's way back to the join is waited for")
    func boundaryLeadsBack() throws {
        let harness = try deployed(
            "start -> and1 -> a -> ior1 -> d -> end; and1 -> b -> end2; out -> c -> ior1",
            [Model.task("b"), Model.boundary("out", on: "b", Model.onSignal("sig"), interrupting: false)])
        try harness.start()
        try harness.complete("a")
        #expect(harness.live == ["b"], "the boundary event may still occur")
        try harness.broadcast("sig")
        #expect(harness.live == ["b", "c"])
        try harness.complete("b")
        try harness.complete("c")
        #expect(harness.live == ["d"])
    }

    @Test("split and join inside a loop start afresh with each round")
    func insideLoop() throws {
        let harness = try deployed(
            """
            start -> xor1 -> ior1; ior2 -> c -> xor2; xor2 -> [=again] xor1; xor2 -> [default] end
            ior1 -> [=x > 0] a -> ior2
            ior1 -> [=x > 1] b -> ior2
            """)
        let key = try harness.start("p", #"{"x":2}"#)
        try harness.complete("b")
        try harness.complete("a")
        #expect(harness.live == ["c"])
        try harness.complete("c", #"{"again":true,"x":1}"#)
        #expect(harness.live == ["a"])
        try harness.complete("a")
        #expect(harness.live == ["c"])
        try harness.complete("c", #"{"again":false}"#)
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a join at the entry of a loop does not wait for the way back")
    func loopEntry() throws {
        let harness = try deployed("start -> ior1 -> a -> xor1; xor1 -> [=again] ior1; xor1 -> [default] end")
        let key = try harness.start()
        for again in [true, true, false] {
            #expect(harness.live == ["a"])
            try harness.complete("a", #"{"again":\#(again)}"#)
        }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("two joins whose tokens each could still reach the other wait, as the standard has it")
    func mutualWait() throws {
        let harness = try deployed(
            """
            start -> and1 -> a -> ior1 -> c -> xor1; xor1 -> [=y] ior2; xor1 -> [default] end
            and1 -> b -> ior2 -> d -> xor2; xor2 -> [=y] ior1; xor2 -> [default] end2
            """)
        let key = try harness.start()
        try harness.complete("a")
        try harness.complete("b")
        #expect(harness.live == [] && harness.outcome(key) == "live")
        harness.send(.cancelInstance(key: key))
        #expect(harness.instances.isEmpty)
    }

    @Test("joins one behind the other fire in turn within one step")
    func chained() throws {
        let harness = try deployed(
            """
            start -> ior1 -> [=x > 0] a -> ior2 -> m1 -> ior3 -> d -> end
            ior1 -> [=x > 1] b -> ior3; ior1 -> [=x > 2] c -> ior2
            """)
        try harness.start("p", #"{"x":3}"#)
        for activity in ["a", "b"] { try harness.complete(activity) }
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.live == ["d"])
    }

    @Test("tokens of other scopes are of no interest to a join")
    func scopes() throws {
        let inner = "start1 -> ior1; ior1 -> [=x > 0] m1 -> ior2; ior1 -> [default] m2 -> ior2; ior2 -> a -> end1"
        let harness = try deployed(
            "start -> and1 -> s -> end; and1 -> b -> end2",
            [Model.sub("s", inner, loop: Model.loop(over: "=[0, 1]", as: "x"))])
        try harness.start()
        #expect(harness.live == ["a", "a", "b", "s", "s", "s"])
    }

    @Test("a terminated scope takes the tokens at its joins with it")
    func terminated() throws {
        let harness = try deployed(
            "start -> s -> end; out -> d -> end2",
            [
                Model.sub("s", "start1 -> and1 -> a -> ior1 -> end1; and1 -> b -> ior1"),
                Model.boundary("out", on: "s", Model.onSignal("sig")),
            ])
        try harness.start()
        try harness.complete("a")
        try harness.broadcast("sig")
        #expect(harness.live == ["d"])
    }
}
