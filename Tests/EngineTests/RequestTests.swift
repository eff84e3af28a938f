import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Starts by condition, activities of ad-hoc sub-processes, profiles")
struct RequestTests {
    private static func conditional(_ id: String, _ condition: String) -> String {
        Model.process(
            "s -> a -> end", id: id,
            nodes: [
                Model.start(
                    "s",
                    "<conditionalEventDefinition><condition>\(condition)</condition></conditionalEventDefinition>")
            ])
    }

    @Test("variables start the processes whose condition holds for them")
    func conditions() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.conditional("big", "=amount &gt; 100"))
        try harness.deploy(Self.conditional("any", "=amount &gt; 0"))
        try harness.deploy(Self.conditional("broken", "=nothing.there"))
        try harness.deploy(Model.process("start -> b -> end", id: "plain"))
        for (amount, expected) in [(500, ["any", "big"]), (5, ["any"]), (-1, [])] {
            let reply = harness.send(
                .startByConditions(harness.registry.newest, variables: try document("{\"amount\":\(amount)}")))
            guard case .started(let started) = reply else {
                Issue.record("\(reply)")
                return
            }
            let ids = started.compactMap { harness.registry.definition(key: Key(rawValue: $0.definition))?.process.id }
            #expect(ids == expected)
            for instance in started { #expect(harness.variables(instance.key) == "{\"amount\":\(amount)}") }
        }
    }

    private static func adHoc(sequential: Bool) -> String {
        let inner = ["a", "b", "c"].map { Model.task($0) }.joined()
        return Model.process(
            "start -> s -> end",
            nodes: [
                """
                <adHocSubProcess id="s" ordering="\(sequential ? "Sequential" : "Parallel")"><extensionElements>\
                <zeebe:adHoc activeElementsCollection="=[&quot;a&quot;]"/></extensionElements>\(inner)\
                <completionCondition>=done = true</completionCondition></adHocSubProcess>
                """
            ])
    }

    private func subProcess(_ harness: EngineHarness) throws -> UInt64 {
        let elements = harness.instances.flatMap { instance in
            instance.elements.filter { instance.process.nodes[Int($0.node)].id == "s" }
        }
        return try #require(elements.first?.key)
    }

    @Test("activities are started from outside while the sub-process runs", arguments: [false, true])
    func activation(sequential: Bool) throws {
        let harness = EngineHarness()
        try harness.deploy(Self.adHoc(sequential: sequential))
        let key = try harness.start("p", "{}")
        let scope = try subProcess(harness)
        harness.checkpointAll()
        harness.crash(0)
        let reply = harness.send(
            .activateAdHoc(
                key: scope,
                activities: [
                    AdHocActivation(elementID: "b", variables: try document(#"{"x":1}"#)),
                    AdHocActivation(elementID: "c"),
                ], cancelsRunning: false))
        #expect(reply.isDone, "\(reply)")
        #expect(harness.jobs.map(\.element).sorted() == (sequential ? ["a"] : ["a", "b", "c"]))
        harness.checkpointAll()
        harness.crash(0)
        for element in ["a", "b"] { try harness.complete(element) }
        #expect(harness.jobs.map(\.element) == ["c"])
        try harness.complete("c", #"{"done":true}"#)
        #expect(!harness.isLive(key))
    }

    @Test("what runs inside may be ended first")
    func cancelling() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.adHoc(sequential: false))
        try harness.start("p", "{}")
        let reply = harness.send(
            .activateAdHoc(
                key: try subProcess(harness), activities: [AdHocActivation(elementID: "c")], cancelsRunning: true))
        #expect(reply.isDone, "\(reply)")
        #expect(harness.jobs.map(\.element) == ["c"])
    }

    @Test("an activity that is not there, or a sub-process that is none, is refused")
    func refused() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.adHoc(sequential: false))
        let key = try harness.start("p", "{}")
        let scope = try subProcess(harness)
        let unknown = harness.send(
            .activateAdHoc(key: scope, activities: [AdHocActivation(elementID: "z")], cancelsRunning: true))
        #expect(unknown.rejection?.code == .invalidArgument)
        #expect(unknown.rejection?.remedy.contains("a, b, c") == true)
        #expect(harness.jobs.map(\.element) == ["a"])
        for other in [key, 1, try harness.job("a").key] {
            let reply = harness.send(.activateAdHoc(key: other, activities: [], cancelsRunning: false))
            #expect(reply.rejection?.code == .notFound)
        }
    }

    @Test(
        "the profile a document was read in is kept and makes it another version",
        arguments: [ImportProfile.lenient, .standard])
    func profiles(_ profile: ImportProfile) throws {
        let harness = EngineHarness()
        harness.recordsEvents = true
        let text = Model.process("start -> a -> end")
        try harness.deploy(text)
        let resource = Array(text.utf8)
        let processes = BPMNImporter.read(resource, file: "p", profile: profile).processes
        for round in 0..<2 {
            let reply = harness.send(
                .deploy(
                    processes.map {
                        NewProcess(process: $0, resourceName: "p", resource: resource, profile: profile)
                    }))
            guard case .deployed(_, let versions, _) = reply else {
                Issue.record("\(reply)")
                return
            }
            #expect(versions.map(\.version) == [profile == .standard ? 1 : 2], "round \(round)")
            harness.checkpointAll()
            harness.crash(0)
        }
        let kept = harness.events.compactMap { event in
            if case .processDeployed(let deployed) = event { deployed.profile } else { nil }
        }
        #expect(kept == (profile == .standard ? [.standard] : [.standard, profile]))
        #expect(harness.partitions[0].engine.deployedProcesses.map(\.profile) == kept)
    }
}
