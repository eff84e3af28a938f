import Values

extension Builtin {
    /// Functions that look into lists.
    static let listFunctions: [Builtin] = [
        Builtin("list contains", "list, element") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            for element in elements where machine.isSame(element, arguments[1], at: arguments.span) {
                return .boolean(true)
            }
            return .boolean(false)
        },
        Builtin("index of", "list, match") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            var positions: [Value] = []
            for (index, element) in elements.enumerated()
            where machine.isSame(element, arguments[1], at: arguments.span) {
                positions.append(.number(Number(index + 1)))
            }
            return .list(positions)
        },
        Builtin("duplicate values", "list") { (arguments, machine) throws(Mistake) in
            var (seen, duplicates) = (DistinctValues(), DistinctValues())
            for element in try arguments.list(0) where !(try seen.insert(element, arguments, &machine)) {
                _ = try duplicates.insert(element, arguments, &machine)
            }
            return .list(duplicates.values)
        },
        Builtin("is empty", "list") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.list(0).isEmpty)
        },
        Builtin("partition", "list, size") { (arguments, machine) throws(Mistake) in
            let (elements, size) = (try arguments.list(0), try arguments.integer(1))
            guard size > 0 else { throw Mistake("The size \(size) is not above zero") }
            try arguments.spend(elements.count, &machine)
            return .list(
                stride(from: 0, to: elements.count, by: min(size, max(elements.count, 1))).map { start in
                    .list(Array(elements[start..<min(start + min(size, elements.count), elements.count)]))
                })
        },
    ]
}

/// Values in order of insertion, each once by FEEL equality.
struct DistinctValues {
    private(set) var values: [Value] = []
    /// The numbers and strings among `values`, which hash as they compare.
    private var scalars: Set<Value> = []
    private var others: [Value] = []

    /// Adds `value`; false when it was there.
    mutating func insert(
        _ value: Value, _ arguments: Arguments, _ machine: inout Machine
    ) throws(Mistake) -> Bool {
        try arguments.spend(1, &machine)
        switch value {
        case .null, .boolean, .number, .string, .date:
            guard scalars.insert(value).inserted else { return false }
        default:
            try arguments.spend(others.count, &machine)
            for other in others where machine.isSame(other, value, at: arguments.span) { return false }
            others.append(value)
        }
        values.append(value)
        return true
    }
}
