import Testing
import Values

@testable import Decisions

@Suite struct OperatorTests {
    @Test(arguments: [
        Row("42", 42), Row("-7", -7), Row("1.50", number("1.5")), Row(".25", number("0.25")), Row("1e3", 1000),
        Row("12E-1", number("1.2")), Row("\"text\"", "text"), Row("true", true), Row("false", false),
        Row("null", .null), Row("\"a\\nb\\t\\\"\\\\\\r\\'\"", "a\nb\t\"\\\r'"), Row("\"\\d+\"", "\\d+"),
        Row("\"\\u00e9\\uD83D\\uDC0E\\U01F40E\"", "é🐎🐎"), Row("/* c */ 1 // end\n + 1", 2),
        Row("@\"2026-01-31\"", date("2026-01-31")), Row("@\"10:30:00Z\"", time("10:30:00Z")),
        Row("@\"2026-01-31T10:30:00\"", dateTime("2026-01-31T10:30:00")), Row("@\"P1Y2M\"", months(14)),
        Row("@\"PT1H\"", seconds(3600)),
    ])
    func literalsStandForThemselves(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("1 + 2 * 3", 7), Row("(1 + 2) * 3", 9), Row("10 - 4 - 3", 3), Row("2 ** 3 ** 2", 64), Row("-3 ** 2", 9),
        Row("--4", 4), Row("7 / 2", number("3.5")), Row("0.1 + 0.2", number("0.3")), Row("2 ** -1", number("0.5")),
        Row("amount * 2 - 1", 299), Row("\"a\" + \"b\"", "ab"), Row("1 + if yes then 2 else 3", 3),
        Row("9007199254740993 + 1", number("9007199254740994")),
        Row("9223372036854775807 + 1", number("9223372036854775808")),
    ])
    func arithmeticFollowsPrecedence(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("date(\"2026-01-31\") + duration(\"P1M\")", date("2026-02-28")),
        Row("duration(\"P1D\") + date(\"2026-01-31\")", date("2026-02-01")),
        Row("@\"P1M\" + @\"2026-01-31\"", date("2026-02-28")),
        Row("date(\"2026-01-31\") - duration(\"P1M\")", date("2025-12-31")),
        Row("date(\"2026-01-31\") - duration(\"PT24H\")", date("2026-01-30")),
        Row("date(\"2026-02-01\") - date(\"2026-01-31\")", seconds(86400)),
        Row("@\"2026-01-31T10:00:00Z\" + @\"PT90M\"", dateTime("2026-01-31T11:30:00Z")),
        Row("@\"PT90M\" + @\"2026-01-31T10:00:00Z\"", dateTime("2026-01-31T11:30:00Z")),
        Row("@\"2026-01-31T10:00:00\" + @\"P1M\"", dateTime("2026-02-28T10:00:00")),
        Row("@\"P1M\" + @\"2026-01-31T10:00:00\"", dateTime("2026-02-28T10:00:00")),
        Row("@\"2026-01-31T10:00:00\" - @\"P1M\"", dateTime("2025-12-31T10:00:00")),
        Row("@\"2026-01-31T10:00:00\" - @\"PT1H\"", dateTime("2026-01-31T09:00:00")),
        Row("@\"2026-01-31T10:00:00Z\" - @\"2026-01-31T09:00:00+01:00\"", seconds(7200)),
        Row("@\"2026-01-31T01:00:00Z\" - @\"2026-01-31\"", seconds(3600)),
        Row("@\"2026-01-31\" - @\"2026-01-30T23:00:00Z\"", seconds(3600)),
        Row("@\"10:00:00\" + @\"PT15H\"", time("01:00:00")), Row("@\"PT15H\" + @\"10:00:00\"", time("01:00:00")),
        Row("@\"10:00:00\" - @\"PT1H\"", time("09:00:00")), Row("@\"10:00:00\" - @\"09:00:00\"", seconds(3600)),
        Row("@\"P1Y\" + @\"P2M\"", months(14)), Row("@\"P1Y\" - @\"P2M\"", months(10)),
        Row("@\"PT1H\" + @\"PT1M\"", seconds(3660)), Row("@\"PT1H\" - @\"PT1M\"", seconds(3540)),
        Row("@\"P1Y\" * 2", months(24)), Row("2 * @\"P1Y\"", months(24)), Row("@\"PT1H\" * 0.5", seconds(1800)),
        Row("3 * @\"PT1H\"", seconds(10800)), Row("@\"P1Y\" / 2", months(6)), Row("@\"PT1H\" / 2", seconds(1800)),
        Row("@\"P1Y\" / @\"P6M\"", 2), Row("@\"PT1H\" / @\"PT15M\"", 4), Row("-@\"P1Y\"", months(-12)),
        Row("-@\"PT1H\"", seconds(-3600)),
    ])
    func temporalValuesHaveArithmetic(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("1 = 1.0", true), Row("1 != 2", true), Row("\"a\" = \"a\"", true), Row("\"a\" < \"b\"", true),
        Row("amount > 100", true), Row("amount >= 150", true), Row("amount < 150", false), Row("amount <= 149", false),
        Row("nothing = null", true), Row("amount = null", false), Row("null != amount", true), Row("yes = true", true),
        Row("[1, 2] = [1, 2]", true), Row("[1, 2] = [1]", false), Row("[1] = [\"1\"]", false),
        Row("{a: 1, b: 2} = {b: 2, a: 1}", true), Row("{a: 1} = {b: 1}", false), Row("{a: 1} = {a: 1, b: 2}", false),
        Row("{a: 1} = {a: 2}", false), Row("[1..2] = [1..2]", true), Row("[1..2] = [1..2)", false),
        Row("(< 5) = (< 5)", true), Row("date(\"2026-01-01\") < date(\"2026-01-02\")", true),
        Row("@\"2026-01-01T10:00:00Z\" = @\"2026-01-01T11:00:00+01:00\"", true),
        Row("@\"2026-01-01T10:00:00Z\" > @\"2026-01-01T10:00:00+01:00\"", true),
        Row("@\"2026-01-01T10:00:00Z\" = @\"2026-01-01T10:00:00\"", false), Row("@\"10:00:00\" < @\"10:00:01\"", true),
        Row("@\"P1Y\" = @\"P12M\"", true), Row("@\"PT60M\" >= @\"PT1H\"", true), Row("1 < 2 and 2 < 3", true),
        Row("abs = abs", true), Row("abs = sqrt", false), Row("amount between 100 and 150", true),
        Row("amount between 151 and 200", false), Row("amount between 100 and 150 and yes", true),
        Row("1 = 1 = true", true),
    ])
    func comparisonsOrderAndEquate(_ row: Row) throws { try check(row) }

    /// The truth tables of DMN 1.5, table 46 and 47.
    @Test func logicHasThreeValues() throws {
        let values: [(String, Bool?)] = [("yes", true), ("no", false), ("nothing", nil)]
        for (left, a) in values {
            for (right, b) in values {
                let and: Bool? = a == false || b == false ? false : a == nil || b == nil ? nil : true
                let or: Bool? = a == true || b == true ? true : a == nil || b == nil ? nil : false
                try check(Row("\(left) and \(right)", and.map(Value.boolean) ?? .null))
                try check(Row("\(left) or \(right)", or.map(Value.boolean) ?? .null))
            }
            try check(Row("not(\(left))", a.map { .boolean(!$0) } ?? .null))
        }
    }

    @Test(arguments: [
        Row("yes or no and no", true), Row("(yes or no) and no", false), Row("no or no or yes", true),
        Row("yes and yes and no", false), Row("not(amount > 100)", false),
        Row("if amount > 100 then \"big\" else \"small\"", "big"), Row("if nothing then 1 else 2", 2),
        Row("if no then 1 else if yes then 2 else 3", 2), Row("(if yes then yes else no) and yes", true),
        Row("(if no then yes else no) or no", false),
    ])
    func conditionsCombine(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("amount in (100, 150)", true), Row("amount in (100..150)", false), Row("amount in (100..150]", true),
        Row("amount in [100..150)", false), Row("amount in ]100..150[", false), Row("amount in [150..200[", true),
        Row("amount in > 100", true), Row("amount in (< 100, >= 150)", true), Row("amount in (!= 150)", false),
        Row("amount in (= 150)", true), Row("amount in != 1", true), Row("amount in (150)", true),
        Row("amount in [1, 150]", true), Row("amount in ([1..9], [100..200])", true),
        Row("amount in [[1..9], [100..200]]", true), Row("amount in xs", false), Row("amount in (xs)[1]", false),
        Row("amount in (100) + 50", true), Row("[1, 2] in [[1, 2], [3]]", true), Row("[1, 2] in [1, 2]", true),
        Row("\"b\" in [\"a\"..\"c\"]", true), Row("null in null", true), Row("null in (1, null)", true),
        Row("[1..2] in [1..2]", true), Row("[1..2] in [[1..2]]", true), Row("yes in (yes)", true),
        Row("no in yes", false),
        Row("{a: 1} in [{a: 1}]", true), Row("1 in [< 5, > 10]", true), Row("7 in [< 5, > 10]", false),
    ])
    func inLooksForMembers(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        ("amount instance of number", true), ("name instance of string", true), ("yes instance of boolean", true),
        ("@\"2026-01-01\" instance of date", true), ("@\"10:00:00\" instance of time", true),
        ("now() instance of date and time", true), ("@\"P1Y\" instance of years and months duration", true),
        ("@\"P1D\" instance of days and time duration", true), ("@\"P1D\" instance of duration", true),
        ("@\"P1M\" instance of duration", true), ("xs instance of list", true), ("xs instance of list<number>", true),
        ("xs instance of list<string>", false), ("order instance of context", true),
        ("order instance of context<total: number, status: string>", true),
        ("order instance of context<total: string>", false), ("order instance of context<absent: Any>", false),
        ("order instance of context<>", true),
        ("(function(a, b) a) instance of function<number, Any> -> Any", true),
        ("[1..2] instance of range", true), ("[1..2] instance of range<number>", true),
        ("[1..2] instance of range<string>", false), ("abs instance of function", true),
        ("abs instance of function<number> -> number", true), ("abs instance of function<> -> number", false),
        ("nothing instance of number", false), ("nothing instance of Any", false), ("nothing instance of Null", true),
        ("nothing instance of null", true), ("amount instance of Any", true), ("amount instance of string", false),
        ("-amount instance of number", true), ("[[1]] instance of list<list<number>>", true),
    ])
    func instanceOfTellsTypes(_ row: (text: String, expected: Bool)) throws {
        try check(Row(row.text, .boolean(row.expected)))
    }
}
