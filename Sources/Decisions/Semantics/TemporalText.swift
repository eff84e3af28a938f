import Values

/// Reads the text of `@"…"` literals and of the conversion functions.
enum TemporalText {
    /// A date, time, date and time or duration, whichever the text is; nil when it is none.
    static func value(_ text: String) -> Value? {
        if let date = CalendarDate(text) { return .date(date) }
        if let moment = dateTime(text) { return .dateTime(moment) }
        if let time = TimeOfDay(text), isKnown(time.zone) { return .time(time) }
        return duration(text)
    }

    /// A date and time, or the midnight of a date without a zone.
    static func dateTime(_ text: String) -> DateTime? {
        if let date = CalendarDate(text) { return DateTime(date: date, time: TimeOfDay(nanosecondOfDay: 0)) }
        return DateTime(text).flatMap { isKnown($0.zone) ? $0 : nil }
    }

    /// A duration of either kind.
    static func duration(_ text: String) -> Value? {
        if let duration = YearMonthDuration(text) { return .yearMonthDuration(duration) }
        return DayTimeDuration(text).map(Value.dayTimeDuration)
    }

    /// Whether a named zone exists, as far as there is a database to ask.
    static func isKnown(_ zone: ZoneOffset?) -> Bool {
        guard case .named(let name) = zone, let database = TimeZones.current else { return true }
        return database.contains(zone: name)
    }
}
