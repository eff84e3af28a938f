import Runtime
import Testing
import Values

@testable import Hub

/// What happens where local time jumps: Warsaw skips 02:00–03:00 on 29 March 2026 (at 01:00Z) and repeats it on
/// 25 October 2026 (at 01:00Z).
@Suite struct CronZoneTests {
    @Test(
        arguments: [
            // A time of the day that is skipped happens at the jump, once, also together with what is due then.
            ("30 2 * * *", "Europe/Warsaw", "2026-03-28T01:30:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
            (
                "0,30 2 * * *", "Europe/Warsaw", "2026-03-28T01:30:00Z",
                ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]
            ),
            ("0 2,3 * * *", "Europe/Warsaw", "2026-03-28T02:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
            (
                "*/10 30 2 * * *", "Europe/Warsaw", "2026-03-28T01:30:50Z",
                ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
            ),
            ("0 0 3 * * *", "Europe/Warsaw", "2026-03-28T02:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"]),
            // A time of the day that is repeated happens the first time.
            ("30 2 * * *", "Europe/Warsaw", "2026-10-24T00:30:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
            ("0 2 * * *", "Europe/Warsaw", "2026-10-24T00:00:00Z", ["2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"]),
            ("0 3 * * *", "Europe/Warsaw", "2026-10-24T01:00:00Z", ["2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"]),
            ("30 2 * * *", "Europe/Warsaw", "2026-10-25T01:00:00Z", ["2026-10-26T01:30:00Z"]),
            ("30 2 * * *", "Europe/Warsaw", "2026-10-25T01:15:00Z", ["2026-10-26T01:30:00Z"]),
            // What follows the clock goes through both.
            (
                "*/30 * * * *", "Europe/Warsaw", "2026-03-29T00:15:00Z",
                ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"]
            ),
            (
                "30 * * * *", "Europe/Warsaw", "2026-10-24T23:45:00Z",
                [
                    "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z",
                ]
            ),
            ("0 */2 * * *", "Europe/Warsaw", "2026-03-28T23:00:00Z", ["2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z"]),
            (
                "0 */2 * * *", "Europe/Warsaw", "2026-10-24T22:30:00Z",
                [
                    "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z",
                ]
            ),
            ("*/30 2 * * *", "Europe/Warsaw", "2026-03-28T02:00:00Z", ["2026-03-30T00:00:00Z"]),
            (
                "0-59/30 0-23 * * *", "Europe/Warsaw", "2026-10-25T00:15:00Z",
                [
                    "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z",
                ]
            ),
            // Midnight is what Cairo skips, half an hour what Lord Howe Island does, a whole day what Samoa did.
            ("0 0 * * *", "Africa/Cairo", "2026-04-22T22:00:00Z", ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"]),
            (
                "15 2 * * *", "Australia/Lord_Howe", "2026-10-02T15:45:00Z",
                ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]
            ),
            (
                "45 1 * * *", "Australia/Lord_Howe", "2026-04-03T14:45:00Z",
                ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
            ),
            (
                "0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z",
                [
                    "2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z",
                ]
            ),
            // Fixed distances, and a zone without changes.
            ("30 2 * * *", "+05:30", "2026-03-28T21:00:00Z", ["2026-03-29T21:00:00Z"]),
            ("30 2 * * *", "Asia/Tokyo", "2026-03-28T17:30:00Z", ["2026-03-29T17:30:00Z"]),
            // Yearly, over many changes.
            (
                "0 12 1 7 *", "America/New_York", "2026-01-01T00:00:00Z",
                ["2026-07-01T16:00:00Z", "2027-07-01T16:00:00Z"]
            ),
        ] as [(String, String, String, [String])])
    func keepsTimesOfTheDay(_ row: (expression: String, zone: String, after: String, next: [String])) throws {
        #expect(try times(row.expression, after: row.after, in: row.zone, row.next.count) == row.next)
    }

    /// A model that steps through every second (or minute) and knows nothing of jumps but the offset of each instant.
    private struct Model {
        let schedule: CronSchedule
        let zone: ZoneOffset
        /// Seconds of one step.
        let step: Int64

        func times(from start: Int64, until end: Int64) -> [Int64] {
            // What came before `start` decides which local times have had their turn.
            var highest = Int64.min
            var result: [Int64] = []
            var instant = start - 3 * 86_400
            while instant < end {
                let local = instant + Int64(self.zone.offsetSeconds(atEpochSeconds: instant) ?? 0)
                var fires = self.names(local)
                if !self.schedule.isInterval {
                    if local <= highest { fires = false }
                    if highest > .min, local > highest + self.step {
                        for skipped in stride(from: highest + self.step, to: local, by: Int64.Stride(self.step))
                        where self.names(skipped) { fires = true }
                    }
                    highest = max(highest, local)
                }
                if fires, instant >= start { result.append(instant) }
                instant += self.step
            }
            return result
        }

        /// Every field on its own, from the text of the schedule.
        private func names(_ local: Int64) -> Bool {
            guard let time = DateTime(epochSeconds: local, zone: .utc) else { return false }
            return self.schedule.seconds.contains(time.time.second)
                && self.schedule.minutes.contains(time.time.minute) && self.schedule.hours.contains(time.time.hour)
                && self.schedule.months.contains(time.date.month) && self.schedule.days.contains(time.date)
        }
    }

    private static func field(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> String {
        let (low, high) = (range.lowerBound, range.upperBound)
        let a = Int.random(in: range, using: &random)
        let b = Int.random(in: range, using: &random)
        let step = Int.random(in: 1...min(15, high - low), using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return "*"
        case 1: return "*/\(step)"
        case 2: return "\(a)"
        case 3: return "\(a),\(b)"
        case 4: return "\(min(a, b))-\(max(a, b))"
        default: return "\(min(a, b))-\(max(a, b))/\(step)"
        }
    }

    /// Random schedules around every jump of several zones fire exactly when a model says that steps minute by minute.
    @Test(arguments: [
        ("Europe/Warsaw", "2026-03-27T00:00:00Z"), ("Europe/Warsaw", "2026-10-23T00:00:00Z"),
        ("America/New_York", "2026-03-06T00:00:00Z"), ("America/New_York", "2026-10-30T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-03T00:00:00Z"), ("Australia/Lord_Howe", "2026-10-02T00:00:00Z"),
        ("Africa/Cairo", "2026-04-22T00:00:00Z"), ("Africa/Cairo", "2026-10-28T00:00:00Z"),
        ("Africa/Casablanca", "2026-02-13T00:00:00Z"), ("Asia/Kathmandu", "1985-12-30T00:00:00Z"),
        ("Pacific/Apia", "2011-12-28T00:00:00Z"), ("UTC", "2027-12-30T00:00:00Z"),
    ])
    func agreesWithAModelThatSteps(_ row: (zone: String, start: String)) throws {
        try TimeZones.with(FoundationTimeZones()) {
            let zone = try #require(CronParameters.zone(row.zone))
            let start = try #require(Timestamp.milliseconds(row.start)).wholeSeconds
            let end = start + 4 * 86_400
            var random = SeededGenerator(seed: UInt64(start))
            for round in 0..<6 {
                let expression = [
                    Self.field(0...59, &random), Self.field(0...23, &random), Self.field(1...31, &random), "*",
                    Self.field(0...6, &random),
                ].joined(separator: " ")
                let schedule = try CronSchedule(expression)
                let expected = Model(schedule: schedule, zone: zone, step: 60).times(from: start, until: end)
                var found: [Int64] = []
                var instant = start - 1
                while let next = schedule.next(after: instant, in: zone), next < end {
                    found.append(next)
                    instant = next
                }
                #expect(found == expected, "\(expression) in \(row.zone), round \(round)")
                // From anywhere, the next is the least of those that follow.
                for _ in 0..<20 {
                    let after = Int64.random(in: start..<end, using: &random)
                    if let first = expected.first(where: { $0 > after }) {
                        #expect(schedule.next(after: after, in: zone) == first, "\(expression) after \(after)")
                    }
                }
            }
        }
    }
}
