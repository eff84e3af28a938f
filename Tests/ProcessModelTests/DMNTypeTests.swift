import Decisions
import Testing
import Values

/// Item definitions, type checks and implicit conversions (DMN 1.5, clauses 7.3.2 and 10.3.2.9.4).
@Suite struct DMNTypeTests {
    static let types = """
        <itemDefinition name="tName"><typeRef>string</typeRef></itemDefinition>
        <itemDefinition name="tColor"><typeRef>string</typeRef>\
        <allowedValues><text>"red", "green"</text></allowedValues></itemDefinition>
        <itemDefinition name="tColors" isCollection="true"><typeRef>string</typeRef>\
        <allowedValues><text>"red", "green"</text></allowedValues></itemDefinition>
        <itemDefinition name="tFew" isCollection="true"><typeRef>number</typeRef>\
        <typeConstraint><text>count(?) &lt;= 2</text></typeConstraint></itemDefinition>
        <itemDefinition name="tPerson"><itemComponent name="name"><typeRef>tName</typeRef></itemComponent>\
        <itemComponent name="age"><typeRef>number</typeRef><allowedValues><text>&gt;= 0</text></allowedValues>\
        </itemComponent></itemDefinition>
        <itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>
        <itemDefinition name="tTree"><itemComponent name="children" isCollection="true"><typeRef>tTree</typeRef>\
        </itemComponent></itemDefinition>
        <itemDefinition name="tMoment"><typeRef>date and time</typeRef></itemDefinition>
        <itemDefinition name="tFunction"><functionItem outputTypeRef="number">\
        <parameters name="a" typeRef="number"/></functionItem></itemDefinition>
        """

    /// The value of a text as a decision of a type.
    static func row(_ text: String, _ type: String, _ expected: Value) -> DMNRow {
        let warning = expected.isNull && text != "null" ? "Expected \(type)" : nil
        return DMNRow(
            "\(text) as \(type)", types + decision("d", type: type, literal(text)), expected, warning: warning)
    }

    static let midnight = DateTime("2026-01-31T00:00:00Z").map(Value.dateTime) ?? .null

    static let rows: [DMNRow] = [
        row("\"a\"", "string", "a"), row("1", "string", .null), row("null", "string", .null),
        row("\"a\"", "tName", "a"), row("1", "tName", .null),
        row("\"red\"", "tColor", "red"), row("\"blue\"", "tColor", .null), row("null", "tColor", .null),
        row("[\"red\"]", "tColor", "red"), row("[\"red\", \"green\"]", "tColor", .null),
        row("[\"red\", \"green\"]", "tColors", ["red", "green"]), row("[\"red\", \"blue\"]", "tColors", .null),
        row("\"red\"", "tColors", ["red"]), row("[]", "tColors", []),
        row("[1, 2]", "tFew", [1, 2]), row("[1, 2, 3]", "tFew", .null),
        row("{name: \"a\", age: 1}", "tPerson", ["name": "a", "age": 1]),
        row("{name: \"a\", age: -1}", "tPerson", .null), row("{name: 1, age: 1}", "tPerson", .null),
        row("{name: \"a\", age: null}", "tPerson", ["name": "a", "age": .null]),
        row("{name: \"a\", age: 1}", "tPeople", [["name": "a", "age": 1]]),
        row("{children: [{children: []}]}", "tTree", ["children": [["children": []]]]),
        row("{children: [{children: [1]}]}", "tTree", .null),
        row("@\"2026-01-31\"", "tMoment", midnight),
        row("@\"2026-01-31\"", "date and time", midnight),
        row("[1]", "number", 1), row("1", "Any", 1), row("true", "feel:boolean", true),
    ]

    @Test(arguments: rows)
    func aDecisionHasItsType(_ row: DMNRow) throws { try row.check() }

    static let places: [DMNRow] = [
        DMNRow(
            "an input", types + input("a", type: "tColor") + decision("d", requires: ["a"], literal("a")),
            ["a": "blue"], .null, warning: "the input 'a'"),
        DMNRow(
            "an input list of one", types + input("a", type: "tColor") + decision("d", requires: ["a"], literal("a")),
            ["a": ["red"]], "red"),
        DMNRow(
            "a parameter",
            types + knowledge("f", [("a", "tColor")], literal("a"))
                + decision("d", knows: ["f"], literal("f(\"blue\")")),
            .null, warning: "argument 'a'"),
        DMNRow(
            "a result of a knowledge model",
            types + knowledge("f", type: "number", literal("\"x\"")) + decision("d", knows: ["f"], literal("f()")),
            .null, warning: "the result of 'f'"),
        DMNRow(
            "a result by the type of the logic",
            types + knowledge("f", logicType: "number", literal("[1]")) + decision("d", knows: ["f"], literal("f()")), 1
        ),
        DMNRow(
            "a context entry",
            types + decision("d", "<context>\(DMNBoxedTests.entry("a", type: "tColor", literal("1")))</context>"),
            ["a": .null], warning: "the entry 'a'"),
        DMNRow("an expression", types + decision("d", literal("1", type: "string")), .null, warning: "Expected string"),
        DMNRow(
            "instance of an item definition",
            types
                + decision("d", literal("[\"red\" instance of tColor, \"x\" instance of tColor, 1 instance of tName]")),
            [true, false, false]),
        DMNRow(
            "a type in a FEEL parameter",
            types + decision("d", literal("(function(a: tColor) a)(\"blue\")")), .null, warning: "argument 'a'"),
    ]

    @Test(arguments: places)
    func typesAreCheckedEverywhere(_ row: DMNRow) throws { try row.check() }

    @Test func aFunctionMayBeOfAFunctionType() throws {
        let outcome = try evaluate(
            Self.types + decision("f", type: "tFunction", literal("function(a: number) a + 1"))
                + decision("d", decisions: ["f"], literal("f(1)")))
        #expect(outcome.value == 2)
        let wrong = try evaluate(Self.types + decision("d", type: "tFunction", literal("function() 1")))
        #expect(wrong.isError)
    }
}
