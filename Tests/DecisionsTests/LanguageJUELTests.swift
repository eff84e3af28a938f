import Testing
import Values

@testable import Decisions

@Suite struct LanguageJUELTests {
    private let juel = JUELLanguage()

    @Test(arguments: [
        // Texts and marks
        Row("plain", "plain"), Row("", ""), Row("${amount}", 150), Row("#{amount}", 150), Row(" ${ amount }\n", 150),
        Row("Order ${order.status} of ${amount}", "Order open of 150"), Row("${nothing}!", "!"),
        Row("\\${amount}", "${amount}"), Row("\\#{a} ${amount}", "#{a} 150"), Row("$5 # {x}", "$5 # {x}"),
        Row("${'}'}", "}"), Row("${xs}${yes}", "[1, 2, 3, 4, 5]true"),
        // Literals
        Row("${'it\\'s'}", "it's"), Row("${\"a\\\\b\"}", "a\\b"), Row("${1.5}", number("1.5")),
        Row("${.5}", number("0.5")),
        Row("${2.}", 2), Row("${1e3}", 1000), Row("${1E-1}", number("0.1")), Row("${true}", true),
        Row("${null}", .null),
        // Arithmetic
        Row("${1 + 2 * 3}", 7), Row("${(1 + 2) * 3}", 9), Row("${7 / 2}", number("3.5")),
        Row("${7 div 2}", number("3.5")),
        Row("${7 % 4}", 3), Row("${-7 mod 4}", -3), Row("${10 - 3 - 2}", 5), Row("${-amount}", -150), Row("${- -2}", 2),
        Row("${n + 1}", 43), Row("${nothing + 1}", 1), Row("${'' + 1}", 1), Row("${null / null}", 0),
        Row("${due + oneDay}", date("2026-03-02")),
        // Comparisons
        Row("${amount > 100}", true), Row("${amount gt 100}", true), Row("${amount lt 100}", false),
        Row("${amount <= 150}", true), Row("${amount ge 151}", false), Row("${amount le 150}", true),
        Row("${amount >= '150'}", true), Row("${n == 42}", true), Row("${n eq '42'}", true),
        Row("${amount != 150}", false),
        Row("${amount ne 1}", true), Row("${t == true}", true), Row("${s == 'Hello'}", true),
        Row("${nothing == null}", true),
        Row("${null == 0}", false), Row("${nothing < 1}", false), Row("${nothing <= null}", true),
        Row("${null < null}", false),
        Row("${s < 'I'}", true), Row("${due < due}", false), Row("${xs == xs}", true),
        Row("${due == '2026-03-01'}", true),
        Row("${due gt '2026-02-28'}", true), Row("${'10' < '9'}", true), Row("${blank == 0}", true),
        // Logic
        Row("${yes && !no}", true), Row("${yes and not yes}", false), Row("${no || t}", true),
        Row("${no or nothing}", false),
        Row("${no && missing.x > 1}", false), Row("${!blank}", true), Row("${yes || no && no}", true),
        Row("${amount > 100 ? 'big' : 'small'}", "big"), Row("${no ? 1 : yes ? 2 : 3}", 2),
        Row("${(yes ? 1 : 2) + 1}", 2),
        Row("${empty nothing}", true), Row("${empty blank}", true),
        Row("${empty emptyMap}", true),
        Row("${not empty xs}", true), Row("${empty 0}", false), Row("${!empty s}", true),
    ])
    func values(_ row: Row) throws {
        let evaluation = try evaluate(row.expression, in: juel)
        #expect(evaluation.value == row.expected)
        #expect(evaluation.warnings.isEmpty)
    }

    @Test(arguments: [
        Row("${order.items[0].sku}", "a"), Row("${order['items'][1]['price']}", 7), Row("${order.items[2].qty}", .null),
        Row("${xs[9]}", .null), Row("${xs[-1]}", .null), Row("${xs['1']}", 2), Row("${nothing.a.b}", .null),
        Row("${map['other key']}", 7), Row("${map.key}", "v"), Row("${map[map.id]}", .null), Row("${due.year}", 2026),
        Row("${loopCounter}", 0), Row("${xs[loopCounter]}", 1), Row("${nrOfInstances}", 4),
        Row("${execution.getVariable('amount')}", 150), Row("${execution.getVariable(\"order\").total}", 1200),
        Row("${execution.hasVariable('amount')}", true), Row("${!execution.hasVariable('x')}", true),
        Row("${task.getVariableLocal('n')}", "42"), Row("${now()}", dateTime("2026-01-31T09:05:00Z")),
    ])
    func data(_ row: Row) throws {
        let evaluation = try evaluate(row.expression, in: juel)
        #expect(evaluation.value == row.expected)
        #expect(evaluation.warnings.isEmpty)
    }

    @Test(arguments: [
        Row("${s.contains('ell')}", true), Row("${s.startsWith('He')}", true), Row("${s.endsWith('lo')}", true),
        Row("${s.endsWith('Hello!')}", false), Row("${s.equals('Hello')}", true), Row("${'Hello'.equals(s)}", true),
        Row("${s.equals(null)}", false), Row("${s.equalsIgnoreCase('HELLO')}", true), Row("${s.length()}", 5),
        Row("${'🐎'.length()}", 2), Row("${xs.size()}", 5), Row("${xs.isEmpty()}", false),
        Row("${blank.isEmpty()}", true),
        Row("${s.toUpperCase()}", "HELLO"), Row("${s.toLowerCase().trim()}", "hello"), Row("${' a '.trim()}", "a"),
        Row("${s.substring(1)}", "ello"), Row("${s.substring(1, 3)}", "el"), Row("${s.indexOf('l')}", 2),
        Row("${'é🐎x'.indexOf('x')}", 3), Row("${s.indexOf('z')}", -1), Row("${s.lastIndexOf('l')}", 3),
        Row("${s.lastIndexOf('toolong')}", -1), Row("${s.matches('H.*o')}", true), Row("${s.matches('ell')}", false),
        Row("${s.matches(s)}", true), Row("${'a,b,,c,,'.split(',')}", ["a", "b", "", "c"]),
        Row("${'a1b'.split('[0-9]')[1]}", "b"),
        Row("${s.replace('l', 'L')}", "HeLLo"), Row("${'ab'.replace('', '-')}", "-a-b-"),
        Row("${s.concat('!')}", "Hello!"),
        Row("${xs.contains(3)}", true), Row("${xs.indexOf(3)}", 2), Row("${xs.lastIndexOf(9)}", -1),
        Row("${xs.get(0)}", 1),
        Row("${map.get('key')}", "v"), Row("${map.containsKey('x')}", false), Row("${map.size()}", 4),
        Row("${map.isEmpty()}", false), Row("${amount.toString()}", "150"), Row("${s.toString()}", "Hello"),
        Row("${amount.equals(150)}", true),
    ])
    func methods(_ row: Row) throws {
        let evaluation = try evaluate(row.expression, in: juel)
        #expect(evaluation.value == row.expected)
        #expect(evaluation.warnings.isEmpty)
    }

    @Test(arguments: [
        ("${missing}", "no variable 'missing'"), ("${s + 1}", "'Hello' is no number"), ("${1 / 0}", "Division by zero"),
        ("${1 % 0}", "Division by zero"), ("${xs + 1}", "list is no number"), ("${xs && yes}", "list is no boolean"),
        ("${amount.x}", "number has no property"), ("${amount.size()}", "no method 'size'"),
        ("${nothing.length()}", "is null"), ("${s.substring(9)}", "no such part"),
        ("${s.substring(2, 1)}", "no such part"),
        ("${s.matches(n.concat('('))}", "pattern"), ("${s.split(blank)}", "empty string"),
        ("${s.get(0)}", "no method 'get'"),
        ("${map.trim()}", "no method 'trim'"), ("${xs.trim()}", "no method 'trim'"), ("${xs > map}", "Cannot compare"),
        ("${due + 1}", "Cannot add"), ("${due < now()}", "Cannot compare"), ("${s > 1}", "is no number"),
        ("${s == 1}", "is no number"),
        ("${map == true}", "is no boolean"), ("${order['a'] + map}", "context is no number"),
    ])
    func whatHasNoValueIsNullWithAWarning(_ row: (source: String, message: String)) throws {
        let evaluation = try evaluate(row.source, in: juel)
        #expect(evaluation.value == .null)
        #expect(
            evaluation.warnings.first?.message.lowercased().contains(row.message.lowercased()) == true,
            "\(evaluation.warnings)")
    }

    @Test(arguments: [
        Refusal("${}", "JUEL-SYNTAX", "Expected an expression"), Refusal("${a", "JUEL-SYNTAX", "Expected '}'"),
        Refusal("${a b}", "JUEL-SYNTAX", "Expected '}' or an operator but found 'b'"),
        Refusal("${a = 1}", "JUEL-SYNTAX", "found '='", remedy: "=="),
        Refusal("${a & b}", "JUEL-SYNTAX", "found '&'", remedy: "&&"),
        Refusal("${a instanceof b}", "JUEL-SYNTAX", "found 'instanceof'", remedy: "Java types"),
        Refusal("${a ? b}", "JUEL-SYNTAX", "Expected ':'"), Refusal("${(a}", "JUEL-SYNTAX", "Expected ')'"),
        Refusal("${a[1}", "JUEL-SYNTAX", "Expected ']'"), Refusal("${a.}", "JUEL-SYNTAX", "name of a property"),
        Refusal("${'a}", "JUEL-SYNTAX", "Expected ' at the end"), Refusal("${a + }", "JUEL-SYNTAX", "Expected a value"),
        Refusal("${a @ b}", "JUEL-SYNTAX", "found '@'"), Refusal("${1e9999}", "JUEL-SYNTAX", "out of range"),
        Refusal("${a.substring()}", "JUEL-SYNTAX", "takes 1 or 2 arguments but 0"),
        Refusal("${a.length(1)}", "JUEL-SYNTAX", "takes no arguments"), Refusal("${a.trim(}", "JUEL-SYNTAX", "a value"),
        Refusal("${a.replace('x')}", "JUEL-SYNTAX", "takes 2 arguments"),
        Refusal("${a.contains(b c)}", "JUEL-SYNTAX", "Expected ','"), Refusal("${a.matches('(')}", "JUEL-SYNTAX", ""),
        Refusal("${bean.run(a)}", "JUEL-UNSUPPORTED", "no method 'run'", remedy: "job worker"),
        Refusal("${a.b.run()}", "JUEL-UNSUPPORTED", "no method 'run'", remedy: "toUpperCase"),
        Refusal("${order.getTotal()}", "JUEL-UNSUPPORTED", "'getTotal'", remedy: "write .total"),
        Refusal("${order.isOpen()}", "JUEL-UNSUPPORTED", "'isOpen'", remedy: "write .open"),
        Refusal("${currentUser()}", "JUEL-UNSUPPORTED", "no function 'currentUser'", remedy: "FEEL"),
        Refusal("${fn:length(a)}", "JUEL-UNSUPPORTED", "no function 'fn'"),
        Refusal("${execution.id}", "JUEL-UNSUPPORTED", "'execution.id'", remedy: "variable"),
        Refusal("${execution['id']}", "JUEL-UNSUPPORTED", "only getVariable"),
        Refusal("${execution.getVariable(a)}", "JUEL-UNSUPPORTED", "in quotes but found 'a'", remedy: "name itself"),
        Refusal("${execution.1}", "JUEL-SYNTAX", "Expected"),
    ])
    func refusals(_ row: Refusal) { row.check(in: juel) }

    @Test func variableNamesAreKnown() throws {
        let text = "${a.b + c[d] > a ? execution.getVariable('e f') : nrOfInstances} ${c}"
        #expect(
            try juel.compile(text).variableNames == ["a", "c", "d", "e f", "nrOfInstances", "numberOfInstances"])
        #expect(try juel.compile("${true}").constant == true)
        #expect(try juel.compile("text").constant == "text")
        #expect(try juel.compile("${yes ? a : b}").variableNames == ["yes", "a", "b"])
    }

    @Test func aConditionNeedsABoolean() throws {
        let scope = MapScope(["a": "true", "b": true])
        #expect(try juel.compile("${a}").evaluateCondition(scope) == nil)
        #expect(try juel.compile("${b}").evaluateCondition(scope) == true)
        #expect(try juel.compile("${a && b}").evaluateCondition(scope) == true)
    }

    @Test(arguments: [
        "${" + String(repeating: "(", count: 100_000) + "1", "${" + String(repeating: "!", count: 100_000) + "a}",
        "${" + String(repeating: "a[", count: 5_000) + "1" + String(repeating: "]", count: 5_000) + "}",
        "${1" + String(repeating: " + 1", count: 20_000) + "}", "${a" + String(repeating: ".b", count: 20_000) + "}",
        "${" + String(repeating: "a ? b : ", count: 10_000) + "c}", String(repeating: "x", count: 200_000),
        String(repeating: "${a}", count: 2_000),
    ])
    func whatIsTooLargeIsRefused(_ source: String) {
        Refusal(source, "JUEL-TOO-COMPLEX", "").check(in: juel)
    }

    @Test func thousandOperationsRun() throws {
        let sum = try evaluate("${1" + String(repeating: " + 1", count: 999) + "}", in: juel)
        #expect(sum.value == 1000)
        let path = try evaluate("${map" + String(repeating: ".b", count: 999) + "}", in: juel)
        #expect(path.value == .null)
    }

    @Test func textsAreBounded() throws {
        let scope = MapScope(["t": .string(String(repeating: "ab", count: 200_000)), "c": "a,b,c"])
        func evaluation(_ source: String) throws -> Evaluation { try juel.compile(source).evaluate(scope) }
        #expect(try evaluation("${t.replace('a', '').length()}").value == 200_000)
        #expect(try evaluation("${c.replace(',', ', ')}").value == "a, b, c")
        for source in [
            "${t.replace('', t)}", "${t.replace('a', t)}", "${t.contains(t)}", "${t.indexOf(t.concat('c'))}",
        ] {
            let stopped = try evaluation(source)
            #expect(stopped.value == .null)
            #expect(stopped.warnings.count == 1, "\(source): \(stopped.warnings)")
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func randomTextNeverCrashes(seed: UInt64) throws {
        let pieces = [
            "${", "}", "(", ")", "[", "]", ".", ",", "?", ":", "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&",
            "or",
            "not", "empty", "amount", "s", "xs", "map", "nothing", "order.items", "1", "2.5", "'a'", "'", "\\",
            "s.substring(1)", ".split('l')", ".size()", "null", "true", "execution", "é", "now()",
        ]
        try checkRandomTexts(juel, pieces: pieces, seed: seed) { "${ \($0) }" }
        try checkRandomTexts(juel, pieces: pieces, seed: seed &+ 1_000)
    }
}
