import Decisions
import Testing
import Values

/// Boxed expressions (DMN 1.5, clause 10.2.2), requirements, knowledge models and decision services.
@Suite struct DMNBoxedTests {
    static func entry(_ name: String?, type: String? = nil, _ value: String) -> String {
        "<contextEntry>\(name.map { named("variable", $0, type: type) } ?? "")\(value)</contextEntry>"
    }

    static func binding(_ name: String, _ value: String) -> String {
        "<binding>\(named("parameter", name))\(literal(value))</binding>"
    }

    static func function(_ parameters: [(String, String?)], _ body: String) -> String {
        let formal = parameters.map { named("formalParameter", $0.0, type: $0.1) }.joined()
        return "<functionDefinition>\(formal)\(body)</functionDefinition>"
    }

    static let boxes: [DMNRow] = [
        DMNRow("literal", decision("d", literal("1 + 2")), 3),
        DMNRow(
            "context", decision("d", "<context>\(entry("a", literal("1")))\(entry("b", literal("a + 1")))</context>"),
            ["a": 1, "b": 2]),
        DMNRow(
            "context with result",
            decision("d", "<context>\(entry("a b", literal("2")))\(entry(nil, literal("a b * a b")))</context>"), 4),
        DMNRow(
            "context with a function that calls itself",
            decision(
                "d",
                """
                <context>\(entry("f", function([("n", "number")], literal("if n < 2 then 1 else n * f(n - 1)"))))\
                \(entry(nil, literal("f(5)")))</context>
                """), 120),
        DMNRow(
            "nested contexts see outer entries",
            decision(
                "d",
                """
                <context>\(entry("x-y", literal("2")))\
                \(entry("inner", "<context>\(entry("z", literal("x-y + 1")))</context>"))\
                \(entry(nil, literal("inner.z")))</context>
                """), 3),
        DMNRow(
            "relation",
            decision(
                "d",
                """
                <relation><column name="a"/><column name="b"/>\
                <row>\(literal("1"))\(literal("2"))</row><row>\(literal("3"))\(literal("4"))</row></relation>
                """), [["a": 1, "b": 2], ["a": 3, "b": 4]]),
        DMNRow("list", decision("d", "<list>\(literal("1"))\(literal("\"x\""))<list/></list>"), [1, "x", []]),
        DMNRow(
            "invocation of a built-in function",
            decision(
                "d",
                "<invocation>\(literal("substring"))\(binding("string", "\"abc\""))"
                    + "\(binding("start position", "2"))</invocation>"), "bc"),
        DMNRow(
            "function in a decision",
            decision("f", function([("a", nil)], literal("a + 1"))) + decision("d", decisions: ["f"], literal("f(2)")),
            3),
        DMNRow(
            "conditional",
            decision(
                "d",
                "<conditional><if>\(literal("1 > 2"))</if><then>\(literal("\"a\""))</then>"
                    + "<else>\(literal("\"b\""))</else></conditional>"), "b"),
        DMNRow(
            "filter",
            decision(
                "d",
                "<filter><in>\(literal("[{a: 1}, {a: 2}, {a: 3}]"))</in><match>\(literal("a > 1 and item.a < 3"))"
                    + "</match></filter>"), [["a": 2]]),
        DMNRow(
            "filter by position",
            decision("d", "<filter><in>\(literal("[5, 6]"))</in><match>\(literal("2"))</match></filter>"), 6),
        DMNRow(
            "for",
            decision(
                "d",
                #"<for iteratorVariable="the x"><in>\#(literal("[1, 2, 3]"))</in>"#
                    + "<return>\(literal("the x * 2 + count(partial)"))</return></for>"), [2, 5, 8]),
        DMNRow(
            "some",
            decision(
                "d",
                #"<some iteratorVariable="x"><in>\#(literal("[1, 2]"))</in>"#
                    + "<satisfies>\(literal("x > 1"))</satisfies></some>"), true),
        DMNRow(
            "every",
            decision(
                "d",
                #"<every iteratorVariable="x"><in>\#(literal("[1, 2]"))</in>"#
                    + "<satisfies>\(literal("x > 1"))</satisfies></every>"), false),
        DMNRow(
            "for over what is null",
            decision(
                "d", #"<for iteratorVariable="x"><in>\#(literal("null"))</in><return>\#(literal("x"))</return></for>"#),
            .null, warning: "Cannot iterate"),
    ]

    @Test(arguments: boxes)
    func aBoxHasItsValue(_ row: DMNRow) throws { try row.check() }

    static let graphs: [DMNRow] = [
        DMNRow(
            "inputs and decisions with odd names",
            input("Monthly-income (net)") + input("or else")
                + decision("Sum 'x'", requires: ["Monthly-income (net)"], literal("Monthly-income (net) + 1"))
                + decision("d", requires: ["or else"], decisions: ["Sum 'x'"], literal("Sum 'x' - or else")),
            ["Monthly-income (net)": 10, "or else": 3], 8),
        DMNRow(
            "what is not required is no name", input("a") + decision("d", literal("a")), ["a": 1], .null,
            warning: "no variable 'a'"),
        DMNRow(
            "an input that is missing is null", input("a") + decision("d", requires: ["a"], literal("a = null")), true),
        DMNRow(
            "a knowledge model by position and by name",
            knowledge("add", [("a", nil), ("b", nil)], literal("a + b"))
                + decision("d", knows: ["add"], literal("[add(1, 2), add(b: 5, a: 1)]")), [3, 6]),
        DMNRow(
            "a knowledge model in a boxed invocation",
            knowledge("add", [("a", nil), ("b", nil)], literal("a - b"))
                + decision(
                    "d", knows: ["add"],
                    "<invocation>\(literal("add"))\(binding("b", "1"))\(binding("a", "5"))</invocation>"), 4),
        DMNRow(
            "a knowledge model that calls itself",
            knowledge("fib", [("n", "number")], literal("if n < 2 then n else fib(n - 1) + fib(n - 2)"))
                + decision("d", knows: ["fib"], literal("fib(12)")), 144),
        DMNRow(
            "too few arguments",
            knowledge("add", [("a", nil), ("b", nil)], literal("a + b"))
                + decision("d", knows: ["add"], literal("add(1)")), .null, warning: "Expected 2 arguments"),
        DMNRow(
            "a function that keeps a requirement",
            input("a") + decision("f", requires: ["a"], literal("function(x) x + a"))
                + decision("d", decisions: ["f"], literal("f(1)")), ["a": 10], 11),
        DMNRow("a decision without logic", decision("d", ""), .null, warning: "no logic"),
        DMNRow(
            "a decision evaluated once",
            decision("a", literal("[1, 2]")) + decision("b", decisions: ["a"], literal("a[1]"))
                + decision("d", decisions: ["a", "b"], literal("count(a) + b")), 3),
    ]

    @Test(arguments: graphs)
    func requirementsAreNames(_ row: DMNRow) throws { try row.check() }

    static let service =
        input("x", type: "number") + decision("in", type: "number", literal("1"))
        + decision("inner", requires: ["x"], decisions: ["in"], literal("x + in"))
        + decision("out", decisions: ["inner"], literal("inner * 2"))
        + decision("out2", decisions: ["inner"], literal("inner"))
            + """
            <decisionService id="s" name="s"><variable name="s"/><outputDecision href="#out"/>
            <encapsulatedDecision href="#inner"/><inputDecision href="#in"/><inputData href="#x"/></decisionService>
            <decisionService id="both" name="both"><outputDecision href="#out"/><outputDecision href="#out2"/>
            <encapsulatedDecision href="#inner"/><inputDecision href="#in"/><inputData href="#x"/></decisionService>
            """

    static let services: [DMNRow] = [
        DMNRow("by position", service + decision("d", knows: ["s"], literal("s(10, 5)")), 30),
        DMNRow("by name", service + decision("d", knows: ["s"], literal("s(in: 5, x: 10)")), 30),
        DMNRow(
            "in a boxed invocation",
            service
                + decision(
                    "d", knows: ["s"],
                    "<invocation>\(literal("s"))\(binding("in", "5"))\(binding("x", "10"))</invocation>"), 30),
        DMNRow(
            "several outputs", service + decision("d", knows: ["both"], literal("both(10, 5)")),
            ["out": 30, "out2": 15]),
        DMNRow(
            "an argument of a wrong type", service + decision("d", knows: ["s"], literal("s(\"a\", 5)")), .null,
            warning: "Expected number as argument 'x'"),
        DMNRow("a list of one is its element", service + decision("d", knows: ["s"], literal("s([10], 5)")), 30),
        DMNRow(
            "too few arguments", service + decision("d", knows: ["s"], literal("s(1)")), .null,
            warning: "Expected 2 arguments"),
        DMNRow(
            "the caller's values do not leak",
            service + decision("d", requires: ["x"], knows: ["s"], literal("s(1, 1) + x")), ["x": 100], 104),
    ]

    @Test(arguments: services)
    func aDecisionServiceIsAFunction(_ row: DMNRow) throws { try row.check() }

    @Test func aDecisionServiceCanBeEvaluated() throws {
        let one = try evaluate(Self.service, ["x": 10, "in": 5], decision: "s")
        #expect(one.value == 30)
        #expect(one.evaluated.map(\.name) == ["inner", "out"])
        #expect(try evaluate(Self.service, ["x": 10, "in": 5], decision: "both").value == ["out": 30, "out2": 15])
        let model = try model(Self.service)
        #expect(model.outputCount(ofService: "both") == 2)
        #expect(model.outputCount(ofService: "out") == 0)
    }

    @Test func requiredDecisionsAreRecordedFirst() throws {
        let content =
            input("a") + decision("e", requires: ["a"], literal("a + 1"))
            + decision("d", requires: ["a"], decisions: ["e"], literal("e * a"))
        let outcome = try evaluate(content, ["a": 3])
        #expect(outcome.evaluated.map(\.id) == ["e", "d"])
        #expect(outcome.evaluated.map(\.value) == [4, 12])
        #expect(outcome.evaluated.map { $0.inputs.map(\.name) } == [["a"], ["a", "e"]])
        #expect(outcome.evaluated.allSatisfy { $0.kind == .expression && $0.namespace == "urn:test" })
    }

    @Test func anUnknownDecisionIsAnError() throws {
        let outcome = try evaluate(decision("order fee", literal("1")), decision: "order fe")
        #expect(outcome.isError)
        #expect(outcome.warnings.first?.message.contains("did you mean 'order fee'?") == true)
    }
}
