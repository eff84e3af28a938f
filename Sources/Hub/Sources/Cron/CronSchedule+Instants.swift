public import Values

extension CronSchedule {
    /// How far ahead a next time is looked for: ten years.
    ///
    /// The longest wait of a schedule that fires at all is eight, for 29 February around a year such as 2100.
    public static let horizonSeconds: Int64 = 10 * 366 * 86_400

    /// The next time after `instant`, both in seconds since 1970, on the clocks of `zone`; nil when there is none within
    /// ten years.
    ///
    /// - When local time jumps forward, the times of the day it skips happen together at the moment of the jump; when it
    ///   goes back, a time of the day happens at its first occurrence only.
    /// - A schedule whose minutes or hours begin with `*` (or are complete) follows the clock instead: nothing for what
    ///   is skipped, and every occurrence of what is repeated.
    ///
    /// A zone that cannot be resolved counts as UTC.
    public func next(after instant: Int64, in zone: ZoneOffset) -> Int64? {
        let clock = ZoneClock(zone)
        let limit = instant + Self.horizonSeconds
        var start = instant
        var offset = clock.offset(at: start)
        var local = start + offset + 1
        if !self.isInterval { local = max(local, clock.repetitionEnd(at: start)) }
        while true {
            guard let candidate = self.nextLocal(from: local, through: limit + offset) else { return nil }
            guard let change = clock.firstChange(after: start, through: candidate - offset) else {
                return candidate - offset
            }
            let offsetAfter = clock.offset(at: change)
            if self.isInterval || offsetAfter > offset {
                // The local times from change + offset to change + offsetAfter do not exist.
                if !self.isInterval, candidate < change + offsetAfter { return change }
                local = change + offsetAfter
            } else {
                // The local times from change + offsetAfter to change + offset are there a second time.
                local = max(local, change + offset)
            }
            start = change
            offset = offsetAfter
        }
    }

    /// The last `count` times after `lower` and up to `upper`, oldest first.
    ///
    /// The work is bounded by a multiple of `count`, however many times lie between.
    func newest(_ count: Int, after lower: Int64, through upper: Int64, in zone: ZoneOffset) -> [Int64] {
        guard count > 0, lower < upper else { return [] }
        var width = Int64(count)
        while true {
            let start = upper - lower <= width ? lower : upper - width
            var found: [Int64] = []
            var instant = start
            while let next = self.next(after: instant, in: zone), next <= upper {
                found.append(next)
                instant = next
            }
            if found.count >= count || start == lower { return Array(found.suffix(count)) }
            width *= 4
        }
    }
}

/// The difference between local time and UTC in one zone, and when it changes.
struct ZoneClock: Sendable {
    private static let day: Int64 = 86_400
    private let zone: ZoneOffset

    init(_ zone: ZoneOffset) { self.zone = zone }

    /// Seconds east of UTC at an instant.
    func offset(at instant: Int64) -> Int64 {
        Int64(self.zone.offsetSeconds(atEpochSeconds: instant) ?? 0)
    }

    /// The first instant after `start`, up to `end`, whose offset is not that of the instant before it.
    ///
    /// Looks once a day: a change that is taken back within a day is not seen.
    func firstChange(after start: Int64, through end: Int64) -> Int64? {
        guard case .named = self.zone else { return nil }
        let offset = self.offset(at: start)
        var unchanged = start
        while unchanged < end {
            let probe = min(unchanged + Self.day, end)
            if self.offset(at: probe) != offset { return self.change(after: unchanged, through: probe) }
            unchanged = probe
        }
        return nil
    }

    /// The local time at which a repeated stretch ends that holds the local time of `instant` the second time; the
    /// least number when `instant` is in none.
    func repetitionEnd(at instant: Int64) -> Int64 {
        guard case .named = self.zone else { return .min }
        // No zone has ever gone back by more than a day.
        let before = self.offset(at: instant - Self.day)
        guard before > self.offset(at: instant) else { return .min }
        return self.change(after: instant - Self.day, through: instant) + before
    }

    /// The first instant with another offset than at `low`, where the offset at `high` is another.
    private func change(after low: Int64, through high: Int64) -> Int64 {
        var (low, high) = (low, high)
        let offset = self.offset(at: low)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }
}
