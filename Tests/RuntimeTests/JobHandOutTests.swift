import Engine
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

/// Jobs reach workers inside the process whenever the worker has capacity, without waiting for anything else to happen.
@Suite struct JobHandOutTests {
    /// Collects the jobs a worker was given.
    private final class Inbox: Sendable {
        private let jobs = Mutex<[Key]>([])

        var count: Int { jobs.withLock(\.count) }
        func add(_ keys: [Key]) { jobs.withLock { $0 += keys } }
        func takeFirst() -> Key? { jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }

    /// The offer is made before the worker registers, and becomes durable after: neither side may miss the other.
    @Test func aWorkerThatRegistersDuringACommitGetsItsJobs() async throws {
        let store = Mutex<FaultyStore?>(nil)
        let harness = try RuntimeHarness { journal in
            let faulty = FaultyStore(journal)
            store.withLock { $0 = faulty }
            return faulty
        }
        defer { harness.stop() }
        let faulty = try #require(store.withLock { $0 })
        _ = try await harness.deploy(Model.sequence("one", 1))

        faulty.setFault(
            FaultyStore.Fault(write: faulty.writeCount + 1, isPersistent: true, outcome: .refused(.full)))
        async let started = harness.start("one")
        try await harness.eventually("the commit is held up") { faulty.wasHit }
        let inbox = Inbox()
        harness.runtime.registerWorker(type: "work", capacity: 8) { jobs in inbox.add(jobs.map(\.key)) }
        faulty.setFault(nil)

        _ = try await started
        try await harness.eventually("the job reaches the worker") { inbox.count == 1 }
    }

    /// With one job out at a time and jobs in every partition, each answer must bring the next job, postponed ones too.
    @Test func aBacklogInManyPartitionsIsWorkedOffByAnswersAlone() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("one", 1))
        for _ in 0..<40 { _ = try await harness.start("one") }
        let inbox = Inbox()
        harness.runtime.registerWorker(type: "work", capacity: 1) { jobs in inbox.add(jobs.map(\.key)) }
        for number in 1...40 {
            try await harness.eventually("job \(number) of 40 arrives") { inbox.count == 1 }
            let key = try #require(inbox.takeFirst())
            harness.runtime.finishJob(key: key, .postponed(milliseconds: 3_600_000, message: "later"))
        }
    }
}
