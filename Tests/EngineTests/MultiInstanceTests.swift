import Testing
import Values

@testable import Engine

@Suite("Multi-instance activities")
struct MultiInstanceTests {
    private func harness(_ loop: String, io: String = "", extra: [String] = []) throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> a -> b -> end", nodes: [Model.task("a", io: io, loop: loop)] + extra))
        return harness
    }

    private func finish(_ harness: EngineHarness, _ position: Int = 0, _ variables: String = "{}") throws {
        let jobs = harness.jobs.filter { $0.element == "a" }
        try #require(position < jobs.count)
        #expect(harness.send(.completeJob(key: jobs[position].key, variables: try document(variables))).isDone)
    }

    @Test("parallel instances run at once and their outputs keep the order of the items")
    func parallel() throws {
        let harness = try harness(
            Model.loop(over: "=items", as: "item", output: ("results", "=item * 10 + loopCounter")))
        let key = try harness.start("p", #"{"items":[5,6,7]}"#)
        #expect(harness.live == ["a", "a", "a", "a"])
        for position in [2, 0, 0] { try finish(harness, position) }
        #expect(harness.live == ["b"])
        #expect(harness.variables(key) == #"{"items":[5,6,7],"results":[51,62,73]}"#)
    }

    @Test("sequential instances run one after the other")
    func sequential() throws {
        let harness = try harness(
            Model.loop(over: "=items", as: "item", sequential: true, output: ("results", "=item + x")),
            io: Model.io([("=0", "x")]))
        let key = try harness.start("p", #"{"items":[5,6,7]}"#)
        for x in 1...3 {
            #expect(harness.jobs.count == 1)
            if x == 2 {
                harness.checkpointAll()
                harness.crash(0)
            }
            try finish(harness, 0, #"{"x":\#(x)}"#)
        }
        #expect(harness.live == ["b"])
        #expect(harness.variables(key) == #"{"items":[5,6,7],"results":[6,8,10]}"#)
    }

    @Test("a cardinality counts instances, and their counters are visible")
    func cardinality() throws {
        let harness = try harness(
            Model.loop(times: "=n"),
            io: Model.io([
                ("=loopCounter", "c"), ("=numberOfInstances", "n1"), ("=numberOfActiveInstances", "n2"),
                ("=numberOfCompletedInstances", "n3"), ("=numberOfTerminatedInstances", "n4"),
            ]))
        try harness.start("p", #"{"n":2}"#)
        let jobs = harness.take("a")
        #expect(
            jobs.map { String(decoding: $0.variables, as: UTF8.self) } == [
                #"{"c":1,"n1":2,"n2":1,"n3":0,"n4":0,"n":2}"#, #"{"c":2,"n1":2,"n2":2,"n3":0,"n4":0,"n":2}"#,
            ])
    }

    @Test("no items pass at once", arguments: [true, false])
    func empty(_ sequential: Bool) throws {
        let harness = try harness(
            Model.loop(over: "=[]", as: "i", sequential: sequential, output: ("results", "=i")))
        let key = try harness.start()
        #expect(harness.live == ["b"])
        #expect(harness.variables(key) == #"{"results":[]}"#)
    }

    @Test(
        "items that are no list are an incident",
        arguments: [
            (Model.loop(over: "=x", as: "i"), "a list"), (Model.loop(times: "=x"), "a whole number"),
            (Model.loop(times: "=x"), "at most 1000000"),
        ])
    func wrong(_ loop: String, _ expected: String) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> b -> end; t -> end2",
                nodes: [Model.task("a", loop: loop), Model.boundary("t", on: "a", Model.duration("PT1H"))]))
        let key = try harness.start("p", expected.hasPrefix("at") ? #"{"x":1000001}"# : #"{"x":-1.5}"#)
        #expect(harness.incidents.first?.message.contains(expected) == true)
        #expect(harness.partitions[0].engine.openTimerCount == 0)
        try harness.set(loop.contains("inputCollection") ? #"{"x":[1]}"# : #"{"x":1}"#, of: key)
        try harness.resolve()
        try finish(harness)
        #expect(harness.live == ["b"])
    }

    @Test("a completion condition ends the instances that are left", arguments: [true, false])
    func completion(_ sequential: Bool) throws {
        let harness = try harness(
            Model.loop(
                over: "=[1,2,3]", as: "i", sequential: sequential, output: ("results", "=i"),
                until: "=numberOfCompletedInstances = 2"))
        let key = try harness.start()
        try finish(harness, sequential ? 0 : 2)
        #expect(harness.live.contains("a"))
        try finish(harness)
        #expect(harness.live == ["b"])
        #expect(harness.variables(key) == (sequential ? #"{"results":[1,2,null]}"# : #"{"results":[1,null,3]}"#))
    }

    @Test("a completion condition that is no boolean is an incident; resolving goes on", arguments: [true, false])
    func badCondition(_ sequential: Bool) throws {
        let harness = try harness(Model.loop(times: "=3", sequential: sequential, until: "=done"))
        let key = try harness.start()
        try finish(harness)
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        if !sequential { try finish(harness) }
        #expect(harness.incidents.count == 1)
        try harness.resolve()
        #expect(harness.incidents.count == 1)
        harness.checkpointAll()
        try harness.set(#"{"done":false}"#, of: key)
        try harness.resolve()
        #expect(harness.jobs.count == 1)
        try finish(harness)
        if sequential { try finish(harness) }
        #expect(harness.live == ["b"])
    }

    @Test("when every instance is done, an incident of the condition no longer holds the body")
    func badConditionAtTheEnd() throws {
        let harness = try harness(Model.loop(times: "=2", until: "=done"))
        let key = try harness.start()
        try finish(harness)
        try finish(harness)
        #expect(harness.incidents.count == 1 && harness.jobs.isEmpty)
        try harness.set(#"{"done":false}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["b"])
    }

    @Test("a body whose condition held but that cannot be left is left when resolved", arguments: [true, false])
    func failsLeaving(_ sequential: Bool) throws {
        let harness = EngineHarness()
        // The condition holds only while an instance is left over, so asking again after the end would not.
        try harness.deploy(
            Model.process(
                "start -> a; a -> [=ok] b -> end",
                nodes: [
                    Model.task(
                        "a",
                        loop: Model.loop(
                            times: "=3", sequential: sequential,
                            until: sequential ? "=numberOfCompletedInstances = 1" : "=numberOfActiveInstances = 1"))
                ]))
        let key = try harness.start()
        try finish(harness)
        if !sequential { try finish(harness) }
        #expect(harness.incidents.map(\.element) == ["a"])
        #expect(harness.jobs.isEmpty)
        harness.checkpointAll()
        try harness.set(#"{"ok":true}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["b"])
    }

    @Test("a boundary event belongs to the body and ends all its instances")
    func boundary() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> end; t -> after -> end2",
                nodes: [
                    Model.sub("a", "start1 -> x -> end1", loop: Model.loop(times: "=3")),
                    Model.boundary("t", on: "a", Model.duration("PT1M")),
                ]))
        try harness.start()
        #expect(harness.partitions[0].engine.openTimerCount == 1)
        harness.checkpointAll()
        harness.advance(seconds: 60)
        #expect(harness.live == ["after"])
    }

    @Test("loops nest, over sub-processes and calls")
    func nested() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> outer -> end",
                nodes: [
                    Model.sub(
                        "outer", "start1 -> c -> end1",
                        nodes: [
                            Model.call(
                                "c", "q", attributes: "propagateAllChildVariables=\"false\"",
                                loop: Model.loop(
                                    over: "=row", as: "cell", sequential: true, output: ("cells", "=cell * 2")))
                        ], io: Model.io([("=[]", "cells")]),
                        loop: Model.loop(over: "=rows", as: "row", output: ("all", "=cells")))
                ]))
        let key = try harness.start("p", #"{"rows":[[1,2],[3]]}"#)
        while let job = harness.jobs.first {
            harness.send(.completeJob(key: job.key, variables: .empty))
            harness.checkpointAll()
        }
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"rows":[[1,2],[3]],"all":[[2,4],[6]]}"#)
    }

    @Test("scripts, receive tasks and user tasks repeat too")
    func otherActivities() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> u -> r -> end",
                nodes: [
                    Model.script(
                        "s", "=i * i", to: "square", io: Model.io([("=0", "square")]),
                        loop: Model.loop(over: "=[1,2,3]", as: "i", output: ("squares", "=square"))),
                    Model.user("u", loop: Model.loop(times: "=2", sequential: true)),
                    Model.receive("r", "msg", loop: Model.loop(over: "=[\"x\",\"y\"]", as: "key")),
                ], root: [Model.message("msg")]))
        let key = try harness.start()
        #expect(harness.variables(key) == #"{"squares":[1,4,9]}"#)
        try harness.completeTask("u")
        try harness.completeTask("u")
        try harness.publish("msg", "y")
        try harness.publish("msg", "x")
        #expect(harness.outcome(key) == "completed")
    }
}
