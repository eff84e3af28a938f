/// A day of the proleptic Gregorian calendar, years −999,999,999 to 999,999,999.
public struct CalendarDate: Sendable, Hashable {
    /// The largest year, and the negative of the smallest.
    public static let yearMax = 999_999_999

    private let storedYear: Int32
    private let storedMonth: UInt8
    private let storedDay: UInt8

    /// The year; 0 is 1 BC, as in ISO 8601.
    public var year: Int { Int(self.storedYear) }
    /// The month, 1 to 12.
    public var month: Int { Int(self.storedMonth) }
    /// The day of the month, 1 to 31.
    public var day: Int { Int(self.storedDay) }

    /// Creates a date, or nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard year.magnitude <= Self.yearMax, (1...12).contains(month) else { return nil }
        guard day >= 1, day <= Self.dayCount(year: year, month: month) else { return nil }
        self.storedYear = Int32(year)
        self.storedMonth = UInt8(month)
        self.storedDay = UInt8(day)
    }

    /// Whether February of `year` has 29 days.
    public static func isLeap(year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The number of days of a month, which must be 1 to 12.
    public static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: Self.isLeap(year: year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CalendarDate: Comparable {
    /// Orders by time.
    public static func < (lhs: CalendarDate, rhs: CalendarDate) -> Bool {
        (lhs.storedYear, lhs.storedMonth, lhs.storedDay) < (rhs.storedYear, rhs.storedMonth, rhs.storedDay)
    }
}

extension CalendarDate {
    /// Creates the date that lies `daysSinceEpoch` days after 1970-01-01, or nil beyond the range of years.
    public init?(daysSinceEpoch: Int) {
        guard daysSinceEpoch.magnitude < 400_000_000_000 else { return nil }
        // Count years from 1 March, so that the leap day is the last of its year, in 400-year eras of 146,097 days.
        let days = daysSinceEpoch + 719_468
        let era = days.floorDivided(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month: month, day: day)
    }

    /// Days from 1970-01-01 to this date, negative before it.
    public var daysSinceEpoch: Int {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let era = year.floorDivided(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (self.month > 2 ? self.month - 3 : self.month + 9) + 2) / 5 + self.day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The day of the week, 1 Monday to 7 Sunday.
    public var weekday: Int {
        (self.daysSinceEpoch + 3).floorModulo(7) + 1
    }

    /// The day of the year, 1 to 366.
    public var dayOfYear: Int {
        (1..<self.month).reduce(self.day) { $0 + Self.dayCount(year: self.year, month: $1) }
    }

    /// The ISO 8601 week number, 1 to 53: week 1 holds the year's first Thursday.
    public var weekOfYear: Int {
        let thursday = self.daysSinceEpoch - (self.weekday - 1) + 3
        return CalendarDate(daysSinceEpoch: thursday).map { ($0.dayOfYear - 1) / 7 + 1 } ?? 1
    }

    /// The date `count` days later, or nil beyond the range of years.
    public func adding(days count: Int) -> CalendarDate? {
        let (days, overflow) = self.daysSinceEpoch.addingReportingOverflow(count)
        return overflow ? nil : CalendarDate(daysSinceEpoch: days)
    }

    /// The date `count` months later, its day lowered to the last of that month when it has none such; nil beyond the
    /// range of years.
    public func adding(months count: Int64) -> CalendarDate? {
        let (months, overflow) = Int64(self.year * 12 + self.month - 1).addingReportingOverflow(count)
        guard !overflow else { return nil }
        let year = Int(months).floorDivided(by: 12)
        guard year.magnitude <= Self.yearMax else { return nil }
        let month = Int(months).floorModulo(12) + 1
        return CalendarDate(
            year: year, month: month, day: Swift.min(self.day, Self.dayCount(year: year, month: month)))
    }
}

extension FixedWidthInteger where Self: SignedInteger {
    /// The quotient rounded towards minus infinity; `divisor` is positive.
    func floorDivided(by divisor: Self) -> Self {
        self >= 0 ? self / divisor : (self + 1) / divisor - 1
    }

    /// The remainder in `0 ..< divisor`; `divisor` is positive.
    func floorModulo(_ divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
