import Values

/// An arithmetic operator.
enum Arithmetic: Sendable {
    case add, subtract, multiply, divide, power

    init?(_ binary: BinaryOperator) {
        switch binary {
        case .add: self = .add
        case .subtract: self = .subtract
        case .multiply: self = .multiply
        case .divide: self = .divide
        case .power: self = .power
        default: return nil
        }
    }

    /// The operator as a verb.
    fileprivate var verb: String {
        switch self {
        case .add: "add"
        case .subtract: "subtract"
        case .multiply: "multiply"
        case .divide: "divide"
        case .power: "raise"
        }
    }
}

extension Machine {
    @inline(__always)
    mutating func compute(_ left: Value, _ arithmetic: Arithmetic, _ right: Value, at span: SourceSpan) -> Value {
        if case .number(let a) = left, case .number(let b) = right {
            let result =
                switch arithmetic {
                case .add: Number.adding(a, b)
                case .subtract: Number.subtracting(a, b)
                case .multiply: Number.multiplying(a, b)
                case .divide: Number.dividing(a, b)
                case .power: power(a, b, span)
                }
            if let result { return .number(result) }
        }
        return computeOther(left, arithmetic, right, span)
    }

    /// Takes steps for the work, which grows with the exponent.
    @inline(never)
    private mutating func power(_ base: Number, _ exponent: Number, _ span: SourceSpan) -> Number? {
        let isSmall = exponent.int64.map { $0.magnitude <= 64 } ?? false
        return spend(isSmall ? 4 : 128, at: span) ? base.power(exponent) : nil
    }

    @inline(never)
    private mutating func computeOther(
        _ left: Value, _ arithmetic: Arithmetic, _ right: Value, _ span: SourceSpan
    ) -> Value {
        let result: Value? =
            switch arithmetic {
            case .add: add(left, right, span)
            case .subtract: Self.subtract(left, right)
            case .multiply: Self.multiply(left, right)
            case .divide: Self.divide(left, right)
            case .power: nil
            }
        if let result { return result }
        if left.isNull || right.isNull, !warnings.isEmpty { return .null }
        warn(span) { $0.failure(left, arithmetic, right, span) }
        return .null
    }

    private func failure(_ left: Value, _ arithmetic: Arithmetic, _ right: Value, _ span: SourceSpan) -> String {
        switch (left, right) {
        case (.number(let base), .number(let number)):
            if arithmetic == .divide, number.isZero { return "Division by zero in '\(text(span))'" }
            if arithmetic == .power, base.isNegative || base.isZero {
                return "\(base) to the power of \(number) is no real number in '\(text(span))'"
            }
            return "The result of '\(text(span))' is too large"
        case (.yearMonthDuration, .number(let number)) where arithmetic == .divide && number.isZero,
            (.dayTimeDuration, .number(let number)) where arithmetic == .divide && number.isZero:
            return "Division by zero in '\(text(span))'"
        default:
            return "Cannot \(arithmetic.verb) a \(left.typeName) and a \(right.typeName) in '\(text(span))'"
        }
    }

    private mutating func add(_ left: Value, _ right: Value, _ span: SourceSpan) -> Value? {
        switch (left, right) {
        case (.string(let a), .string(let b)): return join(a, b, span)
        case (.date(let date), .yearMonthDuration(let duration)), (.yearMonthDuration(let duration), .date(let date)):
            return date.adding(duration).map(Value.date)
        case (.date(let date), .dayTimeDuration(let duration)), (.dayTimeDuration(let duration), .date(let date)):
            return date.adding(duration).map(Value.date)
        case (.dateTime(let moment), .yearMonthDuration(let duration)),
            (.yearMonthDuration(let duration), .dateTime(let moment)):
            return moment.adding(duration).map(Value.dateTime)
        case (.dateTime(let moment), .dayTimeDuration(let duration)),
            (.dayTimeDuration(let duration), .dateTime(let moment)):
            return moment.adding(duration).map(Value.dateTime)
        case (.time(let time), .dayTimeDuration(let duration)), (.dayTimeDuration(let duration), .time(let time)):
            return .time(time.adding(duration))
        case (.yearMonthDuration(let a), .yearMonthDuration(let b)): return a.adding(b).map(Value.yearMonthDuration)
        case (.dayTimeDuration(let a), .dayTimeDuration(let b)): return a.adding(b).map(Value.dayTimeDuration)
        default: return nil
        }
    }

    private mutating func join(_ left: String, _ right: String, _ span: SourceSpan) -> Value {
        let length = left.utf8.count + right.utf8.count
        guard admitsString(length, at: span) else { return .null }
        return .string(left + right)
    }

    /// Whether a string of `length` bytes may be built, which costs steps; says so when it may not.
    mutating func admitsString(_ length: Int, at span: SourceSpan) -> Bool {
        guard spend(length / 256, at: span) else { return false }
        if length <= Self.stringLengthMax { return true }
        warn(span) { "The string '\($0.text(span))' would be longer than \(Self.stringLengthMax) bytes" }
        return false
    }

    private static func subtract(_ left: Value, _ right: Value) -> Value? {
        switch (left, right) {
        case (.date(let a), .date(let b)):
            DayTimeDuration(totalNanoseconds: Int128(a.daysSinceEpoch - b.daysSinceEpoch) * 86_400_000_000_000)
                .map(Value.dayTimeDuration)
        case (.dateTime(let a), .dateTime(let b)): a.subtracting(b).map(Value.dayTimeDuration)
        case (.date(let a), .dateTime(let b)): midnight(a).subtracting(b).map(Value.dayTimeDuration)
        case (.dateTime(let a), .date(let b)): a.subtracting(midnight(b)).map(Value.dayTimeDuration)
        case (.time(let a), .time(let b)): a.subtracting(b).map(Value.dayTimeDuration)
        case (.date(let date), .yearMonthDuration(let duration)):
            opposite(duration).flatMap { date.adding($0) }.map(Value.date)
        case (.date(let date), .dayTimeDuration(let duration)):
            opposite(duration).flatMap { date.adding($0) }.map(Value.date)
        case (.dateTime(let moment), .yearMonthDuration(let duration)):
            opposite(duration).flatMap { moment.adding($0) }.map(Value.dateTime)
        case (.dateTime(let moment), .dayTimeDuration(let duration)):
            opposite(duration).flatMap { moment.adding($0) }.map(Value.dateTime)
        case (.time(let time), .dayTimeDuration(let duration)):
            opposite(duration).map { .time(time.adding($0)) }
        case (.yearMonthDuration(let a), .yearMonthDuration(let b)): a.subtracting(b).map(Value.yearMonthDuration)
        case (.dayTimeDuration(let a), .dayTimeDuration(let b)): a.subtracting(b).map(Value.dayTimeDuration)
        default: nil
        }
    }

    /// A date as a date and time: its midnight in UTC (DMN 1.5, clause 10.3.2.3.6).
    static func midnight(_ date: CalendarDate) -> DateTime {
        DateTime(date: date, time: TimeOfDay(nanosecondOfDay: 0, zone: .utc))
    }

    private static func opposite(_ duration: YearMonthDuration) -> YearMonthDuration? {
        YearMonthDuration(months: 0).subtracting(duration)
    }

    private static func opposite(_ duration: DayTimeDuration) -> DayTimeDuration? {
        DayTimeDuration(totalNanoseconds: -duration.totalNanoseconds)
    }

    private static func multiply(_ left: Value, _ right: Value) -> Value? {
        switch (left, right) {
        case (.yearMonthDuration(let duration), .number(let factor)),
            (.number(let factor), .yearMonthDuration(let duration)):
            duration.multiplied(by: factor).map(Value.yearMonthDuration)
        case (.dayTimeDuration(let duration), .number(let factor)),
            (.number(let factor), .dayTimeDuration(let duration)):
            duration.multiplied(by: factor).map(Value.dayTimeDuration)
        default: nil
        }
    }

    private static func divide(_ left: Value, _ right: Value) -> Value? {
        switch (left, right) {
        case (.yearMonthDuration(let duration), .number(let divisor)):
            duration.divided(by: divisor).map(Value.yearMonthDuration)
        case (.dayTimeDuration(let duration), .number(let divisor)):
            duration.divided(by: divisor).map(Value.dayTimeDuration)
        case (.yearMonthDuration(let a), .yearMonthDuration(let b)): a.divided(by: b).map(Value.number)
        case (.dayTimeDuration(let a), .dayTimeDuration(let b)): a.divided(by: b).map(Value.number)
        default: nil
        }
    }
}
