import Foundation
import Testing
import Values

@testable import junction

/// Decisions and signals from the command line.
@Suite(.timeLimit(.minutes(2))) struct DecisionCommandTests {
    private static let fees = """
        <definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="fees" name="Fees" namespace="urn:f">
        <inputData id="i" name="amount"/><decision id="fee" name="Fee"><informationRequirement>
        <requiredInput href="#i"/></informationRequirement><literalExpression><text>amount * 2</text>
        </literalExpression></decision></definitions>
        """

    @Test func decisionsAreDeployedEvaluatedAndLookedUp() async throws {
        let folder = try TemporaryFolder()
        let model = try folder.write("fees.dmn", Self.fees)
        let process = try folder.write("order.bpmn", Model.sequence("order", Model.script))
        let data = ["--data", folder.path + "/data"]
        let deployed = await junction(["deploy", model, process, "--profile", "lenient"] + data)
        #expect(deployed.status == 0, "\(deployed.notes)")
        #expect(deployed.lines.count == 4)
        #expect(deployed.lines[2].hasPrefix("DECISION"))
        let same = await junction(["deploy", model, "--json"] + data)
        #expect(same.values.map { $0["version"] } == [1])

        let evaluated = await junction(["decision", "evaluate", "fee", "--variables", #"{"amount":21}"#] + data)
        #expect(evaluated.output == "42\n", "\(evaluated.notes)")
        let failed = await junction(["decision", "evaluate", "fee", "--variables", #"{"amount":"x"}"#] + data)
        #expect(failed.status == 1 && failed.notes.contains("The decision failed"))
        #expect(await junction(["decision", "evaluate", "none"] + data).notes.contains("EN404"))

        let listed = await junction(["decision", "list", "--json"] + data)
        let key = try #require(listed.values.first?["decisionDefinitionKey"]?.asString)
        let byKey = await junction(
            ["decision", "evaluate", key, "--variables", #"{"amount":1}"#, "--json"] + data)
        #expect(byKey.values.first?["output"] == "2")
        #expect(await junction(["decision", "list", "--versions"] + data).lines.count == 2)
        #expect(await junction(["decision", "show", key] + data).output.contains("fees"))
        let evaluations = await junction(["decision", "evaluations", "--decision", "fee", "--json"] + data)
        #expect(evaluations.values.map { $0["state"] } == ["EVALUATED", "FAILED", "EVALUATED"])
        #expect(await junction(["decision", "evaluations", "--failed"] + data).lines.count == 2)
        #expect(await junction(["decision", "evaluations", "--instance", "1"] + data).status == 1)
        let newest = try #require(evaluations.values.first?["decisionEvaluationInstanceKey"]?.asString)
        #expect(await junction(["decision", "evaluation", newest] + data).output.contains("amount"))
    }

    @Test func signalsAreBroadcast() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("order.bpmn", Model.sequence("order", Model.script))
        let data = ["--data", folder.path + "/data"]
        #expect(await junction(["deploy", file] + data).status == 0)
        let sent = await junction(["signal", "broadcast", "go", "--variables", #"{"a":1}"#, "--json"] + data)
        #expect(sent.values.first?["signalKey"] != nil, "\(sent.notes)")
        #expect(await junction(["signal", "broadcast", "go"] + data).lines.count == 1)
    }
}
