import Engine
import ProcessModel
import Storage
import Testing
import Values

@testable import Runtime

/// Signals, conditional starts and ad-hoc sub-processes asked for from outside.
@Suite struct SignalTests {
    private static let catching =
        Model.single(
            "waits",
            """
            <bpmn:intermediateCatchEvent id="task"><bpmn:signalEventDefinition signalRef="s"/></bpmn:intermediateCatchEvent>
            """) + #"<bpmn:signal id="s" name="go"/>"#

    @Test func aSignalReachesInstancesOfAllPartitions() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Self.catching)
        for _ in 0..<8 { _ = try await harness.start("waits") }
        #expect(Set(try await harness.read { try $0.processInstances(Query()).items }.map { $0.record.key }).count == 8)
        let key = try await harness.runtime.broadcastSignal(
            name: "go", variables: Array(#"{"x":1}"#.utf8), actor: "ada")
        #expect(key.rawValue > 0)
        try await harness.eventually("all ended") { harness.runtime.status().completedInstances == 8 }
        let audit = try await harness.read { try $0.audit(Query()).items }
        #expect(audit.contains { $0.action == "broadcast-signal" && $0.detail == "go" })
        let wrong = await #expect(throws: CommandRejection.self) {
            try await harness.runtime.broadcastSignal(name: "go", variables: [1], actor: "")
        }
        #expect(wrong?.code == .invalidArgument)
    }

    @Test func conditionsStartWhatHolds() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let model = Model.process(
            "big",
            """
            <bpmn:startEvent id="start"><bpmn:conditionalEventDefinition><bpmn:condition>=amount &gt; 100\
            </bpmn:condition></bpmn:conditionalEventDefinition></bpmn:startEvent>\
            \(Model.userTask())<bpmn:endEvent id="end"/>\(Model.flow("start", "task"))\(Model.flow("task", "end"))
            """)
        let definition = try #require(try await harness.deploy(model).first)
        for (key, amount, count) in [(nil, 200, 1), (definition.key, 200, 1), (definition.key, 2, 0)] {
            let started = try await harness.runtime.evaluateConditions(
                EvaluateConditionsRequest(
                    definition: key, variables: Array("{\"amount\":\(amount)}".utf8), actor: "ada"))
            #expect(started.map(\.definition.process.id) == Array(repeating: "big", count: count))
        }
        let error = await #expect(throws: CommandRejection.self) {
            try await harness.runtime.evaluateConditions(
                EvaluateConditionsRequest(definition: Key(rawValue: 1), actor: ""))
        }
        #expect(error?.code == .notFound)
    }

    @Test func activitiesOfAnAdHocSubProcessAreStarted() async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(
            Model.single(
                "free",
                """
                <bpmn:adHocSubProcess id="task"><bpmn:extensionElements>\
                <zeebe:adHoc activeElementsCollection="=[]"/></bpmn:extensionElements>\
                \(Model.job("a", type: "work"))\(Model.job("b", type: "work"))\
                <bpmn:completionCondition>=done = true</bpmn:completionCondition></bpmn:adHocSubProcess>
                """))
        let started = try await harness.start("free")
        let scope = try #require(try await harness.path(started.key).first { $0.endedAt == nil }).key
        try await harness.runtime.settle()
        harness = try harness.restarted()
        try await harness.runtime.activateAdHoc(
            ActivateAdHocRequest(key: scope, activities: [("b", Array(#"{"x":1}"#.utf8))], actor: "ada"))
        let job = try #require(try await harness.activate().first)
        #expect(job.element.id == "b")
        try await harness.runtime.completeJob(key: job.key, variables: Array(#"{"done":true}"#.utf8))
        #expect(harness.runtime.status().liveInstances == 0)
        let late = await #expect(throws: CommandRejection.self) {
            try await harness.runtime.activateAdHoc(ActivateAdHocRequest(key: scope, activities: [], actor: ""))
        }
        #expect(late?.code == .notFound)
    }
}
