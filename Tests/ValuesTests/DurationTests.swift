import Testing
import Values

@Suite struct DurationTests {
    @Test(arguments: [
        ("P1Y2M", 14, "P1Y2M"), ("-P3M", -3, "-P3M"), ("P0M", 0, "P0M"), ("P24M", 24, "P2Y"), ("-P1Y", -12, "-P1Y"),
        ("P0Y", 0, "P0M"),
    ])
    func monthDurations(_ row: (text: String, months: Int64, canonical: String)) {
        let duration = YearMonthDuration(row.text)
        #expect(duration?.months == row.months)
        #expect(duration?.description == row.canonical)
    }

    @Test(arguments: [
        ("P1D", 86_400, 0, "P1D"), ("PT24H", 86_400, 0, "P1D"), ("P3DT4H5M6.5S", 273_906, 500_000_000, "P3DT4H5M6.5S"),
        ("-PT0.5S", -1, 500_000_000, "-PT0.5S"), ("PT0S", 0, 0, "PT0S"), ("P0D", 0, 0, "PT0S"),
        ("PT90M", 5_400, 0, "PT1H30M"),
        ("P1DT1S", 86_401, 0, "P1DT1S"), ("-P1DT1M", -86_460, 0, "-P1DT1M"), ("PT1.000000001S", 1, 1, "PT1.000000001S"),
    ])
    func exactDurations(_ row: (text: String, seconds: Int64, nanoseconds: Int32, canonical: String)) {
        let duration = DayTimeDuration(row.text)
        #expect(duration == DayTimeDuration(seconds: row.seconds, nanoseconds: row.nanoseconds))
        #expect(duration?.description == row.canonical)
    }

    @Test(arguments: [
        "", "P", "PT", "P1", "1D", "P1DT", "P1H", "PT1D", "P1M1Y", "PT1S1M", "P-1D", "P1.5D", "PT1.S", "PT.5S",
        "PT1.1234567890S",
        "P1D ", "p1d", "--P1D", "P1Y1Y", "P9999999999999999999D", "P999999999999999999D", "P999999999999999999Y",
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(ISO8601Duration(text) == nil)
        #expect(YearMonthDuration(text) == nil)
        #expect(DayTimeDuration(text) == nil)
    }

    @Test func kindsAreKeptApart() {
        #expect(YearMonthDuration("P1D") == nil)
        #expect(YearMonthDuration("P1YT0S") == nil)
        #expect(DayTimeDuration("P1M") == nil)
        #expect(DayTimeDuration("P2W") == nil)
        #expect(ISO8601Duration("P2W")?.exact == DayTimeDuration(seconds: 1_209_600))
        #expect(ISO8601Duration("P1M2DT3H")?.description == "P1M2DT3H")
        #expect(ISO8601Duration("-P1MT1S")?.description == "-P1MT1S")
        #expect(ISO8601Duration("P1Y")?.description == "P1Y")
    }

    @Test(arguments: [
        ("2017-01-01", "2018-03-15", 14), ("2018-03-15", "2017-01-01", -14), ("2017-01-31", "2017-02-28", 0),
        ("2017-02-28", "2017-01-31", 0), ("2017-02-28", "2017-01-28", -1), ("2016-08-31", "2016-08-31", 0),
    ])
    func wholeMonthsBetweenDates(_ row: (start: String, end: String, months: Int64)) throws {
        let start = try #require(CalendarDate(row.start))
        let end = try #require(CalendarDate(row.end))
        #expect(YearMonthDuration.between(start, end).months == row.months)
    }

    @Test func monthDurationsCalculate() throws {
        let year = YearMonthDuration(months: 12)
        #expect(year.adding(YearMonthDuration(months: 3))?.months == 15)
        #expect(year.subtracting(YearMonthDuration(months: 13))?.months == -1)
        #expect(year.multiplied(by: try #require(Number("1.5")))?.months == 18)
        #expect(year.divided(by: Number(5))?.months == 2)
        #expect(year.divided(by: YearMonthDuration(months: 8)) == Number("1.5"))
        #expect(year.divided(by: Number(0)) == nil)
        #expect(year.divided(by: YearMonthDuration(months: 0)) == nil)
        let most = YearMonthDuration(months: .max)
        #expect(most.adding(year) == nil)
        #expect(YearMonthDuration(months: .min).subtracting(year) == nil)
        #expect(most.multiplied(by: 2) == nil)
        #expect(YearMonthDuration(months: -14).yearsPart == -1)
        #expect(YearMonthDuration(months: -14).monthsPart == -2)
        #expect(year < most)
        #expect(YearMonthDuration(months: .min).description == "-P768614336404564650Y8M")
    }

    @Test func exactDurationsCalculate() throws {
        let duration = DayTimeDuration(seconds: 90, nanoseconds: 500_000_000)
        #expect(duration.totalSeconds == Number("90.5"))
        #expect(duration.adding(duration)?.description == "PT3M1S")
        #expect(duration.subtracting(DayTimeDuration(seconds: 91))?.description == "-PT0.5S")
        #expect(duration.multiplied(by: try #require(Number("-2")))?.description == "-PT3M1S")
        #expect(duration.divided(by: Number(4))?.totalSeconds == Number("22.625"))
        #expect(duration.divided(by: DayTimeDuration(seconds: 181)) == Number("0.5"))
        #expect(duration.divided(by: Number(0)) == nil)
        #expect(duration.divided(by: DayTimeDuration(seconds: 0)) == nil)
        #expect(DayTimeDuration(seconds: 1) < duration)
        let most = DayTimeDuration(seconds: .max)
        #expect(most.adding(most) == nil)
        #expect(DayTimeDuration(seconds: .min).subtracting(duration) == nil)
        #expect(most.multiplied(by: 10) == nil)
        #expect(DayTimeDuration(totalSeconds: try #require(Number("1E30"))) == nil)
        #expect(DayTimeDuration(totalSeconds: try #require(Number("1E40"))) == nil)
        #expect(DayTimeDuration(totalSeconds: try #require(Number("-1E12")))?.seconds == -1_000_000_000_000)
        #expect(DayTimeDuration(totalSeconds: try #require(Number("0.0000000005")))?.nanoseconds == 0)
        #expect(DayTimeDuration(seconds: .min).description == "-P106751991167300DT15H30M8S")
    }

    @Test func partsHaveTheSignOfTheWhole() {
        let parts = DayTimeDuration("-P1DT2H3M4.5S")?.parts
        #expect(parts?.days == -1 && parts?.hours == -2 && parts?.minutes == -3)
        #expect(parts?.seconds == -4 && parts?.nanoseconds == -500_000_000)
    }

    @Test(arguments: [
        ("2024-01-31T00:00:00Z", "P1M", 0, "2024-02-29T00:00:00Z"),
        ("2024-01-31T23:30:00Z", "P1M", 3_600, "2024-02-29T23:30:00Z"),
        ("2024-01-31T23:30:00Z", "P1MT1H", 0, "2024-03-01T00:30:00Z"),
        ("2024-01-01T00:00:00Z", "-PT0.0005S", 0, "2023-12-31T23:59:59.999Z"),
        ("2024-01-01T00:00:00Z", "P1W", 0, "2024-01-08T00:00:00Z"),
    ])
    func timersAddDurationsToInstants(_ row: (start: String, duration: String, offset: Int, end: String)) throws {
        let start = try #require(DateTime(row.start)?.epochMilliseconds)
        let duration = try #require(ISO8601Duration(row.duration))
        #expect(
            duration.added(toEpochMilliseconds: start, offsetSeconds: row.offset)
                == DateTime(row.end)?.epochMilliseconds)
    }

    @Test func timerDurationsHaveALength() {
        #expect(ISO8601Duration("PT1.5S")?.milliseconds == 1_500)
        #expect(ISO8601Duration("P1M")?.milliseconds == nil)
        #expect(ISO8601Duration("P106751991167300D")?.milliseconds == nil)
        #expect(ISO8601Duration("PT0S")?.isZero == true)
        #expect(ISO8601Duration("-P1M")?.isNegative == true)
        #expect(ISO8601Duration("-PT1S")?.isNegative == true)
        #expect(ISO8601Duration("P1M")?.isZero == false)
        #expect(ISO8601Duration(milliseconds: -1).exact == DayTimeDuration(seconds: -1, nanoseconds: 999_000_000))
        #expect(ISO8601Duration(months: 3).hasOnlyYearsAndMonths)
        #expect(ISO8601Duration().hasOnlyDaysAndTime)
        #expect(!ISO8601Duration(months: 3, exact: DayTimeDuration(seconds: 1)).hasOnlyYearsAndMonths)
        #expect(ISO8601Duration("PT1S")?.added(toEpochMilliseconds: .max) == nil)
        #expect(ISO8601Duration("P1M")?.added(toEpochMilliseconds: .max) == nil)
        #expect(ISO8601Duration("P1M")?.added(toEpochMilliseconds: 0, offsetSeconds: 99_999) == nil)
    }

    @Test(
        arguments: [
            ("R3/PT10S", 3, "R3/PT10S"), ("R/PT1H", nil, "R/PT1H"), ("R-1/PT1H", nil, "R/PT1H"),
            ("R/2026-01-01T00:00:00Z/PT1H", nil, "R/2026-01-01T00:00:00Z/PT1H"),
            ("R5/2026-01-01T00:00:00/P1M", 5, "R5/2026-01-01T00:00:00Z/P1M"),
            ("R2/2026-01-01T00:00:00Z/2026-01-01T01:00:00+00:30", 2, "R2/2026-01-01T00:00:00Z/PT30M"),
            ("R/PT1H/2026-01-01T00:00:00Z", nil, "R/PT1H/2026-01-01T00:00:00Z"),
        ] as [(String, Int?, String)])
    func repetitionsAreRead(_ row: (text: String, count: Int?, canonical: String)) throws {
        let repetition = try #require(ISO8601Repetition(row.text))
        #expect(repetition.count == row.count)
        #expect(repetition.description == row.canonical)
    }

    @Test(arguments: [
        "", "R", "R3", "3/PT1S", "R3/", "R3/PT0S", "R3/-PT1S", "Rx/PT1S", "R-2/PT1S", "R+1/PT1S", "R/PT1S/PT1S",
        "R/x/PT1S", "R/PT1S/x",
        "R/2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "R/2026-01-01T00:00:00@Test/Nowhere/PT1H", "R/a/b/c",
        "R99999999999999999999/PT1S",
        "R/x/y",
    ])
    func otherRepetitionsAreRefused(_ text: String) {
        #expect(ISO8601Repetition(text) == nil)
    }

    @Test func repetitionsSayWhenTheyAreDue() throws {
        let plain = try #require(ISO8601Repetition("R3/PT10S"))
        #expect(plain.firstDue(from: 1_000) == 11_000)
        #expect(plain.nextDue(after: 11_000) == 21_000)
        let started = try #require(ISO8601Repetition("R/1970-01-01T00:01:00Z/PT1M"))
        #expect(started.firstDue(from: 999_999) == 60_000)
        #expect(started.nextDue(after: 60_000) == 120_000)
        let ended = try #require(ISO8601Repetition("R/PT1M/1970-01-01T00:01:30Z"))
        #expect(ended.firstDue(from: 0) == 60_000)
        #expect(ended.nextDue(after: 60_000) == nil)
        #expect(plain.nextDue(after: .max) == nil)
        #expect(ISO8601Repetition(count: -1, interval: ISO8601Duration(milliseconds: 1)) == nil)
    }
}
