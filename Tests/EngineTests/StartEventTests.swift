import Testing
import Values

@testable import Engine

/// How processes begin other than by a none start event (BPMN 2.0.2 clauses 10.5.2, 13.2 and 13.5.1).
@Suite("Beginnings")
struct StartEventTests {
    private static let root = [
        Model.signal("sig"), Model.message("go", key: nil), Model.message("more", key: nil), Model.message("msg"),
    ]

    private func deployed(_ flows: String, _ nodes: [String], id: String = "p", partitions: Int = 2) throws
        -> EngineHarness
    {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, id: id, nodes: nodes, root: Self.root))
        return harness
    }

    @Test("a signal begins one instance of the newest version of every process that starts with it")
    func signal() throws {
        let harness = try deployed("start -> a -> end", [Model.start("start", Model.onSignal("sig"))])
        try harness.deploy(
            Model.process(
                "start -> b -> end", id: "q", nodes: [Model.start("start", Model.onSignal("sig"))], root: Self.root))
        try harness.deploy(
            Model.process(
                "start -> c -> end", nodes: [Model.start("start", Model.onSignal("sig"))], root: Self.root))
        try harness.broadcast("sig", #"{"x":1}"#, in: 1)
        #expect(harness.live == ["b", "c"])
        #expect(harness.instances.allSatisfy { $0.variables.map(\.name) == ["x"] })
    }

    @Test("a thrown signal begins processes too")
    func thrownSignal() throws {
        let harness = try deployed("start -> a -> end", [Model.start("start", Model.onSignal("sig"))])
        try harness.deploy(
            Model.process(
                "start -> t -> end", id: "q", nodes: [Model.throwing("t", Model.onSignal("sig"))], root: Self.root))
        let key = try harness.start("q")
        #expect(harness.outcome(key) == "completed" && harness.live == ["a"])
    }

    @Test("any of a multiple start event's definitions begins an instance")
    func multiple() throws {
        let harness = try deployed(
            "start -> a -> end",
            [Model.start("start", Model.onSignal("sig") + Model.onMessage("go") + Model.timer("timeCycle", "R1/PT1M"))])
        try harness.broadcast("sig")
        try harness.publish("go", "")
        harness.advance(seconds: 60)
        #expect(harness.live == ["a", "a", "a"])
    }

    @Test("a parallel multiple start event begins with one and waits for the others", arguments: [true, false])
    func parallelMultiple(messageFirst: Bool) throws {
        let harness = try deployed(
            "start -> a -> end", [Model.parallel(Model.start("start", Model.onSignal("sig") + Model.onMessage("go")))])
        func occur(_ isMessage: Bool) throws {
            if isMessage {
                try harness.publish("go", "", #"{"m":1}"#)
            } else {
                try harness.broadcast("sig", #"{"s":1}"#)
            }
        }
        try occur(messageFirst)
        #expect(harness.live == ["start"])
        let first = try #require(harness.instances.first).key
        harness.checkpointAll()
        try occur(!messageFirst)
        let job = try #require(harness.jobs.first)
        #expect(job.instance == first)
        #expect(Set(harness.instances.first { $0.key == first }?.variables.map(\.name) ?? []) == ["m", "s"])
    }

    @Test("an instantiating receive task begins an instance, with or without a start event before it")
    func receiveTask() throws {
        let task = Model.with("instantiate=\"true\"", Model.receive("r", "go"))
        for flows in ["r -> a -> end", "start -> r -> a -> end"] {
            let harness = try deployed(flows, [task])
            try harness.publish("go", "", #"{"x":1}"#)
            #expect(harness.live == ["a"])
            #expect(harness.variables(harness.instances[0].key) == #"{"x":1}"#)
            try harness.complete("a")
            #expect(harness.instances.isEmpty)
        }
    }

    @Test("without start events tokens begin wherever nothing leads to")
    func implicit() throws {
        let harness = try deployed("a -> and1 -> end; m1 -> b -> and1; u", [Model.user("u")])
        let key = try harness.start()
        #expect(harness.live == ["a", "b", "u"])
        for activity in ["a", "b"] { try harness.complete(activity) }
        #expect(harness.outcome(key) == "live")
        try harness.completeTask("u")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an implicit start that ends at once does not end the process before the others begin")
    func implicitAndQuick() throws {
        let harness = try deployed("m1; a", [])
        let key = try harness.start()
        #expect(harness.live == ["a"])
        try harness.complete("a")
        #expect(harness.outcome(key) == "completed")
    }

    @Test(
        "sub-processes begin without start event too; compensation handlers and event sub-processes are no beginnings")
    func implicitInside() throws {
        let handler = Model.handler("h", on: Model.onSignal("sig"), "startH -> m9 -> endH")
        let harness = try deployed(
            "start -> s -> end",
            [Model.sub("s", "a; b -> m1", nodes: Model.undo("a", by: "aX") + [Model.task("a"), handler])])
        try harness.start()
        #expect(harness.live == ["a", "b", "s"])
    }

    @Test("a process without start event can be called")
    func calledImplicit() throws {
        let harness = try deployed("a -> end", [], id: "q")
        try harness.deploy(Model.process("start -> c -> d -> end", nodes: [Model.call("c", "q")]))
        try harness.start()
        #expect(harness.live == ["a", "c"])
        try harness.complete("a")
        #expect(harness.live == ["d"])
    }

    @Test("processes that call each other in a circle at once end in an incident")
    func circle() throws {
        let harness = try deployed("c", [Model.call("c", "q")])
        harness.checks = false
        try harness.deploy(Model.process("c", id: "q", nodes: [Model.call("c", "p")]))
        let key = try harness.start()
        #expect(harness.incidents.map(\.type) == ["CALLED_ELEMENT_ERROR"])
        harness.send(.cancelInstance(key: key))
        #expect(harness.instances.isEmpty)
    }
}
