import HubDocuments
import Runtime
public import Values

/// The parameters of a cron source: `cron: { schedule, timezone, missed, maxMissed, jitter, overlap, from, until }`.
public struct CronParameters: Sendable, Hashable {
    /// What becomes of runs that were due while nobody looked.
    public enum Missed: String, Sendable, CaseIterable {
        /// They are left out.
        case none
        /// The newest of them happens.
        case last
        /// All of them happen, the newest `missedMaximum` at most.
        case all
    }

    /// What becomes of a run that is due while the instance of an earlier one is still running.
    public enum Overlap: String, Sendable, CaseIterable {
        /// It happens beside it.
        case allow
        /// It is left out.
        case skip
        /// It waits until the other has ended.
        case queue
    }

    /// When runs are due.
    public var schedule: CronSchedule
    /// The zone of the schedule's clock.
    public var zone: ZoneOffset
    /// The zone as it was written; `UTC` unless given.
    public var timezone: String
    /// What becomes of missed runs; `last` unless given.
    public var missed: Missed
    /// How many missed runs happen at most under `all`; 100 unless given.
    public var missedMaximum: Int
    /// By how much a run may be put off, chosen for each run; none unless given.
    public var jitter: Duration
    /// What becomes of runs that would overlap; `allow` unless given.
    public var overlap: Overlap
    /// The first moment a run may have, in seconds since 1970; nil: any.
    public var from: Int64?
    /// The last moment a run may have, in seconds since 1970; nil: any.
    public var until: Int64?

    /// Reads parameters; nil when something is wrong with them.
    ///
    /// What was found is added to `diagnostics`, with the names of the fields; warnings do not make it nil. `now`, in
    /// Unix milliseconds, is where the search for the first run begins.
    public init?(_ value: Value, now: Int64, diagnostics: inout [Diagnostic]) {
        let reader = FieldReader(value, path: "cron", code: HubCode.invalidSchedule.rawValue)
        reader.require("schedule")
        let schedule = Self.schedule(reader)
        let timezone = reader.string("timezone") ?? "UTC"
        let zone = Self.zone(timezone)
        if zone == nil {
            reader.add(
                "cron.timezone: there is no time zone \"\(timezone)\".",
                "Use a name of the IANA database such as Europe/Warsaw, or UTC.")
        }
        let missed = reader.word("missed", of: Missed.self) ?? .last
        let missedMaximum = reader.integer("maxMissed", in: 1...1_000)
        let jitter = reader.duration("jitter") ?? .zero
        let overlap = reader.word("overlap", of: Overlap.self) ?? .allow
        let from = Self.moment("from", zone, endOfDay: false, reader)
        let until = Self.moment("until", zone, endOfDay: true, reader)
        if jitter > .seconds(86_400) { reader.add("cron.jitter: expected at most 24h.") }
        if missedMaximum != nil, missed != .all {
            reader.add("cron.maxMissed means something with missed: all only.", "Remove it, or write missed: all.")
        }
        if missed == .all, overlap == .skip {
            reader.add(
                "cron.missed: all cannot be had with overlap: skip, which leaves out all but the first of them.",
                "Write overlap: queue, or missed: last.")
        }
        if let from, let until, from > until { reader.add("cron.until lies before cron.from.") }
        reader.finish()
        diagnostics += reader.diagnostics
        guard let schedule, let zone, !reader.diagnostics.contains(where: { $0.severity == .error }) else {
            return nil
        }
        self.schedule = schedule
        self.zone = zone
        self.timezone = timezone
        self.missed = missed
        self.missedMaximum = missedMaximum ?? 100
        self.jitter = jitter
        self.overlap = overlap
        self.from = from
        self.until = until
        guard self.fires(after: now, &diagnostics), self.jitterFits(after: now, &diagnostics) else { return nil }
        self.warn(&diagnostics)
    }

    /// The first run after `instant` that `from` and `until` let happen.
    func next(after instant: Int64) -> Int64? {
        let start = max(instant, self.from.map { $0 - 1 } ?? instant)
        guard let next = self.schedule.next(after: start, in: self.zone), next <= self.until ?? next else { return nil }
        return next
    }

    private func fires(after now: Int64, _ diagnostics: inout [Diagnostic]) -> Bool {
        let start = self.from.map { $0 - 1 } ?? now.wholeSeconds
        // A schedule that is over is in order; it has nothing to do.
        if let until = self.until, until <= start { return true }
        guard self.next(after: start) == nil else { return true }
        let bounds = self.until == nil ? "within ten years" : "before cron.until"
        diagnostics.append(
            Diagnostic(
                code: HubCode.neverFires.rawValue, severity: .error,
                message: "cron.schedule: \"\(self.schedule.text)\" does not fire \(bounds).",
                remedy: "Look for days that do not exist, such as 30 February."))
        return false
    }

    /// A run must not be put off beyond the next one.
    private func jitterFits(after now: Int64, _ diagnostics: inout [Diagnostic]) -> Bool {
        guard self.jitter > .zero else { return true }
        var instant = now.wholeSeconds
        var least = Int64.max
        for index in 0..<50 {
            guard let next = self.next(after: instant) else { break }
            if index > 0 { least = min(least, next - instant) }
            instant = next
        }
        guard self.jitter >= .seconds(least) else { return true }
        diagnostics.append(
            Diagnostic(
                code: HubCode.invalidSchedule.rawValue, severity: .error,
                message: "cron.jitter: expected less than the \(Quantity.text(.seconds(least))) between two runs.",
                remedy: "A run that is put off beyond the next one would come after it."))
        return false
    }

    private func warn(_ diagnostics: inout [Diagnostic]) {
        let days = self.schedule.days
        guard days.restrictsDay, days.restrictsWeekday else { return }
        diagnostics.append(
            Diagnostic(
                code: HubCode.eitherDay.rawValue, severity: .warning,
                message: "cron.schedule: \"\(self.schedule.text)\" restricts the day of the month and the day of the "
                    + "week: it fires when either matches.",
                remedy: "Write * for one of them; for the first Monday of the month, write MON#1."))
    }
}

// MARK: - Fields

extension CronParameters {
    private static func schedule(_ reader: FieldReader) -> CronSchedule? {
        guard let text = reader.string("schedule") else { return nil }
        do {
            return try CronSchedule(text)
        } catch {
            reader.add("cron.schedule: \(error.message)", error.remedy)
            return nil
        }
    }

    static func zone(_ name: String) -> ZoneOffset? {
        if name == "UTC" || name == "Z" { return .utc }
        // Files are also read where no engine has been started that would have installed them.
        if TimeZones.current == nil { TimeZones.install(FoundationTimeZones()) }
        if name.hasPrefix("+") || name.hasPrefix("-") { return ZoneOffset(name) }
        guard let zone = ZoneOffset("@" + name), zone.offsetSeconds(atEpochSeconds: 0) != nil else { return nil }
        return zone
    }

    /// A moment: an instant with its offset, or a date, of which the schedule's zone gives the beginning or the end.
    private static func moment(
        _ key: String, _ zone: ZoneOffset?, endOfDay: Bool, _ reader: FieldReader
    ) -> Int64? {
        guard let text = reader.string(key) else { return nil }
        if let milliseconds = Timestamp.milliseconds(text) {
            return endOfDay ? milliseconds.wholeSeconds : (milliseconds + 999).wholeSeconds
        }
        if let date = CalendarDate(text), let day = endOfDay ? date.adding(days: 1) : date {
            let midnight = DateTime(date: day, time: TimeOfDay(nanosecondOfDay: 0, zone: zone ?? .utc))
            if let seconds = midnight.epochSeconds { return endOfDay ? seconds - 1 : seconds }
        }
        reader.add("cron.\(key): expected a date such as 2026-01-31 or a time such as 2026-01-31T09:00:00Z.")
        return nil
    }
}

extension Int64 {
    /// These milliseconds in seconds, rounded down.
    var wholeSeconds: Int64 {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: 1_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
