/// A repeating interval as a timer cycle states it: `R3/PT10S`, `R/2026-01-01T00:00:00Z/PT1H`, `R2/PT1H/2026-01-01T00:00:00Z`
/// or `R2/2026-01-01T00:00:00Z/2026-01-02T00:00:00Z`.
public struct ISO8601Repetition: Sendable, Hashable {
    /// How many times the interval repeats; nil for without end (`R` and `R-1`).
    public let count: Int?
    /// When the first interval starts, in milliseconds since 1970; nil for now.
    public let startEpochMilliseconds: Int64?
    /// When the last interval ends; nil unless the text names an end after a duration.
    public let endEpochMilliseconds: Int64?
    /// The length of one interval, always above zero.
    public let interval: ISO8601Duration

    /// Creates a repetition, or nil when the interval is not above zero or the count is negative.
    public init?(
        count: Int?, startEpochMilliseconds: Int64? = nil, endEpochMilliseconds: Int64? = nil,
        interval: ISO8601Duration
    ) {
        guard !interval.isZero, !interval.isNegative, (count ?? 0) >= 0 else { return nil }
        self.count = count
        self.startEpochMilliseconds = startEpochMilliseconds
        self.endEpochMilliseconds = endEpochMilliseconds
        self.interval = interval
    }

    /// Reads a repetition, or returns nil for anything else.
    ///
    /// A date without a zone is UTC.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts[0].first == "R" else { return nil }
        let digits = parts[0].dropFirst()
        var count: Int?
        if !digits.isEmpty, digits != "-1" {
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits) else { return nil }
            count = value
        }
        if parts.count == 2 {
            guard let interval = ISO8601Duration(parts[1]) else { return nil }
            self.init(count: count, interval: interval)
        } else if let interval = ISO8601Duration(parts[2]) {
            guard let start = Self.instant(parts[1]) else { return nil }
            self.init(count: count, startEpochMilliseconds: start, interval: interval)
        } else if let interval = ISO8601Duration(parts[1]) {
            guard let end = Self.instant(parts[2]) else { return nil }
            self.init(count: count, endEpochMilliseconds: end, interval: interval)
        } else {
            guard let start = Self.instant(parts[1]), let end = Self.instant(parts[2]), end > start else { return nil }
            self.init(
                count: count, startEpochMilliseconds: start, interval: ISO8601Duration(milliseconds: end - start))
        }
    }

    private static func instant(_ text: some StringProtocol) -> Int64? {
        guard let dateTime = DateTime(text) else { return nil }
        guard dateTime.zone == nil else { return dateTime.epochMilliseconds }
        return DateTime(date: dateTime.date, time: dateTime.time.inZone(.utc)).epochMilliseconds
    }

    /// The first time the timer is due when the cycle begins at `now`.
    ///
    /// That is the stated start if there is one, otherwise one interval from now. Nil when that does not fit or lies
    /// after the stated end.
    public func firstDue(from now: Int64) -> Int64? {
        self.bounded(self.startEpochMilliseconds ?? self.interval.added(toEpochMilliseconds: now))
    }

    /// The time after `due`, one interval on; nil when that does not fit or lies after the stated end.
    public func nextDue(after due: Int64) -> Int64? {
        self.bounded(self.interval.added(toEpochMilliseconds: due))
    }

    private func bounded(_ due: Int64?) -> Int64? {
        guard let due else { return nil }
        return self.endEpochMilliseconds.map { due > $0 } == true ? nil : due
    }
}

extension ISO8601Repetition: CustomStringConvertible {
    /// `R3/PT10S`, `R/2026-01-01T00:00:00Z/PT1H`.
    public var description: String {
        var text = "R" + (self.count.map { String($0) } ?? "")
        if let start = self.startEpochMilliseconds { text += "/" + Self.text(start) }
        text += "/\(self.interval)"
        if let end = self.endEpochMilliseconds { text += "/" + Self.text(end) }
        return text
    }

    private static func text(_ epochMilliseconds: Int64) -> String {
        DateTime(epochMilliseconds: epochMilliseconds, offsetSeconds: 0)?.description ?? ""
    }
}
