import Testing
import Values

@testable import Decisions

@Suite struct LanguageXPathTests {
    private let xpath = XPathLanguage()

    @Test(arguments: [
        // Values and arithmetic
        Row("1.5", number("1.5")), Row(".5", number("0.5")), Row("2.", 2), Row("'a'", "a"), Row("\"a'b\"", "a'b"),
        Row("1 + 2 * 3", 7), Row("(1 + 2) * 3", 9), Row("7 div 2", number("3.5")), Row("-7 mod 4", -3),
        Row("7 mod -4", 3),
        Row("- - 2", 2), Row("-(2 - 5)", 3), Row("2 - -2", 4), Row("$amount - 1", 149), Row("'4' * '2'", 8),
        Row("true() + 1", 2), Row("$n + 1", 43),
        // Comparisons
        Row("$amount > 100", true), Row("$amount <= 149", false), Row("$amount = 150 and $name = 'Ann'", true),
        Row("$amount != 150 or $no", false), Row("'a' = 'a'", true), Row("'a' < 'b'", false), Row("'1' < '2'", true),
        Row("1 = '1.0'", true), Row("$xs = 3", true), Row("$xs = 9", false), Row("$xs != 3", true),
        Row("3 < $xs", true),
        Row("5 < $xs", false), Row("$xs >= $amount", false), Row("$order/items/price = $items/price", true),
        Row("$order/items/sku = 'c'", true), Row("$yes = true()", true), Row("$missing = ''", false),
        Row("$amount = $count", false), Row("$xs = true()", true), Row("number('x') = number('x')", false),
        Row("number('x') != 1", true), Row("number('x') < 1", false), Row("1 >= 1", true),
        // Paths
        Row("true", true), Row("not(false)", true), Row("$order/true", .null), Row("$amount", 150),
        Row("$order/total", 1200), Row("order/total", 1200), Row("/order/total", 1200),
        Row("$order/items/price", [5, 7, 9]), Row("$order/items[2]/price", 7), Row("order/items[3]/price", 9),
        Row("$items[1]/sku", "a"), Row("$xs", [1, 2, 3, 4, 5]), Row("$xs[2]", 2), Row("xs[last()]", 5),
        Row("$xs[9]", .null),
        Row("$xs[0]", .null), Row("$xs[. > 3]", [4, 5]), Row("$xs[position() < 3]", [1, 2]), Row("$xs[. > 1][1]", 2),
        Row("($order/items/price)[2]", 7), Row("$order/items[price > 6]/sku", ["b", "c"]),
        Row("$order/items[sku = 'b']/qty", 1), Row("$order/items[qty][last()]/sku", "b"),
        Row("$order/items[not(qty)]/sku", "c"),
        Row("$order/items[@sku = 'b']/price", 7), Row("$book/@id", "b1"), Row("$book/@*", ["T", "b1"]),
        Row("$order/*[1]", 1200), Row("$book//name", "Ann"), Row("$book/author/name/..", ["name": "Ann"]),
        Row("$book/author/name/../../title", "T"), Row("$book/tag/.", ["x", "y", "x"]), Row("$book/title/text()", "T"),
        Row("$book/title/node()", "T"), Row("$book/self::book/title", "T"), Row("$book/self::order", .null),
        Row("$book/child::tag[2]", "y"), Row("$book/attribute::title", "T"), Row("$book/descendant::name", "Ann"),
        Row("$book/descendant-or-self::node()/name", "Ann"), Row("$book/author/parent::book/title", "T"),
        Row("$book/author/parent::x", .null), Row("count($book/..)", 0), Row("$nothing", .null),
        Row("$order/nope/x", .null),
        Row("$book/tag | $book/title", ["T", "x", "y", "x"]), Row("$book/tag | $book/tag", ["x", "y", "x"]),
        Row("$book/b:author/a:name", "Ann"), Row("$ns:book/title", "T"), Row("count($book/b:*)", 6),
        Row("$xs/text()", [1, 2, 3, 4, 5]), Row("$book/tag/../title", "T"), Row("$book/author//text()", "Ann"),
        Row("count($book//..)", 8), Row("$xs[$loopCounter]", 1), Row("$xs[$loopCounter + 0]", 1),
        Row("count($book//* | $book | $book/@id)", 9),
        // Functions
        Row("count($order/items)", 3), Row("count($empty)", 0), Row("count($missing | $xs)", 5),
        Row("sum($order/items/price)", 21),
        Row("sum($missing)", 0), Row("name($book/*[1])", "title"), Row("local-name($book)", "book"),
        Row("name($nothing)", ""),
        Row("$book/*[name() = 'title']", "T"), Row("$book/*[local-name() = 'id']", "b1"), Row("string($xs)", "1"),
        Row("string(1 div 3 > 0)", "true"), Row("string(number('x'))", "NaN"), Row("string($book/author)", "Ann"),
        Row("$xs[string() = '2']", 2), Row("$xs[number() = 2]", 2), Row("number(' -4.50 ')", number("-4.5")),
        Row("number(true())", 1),
        Row("boolean($xs)", true), Row("boolean('')", false), Row("boolean(0)", false), Row("boolean('false')", true),
        Row("boolean($no)", false), Row("not($nothing)", true), Row("not(false())", true),
        Row("concat('a', 1, true())", "a1true"),
        Row("starts-with($s, 'He')", true), Row("contains($s, 'll')", true), Row("contains($s, '')", true),
        Row("substring-before('a=b', '=')", "a"), Row("substring-after('a=b', '=')", "b"),
        Row("substring-after('ab', '=')", ""),
        Row("substring-before('ab', '=')", ""), Row("substring('12345', 2, 3)", "234"),
        Row("substring('12345', 2)", "2345"),
        Row("substring('12345', 1.5, 2.6)", "234"), Row("substring('12345', 0, 3)", "12"),
        Row("substring('12345', -42)", "12345"),
        Row("substring('12345', number('x'))", ""), Row("substring('12345', 1, number('x'))", ""),
        Row("substring('1', 5)", ""),
        Row("string-length('é🐎')", 2), Row("normalize-space('  a \n b ')", "a b"),
        Row("translate('bar', 'abc', 'AB')", "BAr"),
        Row("translate('--aaa--', 'abc-', 'ABC')", "AAA"), Row("floor(2.6)", 2), Row("ceiling(-2.6)", -2),
        Row("round(2.5)", 3),
        Row("round(-2.5)", -2), Row("round('2.4')", 2), Row("getVariable('amount') * 2", 300),
        Row("bpmn:getDataObject('order')/total", 1200), Row("getDataObject('p', 'order')/total", 1200),
        Row("getDataInput('xs')[1]", 1), Row("getDataOutput('s')", "Hello"), Row("getProcessProperty('n') = 42", true),
    ])
    func values(_ row: Row) throws {
        let missing = row.expression.contains("missing")
        let evaluation = try evaluate(row.expression, in: xpath)
        #expect(evaluation.value == row.expected)
        #expect(evaluation.warnings.isEmpty != missing, "\(evaluation.warnings)")
    }

    @Test(arguments: [
        ("$yes", true), ("$no", false), ("$amount", true), ("$count - 3", false), ("$s", true), ("$blank", false),
        ("$nothing", false), ("$empty", false), ("$xs", true), ("$order/total", true), ("$order/nope", false),
        ("$flags/on", true), ("$flags/off", false), ("$flags/zero", true), ("'false'", true), ("number('x')", false),
    ])
    func conditionsAreConvertedByBoolean(_ row: (source: String, isTrue: Bool)) throws {
        let scope = MapScope(
            sampleVariables.merging([
                "flags": ["on": true, "off": false, "zero": 0], "s": "a", "blank": "", "count": 3,
            ]) { $1 })
        #expect(try xpath.compile(row.source).evaluateCondition(scope) == row.isTrue)
    }

    @Test func shapesOfData() throws {
        let scope = MapScope([
            "m": [[1, 2], [3]], "x": ["item": ["item": [1, 2]]], "a": ["@id": 7, "id": 8, "p:b": "c", "n": .null],
            "one": [0], "xs": [0, 1], "due": date("2026-03-01"), "dates": ["d": date("2026-03-01")],
        ])
        func value(_ source: String) throws -> Value { try xpath.compile(source).evaluateValue(scope) }
        #expect(try value("$m[1]") == [1, 2])
        #expect(try value("boolean($one)") == true)
        #expect(try value("$one = 0") == true)
        #expect(try value("$xs[.]") == [0, 1])
        #expect(try value("$m/m") == [1, 2, 3])
        #expect(try value("$x/item/item") == [1, 2])
        #expect(try value("$a/@id") == 7)
        #expect(try value("$a/id") == 8)
        #expect(try value("$a/b") == "c")
        #expect(try value("local-name($a/q:b)") == "b")
        #expect(try value("name($a/b)") == "p:b")
        #expect(try value("count($a/*)") == 2)
        #expect(try value("string($a)") == "8c")
        #expect(try value("$due") == date("2026-03-01"))
        #expect(try value("$due = '2026-03-01'") == true)
        #expect(try value("string($dates)") == "2026-03-01")
        #expect(try value("count($a/id/@x)") == 0)
        #expect(try value("count($a/id/text()/text())") == 0)
    }

    @Test(arguments: [
        ("$missing", "no variable 'missing'"), ("1 div 0", "no number"), ("'a' + 1", "no number"),
        ("5 mod 0", "no number"),
        ("sum($s)", "no number"), ("'a'/b", "Expected elements"), ("1 | $nothing", "Expected elements"),
    ])
    func whatHasNoValueIsNullWithAWarning(_ row: (source: String, message: String)) throws {
        let evaluation = try evaluate(row.source, in: xpath)
        #expect(evaluation.value == .null)
        #expect(evaluation.warnings.first?.message.contains(row.message) == true, "\(evaluation.warnings)")
    }

    @Test(arguments: [
        Refusal("", "XPATH-SYNTAX", "found the end"), Refusal("1 +", "XPATH-SYNTAX", "found the end"),
        Refusal("$", "XPATH-SYNTAX", "Expected a name"), Refusal("$a b", "XPATH-SYNTAX", "found 'b'"),
        Refusal("${a}", "XPATH-SYNTAX", "found '{'", remedy: "JUEL"), Refusal("(1", "XPATH-SYNTAX", "Expected ')'"),
        Refusal("$a[1", "XPATH-SYNTAX", "Expected ']'"),
        Refusal("$a/", "XPATH-SYNTAX", "the name of an element"),
        Refusal("'a", "XPATH-SYNTAX", "Expected ' at the end"),
        Refusal("$a == 1", "XPATH-SYNTAX", "found '='"), Refusal("$a ? 1", "XPATH-SYNTAX", "found '?'"),
        Refusal("$a/x:1", "XPATH-SYNTAX", "Expected a name"), Refusal("concat('a')", "XPATH-SYNTAX", "does not take 1"),
        Refusal("$a/.[1]", "XPATH-SYNTAX", "Expected '/'"), Refusal("count()", "XPATH-SYNTAX", "does not take 0"),
        Refusal("not(1 2)", "XPATH-SYNTAX", "Expected ','"),
        Refusal("\(String(repeating: "9", count: 7_000))", "XPATH-SYNTAX", "out of range"),
        Refusal("$a/ancestor::b", "XPATH-UNSUPPORTED", "axis 'ancestor'", remedy: "descendant-or-self"),
        Refusal("$a/following-sibling::b", "XPATH-UNSUPPORTED", "axis 'following-sibling'"),
        Refusal("$a/comment()", "XPATH-UNSUPPORTED", "'comment()'", remedy: "text()"),
        Refusal("id('a')", "XPATH-UNSUPPORTED", "no function 'id'", remedy: "core functions"),
        Refusal("current-date()", "XPATH-UNSUPPORTED", "no function 'current-date'", remedy: "FEEL"),
        Refusal("//order", "XPATH-UNSUPPORTED", "begin with the name of a variable", remedy: "$name"),
        Refusal("/", "XPATH-SYNTAX", "name of an element"), Refusal("*", "XPATH-UNSUPPORTED", "begins with '*'"),
        Refusal(".", "XPATH-UNSUPPORTED", "begins with '.'"), Refusal("@id", "XPATH-UNSUPPORTED", "begins with '@'"),
        Refusal("$a[//b]", "XPATH-UNSUPPORTED", "begins with '//'"),
        Refusal("getVariable($a)", "XPATH-UNSUPPORTED", "in quotes", remedy: "name itself"),
        Refusal("getDataObject()", "XPATH-UNSUPPORTED", "in quotes"),
    ])
    func refusals(_ row: Refusal) { row.check(in: xpath) }

    @Test func variableNamesAreKnown() throws {
        let text = "$a/b[c = $d] + e/f[g] + getVariable('h i') + /k[/m = 1] + $a"
        #expect(try xpath.compile(text).variableNames == ["a", "d", "e", "h i", "k", "m"])
        #expect(try xpath.compile("1").constant == nil)
    }

    @Test(arguments: [
        String(repeating: "(", count: 100_000) + "1", "$a" + String(repeating: "[a", count: 50_000),
        "1" + String(repeating: " + 1", count: 20_000), "$a" + String(repeating: "/b", count: 20_000),
        String(repeating: "-", count: 100_000) + "1", String(repeating: "not(", count: 20_000) + "1",
        "$a" + String(repeating: "[1]", count: 20_000), String(repeating: "x", count: 200_000),
    ])
    func whatIsTooLargeIsRefused(_ source: String) {
        Refusal(source, "XPATH-TOO-COMPLEX", "").check(in: xpath)
    }

    @Test func thousandOperationsRun() throws {
        #expect(try evaluate("1" + String(repeating: " + 1", count: 1_000), in: xpath).value == 1001)
        #expect(try evaluate("$map" + String(repeating: "/.", count: 999), in: xpath).value["key"] == "v")
    }

    /// Work that grows with the square of the data is stopped.
    @Test(arguments: ["$big[$big > 5]", "count($big[sum($big) > 1])", "$big[. = $big[. = 2]]"])
    func stepsAreBounded(_ source: String) throws {
        let scope = MapScope(["big": .list(Array(repeating: 1, count: 5_000))])
        let evaluation = try xpath.compile(source).evaluate(scope)
        #expect(evaluation.value == .null)
        #expect(evaluation.warnings.first?.message.contains("was stopped") == true)
        #expect(try xpath.compile(source).evaluateCondition(scope) == nil)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func randomTextNeverCrashes(seed: UInt64) throws {
        let pieces = [
            "$order", "$xs", "$book", "$amount", "/", "//", "items", "*", "@", "..", ".", "[", "]", "(", ")", "[1]",
            "[last()]", "[. > 2]", "/price", "//text()", "|", "+", "-", "div", "mod", "and", "or", "=", "!=", "<", ">=",
            "'a'", "'", "3", "count(", "not(", "string(", "concat(", ",", "true()", "self::", "text()", "node()", "é",
            ":",
        ]
        try checkRandomTexts(xpath, pieces: pieces, seed: seed)
        try checkRandomTexts(xpath, pieces: pieces, seed: seed &+ 1_000) { "$order/items\($0)" }
    }
}
