/// Makes random FEEL text that follows the grammar and reads the sample variables.
struct Generator {
    var random: SplitMix64
    private var locals: [String] = []

    init(random: SplitMix64) { self.random = random }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func pick(_ texts: [String]) -> String { texts[pick(texts.count)] }

    private static let atoms = [
        "1", "0", "-2.5", "1e3", "\"ann\"", "\"a;b\"", "true", "false", "null", "amount", "name", "yes", "no",
        "nothing",
        "xs", "empty", "order", "order.items", "order.delivery date", "monthly income", "missing", "@\"2026-01-31\"",
        "@\"10:00:00Z\"", "@\"2026-01-31T10:00:00+01:00\"", "@\"P1Y2M\"", "@\"P1DT2H\"", "[1..5]", "(< 3)", "item",
        "partial", "today()", "now()", "i", "[]", "{}", "abs",
    ]

    private static let unary = [
        "string", "number", "date", "time", "date and time", "duration", "string length", "upper case", "count", "min",
        "max", "sum", "mean", "median", "mode", "stddev", "product", "all", "any", "not", "abs", "sqrt", "floor",
        "ceiling", "odd", "even", "reverse", "flatten", "distinct values", "duplicate values", "sort", "get entries",
        "context", "context merge", "day of week", "day of year", "month of year", "week of year", "trim", "is empty",
    ]

    private static let binary = [
        "substring", "contains", "starts with", "ends with", "substring before", "substring after", "split", "matches",
        "list contains", "append", "concatenate", "union", "index of", "remove", "sublist", "modulo", "decimal",
        "round up",
        "get value", "before", "after", "meets", "overlaps", "includes", "during", "starts", "finishes", "coincides",
        "is",
        "years and months duration", "string join", "partition", "get or else",
    ]

    private static let operators = [
        "+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or",
    ]

    private static let types = [
        "number", "string", "list<number>", "context<a: Any>", "date and time", "range<number>", "function", "Any",
        "tThing",
    ]

    private static let properties = [
        "total", "price", "year", "hour", "days", "start", "end included", "a", "time offset",
    ]

    /// Text of an expression nested about `depth` levels deep.
    mutating func expression(_ depth: Int) -> String {
        guard depth > 0, pick(6) > 0 else {
            return !locals.isEmpty && pick(2) == 0 ? pick(locals) : pick(Self.atoms)
        }
        let inner = depth - 1
        switch pick(18) {
        case 0: return "-\(part(inner))"
        case 1, 2, 3: return "\(part(inner)) \(pick(Self.operators)) \(part(inner))"
        case 4: return "\(part(inner)) between \(part(inner)) and \(part(inner))"
        case 5: return "\(part(inner)) in (\(expression(inner)), \(pick(["<", ">="])) \(part(inner)))"
        case 6: return "\(part(inner)) instance of \(pick(Self.types))"
        case 7: return "if \(expression(inner)) then \(expression(inner)) else \(expression(inner))"
        case 8: return loop("for", "return", inner)
        case 9: return loop(pick(["some", "every"]), "satisfies", inner)
        case 10: return "[\(expression(inner)), \(expression(inner))]"
        case 11: return context(inner)
        case 12: return "[\(part(inner))..\(part(inner)))"
        case 13: return "\(part(inner))[\(expression(inner))]"
        case 14: return "\(part(inner)).\(pick(Self.properties))"
        case 15: return "\(pick(Self.unary))(\(expression(inner)))"
        case 16: return "\(pick(Self.binary))(\(expression(inner)), \(expression(inner)))"
        default: return function(inner)
        }
    }

    private mutating func part(_ depth: Int) -> String { "(\(expression(depth)))" }

    private mutating func loop(_ head: String, _ tail: String, _ depth: Int) -> String {
        let name = "v\(locals.count)"
        let source = pick(2) == 0 ? part(depth) : "1..\(pick(5))"
        locals.append(name)
        defer { locals.removeLast() }
        return "\(head) \(name) in \(source) \(tail) \(expression(depth))"
    }

    private mutating func context(_ depth: Int) -> String {
        let name = "v\(locals.count)"
        let first = expression(depth)
        locals.append(name)
        defer { locals.removeLast() }
        return "{\(name): \(first), \"b c\": \(expression(depth))}"
    }

    private mutating func function(_ depth: Int) -> String {
        let name = "v\(locals.count)"
        let argument = expression(depth)
        locals.append(name)
        defer { locals.removeLast() }
        return "(function(\(name)) \(expression(depth)))(\(argument))"
    }
}
