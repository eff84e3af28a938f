import Values

extension Builtin {
    static let numberFunctions: [Builtin] = [
        Builtin("decimal", "n, scale") { (arguments, _) throws(Mistake) in
            .number(try arguments.number(0).rounded(scale: try arguments.scale(1), mode: .halfEven))
        },
        Builtin("floor", "n, scale?") { (arguments, _) throws(Mistake) in
            .number(try arguments.number(0).floor(scale: try arguments.optionalScale(1)))
        },
        Builtin("ceiling", "n, scale?") { (arguments, _) throws(Mistake) in
            .number(try arguments.number(0).ceiling(scale: try arguments.optionalScale(1)))
        },
        rounding("round up", .up),
        rounding("round down", .down),
        rounding("round half up", .halfUp),
        rounding("round half down", .halfDown),
        Builtin("abs", "n") { (arguments, _) throws(Mistake) in
            switch arguments[0] {
            case .yearMonthDuration(let duration) where duration.months != .min:
                return .yearMonthDuration(YearMonthDuration(months: abs(duration.months)))
            case .dayTimeDuration(let duration):
                guard let size = DayTimeDuration(totalNanoseconds: abs(duration.totalNanoseconds)) else {
                    throw Mistake("The duration is too long")
                }
                return .dayTimeDuration(size)
            default: return .number(try arguments.number(0).magnitude)
            }
        },
        Builtin("modulo", "dividend, divisor") { (arguments, _) throws(Mistake) in
            guard let remainder = try arguments.number(0).modulo(try arguments.number(1)) else {
                throw Mistake("Division by zero")
            }
            return .number(remainder)
        },
        Builtin("sqrt", "number") { (arguments, machine) throws(Mistake) in
            try arguments.spend(16, &machine)
            guard let root = try arguments.number(0).squareRoot else { throw Mistake("The number is negative") }
            return .number(root)
        },
        Builtin("log", "number") { (arguments, machine) throws(Mistake) in
            try arguments.spend(128, &machine)
            guard let logarithm = try arguments.number(0).log else { throw Mistake("The number is not above zero") }
            return .number(logarithm)
        },
        Builtin("exp", "number") { (arguments, machine) throws(Mistake) in
            try arguments.spend(128, &machine)
            guard let power = try arguments.number(0).exp else { throw Mistake("The result is too large") }
            return .number(power)
        },
        Builtin("odd", "number") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.number(0).modulo(2)?.magnitude == 1)
        },
        Builtin("even", "number") { (arguments, _) throws(Mistake) in
            .boolean(try arguments.number(0).modulo(2)?.isZero ?? false)
        },
    ]

    private static func rounding(_ name: String, _ mode: Number.RoundingMode) -> Builtin {
        Builtin(name, "n, scale?") { (arguments, _) throws(Mistake) in
            .number(try arguments.number(0).rounded(scale: try arguments.optionalScale(1), mode: mode))
        }
    }
}

extension Arguments {
    /// A number of digits after the point (DMN 1.5, table 77).
    fileprivate func scale(_ index: Int) throws(Mistake) -> Int {
        let scale = try integer(index)
        guard (-6111...6176).contains(scale) else { throw Mistake("The scale \(scale) is not within -6111 and 6176") }
        return scale
    }

    fileprivate func optionalScale(_ index: Int) throws(Mistake) -> Int {
        index < count ? try scale(index) : 0
    }
}
