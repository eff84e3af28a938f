import Values

extension Builtin {
    static let aggregateFunctions: [Builtin] = [
        Builtin("count", "list...") { (arguments, _) throws(Mistake) in
            .number(Number(try arguments.elements().count))
        },
        extreme("min", .less),
        extreme("max", .greater),
        Builtin("sum", "list...") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.elements()
            guard !elements.isEmpty else { throw arguments.empty }
            try arguments.spend(elements.count / 4, &machine)
            if case .number = elements[0] { return .number(try arguments.numbers(&machine).total()) }
            return try sumOfDurations(elements, arguments)
        },
        Builtin("mean", "list...") { (arguments, machine) throws(Mistake) in
            let numbers = try arguments.numbers(&machine)
            guard !numbers.isEmpty else { throw arguments.empty }
            return .number(try numbers.mean())
        },
        Builtin("product", "list...") { (arguments, machine) throws(Mistake) in
            let numbers = try arguments.numbers(&machine)
            guard var product = numbers.first else { throw arguments.empty }
            for number in numbers.dropFirst() { product = try Number.multiplying(product, number).orTooLarge() }
            return .number(product)
        },
        Builtin("median", "list...") { (arguments, machine) throws(Mistake) in
            let numbers = try arguments.numbers(&machine).sorted()
            guard !numbers.isEmpty else { throw arguments.empty }
            let middle = numbers.count / 2
            guard numbers.count % 2 == 0 else { return .number(numbers[middle]) }
            return .number(try [numbers[middle - 1], numbers[middle]].mean())
        },
        Builtin("stddev", "list...") { (arguments, machine) throws(Mistake) in
            let numbers = try arguments.numbers(&machine)
            guard numbers.count >= 2 else { throw Mistake("A standard deviation takes at least two numbers") }
            let mean = try numbers.mean()
            var squares: [Number] = []
            for number in numbers {
                let distance = try Number.subtracting(number, mean).orTooLarge()
                squares.append(try Number.multiplying(distance, distance).orTooLarge())
            }
            let variance = try Number.dividing(try squares.total(), Number(numbers.count - 1)).orTooLarge()
            return .number(try variance.squareRoot.orTooLarge())
        },
        Builtin("mode", "list...") { (arguments, machine) throws(Mistake) in
            var counts: [Number: Int] = [:]
            for number in try arguments.numbers(&machine) { counts[number, default: 0] += 1 }
            let most = counts.values.max()
            return .list(counts.filter { $0.value == most }.keys.sorted().map(Value.number))
        },
    ]

    private static func extreme(_ name: String, _ wanted: Order) -> Builtin {
        Builtin(name, "list...") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.elements()
            try arguments.spend(elements.count / 4, &machine)
            guard var best = elements.first else { throw arguments.empty }
            guard Order.between(best, best) != nil else { throw arguments.expected("list of comparable values", 0) }
            for element in elements.dropFirst() {
                guard let order = Order.between(element, best) else {
                    throw Mistake("Cannot compare a \(element.typeName) and a \(best.typeName)")
                }
                if order == wanted { best = element }
            }
            return best
        }
    }

    private static func sumOfDurations(_ elements: [Value], _ arguments: Arguments) throws(Mistake) -> Value {
        var sum = elements[0]
        for element in elements.dropFirst() {
            switch (sum, element) {
            case (.yearMonthDuration(let a), .yearMonthDuration(let b)):
                sum = .yearMonthDuration(try a.adding(b).orTooLarge())
            case (.dayTimeDuration(let a), .dayTimeDuration(let b)):
                sum = .dayTimeDuration(try a.adding(b).orTooLarge())
            default: throw arguments.expected("list of numbers or of durations of one type", 0)
            }
        }
        switch sum {
        case .yearMonthDuration, .dayTimeDuration: return sum
        default: throw arguments.expected("list of numbers or of durations of one type", 0)
        }
    }
}

extension Arguments {
    /// The elements as numbers.
    fileprivate func numbers(_ machine: inout Machine) throws(Mistake) -> [Number] {
        let elements = try elements()
        try spend(elements.count / 4, &machine)
        var numbers: [Number] = []
        numbers.reserveCapacity(elements.count)
        for element in elements {
            guard case .number(let number) = element else {
                throw Mistake("Expected a list of numbers but found a \(element.typeName) in it")
            }
            numbers.append(number)
        }
        return numbers
    }
}

extension [Number] {
    fileprivate func total() throws(Mistake) -> Number {
        var total = Number.zero
        for number in self { total = try Number.adding(total, number).orTooLarge() }
        return total
    }

    fileprivate func mean() throws(Mistake) -> Number {
        try Number.dividing(try total(), Number(count)).orTooLarge()
    }
}

extension Optional {
    /// The result of arithmetic, nil when it does not fit.
    fileprivate func orTooLarge() throws(Mistake) -> Wrapped {
        guard let self else { throw Mistake("The result is too large") }
        return self
    }
}
