import Decisions
import Testing
import Values

/// Decision tables (DMN 1.5, clause 8).
@Suite struct DMNTableTests {
    /// A table over the input `n`; each rule is a test and its outputs.
    static func table(
        _ policy: String, outputs: [String] = [""], values: [String?] = [], defaults: [String?] = [],
        allowed: String? = nil, _ rules: [(String, [String])]
    ) -> String {
        func text(_ element: String, _ text: String?) -> String {
            guard let text else { return "" }
            let escaped = text.replacing("<", with: "&lt;")
            return "<\(element)><text>\(escaped)</text></\(element)>"
        }
        let clauses = outputs.enumerated().map { index, name in
            let value = index < values.count ? values[index] : nil
            let defaultEntry = index < defaults.count ? defaults[index] : nil
            return #"<output name="\#(name)">"# + text("outputValues", value)
                + text("defaultOutputEntry", defaultEntry) + "</output>"
        }
        let rows = rules.map { test, entries in
            "<rule>\(text("inputEntry", test))\(entries.map { text("outputEntry", $0) }.joined())</rule>"
        }
        let table = """
            <decisionTable \(policy)><input>\(text("inputExpression", "n"))\(text("inputValues", allowed))</input>\
            \(clauses.joined())\(rows.joined())</decisionTable>
            """
        return input("n") + decision("d", requires: ["n"], table)
    }

    static let overlapping: [(String, [String])] = [
        ("< 10", ["1"]), ("< 20", ["3"]), ("[5..30]", ["2"]), ("100", ["9"]),
    ]

    static let rows: [DMNRow] = [
        DMNRow("unique, one rule", table("", overlapping), ["n": 100], 9),
        DMNRow("unique, no rule", table("", overlapping), ["n": 50], .null),
        DMNRow(
            "unique, two rules", table(#"hitPolicy="UNIQUE""#, overlapping), ["n": 15], .null, warning: "rules 2, 3"),
        DMNRow("unique, default", table("", defaults: ["7"], overlapping), ["n": 50], 7),
        DMNRow("first", table(#"hitPolicy="FIRST""#, overlapping), ["n": 7], 1),
        DMNRow("any, same", table(#"hitPolicy="ANY""#, [("< 10", ["1"]), ("< 20", ["1.0"])]), ["n": 5], 1),
        DMNRow(
            "any, different", table(#"hitPolicy="ANY""#, overlapping), ["n": 5], .null, warning: "different outputs"),
        DMNRow("priority", table(#"hitPolicy="PRIORITY""#, values: ["3, 2, 1"], overlapping), ["n": 7], 3),
        DMNRow(
            "output order", table(#"hitPolicy="OUTPUT ORDER""#, values: ["3, 2, 1"], overlapping), ["n": 7], [3, 2, 1]),
        DMNRow("rule order", table(#"hitPolicy="RULE ORDER""#, overlapping), ["n": 7], [1, 3, 2]),
        DMNRow("rule order, none", table(#"hitPolicy="RULE ORDER""#, overlapping), ["n": 50], .null),
        DMNRow("collect", table(#"hitPolicy="COLLECT""#, overlapping), ["n": 7], [1, 3, 2]),
        DMNRow("collect, none", table(#"hitPolicy="COLLECT""#, overlapping), ["n": 50], []),
        DMNRow("sum", table(#"hitPolicy="COLLECT" aggregation="SUM""#, overlapping), ["n": 7], 6),
        DMNRow("count", table(#"hitPolicy="COLLECT" aggregation="COUNT""#, overlapping), ["n": 7], 3),
        DMNRow("count, none", table(#"hitPolicy="COLLECT" aggregation="COUNT""#, overlapping), ["n": 50], 0),
        DMNRow("minimum", table(#"hitPolicy="COLLECT" aggregation="MIN""#, overlapping), ["n": 7], 1),
        DMNRow("maximum", table(#"hitPolicy="COLLECT" aggregation="MAX""#, overlapping), ["n": 7], 3),
        DMNRow("maximum, none", table(#"hitPolicy="COLLECT" aggregation="MAX""#, overlapping), ["n": 50], .null),
        DMNRow(
            "several outputs", table("", outputs: ["a", "b"], [("-", ["n", "n * 2"])]), ["n": 4], ["a": 4, "b": 8]),
        DMNRow(
            "several outputs, default", table("", outputs: ["a", "b"], defaults: ["1", nil], [("1", ["n", "n"])]),
            ["n": 4], ["a": 1, "b": .null]),
        DMNRow(
            "several outputs, priority",
            table(
                #"hitPolicy="PRIORITY""#, outputs: ["a", "b"], values: [#""x", "y""#, "2, 1"],
                [("-", [#""y""#, "2"]), ("-", [#""x""#, "1"]), ("-", [#""x""#, "2"])]), ["n": 4], ["a": "x", "b": 2]),
        DMNRow("null matches a test for it", table("", [("null", ["1"]), ("not(null)", ["2"])]), ["n": .null], 1),
        DMNRow("a test with ?", table("", [("? * 2 > 10", ["1"])]), ["n": 6], 1),
        DMNRow("a negated test", table("", [("not(1, 2)", ["1"])]), ["n": 3], 1),
        DMNRow("a list of tests", table("", [("1, > 5, [2..3]", ["1"])]), ["n": 6], 1),
        DMNRow("an entry that reads the input", table("", [("n", ["n + 1"])]), ["n": 3], 4),
        DMNRow("an empty cell is irrelevant", table("", [("", ["1"])]), ["n": 3], 1),
        DMNRow(
            "an input that is not allowed", table("", allowed: "1, 2", overlapping), ["n": 7], .null,
            warning: "not among the allowed values"),
        DMNRow(
            "an output that is not allowed", table("", values: ["1, 2"], [("-", ["3"])]), ["n": 7], .null,
            warning: "not among the allowed values"),
        DMNRow("a value of another type", table("", [("1", ["1"])]), ["n": "x"], .null, warning: "Cannot compare"),
        DMNRow("a text of another type", table("", [(#""a""#, ["1"])]), ["n": 1], .null, warning: "Cannot compare"),
        DMNRow("a list among tests of a list", table("", [("[1, 2]", ["1"])]), ["n": [1, 2]], 1),
    ]

    @Test(arguments: rows)
    func aTableDecides(_ row: DMNRow) throws { try row.check() }

    @Test func aRecordHasInputsAndMatchedRules() throws {
        let outcome = try evaluate(Self.table(#"hitPolicy="COLLECT""#, outputs: ["fee"], Self.overlapping), ["n": 7])
        let decision = try #require(outcome.evaluated.first)
        #expect(outcome.evaluated.count == 1)
        #expect(decision.kind == .decisionTable)
        #expect(decision.inputs.map(\.name) == ["n"])
        #expect(decision.inputs.map(\.value) == [7])
        #expect(decision.matchedRules.map(\.index) == [1, 2, 3])
        #expect(decision.matchedRules.map { $0.outputs.map(\.name) } == [["fee"], ["fee"], ["fee"]])
        #expect(decision.matchedRules.map { $0.outputs.map(\.value) } == [[1], [3], [2]])
    }
}
