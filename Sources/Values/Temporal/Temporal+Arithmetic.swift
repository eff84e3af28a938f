extension CalendarDate {
    /// The date a number of months later, its day lowered where needed; nil beyond the range of years.
    public func adding(_ duration: YearMonthDuration) -> CalendarDate? {
        self.adding(months: duration.months)
    }

    /// The date on which midnight UTC plus `duration` falls (FEEL: date + days and time duration); nil beyond the range
    /// of years.
    public func adding(_ duration: DayTimeDuration) -> CalendarDate? {
        self.adding(days: Int(duration.seconds.floorDivided(by: 86_400)))
    }
}

extension DateTime {
    /// The same time of day a number of months later; nil beyond the range of years.
    public func adding(_ duration: YearMonthDuration) -> DateTime? {
        self.date.adding(duration).map { DateTime(date: $0, time: self.time) }
    }

    /// The date and time an exact duration later.
    ///
    /// In a named zone that can be resolved the instant moves, so the clock may jump; otherwise the clock moves. Nil
    /// beyond the range of years.
    public func adding(_ duration: DayTimeDuration) -> DateTime? {
        if case .named = self.zone, let zone, let start = self.epochSeconds,
            let (seconds, nanosecond) = self.sum(start, duration)
        {
            return DateTime(epochSeconds: seconds, nanosecond: nanosecond, zone: zone)
        }
        guard let (seconds, nanosecond) = self.sum(self.localSeconds, duration) else { return nil }
        return DateTime(localSeconds: seconds, nanosecond: nanosecond, zone: self.zone)
    }

    private func sum(_ start: Int64, _ duration: DayTimeDuration) -> (seconds: Int64, nanosecond: Int)? {
        let nanosecond = self.time.nanosecond + Int(duration.nanoseconds)
        let (sum, overflow) = start.addingReportingOverflow(duration.seconds)
        let (seconds, carryOverflow) = sum.addingReportingOverflow(Int64(nanosecond / 1_000_000_000))
        return overflow || carryOverflow ? nil : (seconds, nanosecond % 1_000_000_000)
    }

    /// The time from `other` to this: between instants when both have a zone, on the clock when neither has one.
    ///
    /// Nil when only one has a zone, or one cannot be resolved.
    public func subtracting(_ other: DateTime) -> DayTimeDuration? {
        guard let (left, right) = Self.comparableSeconds(self, other) else { return nil }
        let seconds = Int128(left - right) * 1_000_000_000
        return DayTimeDuration(totalNanoseconds: seconds + Int128(self.time.nanosecond - other.time.nanosecond))
    }

    /// Orders two values in time: negative when `lhs` is earlier, 0 for the same instant in whatever zones.
    ///
    /// Nil when only one has a zone, or one cannot be resolved.
    public static func compare(_ lhs: DateTime, _ rhs: DateTime) -> Int? {
        guard let (left, right) = Self.comparableSeconds(lhs, rhs) else { return nil }
        return ordering(left, right) ?? ordering(lhs.time.nanosecond, rhs.time.nanosecond) ?? 0
    }

    private static func comparableSeconds(_ lhs: DateTime, _ rhs: DateTime) -> (Int64, Int64)? {
        if lhs.zone == nil, rhs.zone == nil { return (lhs.localSeconds, rhs.localSeconds) }
        if let left = lhs.epochSeconds, let right = rhs.epochSeconds { return (left, right) }
        return lhs.zone == rhs.zone ? (lhs.localSeconds, rhs.localSeconds) : nil
    }
}

extension TimeOfDay {
    /// The same clock reading in another zone, or in none.
    public func inZone(_ zone: ZoneOffset?) -> TimeOfDay {
        TimeOfDay(nanosecondOfDay: self.nanosecondOfDay, zone: zone)
    }

    /// The time a duration later, going round the clock.
    public func adding(_ duration: DayTimeDuration) -> TimeOfDay {
        let rest = duration.totalNanoseconds.floorModulo(86_400_000_000_000)
        return TimeOfDay(nanosecondOfDay: self.nanosecondOfDay + Int64(rest), zone: self.zone)
    }

    /// The time from `other` to this on one day, each taken to UTC when both have a zone; nil when only one has one,
    /// or one cannot be resolved.
    public func subtracting(_ other: TimeOfDay) -> DayTimeDuration? {
        guard let (left, right) = Self.comparableNanoseconds(self, other) else { return nil }
        return DayTimeDuration(totalNanoseconds: Int128(left - right))
    }

    /// Orders two times of one day, each taken to UTC when both have a zone; nil when only one has one, or one cannot
    /// be resolved.
    public static func compare(_ lhs: TimeOfDay, _ rhs: TimeOfDay) -> Int? {
        Self.comparableNanoseconds(lhs, rhs).map { ordering($0.0, $0.1) ?? 0 }
    }

    /// Seconds east of UTC, or nil for local time and for a zone that cannot be resolved.
    ///
    /// For lack of a date, a named zone has the offset it had on 1970-01-01.
    public var offsetSeconds: Int? {
        self.zone?.offsetSeconds(atLocalSeconds: Int64(self.secondOfDay))
    }

    private static func comparableNanoseconds(_ lhs: TimeOfDay, _ rhs: TimeOfDay) -> (Int64, Int64)? {
        if lhs.zone == rhs.zone { return (lhs.nanosecondOfDay, rhs.nanosecondOfDay) }
        guard let left = lhs.offsetSeconds, let right = rhs.offsetSeconds else { return nil }
        return (
            lhs.nanosecondOfDay - Int64(left) * 1_000_000_000, rhs.nanosecondOfDay - Int64(right) * 1_000_000_000
        )
    }
}

/// −1 or 1, or nil when both are equal.
private func ordering<Element: Comparable>(_ lhs: Element, _ rhs: Element) -> Int? {
    lhs < rhs ? -1 : lhs > rhs ? 1 : nil
}
