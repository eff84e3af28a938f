extension DateTime {
    /// Creates the date and time of an instant as a clock `offsetSeconds` east of UTC shows it.
    ///
    /// Nil when the offset exceeds 14 hours. Every 64-bit instant has a date.
    public init?(epochMilliseconds: Int64, offsetSeconds: Int = 0) {
        self.init(
            epochSeconds: epochMilliseconds.floorDivided(by: 1_000),
            nanosecond: Int(epochMilliseconds.floorModulo(1_000)) * 1_000_000,
            zone: .offset(seconds: Int32(clamping: offsetSeconds)))
    }

    /// Creates the date and time of an instant in a zone; nil when the zone cannot be resolved or the year is out of
    /// range.
    public init?(epochSeconds: Int64, nanosecond: Int = 0, zone: ZoneOffset) {
        guard let offset = zone.offsetSeconds(atEpochSeconds: epochSeconds) else { return nil }
        let (local, overflow) = epochSeconds.addingReportingOverflow(Int64(offset))
        guard !overflow else { return nil }
        self.init(localSeconds: local, nanosecond: nanosecond, zone: zone)
    }

    /// Creates a date and time from seconds since 1970 on the local clock.
    init?(localSeconds: Int64, nanosecond: Int, zone: ZoneOffset?) {
        guard let date = CalendarDate(daysSinceEpoch: Int(localSeconds.floorDivided(by: 86_400))) else { return nil }
        self.init(
            date: date,
            time: TimeOfDay(
                nanosecondOfDay: localSeconds.floorModulo(86_400) * 1_000_000_000 + Int64(nanosecond), zone: zone))
    }

    /// Seconds from 1970-01-01T00:00:00 on the same clock, whatever its zone.
    public var localSeconds: Int64 {
        Int64(self.date.daysSinceEpoch) * 86_400 + Int64(self.time.secondOfDay)
    }

    /// Seconds east of UTC, or nil for local time and for a zone that cannot be resolved.
    public var offsetSeconds: Int? {
        self.zone?.offsetSeconds(atLocalSeconds: self.localSeconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down; nil for local time and for a zone that cannot be resolved.
    public var epochSeconds: Int64? {
        self.offsetSeconds.map { self.localSeconds - Int64($0) }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down; nil for local time, for a zone that cannot be resolved,
    /// and when the number does not fit.
    public var epochMilliseconds: Int64? {
        guard let seconds = self.epochSeconds else { return nil }
        return Int64(exactly: Int128(seconds) * 1_000 + Int128(self.time.nanosecond / 1_000_000))
    }

    /// The same instant on the clock of another zone; nil for local time and when a zone cannot be resolved.
    public func converted(to zone: ZoneOffset) -> DateTime? {
        self.epochSeconds.flatMap { DateTime(epochSeconds: $0, nanosecond: self.time.nanosecond, zone: zone) }
    }
}

extension ZoneOffset {
    /// Seconds east of UTC at an instant, or nil when the zone cannot be resolved.
    public func offsetSeconds(atEpochSeconds epochSeconds: Int64) -> Int? {
        switch self {
        case .offset(let seconds): seconds.magnitude <= Self.secondsMax ? Int(seconds) : nil
        case .named(let name): TimeZones.current?.offsetSeconds(zone: name, epochSeconds: epochSeconds)
        }
    }

    /// Seconds east of UTC at a local time, or nil when the zone cannot be resolved.
    public func offsetSeconds(atLocalSeconds localSeconds: Int64) -> Int? {
        switch self {
        case .offset(let seconds): seconds.magnitude <= Self.secondsMax ? Int(seconds) : nil
        case .named(let name): TimeZones.current?.offsetSeconds(zone: name, localSeconds: localSeconds)
        }
    }
}
