import ConnectorKit
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

/// A trigger's schedule on a clock that is moved by hand.
private final class Site: Sendable {
    let clock: ManualConnectorClock
    let memory = VolatileSourceMemory()
    let isRunning = Mutex(false)
    let asked = Mutex(0)

    init(_ start: String) {
        self.clock = ManualConnectorClock(unixMilliseconds: Timestamp.milliseconds(start) ?? 0)
    }

    func source(
        _ parameters: Value, replay: Value? = nil, memory: (any SourceMemory)? = nil, unit: Double? = nil
    ) async throws -> CronSource {
        let isRunning: @Sendable (String) async -> Bool = { _ in
            self.asked.withLock { $0 += 1 }
            return self.isRunning.withLock { $0 }
        }
        let memory = memory ?? self.memory
        let source =
            if let unit {
                try CronSource(
                    parameters: parameters, trigger: "nightly", clock: self.clock, memory: memory, replay: replay,
                    isRunning: isRunning, unit: { _, _ in unit })
            } else {
                try CronSource(
                    parameters: parameters, trigger: "nightly", clock: self.clock, memory: memory, replay: replay,
                    isRunning: isRunning)
            }
        try await source.connect()
        return source
    }

    func setRunning(_ flag: Bool) { self.isRunning.withLock { $0 = flag } }

    var now: String { Timestamp.text(self.clock.unixMilliseconds) }
}

extension CronSource {
    /// The hours and minutes of the runs that are due within `wait`, acknowledged.
    fileprivate func runs(within wait: Duration = .zero, maximum: Int = 100) async throws -> [String] {
        guard let batch = try await self.read(maximum: maximum, wait: wait) else { return [] }
        try await self.acknowledge(batch.id)
        return batch.events.map { String($0.id.dropFirst(5).prefix(11)) }
    }
}

extension SourceEvent {
    fileprivate func field(_ name: String) -> String? {
        guard case .value(let value) = self.body else { return nil }
        return value[name].map { $0.asString ?? "\($0)" }
    }
}

@Suite struct CronSourceTests {
    @Test func emitsARunWhenItIsDue() async throws {
        let site = Site("2026-01-31T08:59:58.500Z")
        let source = try await site.source(["schedule": "0 10 * * MON-SAT", "timezone": "+01:00"])
        #expect(try await source.read(maximum: 10, wait: .seconds(1)) == nil)
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(60)))
        #expect(site.now == "2026-01-31T09:00:00.000Z")
        let event = try #require(batch.events.first)
        #expect(batch.events.count == 1)
        #expect(event.id == "2026-01-31T09:00:00.000Z")
        #expect(event.occurredAtMilliseconds == site.clock.unixMilliseconds)
        #expect(event.contentType == "application/json")
        #expect(
            String(decoding: event.payload, as: UTF8.self)
                == #"{"scheduledTime":"2026-01-31T09:00:00.000Z","firedTime":"2026-01-31T09:00:00.000Z","#
                + #""missed":false,"previous":null}"#)
        #expect(event.coordinates["localTime"]?.asString == "2026-01-31T10:00:00+01:00")
        #expect(event.coordinates["timezone"]?.asString == "+01:00")
        #expect(await source.backlog() == 0)
        #expect(site.asked.withLock { $0 } == 0)
    }

    @Test func goesOnWhereItWas() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let parameters: Value = ["schedule": "0 * * * *"]
        let first = try await site.source(parameters)
        #expect(try await first.runs(within: .seconds(3_600)) == ["01-31T09:00"])
        await first.close()
        site.clock.advance(by: .seconds(3_630))
        // Half a minute late is not missed.
        let second = try await site.source(parameters)
        let batch = try #require(try await second.read(maximum: 10, wait: .zero))
        #expect(batch.events.map(\.id) == ["2026-01-31T10:00:00.000Z"])
        #expect(batch.events.first?.field("missed") == "false")
        #expect(batch.events.first?.field("previous") == "2026-01-31T09:00:00.000Z")
    }

    @Test func emitsAgainWhatWasNotAcknowledged() async throws {
        let site = Site("2026-01-31T08:59:59Z")
        let parameters: Value = ["schedule": "0 * * * *"]
        let first = try await site.source(parameters)
        let lost = try #require(try await first.read(maximum: 10, wait: .seconds(60)))
        let second = try await site.source(parameters)
        let again = try #require(try await second.read(maximum: 10, wait: .seconds(60)))
        #expect(again.events.map(\.id) == lost.events.map(\.id))
        #expect(try await second.read(maximum: 10, wait: .zero) == nil)
        try await second.acknowledge(again.id)
        let third = try await site.source(parameters)
        #expect(try await third.read(maximum: 10, wait: .zero) == nil)
    }

    @Test func beginsNowAndRemembersThat() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let parameters: Value = ["schedule": "0 9 * * *"]
        let first = try await site.source(parameters)
        #expect(try await first.read(maximum: 10, wait: .zero) == nil)
        // It dies before the first run ever was due.
        site.clock.advance(by: .seconds(3_600))
        let second = try await site.source(parameters)
        #expect(try await second.runs() == ["01-31T09:00"])
    }

    @Test(
        arguments: [
            ["schedule": "0 10 * * *"], ["schedule": "0 9 * * *", "timezone": "+01:00"],
        ] as [Value])
    func anotherScheduleBeginsNow(_ changed: Value) async throws {
        let site = Site("2026-01-31T05:00:00Z")
        let first = try await site.source(["schedule": "0 6 * * *"])
        #expect(try await first.runs(within: .seconds(4_000)) == ["01-31T06:00"])
        site.clock.advance(by: .seconds(86_400 * 3 + 7_200))
        let second = try await site.source(changed)
        #expect(try await second.read(maximum: 10, wait: .zero) == nil)
        let batch = try #require(try await second.read(maximum: 10, wait: .seconds(86_400)))
        #expect(batch.events.first?.field("previous") == "2026-01-31T06:00:00.000Z")
    }

    @Test func aClockThatWasPutBackStartsNothingNew() async throws {
        let site = Site("2026-01-31T08:59:59Z")
        let first = try await site.source(["schedule": "0 * * * *"])
        let ids = try #require(try await first.read(maximum: 1, wait: .seconds(9)))
        try await first.acknowledge(ids.id)
        let earlier = Site("2026-01-31T08:59:30Z")
        let second = try await earlier.source(["schedule": "0 * * * *"], memory: site.memory)
        let again = try #require(try await second.read(maximum: 1, wait: .seconds(60)))
        #expect(again.events.map(\.id) == ids.events.map(\.id))
    }

    // MARK: Missed runs

    /// Each row: the words of the trigger, the hours that happen after six hours without a hub, by the hub's clock 14:30.
    @Test(
        arguments: [
            (["missed": "none"], []), (["missed": "last"], ["01-31T14:00"]), ([:], ["01-31T14:00"]),
            (
                ["missed": "all"],
                ["01-31T09:00", "01-31T10:00", "01-31T11:00", "01-31T12:00", "01-31T13:00", "01-31T14:00"]
            ),
            (["missed": "all", "maxMissed": 2], ["01-31T13:00", "01-31T14:00"]),
            (["missed": "all", "until": "2026-01-31T10:30:00Z"], ["01-31T09:00", "01-31T10:00"]),
            (["missed": "last", "until": "2026-01-31T10:30:00Z"], ["01-31T10:00"]),
        ] as [([String: Value], [String])])
    func missedRuns(_ row: (words: [String: Value], runs: [String])) async throws {
        let site = Site("2026-01-31T08:30:00Z")
        var parameters = ValueContext([("schedule", "0 * * * *")])
        for (key, value) in row.words { parameters[key] = value }
        await (try site.source(.context(parameters))).close()
        site.clock.advance(by: .seconds(6 * 3_600))
        let source = try await site.source(.context(parameters))
        var runs: [String] = []
        do {
            while let batch = try await source.read(maximum: 4, wait: .zero) {
                #expect(batch.events.allSatisfy { $0.field("missed") == "true" })
                runs += batch.events.map { String($0.id.dropFirst(5).prefix(11)) }
                try await source.acknowledge(batch.id)
            }
        } catch SourceInterruption.endOfInput {
            #expect(row.words["until"] != nil)
        }
        #expect(runs == row.runs)
        // What was left out stays so.
        let later = try await site.source(.context(parameters))
        if row.words["until"] == nil {
            #expect(try await later.runs() == [])
            #expect(try await later.runs(within: .seconds(1_800)) == ["01-31T15:00"])
        }
    }

    @Test func aLongSilenceIsLookedAtQuickly() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let parameters: Value = ["schedule": "* * * * * *", "missed": "all", "maxMissed": 1_000]
        await (try site.source(parameters)).close()
        site.clock.advance(by: .seconds(400 * 86_400))
        let source = try await site.source(parameters)
        let batch = try #require(try await source.read(maximum: 5_000, wait: .zero))
        #expect(batch.events.count == 1_000)
        #expect(batch.events.last?.id == site.now)
    }

    @Test func aShortDelayLosesNothing() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let source = try await site.source(["schedule": "*/10 * * * * *", "missed": "none"])
        site.clock.advance(by: .seconds(55))
        #expect(try await source.runs().count == 5)
        // Later than a minute: none but the one that is not late.
        site.clock.advance(by: .seconds(3_600))
        #expect(try await source.runs() == ["01-31T09:30"])
    }

    // MARK: Overlap

    @Test func skipsRunsWhileOneIsRunning() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let source = try await site.source(["schedule": "0 * * * *", "overlap": "skip"])
        #expect(try await source.runs(within: .seconds(3_600)) == ["01-31T09:00"])
        site.setRunning(true)
        #expect(try await source.runs(within: .seconds(7_300)) == [])
        site.setRunning(false)
        // What was left out is not missed, also after a restart.
        let again = try await site.source(["schedule": "0 * * * *", "overlap": "skip"])
        #expect(try await again.runs(within: .seconds(3_600)) == ["01-31T12:00"])
    }

    @Test func whatIsOutCountsAsRunning() async throws {
        let site = Site("2026-01-31T08:59:00Z")
        let source = try await site.source(["schedule": "* * * * *", "overlap": "skip"])
        let first = try #require(try await source.read(maximum: 10, wait: .seconds(60)))
        #expect(try await source.read(maximum: 10, wait: .seconds(90)) == nil)
        try await source.acknowledge(first.id)
        let second = try #require(try await source.read(maximum: 10, wait: .seconds(60)))
        #expect(second.events.map(\.id) == ["2026-01-31T09:02:00.000Z"])
        #expect(second.events.first?.field("previous") == "2026-01-31T09:00:00.000Z")
    }

    @Test func queuesARunUntilTheOtherHasEnded() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let source = try await site.source(["schedule": "0 * * * *", "overlap": "queue", "missed": "none"])
        #expect(try await source.runs(within: .seconds(3_600)) == ["01-31T09:00"])
        site.setRunning(true)
        #expect(try await source.runs(within: .seconds(5 * 1_800)) == [])
        site.setRunning(false)
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(2)))
        #expect(batch.events.map(\.id) == ["2026-01-31T10:00:00.000Z"])
        #expect(batch.events.first?.field("missed") == "false")
        try await source.acknowledge(batch.id)
        // What came due meanwhile was missed.
        #expect(try await source.runs() == [])
        #expect(try await source.runs(within: .seconds(3_600)) == ["01-31T12:00"])
    }

    @Test func queuesEveryMissedRunOneAfterTheOther() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let parameters: Value = ["schedule": "0 * * * *", "overlap": "queue", "missed": "all"]
        await (try site.source(parameters)).close()
        site.clock.advance(by: .seconds(3 * 3_600))
        let source = try await site.source(parameters)
        var runs: [String] = []
        for _ in 0..<3 {
            runs += try await source.runs()
            site.setRunning(true)
            #expect(try await source.runs(within: .seconds(5)) == [])
            site.setRunning(false)
        }
        #expect(runs == ["01-31T09:00", "01-31T10:00", "01-31T11:00"])
    }

    // MARK: Jitter

    @Test func jitterPutsARunOffByTheSameEachTime() async throws {
        let site = Site("2026-01-31T08:59:00Z")
        let source = try await site.source(["schedule": "0 * * * *", "jitter": "10m"], unit: 0.5)
        #expect(try await source.runs(within: .seconds(359)) == [])
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(10)))
        #expect(site.now == "2026-01-31T09:05:00.000Z")
        #expect(batch.events.first?.id == "2026-01-31T09:00:00.000Z")
        #expect(batch.events.first?.field("missed") == "false")
    }

    @Test func jitterIsScatteredEvenly() {
        let units = (0..<2_000).map { CronSource.scatteredUnit("nightly", Int64($0) * 3_600) }
        #expect(units.allSatisfy { (0..<1).contains($0) })
        for quarter in 0..<4 {
            let share = units.filter { Int($0 * 4) == quarter }.count
            #expect((420...580).contains(share))
        }
        #expect(CronSource.scatteredUnit("a", 1) == CronSource.scatteredUnit("a", 1))
        #expect(CronSource.scatteredUnit("a", 1) != CronSource.scatteredUnit("b", 1))
    }

    // MARK: Batches, ends, replay

    @Test func aBatchThatIsNotTakenComesAgain() async throws {
        let site = Site("2026-01-31T08:59:59Z")
        let parameters: Value = ["schedule": "* * * * *"]
        let source = try await site.source(parameters)
        let first = try #require(try await source.read(maximum: 1, wait: .seconds(1)))
        try await source.reject(first.id, .redeliver(after: .seconds(90)))
        // Others go on meanwhile, and the position waits for the one that is out.
        let second = try #require(try await source.read(maximum: 1, wait: .seconds(60)))
        try await source.acknowledge(second.id)
        #expect(site.memory.load()?["decided"]?.asString == "2026-01-31T08:59:59.000Z")
        let again = try #require(try await source.read(maximum: 1, wait: .seconds(30)))
        #expect(again.events.map(\.id) == first.events.map(\.id))
        #expect(again.id != first.id)
        try await source.acknowledge(first.id)
        #expect(site.memory.load()?["decided"]?.asString == "2026-01-31T08:59:59.000Z")
        try await source.acknowledge(again.id)
        #expect(site.memory.load()?["decided"]?.asString == "2026-01-31T09:01:00.000Z")
        let third = try #require(try await source.read(maximum: 1, wait: .seconds(60)))
        try await source.reject(third.id, .setAside)
        #expect(site.memory.load()?["decided"]?.asString == third.events.first?.id)
    }

    @Test func endsAfterItsLastRun() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let source = try await site.source([
            "schedule": "0 * * * *", "from": "2026-01-31T10:00:00Z", "until": "2026-01-31T11:00:00+00:00",
        ])
        #expect(try await source.runs(within: .seconds(86_400)) == ["01-31T10:00"])
        #expect(try await source.runs(within: .seconds(86_400)) == ["01-31T11:00"])
        await #expect(throws: SourceInterruption.endOfInput) { try await source.read(maximum: 1, wait: .seconds(9)) }
        await source.close()
        await source.close()
        await #expect(throws: SourceInterruption.self) { try await source.read(maximum: 1, wait: .zero) }
    }

    @Test func datesBoundWholeDaysOfTheZone() throws {
        try TimeZones.with(FoundationTimeZones()) {
            let next = try CronSource.upcoming(
                ["schedule": "0 */12 * * *", "timezone": "Europe/Warsaw", "from": "2026-03-29", "until": "2026-03-29"],
                count: 10, from: Timestamp.milliseconds("2026-01-01T00:00:00Z") ?? 0)
            #expect(next.map(\.localText) == ["2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00"])
        }
    }

    @Test func emitsARangeAgain() async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let parameters: Value = ["schedule": "0 * * * *", "jitter": "5m", "overlap": "skip", "missed": "none"]
        let live = try await site.source(parameters, unit: 0)
        #expect(try await live.runs(within: .seconds(3_600)) == ["01-31T09:00"])
        let kept = site.memory.load()
        site.setRunning(true)
        let replay = try await site.source(
            parameters, replay: ["from": "2026-01-31T06:00:00Z", "to": "2026-01-31T09:00:00Z"])
        let batch = try #require(try await replay.read(maximum: 2, wait: .zero))
        #expect(batch.events.map(\.id) == ["2026-01-31T06:00:00.000Z", "2026-01-31T07:00:00.000Z"])
        #expect(batch.events.first?.field("previous") == "2026-01-31T05:00:00.000Z")
        #expect(batch.events.first?.field("missed") == "false")
        try await replay.acknowledge(batch.id)
        #expect(try await replay.runs() == ["01-31T08:00"])
        await #expect(throws: SourceInterruption.endOfInput) { try await replay.read(maximum: 2, wait: .zero) }
        #expect(site.memory.load() == kept)
        // Until now, when no end is given.
        let rest = try await site.source(parameters, replay: ["from": "2026-01-31T08:30:00Z"])
        #expect(try await rest.runs() == ["01-31T09:00"])
    }

    @Test(
        arguments: [
            ([:], "replay.from is missing"), (["from": 5], "replay.from"), (["from": "yesterday"], "replay.from"),
            (["from": "2026-01-31T06:00:00Z", "to": "2026-01-31T05:00:00Z"], "no time"),
            (["from": "2027-01-31T06:00:00Z"], "no time"), (["from": "2026-01-30T06:00:00Z", "upto": 1], "upto"),
            ("a", "replay"),
        ] as [(Value, String)])
    func refusesRangesThatAreNone(_ row: (replay: Value, message: String)) async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await site.source(["schedule": "0 * * * *"], replay: row.replay)
        }
        #expect(error?.code == "HB604" && error?.kind == .validation)
        #expect(error?.message.contains(row.message) == true, "\(String(describing: error))")
    }

    // MARK: Parameters

    /// Each row: parameters, code, what the message says.
    @Test(
        arguments: [
            ([:], "HB601", "cron.schedule is missing"),
            ("* * * * *", "HB601", "cron"),
            (["schedule": 5], "HB601", "cron.schedule"),
            (["schedule": "61 * * * *"], "HB601", "cron.schedule: Expected a minutes field"),
            (["schedule": "0 0 30 2 *"], "HB602", "30 2"),
            (["schedule": "0 0 29 2 *", "until": "2027-12-31"], "HB602", "before cron.until"),
            (["schedule": "* * * * *", "timezone": "Europe/Warschau"], "HB601", "cron.timezone"),
            (["schedule": "* * * * *", "timezone": "+25:00"], "HB601", "cron.timezone"),
            (["schedule": "* * * * *", "missed": "first"], "HB601", "none, last, all"),
            (["schedule": "* * * * *", "missed": "all", "maxMissed": 0], "HB601", "cron.maxMissed"),
            (["schedule": "* * * * *", "missed": "last", "maxMissed": 5], "HB601", "missed: all only"),
            (["schedule": "* * * * *", "missed": "all", "overlap": "skip"], "HB601", "overlap: skip"),
            (["schedule": "* * * * *", "overlap": "never"], "HB601", "allow, skip, queue"),
            (["schedule": "* * * * *", "jitter": "soon"], "HB601", "cron.jitter"),
            (["schedule": "* * * * *", "jitter": "1m"], "HB601", "less than the 1m"),
            (["schedule": "0 0 1 1 *", "jitter": "25h"], "HB601", "at most 24h"),
            (["schedule": "* * * * *", "from": "tomorrow"], "HB601", "cron.from"),
            (["schedule": "* * * * *", "from": "2026-02-02", "until": "2026-02-01"], "HB601", "before cron.from"),
            (["schedule": "* * * * *", "zone": "UTC"], "HB601", "cron.zone"),
        ] as [(Value, String, String)])
    func saysWhatIsWrongWithParameters(_ row: (parameters: Value, code: String, message: String)) async throws {
        let site = Site("2026-01-31T08:30:00Z")
        let found = TimeZones.with(FoundationTimeZones()) {
            CronSource.diagnostics(for: row.parameters, now: site.clock.unixMilliseconds)
        }
        #expect(found.contains { $0.code == row.code && $0.message.contains(row.message) }, "\(found)")
        let error = await #expect(throws: ConnectorError.self) { _ = try await site.source(row.parameters) }
        #expect(error?.kind == .validation)
    }

    @Test func warnsOfTwoKindsOfDays() async throws {
        let found = CronSource.diagnostics(for: ["schedule": "0 9 1-7 * MON"], now: 1_750_000_000_000)
        #expect(found.map(\.code) == ["HB603"])
        #expect(found.map(\.severity) == [.warning])
        #expect(CronSource.diagnostics(for: ["schedule": "0 9 * * MON#1"], now: 1_750_000_000_000).isEmpty)
        // A schedule that is over is in order.
        #expect(
            CronSource.diagnostics(for: ["schedule": "0 9 * * *", "until": "2020-01-01"], now: 1_750_000_000_000)
                .isEmpty)
        _ = try await Site("2026-01-31T08:30:00Z").source(["schedule": "0 9 1-7 * MON"])
    }

    @Test func tellsWhatIsComing() throws {
        let from = try #require(Timestamp.milliseconds("2026-01-31T08:30:00Z"))
        let next = try CronSource.upcoming(["schedule": "0 9 * * *"], count: 2, from: from)
        #expect(next.map(\.localText) == ["2026-01-31T09:00:00Z", "2026-02-01T09:00:00Z"])
        #expect(next.map(\.unixMilliseconds) == [from + 1_800_000, from + 1_800_000 + 86_400_000])
        #expect(try CronSource.upcoming(["schedule": "* * * * * *"], count: 5_000, from: from).count == 1_000)
        #expect(throws: ConnectorError.self) { try CronSource.upcoming(["schedule": "x"], count: 1, from: from) }
    }
}
