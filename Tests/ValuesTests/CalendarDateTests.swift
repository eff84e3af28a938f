import Testing
import Values

@Suite struct CalendarDateTests {
    @Test(arguments: [
        ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-11-24", 20_781), ("0000-03-01", -719_468),
        ("-0001-12-31", -719_529), ("9999-12-31", 2_932_896), ("10000-01-01", 2_932_897),
        ("999999999-12-31", 365_241_780_471), ("-999999999-01-01", -365_243_219_162),
    ])
    func daysCountFrom1970(_ row: (text: String, days: Int)) throws {
        let date = try #require(CalendarDate(row.text))
        #expect(date.daysSinceEpoch == row.days)
        #expect(CalendarDate(daysSinceEpoch: row.days) == date)
        #expect(date.description == row.text)
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() throws {
        var (year, month, day) = (1_600, 1, 1)
        let start = try #require(CalendarDate(year: 1_600, month: 1, day: 1)).daysSinceEpoch
        for days in start..<start + 146_097 {
            let date = CalendarDate(daysSinceEpoch: days)
            guard date?.year == year, date?.month == month, date?.day == day, date?.daysSinceEpoch == days else {
                Issue.record("day \(days) is \(String(describing: date)), not \(year)-\(month)-\(day)")
                return
            }
            day += 1
            if day > CalendarDate.dayCount(year: year, month: month) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2_000, 1, 1))
    }

    @Test(arguments: [
        (2_023, 2, 29), (1_900, 2, 29), (2_024, 2, 30), (2_024, 4, 31), (2_024, 0, 1), (2_024, 13, 1), (2_024, 1, 0),
        (2_024, 1, 32), (1_000_000_000, 1, 1), (Int.min, 1, 1), (Int.max, 1, 1),
    ])
    func daysThatDoNotExistAreRefused(_ row: (year: Int, month: Int, day: Int)) {
        #expect(CalendarDate(year: row.year, month: row.month, day: row.day) == nil)
    }

    @Test(arguments: [Int.min, Int.max, 365_241_780_472, -365_243_219_163, 400_000_000_000])
    func daysBeyondTheYearsAreRefused(_ days: Int) {
        #expect(CalendarDate(daysSinceEpoch: days) == nil)
    }

    @Test(arguments: [
        ("2026-11-24", 2, 328, 48), ("2021-01-03", 7, 3, 53), ("2021-01-04", 1, 4, 1), ("2020-12-31", 4, 366, 53),
        ("2018-12-31", 1, 365, 1), ("1970-01-01", 4, 1, 1), ("-0001-01-01", 5, 1, 53),
    ])
    func weekdayAndPositionInTheYear(_ row: (text: String, weekday: Int, dayOfYear: Int, week: Int)) throws {
        let date = try #require(CalendarDate(row.text))
        #expect(date.weekday == row.weekday)
        #expect(date.dayOfYear == row.dayOfYear)
        #expect(date.weekOfYear == row.week)
    }

    @Test(arguments: [
        ("2024-01-31", 1, "2024-02-29"), ("2023-01-31", 1, "2023-02-28"), ("2024-03-31", -1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"), ("2024-05-15", -17, "2022-12-15"), ("0000-01-31", -1, "-0001-12-31"),
        ("2024-12-01", 1, "2025-01-01"),
    ])
    func addingMonthsKeepsOrLowersTheDay(_ row: (start: String, months: Int64, result: String)) throws {
        let start = try #require(CalendarDate(row.start))
        #expect(start.adding(YearMonthDuration(months: row.months)) == CalendarDate(row.result))
    }

    @Test func additionStopsAtTheRangeOfYears() throws {
        let last = try #require(CalendarDate("999999999-12-31"))
        #expect(last.adding(days: 1) == nil)
        #expect(last.adding(days: .max) == nil)
        #expect(last.adding(months: 1) == nil)
        #expect(last.adding(months: .max) == nil)
        #expect(last.adding(days: -1) == CalendarDate("999999999-12-30"))
    }

    @Test func exactDurationsCountFromMidnight() throws {
        let date = try #require(CalendarDate("2024-02-28"))
        #expect(date.adding(DayTimeDuration(seconds: 86_399)) == date)
        #expect(date.adding(DayTimeDuration(seconds: 86_400)) == CalendarDate("2024-02-29"))
        #expect(date.adding(DayTimeDuration(seconds: -1)) == CalendarDate("2024-02-27"))
    }

    @Test func ordersByTime() throws {
        let dates = ["-0002-01-01", "-0001-12-31", "2024-01-31", "2024-02-01", "2024-02-02"].compactMap {
            CalendarDate($0)
        }
        #expect(dates.count == 5)
        #expect(dates.reversed().sorted() == dates)
    }
}
