/// A duration as a timer states it: months, whose length depends on the calendar, and an exact part.
///
/// Text: `P1Y2M3W4DT5H6M7.8S`, any field may be missing, an optional minus sign comes first. A day has 86,400 seconds,
/// a week seven days.
public struct ISO8601Duration: Sendable, Hashable {
    /// The part counted in months; it has the sign of the whole.
    public let months: Int64
    /// The exact part; it has the sign of the whole.
    public let exact: DayTimeDuration
    /// Which kinds of field the text had.
    private let fields: Fields

    private struct Fields: OptionSet, Hashable {
        let rawValue: UInt8
        static let yearsAndMonths = Fields(rawValue: 1)
        static let weeks = Fields(rawValue: 2)
        static let daysAndTime = Fields(rawValue: 4)
    }

    /// Creates a duration.
    public init(months: Int64 = 0, exact: DayTimeDuration = DayTimeDuration(seconds: 0)) {
        self.months = months
        self.exact = exact
        self.fields =
            months == 0
            ? .daysAndTime
            : exact.seconds == 0 && exact.nanoseconds == 0
                ? .yearsAndMonths : [.yearsAndMonths, .daysAndTime]
    }

    /// Creates an exact duration.
    public init(milliseconds: Int64) {
        self.init(
            exact: DayTimeDuration(
                seconds: milliseconds.floorDivided(by: 1_000),
                nanoseconds: Int32(milliseconds.floorModulo(1_000)) * 1_000_000))
    }

    /// Reads a duration; nil for anything else and when a field does not fit.
    public init?(_ text: some StringProtocol) {
        guard let duration = TemporalReader.readAll(text, { Self.read(&$0) }) else { return nil }
        self = duration
    }

    private init?(isNegative: Bool, months: Int64, nanoseconds: Int128, fields: Fields) {
        guard !fields.isEmpty, let exact = DayTimeDuration(totalNanoseconds: isNegative ? -nanoseconds : nanoseconds)
        else { return nil }
        self.months = isNegative ? -months : months
        self.exact = exact
        self.fields = fields
    }

    /// The units in the order they must have: the letter, whether after `T`, months and seconds each stands for.
    private static let units: [(letter: UInt8, isTime: Bool, months: Int64, seconds: Int64, fields: Fields)] = [
        (0x59, false, 12, 0, .yearsAndMonths), (0x4D, false, 1, 0, .yearsAndMonths), (0x57, false, 0, 604_800, .weeks),
        (0x44, false, 0, 86_400, .daysAndTime), (0x48, true, 0, 3_600, .daysAndTime), (0x4D, true, 0, 60, .daysAndTime),
        (0x53, true, 0, 1, .daysAndTime),
    ]

    private static func read(_ reader: inout TemporalReader) -> ISO8601Duration? {
        let isNegative = reader.skip(0x2D)
        guard reader.skip(0x50) else { return nil }
        var months: Int64 = 0
        var nanoseconds: Int128 = 0
        var fields: Fields = []
        var isTime = false
        var next = 0
        while !reader.isAtEnd {
            if !isTime, reader.skip(0x54) { isTime = true }
            guard let (value, _) = reader.digits() else { return nil }
            var fraction: Int?
            if reader.skip(0x2E) {
                guard let read = reader.nanoseconds() else { return nil }
                fraction = read
            }
            let letter = reader.current
            guard let index = Self.units[next...].firstIndex(where: { $0.letter == letter && $0.isTime == isTime }),
                fraction == nil || letter == 0x53
            else { return nil }
            reader.position += 1
            next = index + 1
            let unit = Self.units[index]
            let (part, overflow) = value.multipliedReportingOverflow(by: unit.months)
            let (sum, sumOverflow) = months.addingReportingOverflow(part)
            guard !overflow, !sumOverflow else { return nil }
            months = sum
            nanoseconds += (Int128(value) * Int128(unit.seconds)) * 1_000_000_000 + Int128(fraction ?? 0)
            fields.insert(unit.fields)
        }
        return ISO8601Duration(isNegative: isNegative, months: months, nanoseconds: nanoseconds, fields: fields)
    }

    /// Whether the duration was stated in years and months alone.
    public var hasOnlyYearsAndMonths: Bool { self.fields == .yearsAndMonths }
    /// Whether the duration was stated in days, hours, minutes and seconds alone.
    public var hasOnlyDaysAndTime: Bool { self.fields == .daysAndTime }
    /// Whether the duration has no length.
    public var isZero: Bool { self.months == 0 && self.exact.seconds == 0 && self.exact.nanoseconds == 0 }
    /// Whether the duration points backwards.
    public var isNegative: Bool { self.months < 0 || self.exact.seconds < 0 }

    /// The length in milliseconds, rounded down; nil when it has months or does not fit.
    public var milliseconds: Int64? {
        guard self.months == 0 else { return nil }
        return Int64(exactly: self.exact.totalNanoseconds.floorDivided(by: 1_000_000))
    }

    /// The instant that lies this duration after `epochMilliseconds`.
    ///
    /// First the months are added, by the calendar at `offsetSeconds` east of UTC, then the exact part. Nil when the
    /// result does not fit.
    public func added(toEpochMilliseconds epochMilliseconds: Int64, offsetSeconds: Int = 0) -> Int64? {
        var start = epochMilliseconds
        if self.months != 0 {
            guard let dateTime = DateTime(epochMilliseconds: epochMilliseconds, offsetSeconds: offsetSeconds),
                let moved = dateTime.date.adding(months: self.months),
                let milliseconds = DateTime(date: moved, time: dateTime.time).epochMilliseconds
            else { return nil }
            start = milliseconds
        }
        let exact = self.exact.totalNanoseconds.floorDivided(by: 1_000_000)
        return Int64(exactly: Int128(start) + exact)
    }
}

extension ISO8601Duration: CustomStringConvertible {
    /// `P1Y2M3DT4H`, with weeks as days.
    public var description: String {
        if self.months == 0 { return self.exact.description }
        let months = YearMonthDuration(months: self.months).description
        if self.exact.seconds == 0, self.exact.nanoseconds == 0 { return months }
        return months + self.exact.description.drop { $0 == "-" || $0 == "P" }
    }
}
