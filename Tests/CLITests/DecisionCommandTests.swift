import Foundation
import Testing
import Values

/// `junction feel` and `junction dmn`, which need no server.
@Suite struct DecisionCommandTests {
    private static let model = """
        <definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="fees" namespace="urn:fees">
        <inputData id="amount" name="amount"><variable name="amount" typeRef="number"/></inputData>
        <decision id="fee" name="The fee"><informationRequirement><requiredInput href="#amount"/></informationRequirement>
        <decisionTable hitPolicy="FIRST"><input><inputExpression><text>amount</text></inputExpression></input>
        <output name="fee"/><rule id="small"><inputEntry><text>[0..100)</text></inputEntry>
        <outputEntry><text>5</text></outputEntry></rule></decisionTable></decision>
        </definitions>
        """

    @Test(arguments: [
        (["1 + 2"], "3"), (["a.b * 2", "--context", #"{"a": {"b": 4}}"#], "8"),
        (["> 5", "--unary", "--input", "7"], "true"), (["[1, \"x\"]", "--json"], #"{"value":[1,"x"],"warnings":[]}"#),
    ])
    func anExpressionIsPrintedAsJSON(_ row: (arguments: [String], output: String)) async {
        let run = await junction(["feel"] + row.arguments)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.lines == [row.output])
        #expect(run.notes.isEmpty)
    }

    @Test func whatCannotBeComputedIsAFailureWithAReason() async {
        let missing = await junction("feel", "x.y")
        #expect(missing.status == 1)
        #expect(missing.lines == ["null"])
        #expect(missing.notes.contains("There is no variable 'x'"))
        let wrong = await junction("feel", "1 +")
        #expect(wrong.status == 1)
        #expect(wrong.notes.contains("FEEL-SYNTAX"))
        #expect(await junction("feel", "> 5", "--unary").status == 64)
    }

    @Test func aDecisionIsEvaluatedAndExplained() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("fees.dmn", Self.model)
        let context = ["--context", #"{"amount": 20}"#]
        let run = await junction(["dmn", "eval", file, "--explain"] + context)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.lines == ["The fee = 5", "  amount = 20", "  rule 1: fee = 5", "5"])
        let json = await junction(["dmn", "eval", file, "--decision", "The fee", "--json", "--explain"] + context)
        #expect(json.values.first?["value"] == 5)
        let rules = json.values.first?["evaluated"]?.asList?.first?["matchedRules"]
        #expect(rules?.asList?.first?["id"] == "small")
        let unknown = await junction(["dmn", "eval", file, "--decision", "nothing"] + context)
        #expect(unknown.status == 1)
        #expect(unknown.notes.contains("CL112"))
    }

    @Test(arguments: [("feel", "conditions_per_second"), ("decision-table", "evaluations_per_second")])
    func aScenarioReportsItsFigure(_ row: (scenario: String, figure: String)) async throws {
        let run = await junction("bench", row.scenario, "--count", "200", "--json")
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.values.first?[row.figure]?.asNumber != nil)
    }

    @Test func modelsAreChecked() async throws {
        let folder = try TemporaryFolder()
        let good = try folder.write("good.dmn", Self.model)
        let bad = try folder.write("bad.dmn", Self.model.replacing("[0..100)", with: "[0.."))
        let none = try folder.write("none.dmn", "<a/>")
        #expect(await junction("dmn", "lint", good).status == 0)
        #expect(await junction("lint", good).status == 0)
        let findings = await junction("dmn", "lint", good, bad, "--json")
        #expect(findings.status == 1)
        #expect(findings.values.map { $0["code"] } == ["DM020"])
        let refused = await junction("dmn", "eval", none)
        #expect(refused.status == 1)
        #expect(refused.notes.contains("CL111"))
    }
}
