import ConnectorKit
import Storage
import Testing
import Values

@testable import Hub

/// Order by key, the inbox and replays, over a real engine and its records.
@Suite(.timeLimit(.minutes(2))) struct OrderedTriggerTests {
    private static let trigger = goodTrigger.split(separator: "ack: { at: accepted }").joined(
        separator: "ordering: { key: \"=data.customer\", onFailure: parkKey }\ninbox: { retain: 1d }")

    /// An order as a row of a file; without an amount it does not match the schema.
    private static func order(_ id: String, of customer: String, amount: Int? = 5) -> SourceEvent {
        var data = ValueContext([("orderId", .string(id)), ("customer", .string(customer))])
        if let amount { data["amount"] = .number(Number(Int64(amount))) }
        return SourceEvent(
            id: "f#\(id)", payload: Array("\(id),\(amount ?? 0),\(customer)".utf8), contentType: "text/csv",
            body: .value(.context(data)), coordinates: ["file": "f.csv", "line": 2],
            headers: ["columns": ["orderId", "amount", "customer"]])
    }

    private static func life(_ site: LetterSite) async throws -> LetterSite.Life {
        let trigger = try #require(readTrigger(Self.trigger).trigger)
        return try await site.life { configuration, _ in configuration.triggers = [trigger] }
    }

    /// The orders whose instances exist, in the order in which they were started.
    private static func started(_ life: LetterSite.Life) async throws -> [String] {
        try await life.read { reader in
            let instances = try reader.processInstances(Query()).items.map(\.record)
            return instances.sorted { ($0.startedAt, $0.key) < ($1.startedAt, $1.key) }.compactMap(\.businessID)
        }
    }

    private static func wait(
        _ life: LetterSite.Life, _ what: String, until condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record(
                    "\(what) did not happen: \(life.hub.triggers()[0]) \(try await life.letters().map(\.stateName))")
                return
            }
            life.clock.advance(by: .milliseconds(100))
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func laterEventsOfAKeyWaitBehindItsDeadLetterAndFollowInOrder() async throws {
        let site = try LetterSite()
        var life = try await Self.life(site)
        life.files.change { state in
            state.batches = [
                [
                    Self.order("a-1", of: "A", amount: nil), Self.order("a-2", of: "A"), Self.order("b-1", of: "B"),
                    Self.order("a-3", of: "A"),
                ]
            ]
        }
        var task = Task { [hub = life.hub] in await hub.run() }
        try await Self.wait(life, "the batch") {
            life.hub.triggers()[0].counters.received == 4 && life.hub.triggers()[0].pending == 0
        }
        #expect(life.hub.triggers()[0].counters.deadLettered == 3 && life.hub.triggers()[0].counters.started == 1)
        #expect(try await Self.started(life) == ["b-1"])
        let parked = try await life.letters([0])
        #expect(parked.map(\.errorCode).sorted() == ["HB203", "HB208", "HB208"])
        #expect(parked.allSatisfy { $0.orderingKey == "A" })
        task.cancel()
        await task.value
        await life.end()

        // The key stays parked over a restart.
        life = try await Self.life(site)
        life.files.change { $0.batches = [[Self.order("a-4", of: "A")]] }
        task = Task { [hub = life.hub] in await hub.run() }
        try await Self.wait(life, "the next event of the key") { try await life.letters([0]).count == 4 }
        #expect(try await Self.started(life) == ["b-1"])
        let head = try #require(try await life.letters([0]).first { $0.errorCode == "HB203" })
        try await life.hub.discard(deadLetter: Key(rawValue: head.key), actor: "ann")
        try await Self.wait(life, "the release") { try await Self.started(life).count == 4 }
        #expect(try await Self.started(life) == ["b-1", "a-2", "a-3", "a-4"])
        try await Self.wait(life, "the end of the letters") { try await life.letters([0, 3, 4]).isEmpty }
        life.files.change { $0.batches.append([Self.order("a-5", of: "A")]) }
        try await Self.wait(life, "an event of the free key") { try await Self.started(life).last == "a-5" }
        task.cancel()
        await task.value
        await life.end()
    }

    @Test func eventsAreKeptAndReplayingThemStartsNothingTwice() async throws {
        let site = try LetterSite()
        let life = try await Self.life(site)
        life.files.change { $0.batches = [[Self.order("b-1", of: "B"), Self.order("c-1", of: "C")]] }
        let task = Task { [hub = life.hub] in await hub.run() }
        try await Self.wait(life, "the starts") { try await Self.started(life).count == 2 }
        let kept = try await life.read { try $0.inbox(Query()).items }
        #expect(kept.map(\.eventID).sorted() == ["f#b-1", "f#c-1"])
        let request = try TriggerReplayRequest(["source": "inbox"], actor: "ann")
        let report = try await life.hub.replayTrigger("orders", request)
        #expect(report.counters.received == 2 && report.counters.duplicates == 2)
        let dry = try TriggerReplayRequest(["source": "inbox", "dryRun": true], actor: "ann")
        #expect(try await life.hub.replayTrigger("orders", dry).forecast.count == 2)
        #expect(try await Self.started(life).count == 2)
        task.cancel()
        await task.value
        await life.end()
    }

    @Test func aChangedTriggerTakesThePlaceOfTheOldOne() async throws {
        let site = try LetterSite()
        let life = try await Self.life(site)
        let task = Task { [hub = life.hub] in await hub.run() }
        try await Self.wait(life, "the arming") { life.hub.triggers()[0].state == .armed }
        let same = try #require(
            readTrigger(Self.trigger.split(separator: "owner: sales").joined(separator: "owner: IT")).trigger)
        #expect(life.hub.reload(triggers: [same]).unchanged == ["orders"])
        let stricter = Self.trigger.split(separator: "data.amount > 0").joined(separator: "data.amount > 9")
        let changed = try #require(readTrigger(stricter).trigger)
        #expect(life.hub.reload(triggers: [changed]).replaced == ["orders"])
        try await Self.wait(life, "the new one") { life.hub.triggers()[0].state == .armed }
        life.files.change { $0.batches = [[Self.order("b-1", of: "B"), Self.order("b-2", of: "B", amount: 10)]] }
        try await Self.wait(life, "its events") {
            life.hub.triggers()[0].counters.received == 2 && life.hub.triggers()[0].pending == 0
        }
        #expect(life.hub.triggers()[0].counters.filtered == 1 && life.hub.triggers()[0].counters.started == 1)
        #expect(life.hub.reload(triggers: []).removed == ["orders"])
        #expect(life.hub.triggers().isEmpty)
        task.cancel()
        await task.value
        await life.end()
    }
}
