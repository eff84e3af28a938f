/// A time of day to the nanosecond, with or without a zone.
///
/// A day has 86,400 seconds.
public struct TimeOfDay: Sendable, Hashable {
    /// Nanoseconds since midnight.
    public let nanosecondOfDay: Int64
    /// The zone, or nil for local time.
    public let zone: ZoneOffset?

    /// The hour, 0 to 23.
    public var hour: Int { Int(self.nanosecondOfDay / 3_600_000_000_000) }
    /// The minute, 0 to 59.
    public var minute: Int { Int(self.nanosecondOfDay / 60_000_000_000 % 60) }
    /// The second, 0 to 59.
    public var second: Int { Int(self.nanosecondOfDay / 1_000_000_000 % 60) }
    /// The nanosecond, 0 to 999,999,999.
    public var nanosecond: Int { Int(self.nanosecondOfDay % 1_000_000_000) }
    /// Seconds since midnight.
    public var secondOfDay: Int { Int(self.nanosecondOfDay / 1_000_000_000) }

    /// Creates a time, or nil when a part is out of range.
    public init?(hour: Int, minute: Int, second: Int = 0, nanosecond: Int = 0, zone: ZoneOffset? = nil) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999_999_999).contains(nanosecond)
        else { return nil }
        self.init(
            nanosecondOfDay: Int64(hour * 3_600 + minute * 60 + second) * 1_000_000_000 + Int64(nanosecond), zone: zone)
    }

    /// Creates a time from nanoseconds since midnight, taken modulo one day.
    public init(nanosecondOfDay: Int64, zone: ZoneOffset? = nil) {
        self.nanosecondOfDay = nanosecondOfDay.floorModulo(86_400_000_000_000)
        self.zone = zone
    }
}
