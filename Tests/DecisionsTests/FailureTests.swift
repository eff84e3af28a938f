import Testing
import Values

@testable import Decisions

/// What cannot be evaluated is null, and the warning says which part and why.
@Suite struct FailureTests {
    @Test(arguments: [
        ("missing > 1", "There is no variable 'missing'"), ("1 / 0", "Division by zero in '1 / 0'"),
        ("@\"P1Y\" / 0", "Division by zero"), ("@\"PT1H\" / 0", "Division by zero"),
        ("0 ** -1", "0 to the power of -1 is no real number"),
        ("(-8) ** 0.5", "-8 to the power of 0.5 is no real number"),
        ("10 ** 7000", "The result of '10 ** 7000' is too large"),
        ("amount + name", "Cannot add a number and a string"),
        ("amount - name", "Cannot subtract a number and a string in 'amount - name'"), ("\"a\" * 2", "Cannot multiply"),
        ("\"a\" / 2", "Cannot divide"), ("\"a\" ** 2", "Cannot raise"), ("-name", "Cannot negate a string in '-name'"),
        ("amount < name", "Cannot compare a number and a string in 'amount < name'"),
        ("null < 1", "Cannot compare a Null"),
        ("amount = name", "Cannot compare a number and a string"),
        ("yes and 1", "Expected a boolean but '1' is a number"),
        ("@\"10:00:00Z\" < @\"10:00:00\"", "one has a zone and the other has none"),
        ("amount between \"a\" and 200", "Cannot compare"), ("not(1)", "Expected a boolean but '1' is a number"),
        ("amount in \"a\"", "Cannot compare a number and a string"),
        ("name in [1..2]", "A string cannot lie in '[1..2]'"),
        ("amount in [1..nothing]", "A number and a Null cannot bound a range"), ("[1..\"a\"]", "cannot bound a range"),
        ("(< yes)", "A boolean cannot bound a range"), ("amount instance of tThing", "There is no type 'tThing'"),
        ("amount instance of a.b", "There is no type 'a.b'"),
        ("(function(x: context<a: number>) x)(1)", "Expected context<a: number> as argument"),
        ("(function(x: function<number, Any> -> string) x)(1)", "Expected function<number, Any> -> string"),
        ("order.missing", "The context 'order' has no entry 'missing'"),
        ("nothing.a", "Cannot read 'a' because 'nothing'"),
        ("amount.a", "A number has no property 'a' in 'amount.a'"),
        ("@\"2026-01-31\".hour", "A date has no property 'hour'"),
        ("@\"P1Y\".days", "has no property"), ("@\"P1D\".years", "has no property"),
        ("[1..2].years", "has no property"),
        ("@\"10:00:00\".year", "A time has no property"), ("xs[9]", "There is no position 9 in the list of 5"),
        ("xs[0]", "There is no position 0"), ("xs[1.5]", "There is no position 1.5"),
        ("empty[i]", "no position 2 in the list of 0"),
        ("nothing[1]", "Cannot filter because 'nothing' is null"),
        ("for x in nothing return x", "Cannot iterate because"),
        ("for x in \"a\"..\"b\" return x", "Cannot iterate from a string to a string"),
        ("for x in 1.5..3 return x", "both ends must be whole numbers or dates"),
        ("for x in (> 1) return x", "which has an open end"),
        ("for x in (\"a\"..\"b\") return x", "Cannot iterate from"),
        ("(1)(2)", "Expected a function but '(1)' is a number"),
        ("(function(x) x)()", "Expected 1 arguments but found 0"),
        ("(function(x: number) x)(\"a\")", "Expected number as argument 'x' but found a string"),
        ("(function(x) x)(y: 1)", "The argument 'x' is missing"), ("(function(x) x)(x: 1, y: 2)", "it has 'x'"),
        ("abs()", "'abs' takes 1 argument but 0 are given"), ("substring(\"a\")", "'substring' takes 2 to 3 arguments"),
        ("sum()", "'sum' takes at least 1 argument but 0 are given"), ("append()", "at least 2 arguments"),
        ("abs(m: 1)", "'abs' takes (n) but is given (m)"), ("{f: abs, r: f(m: 1)}.r", "'abs' takes (n)"),
        ("abs(\"a\")", "'abs' expects a number as argument 'n' but found a string in 'abs(\"a\")'"),
        ("string length(1)", "expects a string"), ("substring(\"abc\", 0)", "There is no position 0"),
        ("substring(\"abc\", 4)", "no position 4 in a string of 3"), ("substring(\"abc\", 1, 0)", "The length 0"),
        ("substring(\"abc\", 1e30)", "cannot use the number"), ("string join([1])", "expects a list of strings"),
        ("string join([\"a\"], \"b\", \"c\")", "takes"), ("matches(\"a\", \"[\")", "The pattern is wrong"),
        ("matches(\"a\", \"a\", \"g\")", "There is no flag 'g'"),
        ("replace(\"a\", \"x?\", \"b\")", "matches the empty string"),
        ("replace(\"a\", \"a\", \"$\")", "must be followed by the number of a group"),
        ("replace(\"a\", \"a\", \"\\\\x\")", "must be followed by"), ("list contains(null, 1)", "expects a list"),
        ("min([1, \"a\"])", "Cannot compare a string and a number"), ("min([yes])", "list of comparable values"),
        ("sum([1, \"a\"])", "Expected a list of numbers but found a string"),
        ("sum([\"a\"])", "list of numbers or of durations"),
        ("sum([@\"P1Y\", @\"P1D\"])", "durations of one type"), ("stddev([1])", "at least two numbers"),
        ("all([true, 1])", "Expected a list of booleans"), ("insert before([], 1, 2)", "no position 1 in a list of 0"),
        ("sublist([1, 2], 1, 3)", "There are no 3 elements from position 1 on"),
        ("sublist([1], 1, 0)", "There are no 0"),
        ("partition([1], 0)", "The size 0"), ("sort([1, \"a\"])", "Cannot compare"),
        ("sort([1, 2], 3)", "expects a function"),
        ("sort([1, 2], function(a, b) 1)", "gave a number where a boolean"),
        ("list replace([1], function(a, b) 1, 2)", "no boolean"),
        ("decimal(1, 7000)", "The scale 7000"), ("modulo(1, 0)", "Division by zero"), ("sqrt(-1)", "negative"),
        ("log(0)", "not above zero"), ("exp(1e6)", "too large"), ("not(1, 2)", "takes 1 argument"),
        ("not(negand: 1)", "boolean"),
        ("get value({a: 1}, \"b\")", "no entry 'b'"), ("get value({a: 1}, [\"a\", \"b\"])", "no entry at this path"),
        ("get entries(1)", "expects a context"), ("context put({}, [], 1)", "has 0 elements"),
        ("context put({a: 1}, [\"a\", \"b\"], 1)", "no context under the key 'a'"),
        ("context put({}, [1], 1)", "must be a string"),
        ("context merge([1])", "list of contexts"), ("context([{key: \"a\"}])", "Every entry needs"),
        ("context([{key: \"a\", value: 1}, {key: \"a\", value: 2}])", "occurs twice"),
        ("number(\"x\")", "'x' is no number"),
        ("number(\"1.000,5\", \",\", \",\")", "Both separators"),
        ("number(\"1\", \"x\", \".\")", "'x' is no separator"),
        ("number(\"1.5\", \" \", \",\")", "is no number"), ("number(\"1\", \".\")", "1 or 3 arguments"),
        ("date(\"2026-02-30\")", "'2026-02-30' is no date"), ("date(2026, 2)", "1 or 3"),
        ("date(2026, 2, 30)", "no day 30"),
        ("date(1)", "expects a date"), ("time(\"25:00:00\")", "is no time"), ("time(1, 2)", "1, 3 or 4"),
        ("time(25, 0, 0)", "There is no time 25:0:0"), ("time(1, 2, 3, 4)", "expects a days and time duration"),
        ("time(1, 2, 3, @\"PT20H\")", "not within -14 and 14 hours"), ("date and time(\"x\")", "is no date and time"),
        ("date and time(@\"2026-01-31\", 1)", "expects a time"), ("date and time(1, 2, 3)", "1, 2, 6 or 7"),
        ("date and time(1, \"Z\")", "expects a date and time"),
        ("date and time(@\"2026-01-31T10:00:00Z\", \"x y\")", "no time zone"),
        ("date and time(@\"2026-01-31T10:00:00Z\", \"Nowhere/None\")", "zone"), ("duration(\"x\")", "is no duration"),
        ("years and months duration(1, 2)", "expects a date"), ("before(yes, no)", "expects a point or range"),
        ("before(1, \"a\")", "cannot be compared"), ("meets(1, [1..2])", "expects a range"),
        ("range(\"1\")", "is no range"),
        ("range(\"[a..b]\")", "is no range"), ("day of week(1)", "expects a date"), ("flatten(null)", "expects a list"),
        ("max([])", "'max' of an empty list"), ("sum([])", "'sum' of an empty list"),
        ("mean([])", "'mean' of an empty list"), ("product([])", "'product' of an empty list"),
        ("median([])", "'median' of an empty list"), ("min([])", "'min' of an empty list"),
        ("median([null])", "Expected a list of numbers"), ("@\"2026-01-31\" + 1", "Cannot add a date and a number"),
    ])
    func partsThatFailAreNull(_ row: (text: String, reason: String)) throws {
        try checkNull(row.text, because: row.reason)
    }

    @Test func aMissingVariableIsReportedOnceAndItsConsequencesAreNot() throws {
        let evaluation = try evaluate("customer.age + 1 > 18")
        #expect(evaluation.value == .null)
        #expect(evaluation.warnings == [EvaluationWarning(message: "There is no variable 'customer'", offset: 0)])
        #expect(evaluation.warnings.first?.description == "There is no variable 'customer' (at offset 0)")
    }

    @Test func partsThatAreNotNeededAreNotEvaluated() throws {
        try check(Row("no and missing", false))
        try check(Row("yes or missing", true))
        try check(Row("if yes then 1 else missing", 1))
    }

    @Test func aFailureLeavesTheRestStanding() throws {
        let evaluation = try evaluate("[1, missing, 1 / 0, 4]")
        #expect(evaluation.value == [1, .null, .null, 4])
        #expect(evaluation.warnings.map(\.offset) == [4, 13])
    }

    @Test func longPartsAreShortened() throws {
        let long = String(repeating: "1 + ", count: 50) + "\"a\""
        let message = try #require(try evaluate(long).warnings.first).message
        #expect(message.hasSuffix("...'"))
        #expect(message.count < 160)
    }

    @Test func warningsAreBounded() throws {
        let evaluation = try evaluate("for x in 1..1000 return x / 0")
        #expect(evaluation.value.asList?.count == 1000)
        #expect(evaluation.warnings.count == Evaluation.warningsMax)
    }
}
