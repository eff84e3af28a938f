import Testing
import Values

@testable import Engine

/// Behaviours of multi-instance activities (BPMN 2.0.2 clause 10.3.8; ADR-0019; WCP-9, WCP-12).
@Suite("Multi-instance behaviours")
struct BehaviorTests {
    private static let root = [
        Model.escalation("X1"), Model.signal("sig"), Model.message("msg"), Model.error("err", "E1"),
        "<escalationEventDefinition id=\"dX1\" escalationRef=\"X1\"/>",
        "<signalEventDefinition id=\"dSig\" signalRef=\"sig\"/>",
        "<messageEventDefinition id=\"dMsg\" messageRef=\"msg\"/>",
        "<errorEventDefinition id=\"dErr\" errorRef=\"err\"/>",
    ]

    private func deployed(
        _ attributes: String, behaviors: String = "", sequential: Bool = false,
        boundary: String? = Model.onEscalation("X1"),
        interrupting: Bool = true
    ) throws -> EngineHarness {
        let harness = EngineHarness()
        let loop = Model.loop(times: "=3", sequential: sequential)
            .replacingFirst(" isSequential", with: " \(attributes) isSequential")
            .replacingFirst("</multiInstance", with: "\(behaviors)</multiInstance")
        let events = boundary.map { [Model.boundary("b", on: "a", $0, interrupting: interrupting)] } ?? []
        try harness.deploy(
            Model.process(
                "start -> a -> d -> end" + (boundary == nil ? "" : "; b -> h -> end2"),
                nodes: [Model.task("a", loop: loop)] + events, root: Self.root))
        return harness
    }

    private func completeOne(_ harness: EngineHarness) throws {
        let job = try #require(harness.jobs.first { $0.element == "a" })
        harness.send(.completeJob(key: job.key, variables: .empty))
    }

    /// How many handlers run after each of the three instances.
    private func handlers(_ harness: EngineHarness) throws -> [Int] {
        try harness.start("p", #"{"key":"k"}"#)
        return try (0..<3).map { _ in
            try completeOne(harness)
            return harness.live.filter { $0 == "h" }.count
        }
    }

    @Test(
        "one throws at the first instance, none at each; the boundary event handles it beside the activity",
        arguments: [
            ("One", "dX1", Model.onEscalation("X1"), [1, 1, 1]), ("None", "dX1", Model.onEscalation("X1"), [1, 2, 3]),
            ("One", "dSig", Model.onSignal("sig"), [1, 1, 1]), ("None", "dSig", Model.onSignal("sig"), [1, 2, 3]),
            ("None", "dMsg", Model.onMessage("msg"), [1, 2, 3]), ("One", "dErr", Model.onError("err"), [1, 1, 1]),
        ])
    func simple(_ behavior: String, _ event: String, _ boundary: String, _ expected: [Int]) throws {
        for sequential in [true, false] {
            let harness = try deployed(
                "behavior=\"\(behavior)\" \(behavior.lowercased())BehaviorEventRef=\"\(event)\"",
                sequential: sequential,
                boundary: boundary)
            #expect(try handlers(harness) == expected)
            #expect(harness.live == ["d"] + Array(repeating: "h", count: expected[2]))
            for job in harness.jobs { harness.send(.completeJob(key: job.key, variables: .empty)) }
            #expect(harness.instances.isEmpty)
        }
    }

    @Test("what no boundary event of the activity catches is thrown outwards, or to everybody")
    func uncaught() throws {
        let harness = try deployed("behavior=\"One\" oneBehaviorEventRef=\"dSig\"", boundary: nil)
        try harness.deploy(
            Model.process(
                "start -> c -> w -> end", id: "q", nodes: [Model.catching("c", Model.onSignal("sig"))], root: Self.root)
        )
        try harness.start("q")
        try harness.start()
        try completeOne(harness)
        #expect(harness.live == ["a", "a", "a", "w"])
    }

    @Test("an error nobody catches is an incident of the activity; resolving it goes on with the other instances")
    func uncaughtError() throws {
        let harness = try deployed("behavior=\"One\" oneBehaviorEventRef=\"dErr\"", boundary: nil)
        let key = try harness.start()
        try completeOne(harness)
        #expect(harness.incidents.map(\.type) == ["UNHANDLED_ERROR_EVENT"])
        try harness.resolve()
        #expect(harness.live == ["a", "a", "a"])
        try completeOne(harness)
        try completeOne(harness)
        #expect(harness.live == ["d"])
        try harness.complete("d")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("a complex behaviour ends the remaining instances when a condition holds, and throws its event")
    func complex() throws {
        let definition = """
            <complexBehaviorDefinition><condition>=numberOfCompletedInstances = 2</condition>\
            <event id="e"><escalationEventDefinition escalationRef="X1"/></event></complexBehaviorDefinition>
            """
        let harness = try deployed("behavior=\"Complex\"", behaviors: definition)
        let key = try harness.start()
        try completeOne(harness)
        #expect(harness.live == ["a", "a", "a"])
        try completeOne(harness)
        #expect(harness.live == ["d", "h"])
        try harness.complete("d")
        try harness.complete("h")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("all throws nothing")
    func all() throws {
        #expect(try handlers(deployed("behavior=\"All\"")) == [0, 0, 0])
    }
}
