import Values

/// A property of a temporal value or range (DMN 1.5, tables 65 to 70).
enum Property: String, Sendable {
    case year, month, day, weekday, hour, minute, second
    case timeOffset = "time offset"
    case timezone
    case years, months, days, hours, minutes, seconds
    case start, end
    case startIncluded = "start included"
    case endIncluded = "end included"

    /// The property of `owner`; nil when its type has none of this name, null when this value has none.
    func value(of owner: Value) -> Value? {
        switch owner {
        case .date(let date): of(date)
        case .time(let time): of(time, offset: time.offsetSeconds)
        case .dateTime(let moment): of(moment.date) ?? of(moment.time, offset: moment.offsetSeconds)
        case .yearMonthDuration(let duration):
            switch self {
            case .years: .number(Number(duration.yearsPart))
            case .months: .number(Number(duration.monthsPart))
            default: nil
            }
        case .dayTimeDuration(let duration): of(duration)
        case .range(let range):
            switch self {
            case .start: range.lower ?? .null
            case .end: range.upper ?? .null
            case .startIncluded: .boolean(range.includesLower)
            case .endIncluded: .boolean(range.includesUpper)
            default: nil
            }
        default: nil
        }
    }

    private func of(_ date: CalendarDate) -> Value? {
        switch self {
        case .year: .number(Number(date.year))
        case .month: .number(Number(date.month))
        case .day: .number(Number(date.day))
        case .weekday: .number(Number(date.weekday))
        default: nil
        }
    }

    private func of(_ time: TimeOfDay, offset: Int?) -> Value? {
        switch self {
        case .hour: return .number(Number(time.hour))
        case .minute: return .number(Number(time.minute))
        case .second:
            return .number(
                DayTimeDuration(seconds: Int64(time.second), nanoseconds: Int32(time.nanosecond)).totalSeconds)
        case .timeOffset: return offset.map { .dayTimeDuration(DayTimeDuration(seconds: Int64($0))) } ?? .null
        case .timezone:
            if case .named(let name) = time.zone { return .string(name) }
            return .null
        default: return nil
        }
    }

    private func of(_ duration: DayTimeDuration) -> Value? {
        let parts = duration.parts
        switch self {
        case .days: return .number(Number(parts.days))
        case .hours: return .number(Number(parts.hours))
        case .minutes: return .number(Number(parts.minutes))
        case .seconds:
            let whole = DayTimeDuration(
                totalNanoseconds: Int128(parts.seconds) * 1_000_000_000 + Int128(parts.nanoseconds))
            return whole.map { .number($0.totalSeconds) }
        default: return nil
        }
    }
}
