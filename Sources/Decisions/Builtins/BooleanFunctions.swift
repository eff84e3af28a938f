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
        Builtin("is", "value1?, value2?") { (arguments, _) in
            // The same element of the same domain (DMN 1.5, table 81): of times, zones count and not only instants.
            .boolean(arguments[0] == arguments[1])
        },
        Builtin("is defined", "value") { (arguments, _) in .boolean(!arguments[0].isNull) },
        Builtin("get or else", "value, default") { (arguments, _) in
            arguments[0].isNull ? arguments[1] : arguments[0]
        },
    ]

    /// Three-valued logic over a list: `deciding` if it occurs, else null if anything but a boolean does.
    private static func connective(_ name: String, deciding: Bool) -> Builtin {
        Builtin(name, "list...") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.elements()
            try arguments.spend(elements.count / 4, &machine)
            var wrong: Value?
            for element in elements {
                if case .boolean(deciding) = element { return .boolean(deciding) }
                if case .boolean = element { continue }
                wrong = wrong ?? element
            }
            guard let wrong else { return .boolean(!deciding) }
            if wrong.isNull { return .null }
            throw Mistake("Expected a list of booleans but found a \(wrong.typeName) in it")
        }
    }
}
