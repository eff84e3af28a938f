import Testing
import Values

@testable import Decisions

@Suite struct CollectionTests {
    @Test(arguments: [
        Row("[]", []), Row("[1, \"a\", [2]]", [1, "a", [2]]), Row("{}", [:]),
        Row("{a: 1, b: a + 1}", ["a": 1, "b": 2]),
        Row("{\"a b\": 1, c: a b + 1}", ["a b": 1, "c": 2]), Row("{a-b: 1, c: a-b + 1}", ["a-b": 1, "c": 2]),
        Row("{a-b: 1}.a-b", 1), Row("{if x: 1}.if x", 1), Row("[1..3]", range(1, 3)),
        Row("(1..3]", range(1, 3, includesLower: false)),
        Row("]1..3[", range(1, 3, includesLower: false, includesUpper: false)),
        Row("[1..3)", range(1, 3, includesUpper: false)), Row("(< 5)", range(nil, 5, includesUpper: false)),
        Row("(<= 5)", range(nil, 5)), Row("(> 5)", range(5, nil, includesLower: false)), Row("(>= 5)", range(5, nil)),
        Row("(= 5)", range(5, 5)), Row("[amount..2 * amount]", range(150, 300)),
        Row("]i..xs[5]]", range(2, 5, includesLower: false)),
    ])
    func constructorsBuildValues(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("order.total", 1200), Row("order.delivery date", date("2026-03-01")), Row("order.items.price", [5, 7, 9]),
        Row("order.items.qty", [2, 1, .null]), Row("{a: {b: {c: 1}}}.a.b.c", 1), Row("[{a: 1}, {a: 2}].a", [1, 2]),
        Row("[@\"2026-01-31\"].year", [2026]), Row("@\"2026-01-31\".year", 2026), Row("@\"2026-01-31\".month", 1),
        Row("@\"2026-01-31\".day", 31), Row("@\"2026-01-31\".weekday", 6), Row("@\"10:20:30.5\".hour", 10),
        Row("@\"10:20:30\".minute", 20), Row("@\"10:20:30.5\".second", number("30.5")),
        Row("@\"10:20:30+01:00\".time offset", seconds(3600)), Row("@\"10:20:30\".time offset", .null),
        Row("@\"10:20:30@Europe/Paris\".timezone", "Europe/Paris"), Row("@\"10:20:30Z\".timezone", .null),
        Row("@\"2026-01-31T10:20:30Z\".year", 2026), Row("@\"2026-01-31T10:20:30Z\".hour", 10),
        Row("@\"P1Y2M\".years", 1), Row("@\"P1Y2M\".months", 2), Row("@\"P1DT2H3M4.5S\".days", 1),
        Row("@\"P1DT2H3M4.5S\".hours", 2), Row("@\"P1DT2H3M4.5S\".minutes", 3),
        Row("@\"P1DT2H3M4.5S\".seconds", number("4.5")), Row("[1..3).start", 1), Row("[1..3).end", 3),
        Row("[1..3).start included", true), Row("[1..3).end included", false), Row("(< 3).start", .null),
        Row("(> 3).end", .null),
    ])
    func pathsReadEntriesAndProperties(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("xs[1]", 1), Row("xs[-1]", 5), Row("xs[i]", 2), Row("xs[i + 1]", 3), Row("xs[item > 3]", [4, 5]),
        Row("xs[even(item)]", [2, 4]), Row("xs[item > 9]", []), Row("empty[item > 1]", []),
        Row("empty[even(item)]", []), Row("order.items[price > 5].sku", ["b", "c"]),
        Row("order.items[price > 5][1].sku", "b"), Row("order.items[item.price > 5].sku", ["b", "c"]),
        Row("order.items[price > amount - 144].sku", ["b", "c"]), Row("items[item = \"x\"].sku", ["a"]),
        Row("amount[1]", 150), Row("amount[item > 1]", [150]), Row("[[1, 2], [3]][1][2]", 2),
        Row("xs[true]", [1, 2, 3, 4, 5]), Row("xs[false]", []), Row("[1, 2, 3][item >= 2]", [2, 3]),
        Row("order.items[sku in (\"a\", \"c\")].price", [5, 9]),
        Row("[[1, 2], [3]][count(item[item > 1]) > 0]", [[1, 2], [3]]),
        Row("[{xs: [1, 2]}, {xs: [3]}][count(xs[item > 2]) > 0]", [["xs": [3]]]),
    ])
    func filtersSelect(_ row: Row) throws { try check(row) }

    @Test(arguments: [
        Row("for x in xs return x * 2", [2, 4, 6, 8, 10]), Row("for x in 1..3 return x", [1, 2, 3]),
        Row("for x in 3..1 return x", [3, 2, 1]), Row("for x in [1..3] return x", [1, 2, 3]),
        Row("for x in (1..3) return x", [2]), Row("for x in (1..2) return x", []), Row("for x in 7 return x", [7]),
        Row("for x in [1, 2], y in [x, 10] return x * y", [1, 10, 4, 20]), Row("for x in [] return x", []),
        Row("for x in xs return for y in 1..2 return x", [[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]),
        Row("for n in 0..5 return if n < 2 then 1 else partial[-1] + partial[-2]", [1, 1, 2, 3, 5, 8]),
        Row("for order line in order.items return order line.price", [5, 7, 9]),
        Row("for d in @\"2026-01-31\"..@\"2026-02-01\" return d.day", [31, 1]),
        Row("for d in (@\"2026-01-30\"..@\"2026-02-01\") return d.day", [31]),
        Row("for x in 1..2 return x + amount", [151, 152]),
        Row("some x in xs satisfies x > 4", true), Row("some x in xs satisfies x > 5", false),
        Row("every x in xs satisfies x > 0", true), Row("every x in xs satisfies x > 1", false),
        Row("every x in [] satisfies no", true), Row("some x in [] satisfies yes", false),
        Row("some x in xs, y in xs satisfies x + y = 10", true), Row("every x in 1..3 satisfies x < 4", true),
        Row("some x in [nothing, yes] satisfies x", true), Row("some x in [nothing, no] satisfies x", .null),
        Row("every x in [nothing, no] satisfies x", false), Row("every x in [nothing, yes] satisfies x", .null),
    ])
    func iterationsCoverEveryCombination(_ row: Row) throws { try check(row) }
}
