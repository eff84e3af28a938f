import ConnectorKit
import HubDocuments
public import Values

/// One time a schedule names.
public struct CronOccurrence: Sendable, Hashable {
    /// When, in Unix milliseconds.
    public var unixMilliseconds: Int64
    /// The same on the clocks of the schedule's zone, such as `2026-03-29T03:00:00+02:00`.
    public var localText: String
}

extension CronSource {
    /// What is wrong with, or odd about, the parameters of a cron source.
    ///
    /// Codes: HB601 (wrong), HB602 (never fires), HB603 (a warning: either day).
    public static func diagnostics(for parameters: Value, now: Int64) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        _ = CronParameters(parameters, now: now, diagnostics: &diagnostics)
        return diagnostics
    }

    /// The next `count` times (1,000 at most) after `from`, in Unix milliseconds, without jitter.
    ///
    /// - Throws: `ConnectorError` (validation) for parameters that are wrong.
    public static func upcoming(_ parameters: Value, count: Int, from: Int64) throws -> [CronOccurrence] {
        let parameters = try Self.read(parameters, now: from)
        var occurrences: [CronOccurrence] = []
        var instant = from.wholeSeconds
        while occurrences.count < min(count, 1_000), let next = parameters.next(after: instant) {
            occurrences.append(
                CronOccurrence(unixMilliseconds: next * 1_000, localText: parameters.localText(next)))
            instant = next
        }
        return occurrences
    }

    static func read(_ parameters: Value, now: Int64) throws -> CronParameters {
        var diagnostics: [Diagnostic] = []
        if let read = CronParameters(parameters, now: now, diagnostics: &diagnostics) { return read }
        let errors = diagnostics.filter { $0.severity == .error }
        throw ConnectorError(
            .validation, code: errors.first?.code ?? HubCode.invalidSchedule.rawValue,
            errors.map(\.message).joined(separator: " "), remedy: errors.first?.remedy ?? "Correct the fields named.")
    }

    /// The seconds of a range to replay: `from` until before `to`, and before now.
    static func range(_ value: Value, now: Int64) throws -> ClosedRange<Int64> {
        let reader = FieldReader(value, path: "replay", code: HubCode.invalidScheduleRange.rawValue)
        func moment(_ key: String) -> Int64? {
            guard let text = reader.string(key) else { return nil }
            if let milliseconds = Timestamp.milliseconds(text) { return (milliseconds + 999).wholeSeconds }
            reader.add("replay.\(key): expected a time such as 2026-01-31T09:00:00Z.")
            return nil
        }
        reader.require("from")
        let from = moment("from")
        let to = moment("to")
        reader.finish()
        let upper = min(to.map { $0 - 1 } ?? .max, now.wholeSeconds)
        if let from, from > upper, reader.diagnostics.isEmpty {
            reader.add("replay: there is no time from \(Timestamp.text(from * 1_000)) until before replay.to and now.")
        }
        guard let from, reader.diagnostics.isEmpty else {
            throw ConnectorError(
                .validation, code: HubCode.invalidScheduleRange.rawValue,
                reader.diagnostics.map(\.message).joined(separator: " "),
                remedy: "Write { from: \"2026-01-31T00:00:00Z\", to: \"2026-02-01T00:00:00Z\" }, in the past.")
        }
        return from...upper
    }

    /// A number in [0, 1) scattered evenly over triggers and instants: FNV-1a of both, mixed.
    public static let scatteredUnit: @Sendable (_ trigger: String, _ instant: Int64) -> Double = { trigger, instant in
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in trigger.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            hash = (hash ^ (UInt64(bitPattern: instant) >> shift & 0xFF)) &* 0x100_0000_01B3
        }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return Double((hash ^ (hash >> 33)) >> 11) / Double(1 << 53)
    }
}

extension CronParameters {
    /// An instant on the clocks of the zone, with its offset from UTC.
    func localText(_ instant: Int64) -> String {
        let offset = self.zone.offsetSeconds(atEpochSeconds: instant) ?? 0
        let zone = offset == 0 ? ZoneOffset.utc : .offset(seconds: Int32(offset))
        return DateTime(epochSeconds: instant, zone: zone)?.description ?? Timestamp.text(instant * 1_000)
    }
}
