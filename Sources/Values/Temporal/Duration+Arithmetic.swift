extension YearMonthDuration {
    /// Whole months from `start` to `end`, rounded towards zero (FEEL `years and months duration`).
    public static func between(_ start: CalendarDate, _ end: CalendarDate) -> YearMonthDuration {
        var months = Int64(end.year - start.year) * 12 + Int64(end.month - start.month)
        if months > 0, end.day < start.day { months -= 1 }
        if months < 0, end.day > start.day { months += 1 }
        return YearMonthDuration(months: months)
    }

    /// The sum, or nil when it does not fit.
    public func adding(_ other: YearMonthDuration) -> YearMonthDuration? {
        let (months, overflow) = self.months.addingReportingOverflow(other.months)
        return overflow ? nil : YearMonthDuration(months: months)
    }

    /// The difference, or nil when it does not fit.
    public func subtracting(_ other: YearMonthDuration) -> YearMonthDuration? {
        let (months, overflow) = self.months.subtractingReportingOverflow(other.months)
        return overflow ? nil : YearMonthDuration(months: months)
    }

    /// The product in whole months, rounded towards zero; nil when it does not fit.
    public func multiplied(by factor: Number) -> YearMonthDuration? {
        Self.truncating(Number.multiplying(Number(self.months), factor))
    }

    /// The quotient in whole months, rounded towards zero; nil when the divisor is zero or the result does not fit.
    public func divided(by divisor: Number) -> YearMonthDuration? {
        Self.truncating(Number.dividing(Number(self.months), divisor))
    }

    /// How many times `other` fits; nil when it is zero.
    public func divided(by other: YearMonthDuration) -> Number? {
        Number.dividing(Number(self.months), Number(other.months))
    }

    private static func truncating(_ months: Number?) -> YearMonthDuration? {
        months?.rounded(scale: 0, mode: .down).int64.map { YearMonthDuration(months: $0) }
    }
}

extension DayTimeDuration {
    /// The duration in seconds, with the fraction.
    public var totalSeconds: Number {
        Number(
            Decimal128(
                isNegative: self.totalNanoseconds < 0, coefficient: self.totalNanoseconds.magnitude, exponent: -9))
    }

    /// Creates a duration from seconds, rounded half even to nanoseconds; nil when it does not fit.
    public init?(totalSeconds: Number) {
        let scaled = Number.multiplying(totalSeconds, 1_000_000_000)?.rounded(scale: 0, mode: .halfEven)
        guard let decimal = scaled?.decimal, decimal.exponent <= 38 else { return nil }
        let (magnitude, overflow) = decimal.coefficient.multipliedReportingOverflow(
            by: PowersOfTen.table[Swift.max(0, decimal.exponent)])
        guard !overflow, let nanoseconds = Int128(exactly: magnitude) else { return nil }
        self.init(totalNanoseconds: decimal.isNegative ? -nanoseconds : nanoseconds)
    }

    /// The sum, or nil when it does not fit.
    public func adding(_ other: DayTimeDuration) -> DayTimeDuration? {
        DayTimeDuration(totalNanoseconds: self.totalNanoseconds + other.totalNanoseconds)
    }

    /// The difference, or nil when it does not fit.
    public func subtracting(_ other: DayTimeDuration) -> DayTimeDuration? {
        DayTimeDuration(totalNanoseconds: self.totalNanoseconds - other.totalNanoseconds)
    }

    /// The product; nil when it does not fit.
    public func multiplied(by factor: Number) -> DayTimeDuration? {
        Number.multiplying(self.totalSeconds, factor).flatMap { DayTimeDuration(totalSeconds: $0) }
    }

    /// The quotient; nil when the divisor is zero or the result does not fit.
    public func divided(by divisor: Number) -> DayTimeDuration? {
        Number.dividing(self.totalSeconds, divisor).flatMap { DayTimeDuration(totalSeconds: $0) }
    }

    /// How many times `other` fits; nil when it is zero.
    public func divided(by other: DayTimeDuration) -> Number? {
        Number.dividing(self.totalSeconds, other.totalSeconds)
    }

    /// Days, hours, minutes and seconds of the duration, each with the sign of the whole (FEEL properties).
    public var parts: (days: Int64, hours: Int64, minutes: Int64, seconds: Int64, nanoseconds: Int64) {
        let total = self.totalNanoseconds
        let seconds = Int64(total / 1_000_000_000)
        return (
            seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60, Int64(total % 1_000_000_000)
        )
    }
}
