import Values

extension Builtin {
    static let booleanFunctions: [Builtin] = [
        Builtin("not", "negand") { (arguments, _) throws(Mistake) in
            if arguments.isMissing(0) { return .null }
            return .boolean(!(try arguments.boolean(0)))
        },
        connective("all", deciding: false),
        connective("and", deciding: false),
        connective("any", deciding: true),
        connective("or", deciding: true),
        Builtin("is", "value1, value2") { (arguments, _) in .boolean(isIdentical(arguments[0], arguments[1])) },
        Builtin("is defined", "value") { (arguments, _) in .boolean(!arguments[0].isNull) },
        Builtin("get or else", "value, default") { (arguments, _) in
            arguments[0].isNull ? arguments[1] : arguments[0]
        },
    ]

    /// Three-valued logic over a list: `deciding` if it occurs, else null if anything but a boolean does.
    private static func connective(_ name: String, deciding: Bool) -> Builtin {
        Builtin(name, "list...") { (arguments, machine) throws(Mistake) in
            if arguments.count == 1, arguments.isMissing(0) { throw arguments.expected("list", 0) }
            let elements = try arguments.elements()
            try arguments.spend(elements.count / 4, &machine)
            var isUnknown = false
            for element in elements {
                guard case .boolean(let flag) = element else {
                    isUnknown = true
                    continue
                }
                if flag == deciding { return .boolean(deciding) }
            }
            return isUnknown ? .null : .boolean(!deciding)
        }
    }

    /// Whether both are the same element of the same domain (DMN 1.5, table 81): zones count, not only instants.
    private static func isIdentical(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.time(let a), .time(let b)):
            a.nanosecondOfDay == b.nanosecondOfDay && isIdentical(a.zone, b.zone, a.offsetSeconds, b.offsetSeconds)
        case (.dateTime(let a), .dateTime(let b)):
            a.date == b.date && a.time.nanosecondOfDay == b.time.nanosecondOfDay
                && isIdentical(a.zone, b.zone, a.offsetSeconds, b.offsetSeconds)
        default: left == right
        }
    }

    private static func isIdentical(_ a: ZoneOffset?, _ b: ZoneOffset?, _ aSeconds: Int?, _ bSeconds: Int?) -> Bool {
        a == b || (aSeconds != nil && aSeconds == bSeconds)
    }
}
