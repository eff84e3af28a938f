import Testing
import Values

@testable import Decisions

@Suite struct ExpressionTests {
    @Test(
        arguments: [
            ("1 + 2", 3), ("\"a\" = \"a\"", true), ("[1, 2][2]", 2), ("{a: 1}.a", 1), ("if true then 1 else 2", 1),
            ("date(\"2026-01-31\").year", 2026), ("1 in [1..3]", true), ("2 between 1 and 3", true),
            ("not(true)", false),
            ("-(1)", -1), ("true or false", true), ("true and false", false), ("1 instance of number", true),
            ("1 in (2, 3)", false), ("modulo(7, 4)", 3), ("null", .null), ("[[1, 2], [3]][1]", [1, 2]),
        ] as [(String, Value)])
    func whatDoesNotDependOnVariablesIsConstant(_ row: (text: String, expected: Value)) throws {
        let expression = try Expression.compile(row.text)
        #expect(expression.constant == row.expected)
        #expect(expression.evaluate(MapScope()) == Evaluation(value: row.expected))
        #expect(expression.evaluateValue(MapScope()) == row.expected)
        #expect(expression.variableNames.isEmpty)
    }

    @Test(arguments: ["a", "now()", "today()", "1 / 0", "for x in [1] return x", "a and false"])
    func whatMayChangeOrWarnIsNotConstant(_ text: String) throws {
        #expect(try Expression.compile(text).constant == nil)
    }

    @Test func compiledExpressionsKeepTheirSource() throws {
        let expression = try Expression.compile("a + 1")
        #expect(expression.source == "a + 1")
        #expect(expression.description == "a + 1")
        #expect(expression.mode == .expression)
    }

    @Test(arguments: [("a > 1", true), ("a < 1", false), ("a", nil), ("b", nil), ("yes", true), ("1 = 1", true)])
    func conditionsAreTrueFalseOrUnknown(_ row: (text: String, expected: Bool?)) throws {
        let scope = MapScope(["a": 2, "yes": true])
        #expect(try Expression.compile(row.text).evaluateCondition(scope) == row.expected)
    }

    @Test(
        arguments: [
            ("-", 5, true), ("5", 5, true), ("5, 6", 6, true), ("5, 6", 7, false), ("< 5", 4, true), ("< 5", 5, false),
            ("<= 5", 5, true), ("> 5", 5, false), (">= 5", 5, true), ("= 5", 5, true), ("!= 5", 5, false),
            ("[1..5]", 5, true),
            ("[1..5)", 5, false), ("(1..5]", 1, false), ("]1..5[", 3, true), ("[1..5], [7..9]", 8, true),
            ("not(5)", 5, false),
            ("not(5, 6)", 7, true), ("not(< 5)", 7, true), ("not([1..5], > 9)", 6, true), ("\"a\", \"b\"", "b", true),
            ("? > 4", 5, true), ("? > 4 and ? < 6", 5, true), ("? = 4", 5, false), ("ends with(?, \"b\")", "ab", true),
            ("limit", 5, true), ("> limit", 6, true), ("list", 2, true), ("list", 9, false), ("null", .null, true),
            ("true", true, true),
            ("false", true, false), ("-5", -5, true), ("-5, 1", 1, true), ("not(? > 4) and ? > 1", 3, true),
            ("not(yes)", true, false),
            ("limit > 4", 5, true), ("[? > 4, false][1]", 5, true), ("if ? > 4 then ? < 9 else false", 5, true),
            ("some x in [1, ?] satisfies x = 5", 5, true), ("some x in 1..? satisfies x = 5", 5, true),
            ("(function(x) x > ?)(9)", 5, true),
            ("{a: ? > 4}.a", 5, true), ("? in [1..5]", 5, true), ("1 in [?..9]", 1, true),
            ("? between 1 and 5", 5, true),
            ("contains(string: ?, match: \"a\")", "ab", true), ("-(?) < 0", 5, true), ("? instance of number", 5, true),
            ("{f: function(x) ? > x}.f(1)", 5, true),
        ] as [(String, Value, Bool)])
    func unaryTestsDecideAboutTheInput(_ row: (text: String, input: Value, expected: Bool)) throws {
        let tests = try Expression.compile(row.text, mode: .unaryTests)
        let scope = MapScope(["limit": 5, "list": [1, 2], "yes": true, "?": row.input])
        #expect(tests.matches(row.input, in: scope) == row.expected)
        #expect(tests.evaluate(scope) == Evaluation(value: .boolean(row.expected)))
        #expect(tests.evaluateValue(scope) == .boolean(row.expected))
        #expect(tests.evaluateCondition(scope) == row.expected)
    }

    @Test func outsideUnaryTestsTheInputIsAVariable() throws {
        let expression = try Expression.compile("? + 1")
        #expect(expression.variableNames == ["?"])
        #expect(expression.evaluateValue(MapScope(["?": 2])) == 3)
        #expect(expression.evaluate(MapScope()).warnings.first?.message == "There is no variable '?'")
    }

    @Test func namesMayBeginWithNotInUnaryTests() throws {
        let tests = try Expression.compile("not available", mode: .unaryTests)
        #expect(tests.variableNames == ["not available"])
        #expect(tests.matches(5, in: MapScope(["not available": 5])) == true)
    }

    @Test func workOnConstantsIsBoundedWhenCompiling() throws {
        let heavy = "matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", \"(a*)*c\")"
        let many = try Expression.compile("[" + Array(repeating: heavy, count: 1_000).joined(separator: ", ") + "]")
        #expect(many.constant == nil)
        let entries = (0..<5_000).map { "k\($0): v\($0)" }.joined(separator: ", ")
        #expect(try Expression.compile("{\(entries)}").variableNames.count == 5_000)
    }

    @Test func unaryTestsThatCannotBeDecidedAreUnknown() throws {
        let scope = MapScope()
        #expect(try Expression.compile("< 5", mode: .unaryTests).matches("a", in: scope) == nil)
        #expect(try Expression.compile("not(< 5)", mode: .unaryTests).matches("a", in: scope) == nil)
        #expect(try Expression.compile("< 5, \"a\"", mode: .unaryTests).matches("a", in: scope) == true)
        #expect(try Expression.compile("< 5", mode: .unaryTests).evaluate(scope).value == .null)
    }

    @Test(arguments: ["", "1,", "not(1", "not(1) 2", "< ", "1 2", "not x y 1"])
    func wrongUnaryTestsAreRefused(_ text: String) {
        #expect(throws: FEELError.self) { try Expression.compile(text, mode: .unaryTests) }
    }

    @Test(
        arguments: [
            ("=a + 1", 3, nil), ("  = 1 + 2", 3, 3), ("a + 1", "a + 1", "a + 1"), ("", "", ""),
            (" text ", " text ", " text "),
        ] as [(String, Value, Value?)])
    func fieldsAreTextOrExpressions(_ row: (text: String, expected: Value, constant: Value?)) throws {
        let field = try ExpressionOrLiteral.compile(row.text)
        #expect(field.evaluate(MapScope(["a": 2])) == Evaluation(value: row.expected))
        #expect(field.evaluateValue(MapScope(["a": 2])) == row.expected)
        #expect(field.constant == row.constant)
    }

    @Test func wrongFieldsAreRefused() {
        #expect(throws: FEELError.self) { try ExpressionOrLiteral.compile("=1 +") }
    }

    @Test func scopesAreAskedOncePerLoop() throws {
        final class CountingScope: VariableScope {
            var asked: [String: Int] = [:]

            func variable(_ name: String) -> Value? {
                asked[name, default: 0] += 1
                return name == "missing" ? nil : 3
            }

            var now: DateTime { .feelEpoch }
        }
        let scope = CountingScope()
        let loop = try Expression.compile("for x in 1..100, y in 1..limit return x * factor + y")
        #expect(loop.evaluateValue(scope).asList?.count == 300)
        #expect(scope.asked == ["limit": 1, "factor": 1])
        let again = try Expression.compile("[1, 2, 3][item > limit or item > limit]")
        #expect(again.evaluateValue(scope) == [])
        #expect(scope.asked["limit"] == 2)
    }

    @Test func mapScopesTakeContexts() throws {
        let scope = MapScope(["a": 1, "b": "x"] as ValueContext)
        #expect(scope.variable("a") == 1)
        #expect(scope.variable("c") == nil)
        #expect(scope.now == .feelEpoch)
        #expect(try Expression.compile("now()").evaluateValue(scope) == dateTime("1970-01-01T00:00:00Z"))
    }

    @Test func expressionsAreSharedBetweenThreads() async throws {
        let expression = try Expression.compile("sum(for x in 1..n return x * x) + count(xs[item > n])")
        let sums = await withTaskGroup(of: Value.self) { group in
            for _ in 0..<8 {
                group.addTask { expression.evaluateValue(MapScope(["n": 10, "xs": [1, 20]])) }
            }
            var sums: [Value] = []
            for await sum in group { sums.append(sum) }
            return sums
        }
        #expect(sums == Array(repeating: 386, count: 8))
    }
}
