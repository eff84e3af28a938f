import Runtime
import Testing
import Values

@testable import Hub

/// The next `count` times after `start`, on the clocks of `zone`.
func times(
    _ expression: String, after start: String, in zone: String = "UTC", _ count: Int = 1
) throws -> [String] {
    try TimeZones.with(FoundationTimeZones()) {
        let schedule = try CronSchedule(expression)
        let offset = try #require(CronParameters.zone(zone))
        var instant = try #require(Timestamp.milliseconds(start)).wholeSeconds
        var times: [String] = []
        while times.count < count, let next = schedule.next(after: instant, in: offset) {
            times.append(Timestamp.text(next * 1_000).replacing(".000Z", with: "Z"))
            instant = next
        }
        return times
    }
}

@Suite struct CronScheduleTests {
    /// Each row: expression, after, the next times.
    @Test(
        arguments: [
            ("0 5 * * *", "2026-01-31T05:00:00Z", ["2026-02-01T05:00:00Z"]),
            ("0 5 * * *", "2026-01-31T04:59:59Z", ["2026-01-31T05:00:00Z"]),
            ("*/20 * * * *", "2026-01-31T23:30:00Z", ["2026-01-31T23:40:00Z", "2026-02-01T00:00:00Z"]),
            ("15/20 * * * *", "2026-01-31T23:30:00Z", ["2026-01-31T23:35:00Z", "2026-01-31T23:55:00Z"]),
            ("*/25 * * * * *", "2026-01-31T23:59:30Z", ["2026-01-31T23:59:50Z", "2026-02-01T00:00:00Z"]),
            ("30 1,2 8-10/2 * * ?", "2026-01-31T08:01:30Z", ["2026-01-31T08:02:30Z", "2026-01-31T10:01:30Z"]),
            ("0 22-2 * * *", "2026-01-31T22:00:00Z", ["2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z"]),
            ("0 0 * NOV-FEB *", "2026-02-28T00:00:00Z", ["2026-11-01T00:00:00Z"]),
            ("0 0 * * fri-Mon", "2026-11-23T00:00:00Z", ["2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"]),
            ("0 0 * * 5-7", "2026-11-28T00:00:00Z", ["2026-11-29T00:00:00Z", "2026-12-04T00:00:00Z"]),
            ("0 0 * * 7", "2026-11-24T00:00:00Z", ["2026-11-29T00:00:00Z"]),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z"]),
            ("0 0 29 2 *", "2096-02-29T00:00:00Z", ["2104-02-29T00:00:00Z"]),
            ("0 0 31 * *", "2026-01-31T00:00:00Z", ["2026-03-31T00:00:00Z"]),
            // Last days.
            ("0 0 L * *", "2026-01-31T00:00:00Z", ["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]),
            ("0 0 L * *", "2028-01-31T00:00:00Z", ["2028-02-29T00:00:00Z"]),
            ("0 0 L-2 * *", "2026-01-31T00:00:00Z", ["2026-02-26T00:00:00Z"]),
            ("0 0 L-30 * *", "2026-01-31T00:00:00Z", ["2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"]),
            ("0 0 1,L * *", "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"]),
            // Nearest weekdays: Saturday 15 August, Sunday 15 February, Saturday 1 August, Sunday 31 May.
            ("0 0 15W * *", "2026-08-01T00:00:00Z", ["2026-08-14T00:00:00Z"]),
            ("0 0 15w * *", "2026-02-01T00:00:00Z", ["2026-02-16T00:00:00Z"]),
            ("0 0 1W * *", "2026-07-31T00:00:00Z", ["2026-08-03T00:00:00Z"]),
            ("0 0 31W * *", "2026-05-01T00:00:00Z", ["2026-05-29T00:00:00Z", "2026-07-31T00:00:00Z"]),
            ("0 0 LW * *", "2026-01-31T00:00:00Z", ["2026-02-27T00:00:00Z", "2026-03-31T00:00:00Z"]),
            ("0 0 L-3W * *", "2026-05-01T00:00:00Z", ["2026-05-28T00:00:00Z"]),
            // Weekdays of a month.
            ("0 0 * * FRIL", "2026-01-31T00:00:00Z", ["2026-02-27T00:00:00Z", "2026-03-27T00:00:00Z"]),
            ("0 0 * * 7L", "2026-01-31T00:00:00Z", ["2026-02-22T00:00:00Z"]),
            ("0 0 * * MON#1", "2026-01-31T00:00:00Z", ["2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z"]),
            ("0 0 * * 5#5", "2026-01-31T00:00:00Z", ["2026-05-29T00:00:00Z"]),
            ("0 0 ? * 0#2,2#1", "2026-01-31T00:00:00Z", ["2026-02-03T00:00:00Z", "2026-02-08T00:00:00Z"]),
            // Both days restricted: either; a star restricts nothing.
            ("0 0 13 * FRI", "2026-01-31T00:00:00Z", ["2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z"]),
            ("0 0 13 * FRI", "2026-01-09T00:00:00Z", ["2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"]),
            ("0 0 */2 * MON", "2026-01-31T00:00:00Z", ["2026-02-09T00:00:00Z", "2026-02-23T00:00:00Z"]),
            ("0 0 13 * ?", "2026-01-31T00:00:00Z", ["2026-02-13T00:00:00Z"]),
            // Macros.
            ("@hourly", "2026-01-31T00:00:00Z", ["2026-01-31T01:00:00Z"]),
            ("@daily", "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00Z"]),
            ("@Midnight", "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00Z"]),
            ("@weekly", "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00Z", "2026-02-08T00:00:00Z"]),
            ("@monthly", "2026-01-31T00:00:00Z", ["2026-02-01T00:00:00Z"]),
            (" @yearly ", "2026-01-31T00:00:00Z", ["2027-01-01T00:00:00Z"]),
            ("@annually", "2026-01-31T00:00:00Z", ["2027-01-01T00:00:00Z"]),
            // Before 1970.
            ("0 12 * * *", "1969-12-31T12:00:00Z", ["1970-01-01T12:00:00Z"]),
            ("0 12 * * *", "1969-12-30T12:00:00Z", ["1969-12-31T12:00:00Z"]),
        ] as [(String, String, [String])])
    func namesTimes(_ row: (expression: String, after: String, next: [String])) throws {
        #expect(try times(row.expression, after: row.after, row.next.count) == row.next)
    }

    /// Each row: expression, what the message says, what the remedy says.
    @Test(
        arguments: [
            ("", "found 0", "MON-FRI"),
            ("* * * *", "found 4", "MON-FRI"),
            ("0 0 0 1 1 ? 2027", "found 7", "until"),
            ("60 * * * *", "minutes field of 0 to 59 but found \"60\"", "numbers"),
            ("* 24 * * *", "hours field", "numbers"),
            ("* * 0 * *", "day of the month field of 1 to 31", "numbers"),
            ("* * 32 * *", "day of the month", "numbers"),
            ("* * * 13 *", "month field", "numbers"),
            ("* * * JANU *", "found \"JANU\"", "JAN"),
            ("* * * * 8", "day of the week field", "numbers"),
            ("* * * * MONDAY", "found \"MONDAY\"", ""),
            ("*/0 * * * *", "step", "list"),
            ("*/60 * * * *", "1 to 59", "list"),
            ("*/x * * * *", "step", "list"),
            ("1-2-3 * * * *", "found \"2-3\"", "numbers"),
            ("1, * * * *", "found \"\"", "numbers"),
            ("-1 * * * *", "found \"\"", "numbers"),
            ("１ * * * *", "minutes", "numbers"),
            ("? * * * *", "minutes", "*"),
            ("H * * * *", "minutes", "jitter"),
            ("* * L-31 * *", "L-1 to L-30", "L-2"),
            ("* * LX * *", "L-1 to L-30", "L-2"),
            ("* * 1-5W * *", "1W to 31W", "15W"),
            ("* * 32W * *", "1W to 31W", "15W"),
            ("* * * * L", "before L", "FRIL"),
            ("* * * * 5#6", "1 to 5", "FRI#2"),
            ("* * * * #1", "1 to 5", "FRI#2"),
            ("@every 5m", "@every", "*/5"),
            ("@reboot", "@reboot", "API"),
            ("@dayly", "@dayly", "@daily"),
            ("@daily x", "@daily x", "@daily"),
            (String(repeating: "1,", count: 600) + "1 * * * *", "bytes", "triggers"),
        ] as [(String, String, String)])
    func refusesWhatIsNoSchedule(_ row: (expression: String, message: String, remedy: String)) {
        do {
            _ = try CronSchedule(row.expression)
            Issue.record("\(row.expression) was read")
        } catch {
            #expect(error.message.contains(row.message), "\(error.message)")
            #expect(error.remedy.contains(row.remedy), "\(error.remedy)")
        }
    }

    /// Whatever comes, reading ends, with a schedule or with an explanation; what was read has a next time or none.
    @Test func readsAnything() {
        var random = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789*/,-?LW#@ MONFRIJAN\tx")
        for _ in 0..<3_000 {
            let text = String(
                (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "*" })
            do {
                let schedule = try CronSchedule(text)
                #expect(schedule.next(after: 1_750_000_000, in: .utc).map { $0 > 1_750_000_000 } ?? true)
            } catch {
                #expect(!error.message.isEmpty && !error.remedy.isEmpty)
            }
        }
    }

    @Test func findsNothingWhereThereIsNothing() throws {
        #expect(try times("0 0 30 2 *", after: "2026-01-01T00:00:00Z").isEmpty)
        #expect(try times("0 0 31 4,6,9,11 *", after: "2026-01-01T00:00:00Z", in: "Europe/Warsaw").isEmpty)
    }

    @Test func findsTheNewestOfManyWithoutCountingThem() throws {
        let everySecond = try CronSchedule("* * * * * *")
        let year: Int64 = 366 * 86_400
        #expect(
            everySecond.newest(3, after: 0, through: 10 * year, in: .utc) == [10 * year - 2, 10 * year - 1, 10 * year])
        let leap = try CronSchedule("0 0 29 2 *")
        #expect(
            leap.newest(2, after: 0, through: 1_750_000_000, in: .utc).map { Timestamp.text($0 * 1_000) } == [
                "2020-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z",
            ])
        #expect(leap.newest(9, after: 1_750_000_000, through: 1_750_000_001, in: .utc).isEmpty)
    }
}
