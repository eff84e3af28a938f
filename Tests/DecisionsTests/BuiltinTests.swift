import Testing
import Values

@testable import Decisions

@Suite struct BuiltinTests {
    @Test(arguments: [
        Row("substring(\"foobar\", 3)", "obar"), Row("substring(\"foobar\", 3, 3)", "oba"),
        Row("substring(\"foobar\", -2, 1)", "a"), Row("substring(\"foobar\", 3, 99)", "obar"),
        Row("substring(string: \"foobar\", start position: 3)", "obar"), Row("substring(\"🐎bc\", 2)", "bc"),
        Row("substring([\"foobar\"], 6)", "r"), Row("string length(\"🐎é\")", 2), Row("string length(\"\")", 0),
        Row("upper case(\"aBc4\")", "ABC4"), Row("lower case(\"aBc4\")", "abc4"),
        Row("substring before(\"foobar\", \"bar\")", "foo"), Row("substring before(\"foobar\", \"xyz\")", ""),
        Row("substring before(\"foobar\", \"\")", ""), Row("substring after(\"foobar\", \"ob\")", "ar"),
        Row("substring after(\"foobar\", \"\")", "foobar"), Row("substring after(\"\", \"a\")", ""),
        Row("contains(\"foobar\", \"of\")", false), Row("contains(\"foobar\", \"ob\")", true),
        Row("contains(\"a\", \"\")", true), Row("starts with(\"foobar\", \"fo\")", true),
        Row("starts with(\"foobar\", \"ob\")", false), Row("ends with(\"foobar\", \"ar\")", true),
        Row("ends with(\"foobar\", \"xfoobar\")", false), Row("trim(\" \\t a b \\n\")", "a b"), Row("trim(\"\")", ""),
        Row("is blank(\" \\t\")", true), Row("is blank(name)", false),
        Row("string join([\"a\", null, \"b\"], \"-\")", "a-b"), Row("string join([\"a\", \"b\"])", "ab"),
        Row("string join([\"a\", \"b\"], \", \", \"[\", \"]\")", "[a, b]"), Row("string join([], \"-\")", ""),
        Row("string join([\"a\", \"b\"], null)", "ab"),
    ])
    func stringsAreTakenApart(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("matches(\"foobar\", \"^fo*b\")", true), Row("matches(\"foobar\", \"^b\")", false),
        Row("matches(\"ABC\", \"abc\", \"i\")", true),
        Row("replace(\"abracadabra\", \"a(.)\", \"$1-\")", "b-rc-d-b-ra"),
        Row("replace(\"abc\", \"b\", \"$9\")", "ac"), Row("replace(\"abc\", \"b\", \"\\\\$\\\\\\\\\")", "a$\\c"),
        Row("replace(\"a.c\", \".\", \"$1\", \"q\")", "a$1c"), Row("replace(\"abc\", \"(x)?b\", \"[$1]\")", "a[]c"),
        Row("split(\"a;b;;\", \";\")", ["a", "b", "", ""]), Row("split(\"John  Doe\", \"\\s+\")", ["John", "Doe"]),
        Row("split(\"\", \";\")", [""]), Row("extract(\"a1b22\", \"[0-9]+\")", ["1", "22"]),
        Row("extract(\"abc\", \"[0-9]\")", []),
        Row("matches(name, \"^a\", \"i\")", true), Row("matches(name, \"^A\", null)", true),
        Row("replace(name, \"n\", \"-\", \"\")", "A--"), Row("split(name, \"n\")", ["A", "", ""]),
        Row("matches(name, name)", true), Row("matches(name, \"^a\", if yes then \"i\" else \"s\")", true),
        Row("replace(\"ab\", \"(a)(b)(c)?(d)?(e)?(f)?(g)?(h)?(i)?(j)?\", \"$10$2\")", "b"),
    ])
    func patternsMatch(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("list contains([1, null], null)", true), Row("list contains([1, [2]], [2])", true),
        Row("list contains([1], \"1\")", false), Row("count([1, 2])", 2), Row("count([])", 0), Row("count(1, 2, 3)", 3),
        Row("min([3, 1, 2])", 1), Row("max(3, 1, 2)", 3), Row("min(\"b\", \"a\")", "a"),
        Row("max([@\"2026-01-01\", @\"2026-02-01\"])", date("2026-02-01")), Row("sum([1, 2.5])", number("3.5")),
        Row("sum(1, 2, 3)", 6), Row("sum([@\"PT1H\", @\"PT1M\"])", seconds(3660)),
        Row("sum([@\"P1Y\", @\"P1M\"])", months(13)), Row("mean([1, 2])", number("1.5")),
        Row("product([2, 3, 4])", 24), Row("median([3, 1, 2])", 2),
        Row("median([1, 2, 3, 4])", number("2.5")),
        Row("stddev([1, 3, 5])", 2), Row("mode([6, 1, 9, 6, 1])", [1, 6]), Row("mode([])", []),
        Row("all([true, true])", true), Row("all(true, null, false)", false), Row("all([])", true),
        Row("all([true, null])", .null), Row("any([false, true])", true), Row("any([])", false),
        Row("any([false, null])", .null), Row("and([true, false])", false), Row("or([true, false])", true),
    ])
    func listsAreSummedUp(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("append([1], 2, 3)", [1, 2, 3]), Row("append([1], [2])", [1, [2]]), Row("append(1, null)", [1, .null]),
        Row("concatenate([1], [2, 3], 4)", [1, 2, 3, 4]), Row("insert before([1, 3], 2, 2)", [1, 2, 3]),
        Row("insert before([1, 3], -1, 2)", [1, 2, 3]), Row("remove([1, 2, 3], 2)", [1, 3]),
        Row("remove([1, 2, 3], -1)", [1, 2]), Row("list replace([1, 2, 3], 2, 9)", [1, 9, 3]),
        Row("list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)", [5, 5, 7, 8]),
        Row("list replace(list: [1, 2], match: function(a, b) a = 1, newItem: 0)", [0, 2]),
        Row("sublist([1, 2, 3], 2)", [2, 3]), Row("sublist([1, 2, 3], 1, 2)", [1, 2]),
        Row("sublist([1, 2, 3], -2, 1)", [2]), Row("reverse([1, 2, 3])", [3, 2, 1]),
        Row("index of([1, 2, 1], 1)", [1, 3]), Row("index of([1], 9)", []), Row("union([1, 2], [2, 3])", [1, 2, 3]),
        Row("distinct values([1, \"1\", 1.0, null, null, [1], [1], {a: 1}, {a: 1}])", [1, "1", .null, [1], ["a": 1]]),
        Row("duplicate values([1, 2, 1, 1, 3, 3])", [1, 3]), Row("flatten([[1, [2]], [[3]], 4])", [1, 2, 3, 4]),
        Row("sort([3, 1, 2])", [1, 2, 3]), Row("sort([\"b\", \"a\"])", ["a", "b"]), Row("sort([])", []),
        Row("sort(order.items, function(a, b) a.price > b.price).sku", ["c", "b", "a"]),
        Row("sort([[1, 2], [1, 1], [0, 3]], function(a, b) a[1] < b[1])", [[0, 3], [1, 2], [1, 1]]),
        Row("is empty([])", true), Row("is empty([1])", false), Row("partition([1, 2, 3], 2)", [[1, 2], [3]]),
        Row("partition([], 2)", []),
    ])
    func listsAreRebuilt(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("decimal(1/3, 2)", number("0.33")), Row("decimal(1.5, 0)", 2), Row("decimal(2.5, 0)", 2),
        Row("decimal(1234, -2)", 1200), Row("floor(1.5)", 1), Row("floor(-1.5)", -2),
        Row("floor(1.56, 1)", number("1.5")),
        Row("ceiling(1.5)", 2), Row("ceiling(-1.5)", -1), Row("ceiling(1.51, 1)", number("1.6")),
        Row("round up(5.5, 0)", 6), Row("round up(-5.5, 0)", -6), Row("round down(5.5, 0)", 5),
        Row("round half up(5.5, 0)", 6), Row("round half up(-5.5, 0)", -6), Row("round half down(5.5, 0)", 5),
        Row("round up(n: 1.121, scale: 2)", number("1.13")), Row("abs(-10)", 10), Row("abs(@\"-PT1H\")", seconds(3600)),
        Row("abs(@\"-P1Y\")", months(12)), Row("modulo(12, 5)", 2), Row("modulo(-12, 5)", 3), Row("modulo(12, -5)", -3),
        Row("sqrt(16)", 4), Row("decimal(log(10), 8)", number("2.30258509")),
        Row("decimal(exp(5), 6)", number("148.413159")),
        Row("odd(5)", true), Row("odd(-5)", true), Row("odd(1.5)", false), Row("even(2)", true),
        Row("even(2.5)", false),
    ])
    func numbersAreRounded(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("not(true)", false), Row("not(null)", .null), Row("is(1, 1.0)", true),
        Row("is(@\"10:00:00Z\", @\"10:00:00+00:00\")", true), Row("is(@\"10:00:00Z\", @\"11:00:00+01:00\")", false),
        Row("is(1)", false), Row("is defined(amount)", true), Row("is defined(nothing)", false),
        Row("get or else(nothing, 3)", 3), Row("get or else(amount, 3)", 150),
        Row("get value({a: 1}, \"a\")", 1), Row("get value({a: {b: 2}}, [\"a\", \"b\"])", 2),
        Row("get entries({a: 1, b: 2})", [["key": "a", "value": 1], ["key": "b", "value": 2]]),
        Row("context put({a: 1}, \"b\", 2)", ["a": 1, "b": 2]), Row("context put({a: 1}, \"a\", 2)", ["a": 2]),
        Row("context put({a: {b: 1}}, [\"a\", \"b\"], 2)", ["a": ["b": 2]]),
        Row("context put(context: {}, keys: [\"a\"], value: 1)", ["a": 1]),
        Row("context merge([{a: 1}, {a: 2, b: 3}])", ["a": 2, "b": 3]), Row("context merge({a: 1})", ["a": 1]),
        Row("context([{key: \"a\", value: 1}, {key: \"b\", value: 2}])", ["a": 1, "b": 2]), Row("context([])", [:]),
    ])
    func contextsAreRebuilt(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("string(1.50)", "1.5"), Row("string(\"a\")", "a"), Row("string(true)", "true"), Row("string(null)", .null),
        Row("string(@\"2026-01-31\")", "2026-01-31"), Row("string(@\"10:00:00Z\")", "10:00:00Z"),
        Row("string(@\"2026-01-31T10:00:00@Europe/Paris\")", "2026-01-31T10:00:00@Europe/Paris"),
        Row("string(@\"P26M\")", "P2Y2M"), Row("string(@\"PT26H\")", "P1DT2H"),
        Row("string([1, \"a\\\"b\", null, [false]])", "[1, \"a\\\"b\", null, [false]]"),
        Row("string({a: 1, \"b c\": \"x\", \"1\": 2})", "{a: 1, b c: \"x\", \"1\": 2}"),
        Row("string([1..2))", "[1..2)"),
        Row("string((< 5))", "(..5)"), Row("string((> \"a\"))", "(\"a\"..)"),
        Row("string(function(a, b) a)", "function(a, b)"),
        Row("number(\"1.5\")", number("1.5")), Row("number(7)", 7),
        Row("number(\"1 000,5\", \" \", \",\")", number("1000.5")),
        Row("number(\"1,000.5\", \",\", \".\")", number("1000.5")), Row("number(\"1000\", null, null)", 1000),
        Row("date(\"2026-01-31\")", date("2026-01-31")), Row("date(2026, 1, 31)", date("2026-01-31")),
        Row("date(@\"2026-01-31T10:00:00Z\")", date("2026-01-31")), Row("date(@\"2026-01-31\")", date("2026-01-31")),
        Row("date(year: 2026, month: 1, day: 31)", date("2026-01-31")), Row("time(\"10:30:00\")", time("10:30:00")),
        Row("time(10, 30, 1.5)", time("10:30:01.5")), Row("time(10, 30, 0, @\"PT1H\")", time("10:30:00+01:00")),
        Row("time(10, 30, 0, null)", time("10:30:00")), Row("time(@\"2026-01-31T10:00:00Z\")", time("10:00:00Z")),
        Row("time(@\"2026-01-31\")", time("00:00:00Z")), Row("time(@\"10:00:00\")", time("10:00:00")),
        Row("date and time(\"2026-01-31T10:00:00Z\")", dateTime("2026-01-31T10:00:00Z")),
        Row("date and time(\"2026-01-31\")", dateTime("2026-01-31T00:00:00")),
        Row("date and time(@\"2026-01-31\")", dateTime("2026-01-31T00:00:00")),
        Row("date and time(@\"2026-01-31T10:00:00Z\")", dateTime("2026-01-31T10:00:00Z")),
        Row("date and time(@\"2026-01-31\", @\"10:00:00Z\")", dateTime("2026-01-31T10:00:00Z")),
        Row("date and time(@\"2026-01-31T10:00:00Z\", \"+01:00\")", dateTime("2026-01-31T11:00:00+01:00")),
        Row("date and time(@\"2026-01-31T10:00:00\", \"+01:00\")", dateTime("2026-01-31T10:00:00+01:00")),
        Row("date and time(2026, 1, 31, 10, 0, 0)", dateTime("2026-01-31T10:00:00")),
        Row("date and time(2026, 1, 31, 10, 0, 0, @\"PT1H\")", dateTime("2026-01-31T10:00:00+01:00")),
        Row("date and time(2026, 1, 31, 10, 0, 0, \"Etc/UTC\")", dateTime("2026-01-31T10:00:00@Etc/UTC")),
        Row("duration(\"P1Y\")", months(12)), Row("duration(\"PT1H\")", seconds(3600)),
        Row("duration(@\"PT1H\")", seconds(3600)), Row("duration(@\"P1M\")", months(1)),
        Row("years and months duration(@\"2024-01-31\", @\"2026-03-01\")", months(25)),
        Row("years and months duration(from: @\"2026-03-01\", to: @\"2024-01-31T10:00:00Z\")", months(-25)),
        Row("now()", dateTime("2026-01-31T09:05:00Z")), Row("today()", date("2026-01-31")),
        Row("day of year(@\"2026-02-01\")", 32), Row("day of week(@\"2026-01-31\")", "Saturday"),
        Row("month of year(@\"2026-01-31T10:00:00\")", "January"), Row("week of year(@\"2026-01-01\")", 1),
        Row("last day of month(@\"2028-02-01\")", 29), Row("range(\"[18..21)\")", range(18, 21, includesUpper: false)),
    ])
    func valuesAreConverted(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        ("before(1, 10)", true), ("before(10, 1)", false), ("before(1, [1..10])", false), ("before(1, (1..10])", true),
        ("before([1..10], 10)", false), ("before([1..10), 10)", true), ("before([1..10], [15..20])", true),
        ("before([1..10), [10..20])", true), ("before((> 1), 5)", false), ("after(10, 5)", true),
        ("after(5, 10)", false),
        ("after(12, [1..10])", true), ("after(10, [1..10))", true), ("after([11..20], 12)", false),
        ("after([11..20], [1..11))", true), ("after((< 3), 1)", false), ("meets([1..5], [5..10])", true),
        ("meets([1..5), [5..10])", false), ("met by([5..10], [1..5])", true), ("met by([5..10], [1..5))", false),
        ("overlaps([1..5], [3..8])", true), ("overlaps([1..5], [6..8])", false), ("overlaps([1..5), [5..8])", false),
        ("overlaps((< 5), (> 3))", true), ("overlaps before([1..5], [3..8])", true),
        ("overlaps before([1..5], [1..8])", false), ("overlaps before([1..5], (1..5])", true),
        ("overlaps before([1..9], [3..8])", false), ("overlaps after([3..8], [1..5])", true),
        ("overlaps after([1..5], [3..8])", false), ("finishes(10, [1..10])", true), ("finishes(10, [1..10))", false),
        ("finishes([5..10], [1..10])", true), ("finishes((1..10], [1..10])", true),
        ("finishes([1..10], (1..10])", false),
        ("finished by([1..10], 10)", true), ("finished by([1..10], [5..10])", true), ("includes([1..10], 5)", true),
        ("includes([1..10], 12)", false), ("includes([1..10], (1..10))", true), ("includes((1..10], 1)", false),
        ("during(5, [1..10])", true), ("during([4..6], [1..10])", true), ("during([1..10], (1..10))", false),
        ("starts(1, [1..10])", true), ("starts(1, (1..10])", false), ("starts([1..5], [1..10])", true),
        ("starts([1..10], [1..5])", false), ("started by([1..10], 1)", true), ("started by([1..10], [1..5])", true),
        ("coincides(5, 5)", true), ("coincides(3, 4)", false), ("coincides([1..5], [1..5])", true),
        ("coincides([1..5], [1..6])", false), ("coincides((< 5), (< 5))", true), ("during((< 5), (< 6))", true),
        ("includes((> 5), (> 6))", true), ("starts((< 5), (< 6))", true), ("during((> 5), [1..9])", false),
        ("during((< 5), [1..9])", false), ("coincides((< 5), [1..5))", false), ("finishes((> 1), (> 0))", true),
    ])
    func rangesRelate(_ row: (text: String, expected: Bool)) throws {
        try check(Row(row.text, .boolean(row.expected)))
    }
}
