import Testing
import Values

@Suite struct DateTimeTests {
    @Test(arguments: [
        (Int64(0), 0, "1970-01-01T00:00:00Z"), (-1, 0, "1969-12-31T23:59:59.999Z"),
        (1_790_000_000_123, 0, "2026-09-21T14:13:20.123Z"),
        (0, 3_600, "1970-01-01T01:00:00+01:00"), (0, -19_800, "1969-12-31T18:30:00-05:30"),
        (.max, 0, "292278994-08-17T07:12:55.807Z"), (.min, 0, "-292275055-05-16T16:47:04.192Z"),
    ])
    func instantsHaveADateAndTime(_ row: (milliseconds: Int64, offset: Int, text: String)) throws {
        let dateTime = try #require(DateTime(epochMilliseconds: row.milliseconds, offsetSeconds: row.offset))
        #expect(dateTime.description == row.text)
        #expect(dateTime.epochMilliseconds == row.milliseconds)
        #expect(DateTime(row.text) == dateTime)
    }

    @Test func whatHasNoInstantGivesNil() throws {
        let local = try #require(DateTime("2026-01-01T00:00:00"))
        #expect(local.epochMilliseconds == nil)
        #expect(local.epochSeconds == nil)
        #expect(local.offsetSeconds == nil)
        #expect(local.converted(to: .utc) == nil)
        #expect(DateTime("2026-01-01T00:00:00@Test/Nowhere")?.epochSeconds == nil)
        #expect(DateTime("999999999-01-01T00:00:00Z")?.epochMilliseconds == nil)
        #expect(DateTime(epochMilliseconds: 0, offsetSeconds: 50_401) == nil)
        #expect(DateTime(epochMilliseconds: 0, offsetSeconds: .max) == nil)
        #expect(DateTime(epochSeconds: .max, zone: .utc) == nil)
        #expect(DateTime(epochSeconds: .max, zone: .offset(seconds: 3_600)) == nil)
        #expect(DateTime(epochSeconds: 0, zone: .named("Test/Nowhere")) == nil)
        #expect(ZoneOffset.offset(seconds: 60_000).offsetSeconds(atLocalSeconds: 0) == nil)
    }

    @Test func conversionKeepsTheInstant() throws {
        let dateTime = try #require(DateTime("2026-01-01T00:30:00.5+01:00"))
        #expect(dateTime.converted(to: .utc)?.description == "2025-12-31T23:30:00.5Z")
        #expect(dateTime.zone == .offset(seconds: 3_600))
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", 0),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", 1),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.000000001", -1), ("2026-01-02T00:00:00", "2026-01-01T00:00:00", 1),
        ("2026-01-01T00:00:00@Test/Nowhere", "2026-01-01T00:00:01@Test/Nowhere", -1),
    ])
    func instantsAreCompared(_ row: (left: String, right: String, order: Int)) throws {
        try TimeZones.with(nil) {
            let left = try #require(DateTime(row.left))
            let right = try #require(DateTime(row.right))
            #expect(DateTime.compare(left, right) == row.order)
            #expect(DateTime.compare(right, left) == -row.order)
        }
    }

    @Test func onlyLikeIsComparedWithLike() throws {
        let local = try #require(DateTime("2026-01-01T00:00:00"))
        let zoned = try #require(DateTime("2026-01-01T00:00:00Z"))
        #expect(DateTime.compare(local, zoned) == nil)
        #expect(zoned.subtracting(local) == nil)
        #expect(TimeOfDay.compare(local.time, zoned.time) == nil)
        #expect(local.time.subtracting(zoned.time) == nil)
    }

    @Test(arguments: [
        ("2024-02-28T23:59:59.5Z", "PT0.5S", "2024-02-29T00:00:00Z"),
        ("2024-03-01T00:00:00", "-P1D", "2024-02-29T00:00:00"),
        ("2024-01-01T00:00:00+02:00", "-PT0.000000001S", "2023-12-31T23:59:59.999999999+02:00"),
        ("2024-01-01T00:00:00@Test/Nowhere", "PT1H", "2024-01-01T01:00:00@Test/Nowhere"),
    ])
    func exactDurationsAreAdded(_ row: (start: String, duration: String, result: String)) throws {
        try TimeZones.with(nil) {
            let start = try #require(DateTime(row.start))
            let duration = try #require(DayTimeDuration(row.duration))
            let result = try #require(start.adding(duration))
            #expect(result.description == row.result)
            #expect(result.subtracting(start) == duration)
        }
    }

    @Test func monthsAreAddedToTheDate() throws {
        let start = try #require(DateTime("2024-01-31T10:00:00Z"))
        #expect(start.adding(YearMonthDuration(months: 1))?.description == "2024-02-29T10:00:00Z")
        #expect(start.adding(YearMonthDuration(months: .max)) == nil)
        #expect(start.adding(DayTimeDuration(seconds: .max)) == nil)
        #expect(start.adding(DayTimeDuration(seconds: 9_000_000_000_000_000_000)) == nil)
    }

    @Test func timesGoRoundTheClock() throws {
        let time = try #require(TimeOfDay("23:30:00"))
        #expect(time.adding(DayTimeDuration(seconds: 3_600)).description == "00:30:00")
        #expect(time.adding(DayTimeDuration(seconds: -86_400 * 3)).description == "23:30:00")
        let zoned = try #require(TimeOfDay("20:00:50Z"))
        let other = try #require(TimeOfDay("21:00:51+01:00"))
        #expect(TimeOfDay.compare(zoned, other) == -1)
        #expect(TimeOfDay.compare(time, time) == 0)
        #expect(other.subtracting(zoned) == DayTimeDuration(seconds: 1))
        #expect(zoned.inZone(nil).description == "20:00:50")
    }

    @Test func namedZonesFollowTheDatabase() throws {
        let database = TimeZones.current
        try TimeZones.with(FixedZones()) {
            #expect(TimeOfDay("10:00:00@Test/Elsewhere") == nil)
            let winter = try #require(DateTime("1970-01-01T01:00:00@Test/Summer"))
            #expect(winter.epochSeconds == 0)
            #expect(winter.time.offsetSeconds == 3_600)
            let summer = try #require(DateTime(epochSeconds: 150 * 86_400, zone: .named("Test/Summer")))
            #expect(summer.description == "1970-05-31T02:00:00@Test/Summer")
            let utc = try #require(DateTime("1970-01-01T00:00:00@Etc/UTC"))
            #expect(DateTime.compare(winter, utc) == 0)
            // A day of 24 hours across the change of clocks ends an hour later on the clock.
            let before = try #require(DateTime("1970-04-10T12:00:00@Test/Summer"))
            #expect(before.adding(DayTimeDuration(seconds: 86_400))?.description == "1970-04-11T13:00:00@Test/Summer")
            #expect(before.adding(YearMonthDuration(months: 1))?.description == "1970-05-10T12:00:00@Test/Summer")
        }
        // Installing what is installed already changes nothing for tests that run meanwhile.
        TimeZones.install(database)
        #expect((TimeZones.current == nil) == (database == nil))
    }
}
