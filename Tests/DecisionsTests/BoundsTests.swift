import Testing
import Values

@testable import Decisions

/// Nothing an expression says makes an evaluation hang, crash or fill the memory.
@Suite struct BoundsTests {
    @Test(arguments: [
        "for i in 1..1000000000 return i", "for i in 1..100000, j in 1..100000 return 1",
        "some i in 1..1000000000 satisfies i < 0", "every i in 1..1000000000 satisfies i > 0",
        "count(for i in 1..100000 return count(for j in 1..100000 return 1))", "for i in [1..1000000000] return i",
        "for d in @\"0001-01-01\"..@\"999999999-01-01\" return d", "{f: function(n) f(n) + f(n), r: f(1)}.r",
        "{f: function(n) f(n), r: f(1)}.r", "{f: function(n) f(n + 1) + 1, r: f(1)}.r",
        "{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f(\"abcdefgh\", 200)}.r",
        "{f: function(s, n) if n = 0 then s else f(concatenate(s, s), n - 1), r: f([1], 200)}.r",
        "{f: function(s, n) if n = 0 then s else f([s, s], n - 1), r: f([1], 200)}.r",
        "for i in 1..100 return [partial, partial]", "for i in 1..100000 return [partial[-1]]",
        "for i in 1..1000000 return {p: partial[-1]}", "for i in 1..100000 return partial",
        "flatten(for i in 1..40 return [partial, partial])", "for i in 1..40 return string([partial, partial])",
        "count(for i in 1..1000000 return sum(for j in 1..1000 return j))",
        "for i in 1..2000 return sort(for j in 1..2000 return -j, function(a, b) a < b)",
        "for i in 1..2000 return distinct values(for j in 1..2000 return [j])",
        "for i in 1..1000 return matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", \"(a*)*c\")",
        "{f: function(n) for i in 1..10 return f(n + 1), r: f(1)}.r", "{f: function(n, g) g(n, g), r: f(1, f)}.r",
    ])
    func runawayEvaluationsAreStopped(_ text: String) throws {
        let expression = try Expression.compile(text)
        let clock = ContinuousClock()
        var evaluation = Evaluation(value: .null)
        let elapsed = clock.measure { evaluation = expression.evaluate(MapScope()) }
        #expect(elapsed < .seconds(20))
        #expect(!evaluation.warnings.isEmpty)
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
        try check(Row("{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(500)}.r", 500))
        try check(Row("{fib: function(n) if n < 2 then n else fib(n - 1) + fib(n - 2), r: fib(18)}.r", 2584))
        try check(Row("count(for i in 1..500000 return i)", 500_000))
    }

    @Test func recursionFitsAThreadsStack() throws {
        let body = String(repeating: "1 + (", count: 60) + "f(n + 1)" + String(repeating: ")", count: 60)
        try checkNull("{f: function(n) \(body), r: f(1)}.r", because: "is too deep")
        try checkNull("{f: function(n) sort([1, 2], function(a, b) f(n + 1)), r: f(1)}.r", because: "is too deep")
    }
}
