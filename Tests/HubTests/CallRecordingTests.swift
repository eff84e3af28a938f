import ConnectorKit
import Engine
import Foundation
import Resilience
import Runtime
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

/// Calls whose effect must not happen twice, over crashes between any two steps.
@Suite(.timeLimit(.minutes(2))) struct CallRecordingTests {
    /// One data directory, and hubs that come and go over it.
    private final class Site {
        let path = FileManager.default.temporaryDirectory.appending(path: "calls-\(UUID().uuidString)").path
        let clock = ManualConnectorClock()
        let store: SQLiteIdempotencyStore

        init() throws {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
            self.store = try SQLiteIdempotencyStore(directory: self.path)
        }

        deinit {
            self.store.close()
            try? FileManager.default.removeItem(atPath: self.path)
        }

        func start(
            store: (any IdempotencyStore)? = nil, _ configure: (inout ResilienceProfile) -> Void = { _ in }
        ) -> (engine: FakeEngine, connector: FakeConnector, hub: HubService) {
            var profile = ResilienceProfile(name: "test")
            profile.retry = .never
            profile.breaker = nil
            configure(&profile)
            var configuration = HubConfiguration()
            configuration.connections = [
                ConnectionDeclaration(id: "remote", connector: "fake", parameters: [:], profile: profile)
            ]
            let (engine, connector) = (FakeEngine(), FakeConnector(clock: self.clock))
            let hub = HubService(
                service: engine, modules: [connector], configuration: configuration, clock: self.clock,
                random: { 0.5 }, idempotency: store ?? self.store, logger: LogCapture().logger)
            hub.start()
            return (engine, connector, hub)
        }

        func row(_ job: ActivatedJob, operation: String = "once") throws -> IdempotencyRow? {
            let key = job.idempotencyKey
            return try self.store.transact { table throws(StoreError) in
                try table.find(scope: "call/remote/\(operation)", key: key)
            }
        }

        /// Leaves the record another process would leave that ended in the middle of the call.
        func interrupt(_ job: ActivatedJob, leaseUntil: Int64) throws {
            let row = IdempotencyRow(
                scope: "call/remote/once", key: job.idempotencyKey, fingerprint: "", owner: "dead",
                leaseUntil: leaseUntil, created: 0, expires: leaseUntil)
            try self.store.transact { table throws(StoreError) in try table.put(row) }
        }
    }

    private static func failure(_ kind: ConnectorError.Kind, mayHaveExecuted: Bool) -> Outcome {
        .failed(
            ConnectorError(kind, code: "FAKE-1", "It failed.", remedy: "Look.", mayHaveExecuted: mayHaveExecuted))
    }

    @Test func anAnswerOnRecordIsReplayedAfterACrash() async throws {
        let site = try Site()
        let job = callJob(operation: "once")
        let first = site.start()
        #expect(outcomeText(await first.engine.run(job)) == "completed {\"ok\":true}")
        await first.hub.shutdown()
        // The engine never made the completion durable: the job comes again.
        let second = site.start()
        #expect(outcomeText(await second.engine.run(job)) == "completed {\"ok\":true}")
        #expect(second.connector.calls.isEmpty)
        #expect(try site.row(job)?.status == 200)
        // A day later nobody asks any more.
        site.clock.advance(by: .seconds(86_401))
        let third = site.start()
        _ = await third.engine.run(job)
        #expect(third.connector.calls.count == 1)
    }

    @Test func anInterruptedCallIsAnIncidentOnceAndThenSentWhenSomebodySaysSo() async throws {
        let site = try Site()
        let job = callJob(operation: "once")
        try site.interrupt(job, leaseUntil: site.clock.unixMilliseconds + 20_000)
        let hub = site.start()
        #expect(
            outcomeText(await hub.engine.run(job))
                == "postponed 20000 An earlier run of this call may still be at work.")
        site.clock.advance(by: .seconds(20))
        #expect(outcomeText(await hub.engine.run(job)).hasPrefix("failed 0 0 HB307: A call through connection remote"))
        #expect(hub.connector.calls.isEmpty)
        // The incident was resolved.
        #expect(outcomeText(await hub.engine.run(job)) == "completed {\"ok\":true}")
        #expect(hub.connector.calls.count == 1)
    }

    @Test(
        arguments: [
            (.transient, false, false), (.timeout, true, true), (.validation, false, false), (.unknown, true, true),
        ] as [(ConnectorError.Kind, Bool, Bool)])
    func onlyWhatMayHaveHappenedStaysOnRecord(
        _ row: (kind: ConnectorError.Kind, mayHaveExecuted: Bool, stays: Bool)
    ) async throws {
        let site = try Site()
        let job = callJob(operation: "once")
        let hub = site.start()
        hub.connector.change { $0.outcomes = [Self.failure(row.kind, mayHaveExecuted: row.mayHaveExecuted)] }
        #expect(outcomeText(await hub.engine.run(job)).hasPrefix("failed"))
        await hub.hub.shutdown()
        #expect((try site.row(job) != nil) == row.stays)
        // Resolved by somebody who looked: the same process sends it again.
        if row.stays {
            let again = site.start()
            site.clock.advance(by: .seconds(90))
            #expect(outcomeText(await again.engine.run(job)).contains("HB307"))
            #expect(again.connector.calls.isEmpty)
        }
    }

    @Test(arguments: [
        ("act", CallRecording.Which.unsafe, false), ("act", .effects, true), ("look", .effects, false),
        ("once", .never, false), ("once", .unsafe, true),
    ])
    func theProfileSaysWhichCallsAreRecorded(
        _ row: (operation: String, which: CallRecording.Which, isRecorded: Bool)
    ) async throws {
        let site = try Site()
        let job = callJob(operation: row.operation)
        let hub = site.start { $0.recording.which = row.which }
        _ = await hub.engine.run(job)
        await hub.hub.shutdown()
        #expect((try site.row(job, operation: row.operation) != nil) == row.isRecorded)
    }

    @Test func aCallThatCannotBeRecordedIsNotSent() async throws {
        let site = try Site()
        let hub = site.start(store: BrokenStore())
        let outcome = outcomeText(await hub.engine.run(callJob(operation: "once")))
        #expect(outcome == "postponed 5000 The call cannot be recorded: The disk is full.")
        #expect(hub.connector.calls.isEmpty)
        let late = site.start(store: BrokenStore(failsAfter: 1))
        let second = outcomeText(await late.engine.run(callJob(2, operation: "once")))
        #expect(second.hasPrefix("failed 2 "))
        #expect(second.contains("ST101: The call cannot be recorded"))
        #expect(late.connector.calls.isEmpty)
    }

    @Test func requestsThatComeAtOnceShareATransaction() async throws {
        let store = CountingStore()
        let ledger = IdempotencyLedger(store: store, owner: "me") { 1_000 }
        let decisions = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let request = IdempotencyRecord.Request(
                        scope: "s", key: "\(number % 100)", fingerprint: "f", owner: "o\(number)")
                    let decision = try await ledger.begin(request, policy: .init())
                    if case .execute = decision { return true }
                    return decision == .refuse(.inProgress(retryAfter: .seconds(60))) ? false : true
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(decisions == 100, "one of two gets each key")
        #expect(store.transactions.withLock { $0 } < 200)
        let unkeyed = IdempotencyRecord.Request(scope: "s", key: nil, fingerprint: "f", owner: "o")
        #expect(try await ledger.begin(unkeyed, policy: .init()) == .executeUnkeyed)
    }

    @Test func answersKeepTheirHeadersAndBodies() async throws {
        let site = try Site()
        let ledger = IdempotencyLedger(store: site.store, owner: "me") { 1_000 }
        let request = IdempotencyRecord.Request(scope: "s", key: "k", fingerprint: "f", owner: "o")
        _ = try await ledger.begin(request, policy: .init())
        let answer = IdempotencyRecord.StoredAnswer(
            status: 201, headers: [.init(name: "Location", value: "/1")], body: [0, 255])
        #expect(try await !ledger.complete(answer, scope: "s", key: "k", owner: "other"))
        #expect(try await ledger.complete(answer, scope: "s", key: "k", owner: "o"))
        #expect(try await ledger.begin(request, policy: .init()) == .replay(answer))
        #expect(try await !ledger.release(scope: "s", key: "k", owner: "o"), "an answer stays")
        #expect(try await !ledger.release(scope: "s", key: "none", owner: "o"))
    }
}

/// A store whose disk is full, at once or after some transactions.
private final class BrokenStore: IdempotencyStore {
    private let left: Mutex<Int>

    init(failsAfter count: Int = 0) { self.left = Mutex(count) }

    func transact<Result: Sendable>(
        _ body: @Sendable (any IdempotencyTable) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let isGood = self.left.withLock { left in
            left -= 1
            return left >= 0
        }
        guard isGood else { throw StoreError(.full, "The disk is full.", remedy: "Make room.") }
        return try body(EmptyTable())
    }

    func close() {}

    private struct EmptyTable: IdempotencyTable {
        func find(scope: String, key: String) -> IdempotencyRow? { nil }
        func put(_ row: IdempotencyRow) {}
        func remove(scope: String, key: String) {}
        func removeExpired(before milliseconds: Int64, limit: Int) -> Int { 0 }
    }
}

/// A store in memory that counts its transactions.
private final class CountingStore: IdempotencyStore {
    let transactions = Mutex(0)
    private let rows = Mutex<[String: IdempotencyRow]>([:])

    func transact<Result: Sendable>(
        _ body: @Sendable (any IdempotencyTable) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        self.transactions.withLock { $0 += 1 }
        return try body(Table(store: self))
    }

    func close() {}

    private struct Table: IdempotencyTable {
        let store: CountingStore
        func find(scope: String, key: String) -> IdempotencyRow? { self.store.rows.withLock { $0[scope + key] } }
        func put(_ row: IdempotencyRow) { self.store.rows.withLock { $0[row.scope + row.key] = row } }
        func remove(scope: String, key: String) { self.store.rows.withLock { $0[scope + key] = nil } }
        func removeExpired(before milliseconds: Int64, limit: Int) -> Int { 0 }
    }
}
