import Engine
import Runtime
import Storage
import StorageTestSupport
import Testing
import Values

@Suite struct CorrelationTests {
    private static let day: Int64 = 86_400_000

    private func received(_ harness: RuntimeHarness, _ id: String, trigger: String = "t", days: Int64 = 1)
        -> ReceivedEvent
    {
        ReceivedEvent(
            trigger: trigger, eventID: id, dedupeKey: "d-\(id)", contentType: "text/plain",
            payload: [0, 255] + Array(id.utf8), headers: Array(#"{"h":1}"#.utf8),
            coordinates: Array(#"{"offset":7}"#.utf8), receivedAt: harness.clock.unixMilliseconds(),
            retainMilliseconds: days * Self.day)
    }

    private func correlate(
        _ harness: RuntimeHarness, _ key: String, _ noMatch: CorrelateRequest.NoMatch, unique: String? = nil,
        received: ReceivedEvent? = nil
    ) async throws -> CorrelationResult {
        try await harness.runtime.correlate(
            CorrelateRequest(
                message: "wake", correlationKey: key, variables: Array("{\"id\":\"\(key)\"}".utf8),
                idempotencyKey: unique, actor: "trigger:t", noMatch: noMatch, received: received))
    }

    private static let start = CorrelateRequest.NoMatch.start(process: "waiting", version: nil, businessID: "b")

    @Test func anEventStartsThenReachesAnInstanceAndIsKnownWhenItComesAgain() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        let first = try await correlate(harness, "a", Self.start, unique: "1")
        guard case .started(let instance) = first.outcome else {
            Issue.record("\(first)")
            return
        }
        #expect(first == CorrelationResult(outcome: .started(instance), key: instance, alreadyExisted: false))
        let record = try await harness.read { try $0.processInstance(key: instance.rawValue) }
        #expect(record?.record.businessID == "b")
        let second = try await correlate(harness, "a", Self.start, unique: "2")
        #expect(second.outcome == .correlated && !second.alreadyExisted)
        let ended = try await harness.read { try $0.processInstance(key: instance.rawValue) }
        #expect(ended?.record.state == .completed)
        let messages = try await harness.read { try $0.messages(Query()).items }
        #expect(messages.map(\.state) == [1] && messages.map(\.instanceKey) == [instance.rawValue])
        let again = try harness.restarted()
        for (key, result) in [("1", first), ("2", second)] {
            var repeated = result
            repeated.alreadyExisted = true
            #expect(try await correlate(again, "a", .refuse, unique: key) == repeated)
        }
        #expect(try await correlate(again, "a", .refuse).outcome == .refusedNoMatch)
        #expect(try await correlate(again, "a", .buffer(milliseconds: 5)).outcome == .buffered)
        let nothing = try await correlate(again, "b", .ignore)
        #expect(nothing == CorrelationResult(outcome: .nothing, key: Key(rawValue: 0), alreadyExisted: false))
        let actors = try await again.read { try $0.audit(Query()).items.filter { $0.action == "start-instance" } }
        #expect(actors.map(\.actor) == ["trigger:t"])
        again.stop()
    }

    @Test func whatCannotBeStartedIsAnErrorAndKeepsNothing() async throws {
        let harness = try RuntimeHarness()
        let error = await #expect(throws: CommandRejection.self) {
            try await self.correlate(
                harness, "a", .start(process: "none", version: nil, businessID: nil), unique: "1",
                received: self.received(harness, "e"))
        }
        #expect(error?.code == .notFound)
        #expect(try await harness.read { try $0.inbox(Query()).items }.isEmpty)
        _ = try await harness.deploy(Model.waiting("waiting"))
        #expect(try await !correlate(harness, "a", Self.start, unique: "1").alreadyExisted)
        harness.stop()
    }

    @Test func eventsThatComeAtOnceStartOneInstance() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let request = CorrelateRequest.NoMatch.start(process: "chain", version: nil, businessID: nil)
        let results = try await withThrowingTaskGroup(of: CorrelationResult.self) { group in
            for number in 0..<40 {
                group.addTask { try await self.correlate(harness, "k", request, unique: "\(number / 2)") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let fresh = results.filter { !$0.alreadyExisted }
        #expect(fresh.count == 20)
        #expect(fresh.count { $0.outcome == .buffered } == 19)
        #expect(harness.runtime.status().startedInstances == 1)
        // Each instance's job lets the next waiting event start one.
        for number in 1...20 {
            let jobs = try await harness.activate(wait: 5_000)
            #expect(jobs.count == 1, "instance \(number)")
            for job in jobs { try await harness.runtime.completeJob(key: job.key, variables: nil) }
        }
        #expect(try await harness.read { try $0.totals().completedInstances } == 20)
        harness.stop()
    }

    @Test func locksAndWaitingEventsSurviveACheckpoint() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.sequence("chain", 1))
        for number in 0..<3 { _ = try await harness.event("\(number)") }
        try await harness.runtime.settle()
        let again = try harness.restarted()
        #expect(try await again.event("3").outcome == .buffered)
        #expect(try await again.event("1").alreadyExisted)
        for number in 0..<4 {
            let jobs = try await again.activate(wait: 5_000)
            #expect(jobs.count == 1, "instance \(number)")
            for job in jobs { try await again.runtime.completeJob(key: job.key, variables: nil) }
            try await again.runtime.settle()
        }
        let names = try await again.read { try $0.processInstances(Query()).items.map(\.record.businessID) }
        #expect(names == ["0", "1", "2", "3"])
        again.stop()
    }

    @Test func signalsAndMessagesWithAKeyHappenOnce() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        let request = PublishMessageRequest(
            name: "wake", correlationKey: "a", timeToLiveMilliseconds: 60_000, idempotencyKey: "k")
        let message = try await harness.runtime.publishMessage(request)
        let signal = try await harness.runtime.broadcastSignal(
            name: "s", variables: nil, actor: "test", idempotencyKey: "k", idempotencyMilliseconds: 60_000,
            received: received(harness, "e"))
        let again = try harness.restarted()
        #expect(try await again.runtime.publishMessage(request) == message)
        let repeated = try await again.runtime.broadcastSignal(
            name: "s", variables: nil, actor: "test", idempotencyKey: "k", idempotencyMilliseconds: 60_000,
            received: received(again, "e"))
        #expect(repeated == signal)
        #expect(try await again.runtime.broadcastSignal(name: "s", variables: nil, actor: "test") != signal)
        let audit = try await again.read { try $0.audit(Query()).items }
        #expect(audit.count { $0.action == "broadcast-signal" } == 2)
        #expect(try await again.read { try $0.messages(Query()).items.map(\.key) } == [message.rawValue])
        let inbox = try await again.read { try $0.inbox(Query()).items }
        #expect(inbox.map(\.effect) == [4] && inbox.map(\.effectKey) == [signal.rawValue])
        again.stop()
    }

    @Test func theInboxHasWhatCameAndWhatCameOfIt() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        let started = try await harness.runtime.createInstance(
            CreateInstanceRequest(
                target: .process(id: "waiting", version: nil), variables: Array(#"{"id":"x"}"#.utf8),
                idempotencyKey: "1", actor: "", received: received(harness, "1", trigger: "other")))
        harness.clock.advance(10)
        let taken = try await correlate(harness, "x", Self.start, unique: "2", received: received(harness, "2"))
        harness.clock.advance(10)
        let second = try await correlate(harness, "y", Self.start, unique: "3", received: received(harness, "3"))
        _ = try await correlate(harness, "y", Self.start, unique: "3", received: received(harness, "3"))
        let all = try await harness.read {
            try $0.inbox(Query(sort: [SortCriterion(.receivedAt, isDescending: true)])).items
        }
        #expect(all.map(\.eventID) == ["3", "2", "1"])
        #expect(all.map(\.effect) == [1, 2, 1])
        #expect(all.map(\.effectKey) == [second.key, taken.key, started.key].map(\.rawValue))
        let newest = try #require(all.first)
        #expect(newest.trigger == "t" && newest.dedupeKey == "d-3" && newest.contentType == "text/plain")
        #expect(newest.payload == [0, 255, 0x33] && newest.receivedAt == harness.clock.unixMilliseconds())
        #expect(newest.headers == Array(#"{"h":1}"#.utf8) && newest.coordinates == Array(#"{"offset":7}"#.utf8))
        var filter = InboxFilter()
        filter.trigger = [.equal("t")]
        filter.receivedAt = [.less(newest.receivedAt)]
        #expect(try await harness.read { try $0.inbox(Query(filter: filter)).items }.map(\.eventID) == ["2"])
        filter = InboxFilter()
        filter.eventID = [.equal("1")]
        #expect(try await harness.read { try $0.inbox(Query(filter: filter)).items }.map(\.trigger) == ["other"])
        harness.stop()
    }

    @Test func theInboxForgetsByTheDay() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        for days: Int64 in [0, 1, 30] {
            _ = try await correlate(harness, "x", .ignore, received: received(harness, "\(days)", days: days))
        }
        _ = try await harness.read { try $0.totals() }
        let now = harness.clock.unixMilliseconds()
        #expect(try harness.records.purgeInbox(at: now, limit: 10) == 0, "the day is not over")
        #expect(try harness.records.purgeInbox(at: now + 40 * Self.day, limit: 1) == 1, "a few at a time")
        #expect(try harness.records.purgeInbox(at: now + 2 * Self.day, limit: 10) <= 2)
        harness.clock.advance(31 * Self.day)
        // A start looks at once for what is over; the last day of what is left is today.
        let again = try harness.restarted()
        _ = try await correlate(again, "x", .ignore, received: received(again, "new"))
        #expect(try await again.read { try $0.inbox(Query()).items }.map(\.eventID).last == "new")
        try await again.eventually("what is over is gone") {
            try await again.read { try $0.inbox(Query()).items }.map(\.eventID) == ["new"]
        }
        again.stop()
    }
}
