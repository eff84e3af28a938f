import Engine
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

/// The N-th write fails, for N = 1, 2, … until a workload passes untouched: whatever fails, and however, after the next
/// start and the client's repetitions nothing is lost and nothing has happened twice (DESIGN §8).
@Suite struct FaultSweepTests {
    /// What happens to the write.
    enum Damage: String, CaseIterable, Sendable {
        case full, io, fenced, writtenButUnknown, lostAndUnknown

        var outcome: FaultyStore.Fault.Outcome {
            switch self {
            case .full: .refused(.full)
            case .io: .refused(.io)
            case .fenced: .refused(.fenced)
            case .writtenButUnknown: .writtenButUnknown
            case .lostAndUnknown: .lostAndUnknown
            }
        }
    }

    /// The outside: sees every call of a job, and remembers effects by their idempotency key.
    private final class World: Sendable {
        let effects = Mutex<[String: Int]>([:])
    }

    private static let starts = 3
    private static let steps = 2
    /// Events of one correlation key; each starts an instance, one after the other.
    private static let events = 3

    /// A client that repeats what it does not know to have happened.
    private func drive(_ harness: RuntimeHarness, _ world: World) async throws {
        let runtime = harness.runtime
        runtime.registerWorker(type: "work", capacity: 2) { jobs in
            for job in jobs {
                world.effects.withLock { $0[job.idempotencyKey, default: 0] += 1 }
                runtime.finishJob(key: job.key, .completed(variables: nil))
            }
        }
        _ = try await harness.deploy(Model.sequence("chain", Self.steps))
        _ = try await harness.deploy(Model.waiting("waiting"), name: "waiting.bpmn")
        _ = try await harness.start("waiting", "{\"id\":\"a\"}", key: "waiting")
        for number in 0..<Self.starts { _ = try await harness.start("chain", key: "order-\(number)") }
        for number in 0..<Self.events { _ = try await harness.event("\(number)") }
        do {
            _ = try await harness.publish("wake", "a", timeToLive: 3_600_000, id: "m")
        } catch let error as CommandRejection where error.code == .alreadyExists {
            // The first time was the one that counted.
        }
        try await harness.eventually("all end") {
            if let failure = runtime.status().failure { throw failure }
            // The figures run ahead of the store: what ended must be durable too.
            let status = runtime.status()
            return status.liveInstances == 0 && status.isIdle
        }
    }

    private func invariants(_ harness: RuntimeHarness, _ world: World, _ what: Comment) async throws {
        let totals = try await harness.read { try $0.totals() }
        #expect(totals.completedInstances == Self.starts + Self.events + 1, what)
        #expect(totals.activeInstances + totals.terminatedInstances + totals.openIncidents + totals.jobs == 0, what)
        #expect(world.effects.withLock(\.count) == (Self.starts + Self.events) * Self.steps, what)
        let audit = try await harness.read { try $0.audit(Query()).items }
        // Instances that begin because another ended were started by nobody.
        let started = audit.count { $0.action == "start-instance" }
        #expect((Self.starts + 2...Self.starts + Self.events + 1).contains(started), what)
        let messages = try await harness.read { try $0.messages(Query()).items }
        #expect(messages.allSatisfy { $0.state == 1 } && messages.count { $0.name == "wake" } == 1, what)
        let inbox = try await harness.read { try $0.inbox(Query()).items }
        #expect(inbox.map(\.eventID).sorted() == (0..<Self.events).map { "\($0)" }, what)
        #expect(try harness.journal.verifyChains().allSatisfy { $0.failure == nil }, what)
    }

    @Test(arguments: Damage.allCases, [false, true])
    func nothingIsLostAndNothingHappensTwice(_ damage: Damage, isPersistent: Bool) async throws {
        var write = 1
        while try await survives(write, damage, isPersistent) { write += 1 }
        #expect(write > 5, "the workload writes more often than that")
    }

    /// Whether there was such a write.
    private func survives(_ write: Int, _ damage: Damage, _ isPersistent: Bool) async throws -> Bool {
        try #require(write < 200)
        let world = World()
        let made = Made()
        let fault = FaultyStore.Fault(write: write, isPersistent: isPersistent, outcome: damage.outcome)
        let first = try RuntimeHarness { made.wrap($0, fault) }
        let store = try #require(made.store)
        let operation = Task { try await drive(first, world) }
        if isPersistent || ![.full, .io].contains(damage) {
            // Nothing heals the store: who waits is answered when somebody stops the engine.
            try await first.eventually("the fault or the end") {
                store.wasHit || first.runtime.status().completedInstances == Self.starts + Self.events + 1
            }
            if store.wasHit { first.runtime.shutdown() }
        }
        let result = await operation.result
        if case .failure(let error) = result, !store.wasHit { throw error }
        let second = try first.restarted()
        try await drive(second, world)
        try await invariants(
            second, world, "write \(write): \(damage.rawValue)\(isPersistent ? ", for ever" : "")")
        second.stop()
        return store.wasHit
    }

    /// Keeps the store that a harness is made with.
    private final class Made: Sendable {
        private let kept = Mutex<FaultyStore?>(nil)

        var store: FaultyStore? { kept.withLock { $0 } }

        func wrap(_ store: InMemoryJournalStore, _ fault: FaultyStore.Fault) -> FaultyStore {
            let faulty = FaultyStore(store, fault: fault)
            kept.withLock { $0 = faulty }
            return faulty
        }
    }
}
