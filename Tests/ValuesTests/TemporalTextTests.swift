import Testing
import Values

@Suite struct TemporalTextTests {
    @Test(arguments: [
        "2026-11-24", "0001-01-01", "-0044-03-15", "99999-12-31", "-99999-01-01", "999999999-12-31",
    ])
    func datesRoundTrip(_ text: String) {
        #expect(CalendarDate(text)?.description == text)
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-1-01", "2026-11-1", "998-12-31", "01211-12-31", "+99999-12-01", "2026-02-30",
        "2026/11/24",
        "2026-11-24Z", " 2026-11-24", "9999999999-12-27", "0000000000000000000-01-01", "2026-11-24T", "--2026-11-24",
    ])
    func otherDatesAreRefused(_ text: String) {
        #expect(CalendarDate(text) == nil)
    }

    @Test(arguments: [
        "00:00:00", "23:59:59.999999999", "13:20:00.5", "13:20:00Z", "13:20:00+02:00", "13:20:00-14:00",
        "13:20:00+01:35:20",
        "13:20:00@Europe/Paris", "13:20:00.001@Etc/GMT+5",
    ])
    func timesRoundTrip(_ text: String) {
        #expect(TimeOfDay(text)?.description == text)
    }

    @Test(arguments: [
        ("13:20:00+00:00", "13:20:00Z"), ("13:20:00-00:00", "13:20:00Z"), ("13:20:00.500", "13:20:00.5"),
        ("24:00:00", "00:00:00"),
        ("13:20:00.000000000", "13:20:00"),
    ])
    func timesHaveACanonicalForm(_ row: (text: String, canonical: String)) {
        #expect(TimeOfDay(row.text)?.description == row.canonical)
    }

    @Test(arguments: [
        "", "7:00:00", "07:1:00", "07:01:2", "07:20", "24:00:01", "24:01:00", "25:00:00", "00:60:00", "00:00:60",
        "00:00:00.",
        "00:00:00.1234567890", "13:20:00+19:00", "13:20:00+14:01", "13:20:00+5:00", "13:20:00+05:0", "13:20:00+05",
        "13:20:00+02:60", "13:20:00+02:00:60", "13:20:00+02:00:6", "13:20:00z", "13:20:00@", "13:20:00@1st/zone",
        "13:20:00@Europe/Pa ris", "13:20:00+02:00@Europe/Paris", "T13:20:00", "13:20:00,5",
    ])
    func otherTimesAreRefused(_ text: String) {
        #expect(TimeOfDay(text) == nil)
    }

    @Test(arguments: [
        ("2026-11-24T13:20:00", "2026-11-24T13:20:00"),
        ("-2017-12-31T11:22:33.456+01:35", "-2017-12-31T11:22:33.456+01:35"),
        ("999999999-12-31T23:59:59.999999999@Europe/Paris", "999999999-12-31T23:59:59.999999999@Europe/Paris"),
        ("2023-12-31T24:00:00Z", "2024-01-01T00:00:00Z"),
    ])
    func datesWithTimesAreRead(_ row: (text: String, canonical: String)) {
        #expect(DateTime(row.text)?.description == row.canonical)
    }

    @Test(arguments: [
        "", "2026-11-24", "2026-11-24 13:20:00", "2026-11-24T", "2011-12-0310:15:30", "2017-13-10T11:22:33", "11:00:00",
        "999999999-12-31T24:00:00", "2026-11-24t13:20:00",
    ])
    func otherDatesWithTimesAreRefused(_ text: String) {
        #expect(DateTime(text) == nil)
    }

    @Test func partsOutOfRangeAreRefused() {
        #expect(TimeOfDay(hour: 24, minute: 0) == nil)
        #expect(TimeOfDay(hour: 0, minute: 60) == nil)
        #expect(TimeOfDay(hour: 0, minute: 0, second: 60) == nil)
        #expect(TimeOfDay(hour: 0, minute: 0, nanosecond: 1_000_000_000) == nil)
        let time = TimeOfDay(hour: 1, minute: 2, second: 3, nanosecond: 4, zone: .utc)
        #expect(time?.hour == 1 && time?.minute == 2 && time?.second == 3 && time?.nanosecond == 4)
        #expect(time?.secondOfDay == 3_723)
        #expect(TimeOfDay(nanosecondOfDay: -1).nanosecondOfDay == 86_399_999_999_999)
    }

    @Test func zonesAreRead() {
        #expect(ZoneOffset("Z") == .utc)
        #expect(ZoneOffset("-05:30") == .offset(seconds: -19_800))
        #expect(ZoneOffset("@America/New_York") == .named("America/New_York"))
        #expect(ZoneOffset("@x/y z") == nil)
        #expect(ZoneOffset("05:30") == nil)
    }

    @Test(arguments: SeedList.seeds)
    func textRoundTrips(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<1_000 {
            let dateTime = DateTime(date: random.date(), time: random.time())
            #expect(DateTime(dateTime.description) == dateTime, "seed \(seed)")
        }
    }

    @Test(arguments: SeedList.seeds)
    func randomTextNeverCrashes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("0123456789-+:.TZPYMWDHSR/@ é")
        var read = 0
        for _ in 0..<5_000 {
            let text = String((0..<random.int(0...30)).map { _ in alphabet[random.int(0...alphabet.count - 1)] })
            if let date = CalendarDate(text) { #expect(CalendarDate(date.description) == date) }
            if let duration = ISO8601Duration(text) {
                #expect(ISO8601Duration(duration.description)?.exact == duration.exact, "seed \(seed): \(text)")
                read += 1
            }
            _ = TimeOfDay(text)
            _ = DateTime(text)
            _ = ISO8601Repetition(text)
            _ = ZoneOffset(text)
        }
        #expect(read < 5_000)
    }
}
