import Testing
import Values

@testable import Decisions

@Suite struct FunctionTests {
    @Test(arguments: [
        Row("(function(x) x + 1)(2)", 3), Row("{f: function(a, b) a - b, r: f(5, 3)}.r", 2),
        Row("{f: function(a, b) a - b, r: f(b: 5, a: 3)}.r", -2),
        Row("{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(20)}.r", number("2432902008176640000")),
        Row("{k: 10, f: function(x) x * k, r: f(2)}.r", 20), Row("{f: function(x) x * amount, r: f(2)}.r", 300),
        Row("(function(a) function(b) a * b)(3)(4)", 12), Row("sort(xs, function(a, b) a > b)", [5, 4, 3, 2, 1]),
        Row("for x in xs return (function(y) y + x)(1)", [2, 3, 4, 5, 6]),
        Row("xs[(function(y) y > item)(4)]", [1, 2, 3]), Row("{f: abs, r: f(-2)}.r", 2),
        Row("{f: not, r: f(yes)}.r", false),
        Row("{f: not, r: f(nothing)}.r", .null), Row("{f: not, r: f([yes])}.r", false),
        Row("{f: modulo, r: f(divisor: 3, dividend: 10)}.r", 1), Row("(function() 42)()", 42),
        Row("(function(x: number) x)(2)", 2), Row("(function(x: list<number>) x)(2)", [2]),
        Row("(function(x: number) x)([2])", 2),
        Row("(function(x: date and time) x)(@\"2026-01-31\")", dateTime("2026-01-31T00:00:00Z")),
        Row("(function(x: tThing) x)(2)", 2), Row("(function(x: number) x)(nothing)", .null),
        Row("(function(first name, last name) first name + last name)(\"a\", \"b\")", "ab"),
        Row("{g: function(x) x + 1, h: function(x) g(g(x)), r: h(1)}.r", 3),
        Row("{twice: function(f, x) f(f(x)), r: twice(function(y) y * 3, 2)}.r", 18),
        Row("{function: 1}.function + 1", 2), Row("order.items[(function(p) p > 5)(price)].sku", ["b", "c"]),
    ])
    func functionsCloseOverTheirNames(_ row: Row) throws { try check(row) }

    @Test func functionValuesCanBePassedInVariables() throws {
        let function = try evaluate("function(x) x * amount").value
        guard case .function(let value) = function else {
            Issue.record("expected a function but found \(function)")
            return
        }
        #expect(value.parameterNames == ["x"])
        #expect(try evaluate("f(2)", ["f": function, "amount": 1], knownNames: ["f"]).value == 300)
        #expect(try evaluate("f(x: 3)", ["f": function], knownNames: ["f"]).value == 450)
    }

    @Test func warningsInsideAFunctionQuoteItsOwnSource() throws {
        let function = try evaluate("function(x) x / 0").value
        let evaluation = try evaluate("f(2)", ["f": function], knownNames: ["f"])
        #expect(evaluation.warnings.first?.message == "Division by zero in 'x / 0'")
    }

    @Test func functionsOfAnotherEvaluatorAreRefused() throws {
        final class Payload: Sendable {}
        let foreign = Value.function(FunctionValue(name: "f", parameterNames: ["x"], payload: Payload()))
        let evaluation = try evaluate("f(2)", ["f": foreign], knownNames: ["f"])
        #expect(evaluation.value == .null)
        #expect(evaluation.warnings.first?.message == "The function 'f' cannot be invoked from FEEL")
    }
}
