extension CalendarDate {
    /// Reads an ISO 8601 date such as `2026-11-24`, `-0044-03-15` or `12026-01-01`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let date = TemporalReader.readAll(text, { $0.date() }) else { return nil }
        self = date
    }
}

extension TimeOfDay {
    /// Reads an ISO 8601 time such as `13:20:00`, `13:20:00.5+02:00` or `13:20:00@Europe/Paris`; nil for anything else.
    ///
    /// `24:00:00` reads as midnight.
    public init?(_ text: some StringProtocol) {
        guard let read = TemporalReader.readAll(text, { $0.time() }) else { return nil }
        self = read.time
    }
}

extension DateTime {
    /// Reads an ISO 8601 date and time such as `2026-11-24T13:20:00Z`; nil for anything else.
    ///
    /// `24:00:00` reads as midnight of the next day.
    public init?(_ text: some StringProtocol) {
        let read = TemporalReader.readAll(text) { reader -> DateTime? in
            guard let date = reader.date(), reader.skip(0x54), let (time, isEndOfDay) = reader.time(),
                let day = isEndOfDay ? date.adding(days: 1) : date
            else { return nil }
            return DateTime(date: day, time: time)
        }
        guard let read else { return nil }
        self = read
    }
}

extension ZoneOffset {
    /// Reads `Z`, `±hh:mm`, `±hh:mm:ss` or `@Area/City`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let zone = TemporalReader.readAll(text, { $0.zone() }) else { return nil }
        self = zone
    }
}

extension YearMonthDuration {
    /// Reads `P1Y2M`, `-P3M`; nil for anything else, a duration with days included.
    public init?(_ text: some StringProtocol) {
        guard let duration = ISO8601Duration(text), duration.hasOnlyYearsAndMonths else { return nil }
        self.init(months: duration.months)
    }
}

extension DayTimeDuration {
    /// Reads `P3DT4H5M6.5S`, `-PT1S`; nil for anything else, a duration with months or weeks included.
    public init?(_ text: some StringProtocol) {
        guard let duration = ISO8601Duration(text), duration.hasOnlyDaysAndTime else { return nil }
        self = duration.exact
    }
}
