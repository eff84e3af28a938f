import Engine
import Glibc
import ProcessModel
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

@Suite struct WorkflowRuntimeTests {
    @Test func inProcessWorkersRunASequenceToItsEnd() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let runtime = harness.runtime
        let keys = Mutex<Set<String>>([])
        runtime.registerWorker(type: "work", capacity: 2) { jobs in
            for job in jobs {
                keys.withLock { _ = $0.insert(job.idempotencyKey) }
                runtime.finishJob(key: job.key, .completed(variables: Array("{\"done\":\"\(job.element.id)\"}".utf8)))
            }
        }
        _ = try await harness.deploy(Model.sequence("chain", 3))
        let created = try await harness.start("chain", "{\"a\":1}", await: 10_000)
        let result = try JSON.parse(try #require(created.result))
        #expect(result["a"] == 1)
        #expect(result["done"] == "task2")
        #expect(keys.withLock(\.count) == 3)
        try await harness.runtime.waitForRecords()
        #expect(harness.runtime.status().completedInstances == 1)
        #expect(try harness.records.instance(key: created.key.rawValue)?.state == .completed)
    }

    @Test func capacityBoundsWhatAWorkerHasInHand() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let runtime = harness.runtime
        let hand = Mutex<[Key]>([])
        runtime.registerWorker(type: "work", capacity: 3) { jobs in
            hand.withLock { $0.append(contentsOf: jobs.map(\.key)) }
        }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        for _ in 0..<20 { _ = try await harness.start("chain") }
        var finished = 0
        while finished < 20 {
            try await harness.eventually("jobs arrive") { !hand.withLock(\.isEmpty) }
            let jobs = hand.withLock { hand in
                defer { hand = [] }
                return hand
            }
            #expect(jobs.count <= 3)
            for job in jobs { runtime.finishJob(key: job, .completed(variables: nil)) }
            finished += jobs.count
        }
        try await harness.eventually("all complete") { runtime.status().completedInstances == 20 }
    }

    @Test func externalWorkersWaitForJobsAndLockThem() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1, type: "external"))
        let request = ActivateJobsRequest(
            type: "external", worker: "w", maximum: 10, timeoutMilliseconds: 1_000, waitMilliseconds: 10_000)
        async let polled = harness.runtime.activateJobs(request)
        _ = try await harness.start("chain", "{\"x\":[1,2]}")
        let jobs = try await polled
        #expect(jobs.count == 1)
        #expect(String(decoding: jobs[0].variables, as: UTF8.self) == "{\"x\":[1,2]}")
        // The lock holds until its time is over, then the job is offered again, with the same idempotency key.
        var again = try await harness.runtime.activateJobs(
            ActivateJobsRequest(
                type: "external", worker: "v", maximum: 10, timeoutMilliseconds: 1_000, waitMilliseconds: 0))
        #expect(again.isEmpty)
        harness.clock.advance(1_001)
        try await harness.eventually("the lock runs out") {
            again = try await harness.runtime.activateJobs(
                ActivateJobsRequest(
                    type: "external", worker: "v", maximum: 10, timeoutMilliseconds: 1_000, waitMilliseconds: 0))
            return !again.isEmpty
        }
        #expect(again.first?.idempotencyKey == jobs.first?.idempotencyKey)
        try await harness.runtime.completeJob(key: jobs[0].key, variables: nil)
        await #expect(throws: CommandRejection.self) {
            try await harness.runtime.completeJob(key: jobs[0].key, variables: nil)
        }
    }

    @Test func aStartWithAKnownKeyReturnsTheFirstInstance() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        let first = try await harness.start("waiting", "{\"id\":\"a\"}", key: "order-1")
        let second = try await harness.start("waiting", "{\"id\":\"a\"}", key: "order-1")
        #expect(!first.alreadyExisted)
        #expect(second.alreadyExisted)
        #expect(second.key == first.key)
        harness.stop()
        let next = try RuntimeHarness(disk: harness.disk, directory: harness.directory, clock: harness.clock)
        defer { next.stop() }
        let third = try await next.start("waiting", "{\"id\":\"a\"}", key: "order-1")
        #expect(third.alreadyExisted)
        #expect(third.key == first.key)
    }

    @Test func messagesReachInstancesInOtherPartitionsAcrossRestarts() async throws {
        let disk = InMemoryDisk(partitionCount: 4)
        let directory = TemporaryDirectory()
        let clock = ManualClock()
        var harness = try RuntimeHarness(disk: disk, directory: directory, clock: clock)
        _ = try await harness.deploy(Model.waiting("waiting"))
        for number in 0..<40 { _ = try await harness.start("waiting", "{\"id\":\"k\(number)\"}") }
        harness.stop()
        harness = try RuntimeHarness(disk: disk, directory: directory, clock: clock)
        defer { harness.stop() }
        let runtime = harness.runtime
        try await harness.eventually("subscriptions are back") { runtime.status().openSubscriptions == 40 }
        for number in 0..<40 {
            _ = try await runtime.publishMessage(
                PublishMessageRequest(
                    name: "wake", correlationKey: "k\(number)", variables: Array("{\"n\":\(number)}".utf8)))
        }
        try await harness.eventually("all wake") {
            runtime.status().liveInstances == 0 && runtime.status().openSubscriptions == 0
        }
    }

    @Test func evictedInstancesComeBackWhenTheyAreNeeded() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let runtime = harness.runtime
        _ = try await harness.deploy(Model.waiting("waiting"))
        for number in 0..<100 { _ = try await harness.start("waiting", "{\"id\":\"k\(number)\"}") }
        try await runtime.settle()
        #expect(runtime.status().residentInstances == 0)
        #expect(runtime.status().liveInstances == 100)
        for number in 0..<100 {
            _ = try await runtime.publishMessage(PublishMessageRequest(name: "wake", correlationKey: "k\(number)"))
        }
        try await harness.eventually("all wake") { runtime.status().liveInstances == 0 }
    }

    @Test func nothingLeavesBeforeItIsDurable() async throws {
        let gate = GatedStore.Gate()
        let harness = try RuntimeHarness { GatedStore($0, gate) }
        let runtime = harness.runtime
        let seen = Atomic<Int>(0)
        runtime.registerWorker(type: "work", capacity: 10) { jobs in
            seen.wrappingAdd(jobs.count, ordering: .relaxed)
        }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        gate.close()
        async let created = harness.start("chain")
        try await harness.eventually("the commit is under way") { gate.isHolding }
        #expect(seen.load(ordering: .relaxed) == 0)
        gate.open()
        _ = try await created
        try await harness.eventually("the job arrives") { seen.load(ordering: .relaxed) == 1 }
        harness.stop()
    }

    @Test(arguments: [StoreError.Code.full, .io])
    func aStoreThatCannotWriteIsTriedAgainAndStartsAreRefusedMeanwhile(_ code: StoreError.Code) async throws {
        let faulty = Mutex<FaultyStore?>(nil)
        let harness = try RuntimeHarness { store in
            let wrapped = FaultyStore(store)
            faulty.withLock { $0 = wrapped }
            return wrapped
        }
        defer { harness.stop() }
        let runtime = harness.runtime
        _ = try await harness.deploy(Model.waiting("waiting"))
        let store = try #require(faulty.withLock { $0 })
        store.setFault(.init(write: 1, isPersistent: true, outcome: .refused(code)))
        async let held = harness.start("waiting", "{\"id\":\"a\"}")
        try await harness.eventually("the failure shows") { runtime.status().failure?.code == code }
        let refused = await #expect(throws: CommandRejection.self) {
            try await harness.start("waiting", "{\"id\":\"b\"}")
        }
        #expect(refused?.code == .resourceExhausted)
        store.setFault(nil)
        let created = try await held
        try await harness.eventually("the store works again") { runtime.status().failure == nil }
        #expect(runtime.status().liveInstances == 1)
        #expect(created.key.rawValue != 0)
    }

    @Test func aStoreThatFailsForGoodAnswersEverybody() async throws {
        let faulty = Mutex<FaultyStore?>(nil)
        let harness = try RuntimeHarness { store in
            let wrapped = FaultyStore(store)
            faulty.withLock { $0 = wrapped }
            return wrapped
        }
        _ = try await harness.deploy(Model.waiting("waiting"))
        try #require(faulty.withLock { $0 }).setFault(
            .init(write: 1, isPersistent: true, outcome: .refused(.fenced)))
        let refused = await #expect(throws: CommandRejection.self) {
            try await harness.start("waiting", "{\"id\":\"a\"}")
        }
        #expect(refused?.code == .storeFailed)
        harness.stop()
    }

    @Test func deploymentsAreCheckedAsAWholeAndVersioned() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let first = try await harness.deploy(Model.sequence("chain", 1))
        let same = try await harness.deploy(Model.sequence("chain", 1))
        let second = try await harness.deploy(Model.sequence("chain", 2))
        #expect(first.map(\.version) == [1])
        #expect(same.map(\.key) == first.map(\.key))
        #expect(second.map(\.version) == [2])
        let refused = await #expect(throws: CommandRejection.self) {
            try await harness.deploy(
                Model.process("broken", "<bpmn:startEvent id=\"s\"/><bpmn:inclusiveGateway id=\"g\"/>"))
        }
        #expect(refused?.diagnostics.contains { $0.elementID == "g" } == true)
        let unknown = await #expect(throws: CommandRejection.self) { try await harness.start("broken") }
        #expect(unknown?.code == .notFound)
    }

    @Test func deadLettersAreKeptOnceAndEndOnce() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let letter = NewDeadLetter(
            origin: "orders", coordinates: Array("{\"line\":3}".utf8), dedupeKey: "orders.csv:3", stage: "decode",
            errorCode: "X", errorMessage: "no amount", contentType: "text/csv", payload: [1, 2, 3])
        let key = try await harness.runtime.recordDeadLetter(letter)
        #expect(try await harness.runtime.recordDeadLetter(letter) == key)
        try await harness.runtime.endDeadLetter(key: key, as: .discarded, actor: "me")
        await #expect(throws: CommandRejection.self) {
            try await harness.runtime.endDeadLetter(key: key, as: .resolved, actor: "me")
        }
    }
}

/// A store whose commits can be held.
final class GatedStore: JournalStore {
    final class Gate: Sendable {
        private let state = Mutex((isClosed: false, isHolding: false))

        var isHolding: Bool { state.withLock(\.isHolding) }

        func close() { state.withLock { $0.isClosed = true } }

        func open() { state.withLock { $0 = (false, false) } }

        func pass() {
            while state.withLock({ state in
                if state.isClosed { state.isHolding = true }
                return state.isClosed
            }) { sched_yield() }
        }
    }

    private let store: any JournalStore
    private let gate: Gate

    init(_ store: any JournalStore, _ gate: Gate) {
        self.store = store
        self.gate = gate
    }

    func acquire() throws(StoreError) -> [PartitionHead] { try store.acquire() }

    func commit(_ batches: [PartitionBatch]) throws(StoreError) {
        gate.pass()
        try store.commit(batches)
    }

    func storeBlobs(_ blobs: [Blob]) throws(StoreError) { try store.storeBlobs(blobs) }

    func readJournal(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try store.readJournal(partition: partition, after: sequence, body)
    }

    func readJournal(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try store.readJournal(after: sequences, body)
    }

    func retainedSequences() throws(StoreError) -> [UInt64] { try store.retainedSequences() }

    func makeStateReader() throws(StoreError) -> any StateReader { try store.makeStateReader() }

    func trim(partition: Int, upTo sequence: UInt64) throws(StoreError) {
        try store.trim(partition: partition, upTo: sequence)
    }

    func sizeBytes() -> Int64 { store.sizeBytes() }

    func close() { store.close() }
}
