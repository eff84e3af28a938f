/// A date and a time of day, with or without a zone.
public struct DateTime: Sendable, Hashable {
    /// The date.
    public let date: CalendarDate
    /// The time of day; its zone is the zone of the whole.
    public let time: TimeOfDay

    /// The zone, or nil for local time.
    public var zone: ZoneOffset? { self.time.zone }

    /// Creates a date and time.
    public init(date: CalendarDate, time: TimeOfDay) {
        self.date = date
        self.time = time
    }
}
