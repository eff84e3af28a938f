import Testing
import Values

@testable import Engine

/// Ad-hoc sub-processes (BPMN 2.0.2 clause 13.3.5).
@Suite("Ad-hoc sub-processes")
struct AdHocTests {
    private func deployed(
        _ flows: String = "a; b -> m1; c", nodes: [String] = [], sequential: Bool = false,
        until condition: String? = nil,
        cancelsRemaining: Bool = true, active: String? = nil, outside: [String] = []
    ) throws -> EngineHarness {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> z -> end",
                nodes: [
                    Model.adHoc(
                        "s", flows, nodes: nodes, sequential: sequential, until: condition,
                        cancelsRemaining: cancelsRemaining, active: active)
                ] + outside))
        return harness
    }

    @Test("parallel: all activities without incoming flow begin, the sub-process ends with the last")
    func parallel() throws {
        let harness = try deployed()
        try harness.start()
        #expect(harness.live == ["a", "b", "c", "s"])
        for activity in ["b", "c"] { try harness.complete(activity) }
        #expect(harness.live == ["a", "s"])
        try harness.complete("a")
        #expect(harness.live == ["z"])
    }

    @Test("sequential: one after the other, in document order, with what follows each")
    func sequential() throws {
        let harness = try deployed("a; b -> d; c", sequential: true)
        try harness.start()
        for activity in ["a", "b", "d", "c"] {
            #expect(harness.live == [activity, "s"].sorted())
            try harness.complete(activity)
            harness.checkpointAll()
        }
        #expect(harness.live == ["z"])
    }

    @Test("the completion condition ends it and what still runs, or only what has not begun", arguments: [true, false])
    func condition(cancelsRemaining: Bool) throws {
        let harness = try deployed(until: "=x > 1", cancelsRemaining: cancelsRemaining)
        try harness.start()
        try harness.complete("a", #"{"x":1}"#)
        #expect(harness.live == ["b", "c", "s"])
        try harness.complete("b", #"{"x":2}"#)
        guard !cancelsRemaining else {
            #expect(harness.live == ["z"])
            return
        }
        #expect(harness.live == ["c", "s"])
        try harness.complete("c", #"{"x":0}"#)
        #expect(harness.live == ["z"])
    }

    @Test("sequential: once the condition holds no other activity begins")
    func sequentialCondition() throws {
        let harness = try deployed(sequential: true, until: "=x > 1", cancelsRemaining: false)
        try harness.start()
        try harness.complete("a", #"{"x":2}"#)
        #expect(harness.live == ["z"])
    }

    @Test("a condition that cannot be evaluated is an incident; resolving it asks again")
    func failedCondition() throws {
        let harness = try deployed(until: "=x > 1")
        let key = try harness.start()
        try harness.complete("a")
        #expect(harness.incidents.map(\.element) == ["s"] && harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        #expect(harness.live == ["b", "c", "s"])
        try harness.resolve()
        #expect(harness.incidents.map(\.element) == ["s"])
        try harness.set(#"{"x":2}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["z"])
    }

    @Test("what still runs when an incident of the condition is resolved is waited for")
    func conditionHeldMeanwhile() throws {
        let harness = try deployed(until: "=x > 1", cancelsRemaining: false)
        let key = try harness.start()
        try harness.complete("a")
        try harness.complete("b", #"{"x":2}"#)
        try harness.resolve()
        #expect(harness.live == ["c", "s"])
        try harness.complete("c")
        try harness.complete("z")
        #expect(harness.outcome(key) == "completed")
        #expect(harness.leftovers == [0, 0, 0, 0, 0])
    }

    @Test("a list of ids says which activities are performed; another id is an incident")
    func activeElements() throws {
        let harness = try deployed(active: "=list")
        try harness.start("p", #"{"list":["c","a"]}"#)
        #expect(harness.live == ["a", "c", "s"])
        for activity in ["a", "c"] { try harness.complete(activity) }
        #expect(harness.live == ["z"])
        try harness.complete("z")
        let key = try harness.start("p", #"{"list":["m1"]}"#)
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"list":[]}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["z"])
    }

    @Test("an interrupting boundary event ends it with what it has not begun yet")
    func interrupted() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end; b1 -> z -> end2",
                nodes: [
                    Model.adHoc("s", "a; b", sequential: true),
                    Model.boundary("b1", on: "s", Model.onSignal("sig")),
                ], root: [Model.signal("sig")]))
        try harness.start()
        try harness.broadcast("sig")
        #expect(harness.live == ["z"])
    }

    @Test(
        "an interrupting event sub-process takes the place of what runs and of what has not begun",
        arguments: [true, false])
    func handled(sequential: Bool) throws {
        for condition in [nil, "=false", "=undefined > 1"] {
            let handler = Model.handler("h", on: Model.onSignal("sig"), "startH -> c -> endH")
            let harness = EngineHarness()
            try harness.deploy(
                Model.process(
                    "start -> s -> z -> end",
                    nodes: [Model.adHoc("s", "a; b", nodes: [handler], sequential: sequential, until: condition)],
                    root: [Model.signal("sig")]))
            try harness.start()
            try harness.broadcast("sig")
            #expect(harness.live == ["c", "h", "s"])
            harness.checkpointAll()
            try harness.complete("c")
            #expect(harness.live == ["z"])
        }
    }

    @Test("one that does not interrupt runs beside; the sub-process ends after it")
    func handledBeside() throws {
        let handler = Model.handler("h", on: Model.onSignal("sig"), interrupting: false, "startH -> c -> endH")
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> z -> end", nodes: [Model.adHoc("s", "a; b", nodes: [handler])],
                root: [Model.signal("sig")]))
        try harness.start()
        try harness.broadcast("sig")
        for activity in ["a", "b"] { try harness.complete(activity) }
        #expect(harness.live == ["c", "h", "s"])
        try harness.complete("c")
        #expect(harness.live == ["z"])
    }

    @Test("activities that end at once count too")
    func passing() throws {
        let harness = try deployed("m1; m2; a", sequential: true, until: "=false")
        try harness.start()
        #expect(harness.live == ["a", "s"])
    }

    @Test("an activity may be performed thousands of times, one after the other")
    func many() throws {
        let harness = try deployed("m1; a", sequential: true, active: "=for i in 1..5000 return \"m1\"")
        harness.checks = false
        harness.recordsEvents = true
        try harness.start()
        #expect(harness.live == ["z"])
        #expect(harness.performed.filter { $0 == "m1" }.count == 5_000)
    }
}
