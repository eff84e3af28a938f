import Engine
import ProcessModel
import Storage
import Testing
import Values

@testable import Runtime

/// Decisions through the runtime: deployed beside processes, evaluated, recorded, there again after a restart.
@Suite struct DecisionTests {
    /// A table `fee` over `amount`, and `total`, which needs it.
    static func fees(_ rate: String = "0.1", namespace: String = "urn:fees", imports: String = "") -> [UInt8] {
        Array(
            """
            <?xml version="1.0"?><!-- no comment <x> -->
            <dmn:definitions xmlns:dmn="https://www.omg.org/spec/DMN/20191111/MODEL/" id="fees" name="Fees" \
            namespace="\(namespace)">\(imports)<dmn:inputData id="i" name="amount"/>
            <dmn:decision id="fee" name="Fee"><dmn:informationRequirement><dmn:requiredInput href="#i"/>\
            </dmn:informationRequirement><dmn:decisionTable id="t" hitPolicy="UNIQUE"><dmn:input id="c" label="Amount">\
            <dmn:inputExpression><dmn:text>amount</dmn:text></dmn:inputExpression></dmn:input>\
            <dmn:output id="o" name="fee"/><dmn:rule id="small"><dmn:inputEntry><dmn:text>&lt; 100</dmn:text>\
            </dmn:inputEntry><dmn:outputEntry><dmn:text>5</dmn:text></dmn:outputEntry></dmn:rule><dmn:rule id="large">\
            <dmn:inputEntry><dmn:text>&gt;= 100</dmn:text></dmn:inputEntry><dmn:outputEntry>\
            <dmn:text>amount * \(rate)</dmn:text></dmn:outputEntry></dmn:rule></dmn:decisionTable></dmn:decision>
            <dmn:decision id="total" name="Total"><dmn:informationRequirement><dmn:requiredInput href="#i"/>\
            </dmn:informationRequirement><dmn:informationRequirement><dmn:requiredDecision href="#fee"/>\
            </dmn:informationRequirement><dmn:literalExpression><dmn:text>amount + Fee</dmn:text>\
            </dmn:literalExpression></dmn:decision></dmn:definitions>
            """.utf8)
    }

    private static let process = Model.document(
        Model.single(
            "order",
            """
            <bpmn:businessRuleTask id="task"><bpmn:extensionElements><zeebe:calledDecision decisionId="total" \
            bindingType="deployment" resultVariable="total"/></bpmn:extensionElements></bpmn:businessRuleTask>
            """))

    private func deploy(_ harness: RuntimeHarness, _ documents: [UInt8]...) async throws -> Deployment {
        try await harness.runtime.deploy(
            documents.enumerated().map { DeploymentResource(name: "file\($0.offset)", bytes: $0.element) },
            actor: "ada")
    }

    private func evaluations(_ harness: RuntimeHarness) async throws -> [WithDecision] {
        try await harness.read { try $0.decisionInstances(Query()).items }
    }

    @Test func documentsAreWhatTheyHoldAndADecisionBelongsToItsDeployment() async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        let deployment = try await deploy(harness, Self.process, Self.fees())
        #expect(deployment.definitions.map(\.process.id) == ["order"])
        let model = try #require(deployment.decisions.first)
        #expect((model.requirementsID, model.name, model.version) == ("fees", "Fees", 1))
        #expect(model.decisions.map(\.id) == ["fee", "total"])
        #expect(model.decisions.map(\.type) == [.decisionTable, .literalExpression])
        #expect(model.deploymentKey == deployment.key)
        _ = try await deploy(harness, Self.fees("0.5"))
        for round in 0..<2 {
            let started = try await harness.start("order", #"{"amount":200}"#, await: 10_000)
            let result = String(decoding: started.result ?? [], as: UTF8.self)
            #expect(result == #"{"amount":200,"total":220}"#, "the deployed version, not the newest; round \(round)")
            harness = try harness.restarted()
        }
        let (models, decisions) = try await harness.read { reader in
            (try reader.decisionRequirements(Query()).items, try reader.decisionDefinitions(Query()).items)
        }
        #expect(models.map(\.version) == [1, 2])
        #expect(decisions.map(\.decisionID) == ["fee", "total", "fee", "total"])
        #expect(decisions.map(\.name) == ["Fee", "Total", "Fee", "Total"])
        let again = try await deploy(harness, Self.fees("0.5"))
        #expect(again.decisions.map(\.version) == [2], "an unchanged document is no new version")
    }

    @Test func evaluationsAreRecordedForTheirInstance() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await deploy(harness, Self.fees(), Self.process)
        let started = try await harness.start("order", #"{"amount":50}"#)
        let found = try await evaluations(harness)
        #expect(found.map(\.decision?.decisionID) == ["fee", "total"])
        #expect(found.map { String(decoding: $0.record.output, as: UTF8.self) } == ["5", "55"])
        let task = try #require(try await harness.path(started.key).first { $0.node > 0 && $0.flow == 0 })
        for item in found {
            #expect(item.record.instanceKey == started.key.rawValue)
            #expect(item.record.definitionKey == started.definition.key.rawValue)
            #expect(item.record.elementInstanceKey == task.key.rawValue)
            #expect(item.record.rootDecisionKey == found[1].record.decisionKey && item.record.failure == nil)
        }
        let trace = try DecisionTrace(found[0].record.trace)
        #expect(trace.rules.map(\.id) == ["small"] && trace.inputs.map(\.name) == ["Amount"])
    }

    @Test func aDecisionEvaluatedAloneIsDurableAndRecorded() async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await deploy(harness, Self.fees())
        let decision = try #require(harness.runtime.definitions.decisions.decision(id: "fee"))
        for (target, variables, output) in [
            (EvaluateDecisionRequest.Target.decision(id: "fee"), #"{"amount":300}"#, "30"),
            (.version(decision.key), #"{"amount":"x"}"#, "null"),
        ] {
            let result = try await harness.runtime.evaluateDecision(
                EvaluateDecisionRequest(target: target, variables: Array(variables.utf8), actor: "ada"))
            #expect(result.decision.key == decision.key)
            #expect(String(decoding: result.evaluation.output.json, as: UTF8.self) == output)
            #expect((result.evaluation.failure == nil) == (output != "null"))
        }
        harness = try harness.restarted()
        let found = try await evaluations(harness)
        #expect(found.map { $0.record.failure == nil } == [true, false])
        #expect(found.allSatisfy { $0.record.instanceKey == nil })
        #expect(Set(found.map(\.record.evaluationKey)).count == 2)
        let audit = try await harness.read { try $0.audit(Query()).items }
        #expect(audit.map(\.action).filter { $0 == "evaluate-decision" }.count == 2)
    }

    @Test func aDecisionThatIsNotThereIsSaidToBeSo() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await deploy(harness, Self.fees())
        for target in [EvaluateDecisionRequest.Target.decision(id: "no"), .version(Key(rawValue: 1))] {
            let error = await #expect(throws: CommandRejection.self) {
                try await harness.runtime.evaluateDecision(EvaluateDecisionRequest(target: target, actor: ""))
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test func aRefusalNamesTheProblemsOfEveryDocument() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let broken = Array("<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"><decision/>".utf8)
        let error = await #expect(throws: CommandRejection.self) {
            try await deploy(
                harness, Model.document(Model.process("p", "<bpmn:startEvent/>")), broken, Self.fees())
        }
        let files = Set((error?.diagnostics ?? []).filter { $0.severity == .error }.compactMap(\.file))
        #expect(files == ["file0", "file1"])
        #expect(harness.runtime.definitions.decisions.ids == [])
        let none = await #expect(throws: CommandRejection.self) { try await deploy(harness) }
        #expect(none?.message.contains("no decision") == true)
    }

    @Test func modelsImportThoseOfTheirDeploymentWhateverTheOrderAndThoseDeployedBefore() async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        let importing =
            #"<dmn:import name="base" namespace="urn:base" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>"#
        func user(_ text: String) -> [UInt8] {
            let document = String(decoding: Self.fees(namespace: "urn:user", imports: importing), as: UTF8.self)
            return Array(
                document.replacing(#"id="fees""#, with: #"id="user""#).replacing("amount + Fee", with: text).utf8)
        }
        let base = Self.fees(namespace: "urn:base")
        let first = try await deploy(harness, user("amount"), base)
        #expect(first.decisions.map(\.requirementsID) == ["fees", "user"], "imported models come first")
        harness = try harness.restarted()
        let second = try await deploy(harness, user("amount + 1"))
        #expect(second.decisions.map(\.version) == [2])
        harness = try harness.restarted()
        #expect(harness.runtime.definitions.decisions.decision(id: "total")?.version == 3)
        let circle = await #expect(throws: CommandRejection.self) {
            try await deploy(harness, Self.fees(namespace: "urn:base", imports: importing))
        }
        #expect(circle?.diagnostics.contains { $0.severity == .error } == true)
    }

    @Test func theProfileOfADeploymentOutlivesARestart() async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        let resource = DeploymentResource(name: "p", bytes: Model.document(Model.sequence("chain", 1)))
        for (profile, version) in [(ImportProfile.standard, 1), (.lenient, 2), (.lenient, 2)] {
            let deployment = try await harness.runtime.deploy([resource], profile: profile, actor: "")
            #expect(deployment.definitions.map(\.version) == [version])
            harness = try harness.restarted()
        }
        _ = try await harness.start("chain")
        #expect(try await harness.activate().count == 1)
    }
}
