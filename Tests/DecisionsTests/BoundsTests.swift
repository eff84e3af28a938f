import Testing
import Values

@testable import Decisions

/// Nothing an expression says makes an evaluation hang, crash or fill the memory.
@Suite struct BoundsTests {
    @Test(arguments: [
        "for i in 1..1000000000 return i", "for i in 1..100000, j in 1..100000 return 1",
        "some i in 1..1000000000 satisfies i < 0",
        "count(for i in 1..100000 return sum(for j in 1..1000 return 1))", "for i in [1..1000000000] return i",
        "for d in @\"0001-01-01\"..@\"999999999-01-01\" return d", "{f: function(n) f(n) + f(n), r: f(1)}.r",
        "{f: function(n) f(n), r: f(1)}.r", "{f: function(n) f(n + 1) + 1, r: f(1)}.r",
        "{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f(\"abcdefgh\", 200)}.r",
        "{f: function(s, n) if n = 0 then s else f(concatenate(s, s), n - 1), r: f([1], 200)}.r",
        "{f: function(s, n) if n = 0 then s else f([s, s], n - 1), r: f([1], 200)}.r",
        "for i in 1..100 return [partial, partial]", "for i in 1..100000 return [partial[-1]]",
        "for i in 1..1000000 return {p: partial[-1]}", "for i in 1..100000 return partial",
        "flatten(for i in 1..40 return [partial, partial])", "for i in 1..40 return string([partial, partial])",
        "for i in 1..2000 return sort(for j in 1..2000 return -j, function(a, b) a < b)",
        "for i in 1..2000 return distinct values(for j in 1..2000 return [j])",
        "for i in 1..1000 return matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", \"(a*)*c\")",
        "{f: function(n) for i in 1..10 return f(n + 1), r: f(1)}.r", "{f: function(n, g) g(n, g), r: f(1, f)}.r",
    ])
    func runawayEvaluationsAreStopped(_ text: String) throws {
        #expect(!(try Expression.compile(text).evaluate(MapScope()).warnings.isEmpty))
    }

    @Test func whatIsStoppedSaysSo() throws {
        try checkNull(
            "for i in 1..1000000000 return i", because: "stopped in 'for i in 1..1000000000 return i' after 1000000")
        try checkNull("{f: function(n) f(n + 1) + 1, r: f(1)}.r", because: "The recursion of 'f(n + 1)' is too deep")
        let string = try evaluate("{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f(\"abcdefgh\", 200)}.r")
        #expect(string.warnings.first?.message.contains("would be longer than") == true)
        let nested = try evaluate("for i in 1..100000 return [partial[-1]]")
        #expect(nested.warnings.contains { $0.message.contains("nested deeper than") })
    }

    @Test func sharedPartsDoNotMultiply() throws {
        var text = "{a0: [1, 2]"
        for index in 1...60 { text += ", a\(index): [a\(index - 1), a\(index - 1)]" }
        try checkNull(text + "}", because: "The evaluation was stopped")
        try checkNull(text + "}.a60 = 1", because: "Cannot compare a list and a number")
        try checkNull(text + ", b: string(a60)}.b", because: "The evaluation was stopped")
        try checkNull(text + ", b: flatten(a60)}.b", because: "The evaluation was stopped")
    }

    @Test func ordinaryRecursionIsDeepEnough() throws {
        try check(Row("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(400)}.r", 400))
        try check(Row("{fib: function(n) if n < 2 then n else fib(n - 1) + fib(n - 2), r: fib(18)}.r", 2584))
        try check(Row("count(for i in 1..500000 return i)", 500_000))
    }

    @Test func recursionFitsAThreadsStack() throws {
        let body = String(repeating: "1 + (", count: 60) + "f(n + 1)" + String(repeating: ")", count: 60)
        try checkNull("{f: function(n) \(body), r: f(1)}.r", because: "is too deep")
        try checkNull("{f: function(n) sort([1, 2], function(a, b) f(n + 1)), r: f(1)}.r", because: "is too deep")
    }
}

/// Values at the edge of what their types hold.
@Suite struct ExtremeTests {
    @Test func operationsOnExtremeValuesEndInAValueOrNull() throws {
        let extremes = [
            "9223372036854775807", "-9223372036854775808", "1e6144", "-1e6144", "1e-6176", "0", "-1", "0.5", "1e30",
            "@\"P9223372036854775807M\"", "-@\"P9223372036854775807M\"", "@\"P768614336404564650Y\"",
            "@\"PT9223372036854775807S\"", "-@\"PT9223372036854775807S\"", "@\"P106751991167300D\"",
            "@\"PT0.000000001S\"",
            "@\"999999999-12-31\"", "@\"-999999999-01-01\"", "@\"999999999-12-31T23:59:59Z\"",
            "@\"-999999999-01-01T00:00:00+14:00\"", "@\"23:59:59.999999999-14:00\"", "@\"00:00:00\"", "\"\"", "[]",
            "{}", "null",
        ].compactMap { try? Expression.compile($0).evaluateValue(MapScope()) }
        #expect(extremes.count >= 20)
        let arithmetic = ["a + b", "a - b", "a * b", "a / b", "a ** b", "-a"]
        let forms = [
            "a + b", "a - b", "a * b", "a / b", "a ** b", "-a", "a < b", "a = b", "a in [b..a]", "abs(a)",
            "modulo(a, b)",
            "floor(a)", "decimal(a, b)", "round up(a, b)", "sqrt(a)", "exp(a)", "log(a)", "string(a)", "sum([a, b])",
            "mean([a, b])", "stddev([a, b])", "product([a, b, a])", "median([a, b])", "date(a, b, a)", "date(a, 1, 1)",
            "time(a, b, a)", "time(1, 2, a)", "time(1, 2, 3, a)", "date and time(a, b)", "duration(a)", "date(a)",
            "time(a)",
            "date and time(a)", "years and months duration(a, b)", "day of year(a)", "week of year(a)", "xs[a]",
            "for i in a..b return 1", "some i in a..b satisfies i = a", "substring(\"abc\", a, b)", "sublist(xs, a, b)",
            "insert before(xs, a, 1)", "remove(xs, a)", "partition(xs, a)", "a.year", "a.second", "a.time offset",
            "a.days",
            "a.years", "number(string(a))", "even(a)", "odd(a)", "a between b and a", "before(a, b)",
            "for i in [a..b) return 1",
        ]
        for form in forms {
            let expression = try Expression.compile(form)
            for a in extremes {
                for b in extremes {
                    let scope = MapScope(["a": a, "b": b, "xs": [1, 2, 3]])
                    let evaluation = expression.evaluate(scope)
                    #expect(
                        evaluation.value.description == expression.evaluateValue(scope).description,
                        "\(form), a: \(a), b: \(b)")
                    if arithmetic.contains(form), evaluation.value.isNull {
                        #expect(!evaluation.warnings.isEmpty, "\(form), a: \(a), b: \(b)")
                    }
                }
            }
        }
    }
}
