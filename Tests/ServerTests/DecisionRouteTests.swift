import Decisions
import JunctionClient
import ProcessModel
import Runtime
import Storage
import Testing
import Values

@testable import Engine
@testable import Server

/// Decisions, signals, conditions and ad-hoc sub-processes over HTTP.
@Suite struct DecisionRouteTests {
    private static let document = Array(
        """
        <definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="fees" name="Fees" namespace="urn:f">
        <decision id="fee" name="Fee"><literalExpression><text>5</text></literalExpression></decision></definitions>
        """.utf8)

    private static func outcome(failure: String? = nil) throws -> DecisionResult {
        let model = try #require(DMNImporter.read(document, file: "f.dmn").model)
        let deployed = DeployedDecisions(
            DecisionsDeployed(
                key: 60, deploymentKey: 10, requirementsID: "fees", name: "Fees", version: 2, resourceName: "f.dmn",
                resource: document, imports: [], decisions: [.init(key: 61, id: "fee", version: 4)]), model: model)
        let decision = try #require(deployed.decision(id: "fee"))
        let trace = DecisionTrace(
            inputs: [.init(id: "c", name: "Amount", value: "x")],
            rules: [.init(id: "r", index: 2, outputs: [.init(id: "o", name: "out", value: 5)])])
        return DecisionResult(
            decision: decision,
            evaluation: DecisionEvaluated(
                key: 70, decisionKey: 61, output: VariableValue(failure == nil ? 5 : .null), failure: failure,
                decisions: [
                    .init(
                        key: 71, decisionKey: 61, output: VariableValue(failure == nil ? 5 : .null), failure: failure,
                        trace: trace.bytes)
                ]))
    }

    private static var batch: RecordBatch {
        var batch = QueryRouteTests.batch
        batch.decisionRequirements = [
            DecisionRequirementsRecord(
                key: 60, requirementsID: "fees", version: 2, name: "Fees", resourceName: "f.dmn", deploymentKey: 10,
                resource: document, deployedAt: QueryRouteTests.startedAt)
        ]
        batch.decisionDefinitions = [
            DecisionDefinitionRecord(
                key: 61, decisionID: "fee", version: 4, name: "Fee", versionTag: "t", type: .decisionTable,
                requirementsKey: 60, requirementsID: "fees", requirementsVersion: 2, requirementsName: "Fees")
        ]
        let trace = DecisionTrace(
            inputs: [.init(id: "c", name: "Amount", value: 12)],
            rules: [.init(id: "r", index: 2, outputs: [.init(id: "o", name: "out", value: 5)])])
        batch.decisionInstances = [
            DecisionInstanceRecord(
                key: 71, evaluationKey: 70, decisionKey: 61, rootDecisionKey: 61, instanceKey: 20,
                elementInstanceKey: 21, definitionKey: 11, evaluatedAt: QueryRouteTests.startedAt, failure: nil,
                output: Array("5".utf8), trace: trace.bytes),
            DecisionInstanceRecord(
                key: 73, evaluationKey: 72, decisionKey: 61, rootDecisionKey: 61, instanceKey: nil,
                elementInstanceKey: nil, definitionKey: nil, evaluatedAt: QueryRouteTests.startedAt + 1,
                failure: "no", output: Array("null".utf8), trace: [1, 2]),
        ]
        return batch
    }

    @Test func requestsBecomeTheseCommands() async throws {
        try await TestServer.run { server in
            let rows: [(path: String, body: String, status: Int, command: String)] = [
                (
                    "/v2/signals/broadcast", #"{"signalName":"s","variables":{"a":1}}"#, 200,
                    #"broadcast s {"a":1} by ada"#
                ),
                (
                    "/v2/conditionals/evaluation", #"{"variables":{"a":1}}"#, 200, #"conditions all {"a":1} by ada"#
                ),
                (
                    "/v2/conditionals/evaluation", #"{"variables":{},"processDefinitionKey":"11"}"#, 200,
                    "conditions #11 {} by ada"
                ),
                (
                    "/v2/element-instances/ad-hoc-activities/21/activation",
                    #"{"elements":[{"elementId":"a"},{"elementId":"b","variables":{"x":1}}]}"#, 204,
                    #"activate 21 [a nil, b {"x":1}] cancelling false by ada"#
                ),
                (
                    "/v2/element-instances/ad-hoc-activities/21/activation",
                    #"{"elements":[{"elementId":"a"}],"cancelRemainingInstances":true}"#, 204,
                    "activate 21 [a nil] cancelling true by ada"
                ),
                (
                    "/v2/decision-definitions/evaluation", #"{"decisionDefinitionKey":"61"}"#, 404,
                    "evaluate #61 nil by ada"
                ),
            ]
            for row in rows {
                let answer = try await server.call("POST", row.path, row.body)
                #expect(answer.status == row.status, "\(row.path): \(answer.body)")
                #expect(server.workflow.calls.last == row.command)
            }
            #expect(try await server.client.broadcastSignal("s") == Key(rawValue: 31))
            try await server.client.activateAdHoc(Key(rawValue: 21), activities: ["a"], cancelsRunning: true)
            #expect(server.workflow.calls.last == "activate 21 [a nil] cancelling true by ada")
        }
    }

    @Test func wrongRequestsAreRefused() async throws {
        try await TestServer.run { server in
            for (path, body) in [
                ("/v2/signals/broadcast", #"{"signalName":""}"#), ("/v2/signals/broadcast", "{}"),
                ("/v2/conditionals/evaluation", "{}"),
                ("/v2/element-instances/ad-hoc-activities/21/activation", #"{"elements":[]}"#),
                ("/v2/element-instances/ad-hoc-activities/21/activation", #"{"elements":[{}]}"#),
                ("/v2/decision-definitions/evaluation", "{}"),
                (
                    "/v2/decision-definitions/evaluation",
                    #"{"decisionDefinitionId":"fee","decisionDefinitionKey":"61"}"#
                ), ("/v2/decision-instances/search", #"{"filter":{"state":"GONE"}}"#),
            ] {
                let answer = try await server.call("POST", path, body)
                #expect(answer.status == 400, "\(path) \(body)")
            }
            #expect(server.workflow.calls == [])
        }
    }

    @Test func evaluationsAnswerWithEverythingTheyDid() async throws {
        try await TestServer.run { server in
            let outcome = try Self.outcome()
            server.workflow.definitions.decisions.add(outcome.decision.requirements)
            server.workflow.answer(outcome)
            let value = try await server.client.evaluateDecision(
                .decision(id: "fee"), variables: Array(#"{"amount":"x"}"#.utf8))
            #expect(server.workflow.calls == [#"evaluate fee {"amount":"x"} by ada"#])
            #expect(value["output"] == "5" && value["decisionEvaluationKey"] == "70")
            #expect(value["decisionDefinitionVersion"] == 4 && value["decisionRequirementsId"] == "fees")
            #expect(value["failureMessage"] == .null && value["failedDecisionDefinitionId"] == .null)
            let part = try #require(value["evaluatedDecisions"]?.asList?.first)
            #expect(part["decisionDefinitionName"] == "Fee" && part["decisionDefinitionType"] == "LITERAL_EXPRESSION")
            #expect(part["evaluatedInputs"]?.asList?.first?["inputValue"] == "\"x\"")
            let rule = try #require(part["matchedRules"]?.asList?.first)
            #expect(rule["ruleIndex"] == 2)
            #expect(rule["evaluatedOutputs"]?.asList?.first?["outputValue"] == "5")
            server.workflow.answer(try Self.outcome(failure: "no"))
            let failed = try await server.client.evaluateDecision(.definition(Key(rawValue: 61)))
            #expect(failed["failureMessage"] == "no" && failed["failedDecisionDefinitionId"] == "fee")
        }
    }

    @Test func deploymentsSayWhichDecisionsTheyBroughtAndHowStrictlyToRead() async throws {
        try await TestServer.run { server in
            server.workflow.answer(try Self.outcome())
            let deployment = try await server.client.deploy(
                [DeploymentDocument(name: "f.dmn", bytes: [1])], profile: "lenient")
            #expect(server.workflow.calls == ["deploy f.dmn:1 lenient by ada"])
            let decision = try #require(deployment.decisions.first)
            #expect(decision.id == "fee" && decision.version == 4 && decision.name == "Fee")
            #expect(decision.requirementsKey == Key(rawValue: 60) && decision.resourceName == "f.dmn")
            await #expect(throws: ClientError.self) {
                try await server.client.deploy([DeploymentDocument(name: "f", bytes: [1])], profile: "sloppy")
            }
        }
    }

    @Test func recordsAreSearchedAndRead() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            let client = server.client
            let definitions = try await client.search(.decisionDefinitions, filter: ["isLatestVersion": true])
            #expect(definitions.items.map { $0["decisionDefinitionId"] } == ["fee"])
            #expect(try await client.get(.decisionDefinitions, Key(rawValue: 61))["decisionRequirementsVersion"] == 2)
            let requirements = try await client.search(.decisionRequirements, filter: ["version": 2])
            #expect(requirements.items.map { $0["resourceName"] } == ["f.dmn"])
            #expect(
                try await client.get(.decisionRequirements, Key(rawValue: 60))["decisionRequirementsName"] == "Fees")
            for path in ["/v2/decision-definitions/61/xml", "/v2/decision-requirements/60/xml"] {
                let answer = try await server.call("GET", path)
                #expect(answer.body == String(decoding: Self.document, as: UTF8.self))
            }
            for (filter, keys) in [
                (["state": "FAILED"], ["73"]), (["state": ["$in": ["EVALUATED", "FAILED"]]], ["71", "73"]),
                (["state": "UNSPECIFIED"], []), (["decisionDefinitionType": "DECISION_TABLE"], ["71", "73"]),
                (["processInstanceKey": "20"], ["71"]),
            ] as [(ValueContext, [Value])] {
                let page = try await client.search(.decisionInstances, filter: filter)
                #expect(page.items.map { $0["decisionEvaluationInstanceKey"] } == keys, "\(filter)")
            }
            let found = try await client.get(.decisionInstances, Key(rawValue: 71))
            #expect(found["result"] == "5" && found["evaluationFailure"] == .null)
            #expect(found["evaluatedInputs"]?.asList?.first?["inputName"] == "Amount")
            #expect(found["matchedRules"]?.asList?.first?["ruleId"] == "r")
            for path in [
                "/v2/decision-definitions/1", "/v2/decision-definitions/1/xml", "/v2/decision-requirements/1",
                "/v2/decision-requirements/1/xml", "/v2/decision-instances/1",
            ] {
                let answer = try await server.call("GET", path)
                #expect(answer.status == 404, "\(path)")
            }
        }
    }
}
