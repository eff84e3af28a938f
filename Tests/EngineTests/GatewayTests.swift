import Testing

@testable import Engine

@Suite("Sequence and gateways")
struct GatewayTests {
    @Test("a sequence passes its tasks in order and ends with its variables")
    func sequence() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> m -> b -> end"))
        let key = try harness.start("p", #"{"x":1}"#)
        #expect(harness.live == ["a"])
        try harness.complete("a", #"{"y":2}"#)
        #expect(harness.live == ["b"])
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"x":1,"y":2}"#)
    }

    @Test("a process without a wait state ends within its start")
    func straightThrough() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> m -> end"))
        #expect(harness.outcome(try harness.start()) == "completed")
        #expect(harness.instances.isEmpty)
    }

    @Test(
        "an exclusive gateway takes the first flow whose condition holds",
        arguments: [
            (#"{"x":1}"#, "a"), (#"{"x":2}"#, "b"), (#"{"x":12}"#, "b"), (#"{"x":3}"#, "c"), (#"{"x":-4.5}"#, "c"),
        ])
    func exclusive(_ variables: String, _ chosen: String) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> xor; xor -> [default] c -> end1; xor -> [=x = 1] a -> end2; xor -> [=x = 2 or x > 10] b -> end3"
            ))
        let key = try harness.start("p", variables)
        #expect(harness.live == [chosen])
        try harness.complete(chosen)
        #expect(harness.outcome(key) == "completed")
    }

    @Test(
        "a gateway that cannot choose raises an incident, and resolving it chooses again",
        arguments: [
            ("no condition holds", #"{"x":5}"#), ("the variable is missing", "{}"),
            ("the condition is no boolean", #"{"x":"text"}"#),
        ])
    func undecided(_ why: String, _ variables: String) throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> xor; xor -> [=x < 3] a -> end1; xor -> [=x > 30] b -> end2"))
        let key = try harness.start("p", variables)
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        #expect(harness.live == ["xor"])
        try harness.resolve()
        #expect(harness.incidents.count == 1, "still undecided because \(why)")
        try harness.set(#"{"x":1}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["a"])
        #expect(harness.incidents.isEmpty)
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an incident of a condition names flow, expression and variables")
    func conditionMessage() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> xor; xor -> [=amount > 3] a -> end1; xor -> [default] b -> end2"))
        try harness.start()
        let message = try #require(harness.incidents.first?.message)
        #expect(message.contains("`amount > 3`") && message.contains("xor_a") && message.contains("(amount)"))
    }

    @Test("a parallel join waits for one token of each flow", arguments: [["a", "b"], ["b", "a"]])
    func parallel(_ order: [String]) throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> and1 -> a -> and2 -> c -> end; and1 -> b -> and2"))
        let key = try harness.start()
        #expect(harness.live == ["a", "b"])
        try harness.complete(order[0])
        #expect(harness.live == [order[1]])
        try harness.complete(order[1])
        #expect(harness.live == ["c"])
        try harness.complete("c")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an unbalanced join keeps its instance until somebody cancels it")
    func unbalanced() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> xor; xor -> [=true] and -> end; xor -> [default] b -> and"))
        let key = try harness.start()
        #expect(harness.live == [])
        #expect(harness.outcome(key) == "live")
        harness.checkpointAll()
        #expect(harness.send(.cancelInstance(key: key)).isDone)
        #expect(harness.outcome(key) == "terminated")
    }

    @Test("tokens of one flow queue at a join and each pairs with one of the other flow")
    func queuedTokens() throws {
        let harness = EngineHarness()
        // Two tokens reach the join over the flow from `xor`, then two over the flow from `c`.
        try harness.deploy(
            Model.process(
                """
                start -> and1 -> a -> xor -> and2 -> d -> end1
                and1 -> b -> xor
                and1 -> and3 -> c1 -> xor2 -> and2
                and3 -> c2 -> xor2
                """))
        let key = try harness.start()
        for element in ["a", "b"] { try harness.complete(element) }
        #expect(harness.live == ["c1", "c2"])
        harness.checkpointAll()
        try harness.complete("c1")
        #expect(harness.live == ["c2", "d"])
        try harness.complete("c2")
        #expect(harness.live == ["d", "d"])
        for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a loop can pass through a split and its join again")
    func loopThroughJoin() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                """
                start -> xor1 -> and1 -> a -> and2 -> xor2
                and1 -> b -> and2
                xor2 -> [=n < 3] xor1
                xor2 -> [default] end
                """))
        let key = try harness.start("p", #"{"n":0}"#)
        for round in 1...3 {
            try harness.complete("b", #"{"n":\#(round)}"#)
            try harness.complete("a")
        }
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an activity's flows are taken when their conditions hold: several, one, or the default")
    func conditionalFlows() throws {
        for (x, expected) in [(1, ["b", "c"]), (2, ["c"]), (9, ["d"])] {
            let harness = EngineHarness()
            try harness.deploy(
                Model.process(
                    "start -> a; a -> [=x = 1] b -> end1; a -> [=x < 3] c -> end2; a -> [default] d -> end3"))
            let key = try harness.start()
            try harness.complete("a", #"{"x":\#(x)}"#)
            #expect(harness.live == expected)
            for element in expected { try harness.complete(element) }
            #expect(harness.outcome(key) == "completed")
        }
    }

    @Test("several unconditional flows of a task split the token")
    func implicitSplit() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> m -> a -> end1; m -> b -> end2"))
        let key = try harness.start()
        #expect(harness.live == ["a", "b"])
        try harness.complete("a")
        #expect(harness.outcome(key) == "live")
        try harness.complete("b")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a task whose flows all refuse the token waits in an incident with its work done once")
    func refusedByAllFlows() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a; a -> [=ok] b -> end"))
        let key = try harness.start()
        try harness.complete("a", #"{"ok":false}"#)
        #expect(harness.incidents.map(\.element) == ["a"])
        #expect(harness.jobs.isEmpty)
        harness.checkpointAll()
        try harness.set(#"{"ok":true}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["b"])
    }

    @Test("a process that loops without a wait state gets an incident instead of the partition's time")
    func endlessLoop() throws {
        let harness = EngineHarness()
        harness.checks = false
        try harness.deploy(Model.process("start -> xor1 -> xor2; xor2 -> [=not(stop)] xor1; xor2 -> [default] end"))
        let key = try harness.start("p", #"{"stop":false}"#)
        #expect(harness.incidents.map(\.type) == ["LOOP_LIMIT"])
        #expect(harness.live.count == 1)
        harness.checks = true
        try harness.set(#"{"stop":true}"#, of: key)
        try harness.resolve()
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a large fan-out is no endless loop")
    func fanOut() throws {
        let harness = EngineHarness()
        harness.checks = false
        let rounds = 250
        try harness.deploy(
            Model.process(
                "start -> s -> a -> end",
                nodes: [
                    Model.sub(
                        "s", "start1 -> s1 -> xor1 -> s2 -> xor2 -> [=n < \(rounds)] xor1; xor2 -> [default] end1",
                        nodes: [Model.script("s1", "=0", to: "n"), Model.script("s2", "=n + 1", to: "n")],
                        io: Model.io([("=0", "n")]), loop: Model.loop(times: "=140"))
                ]))
        // Each instance loops a while: more than 100,000 steps together, but none of them comes round too often.
        try harness.start()
        #expect(harness.incidents.isEmpty)
        #expect(harness.live == ["a"])
    }
}
