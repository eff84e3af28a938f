import Engine
import Runtime
import Storage
import StorageTestSupport
import Testing
import Values

/// Checkpoints bound the journal and the memory, and recovery from them is exact.
@Suite struct CheckpointTests {
    /// Never by itself: each test lowers one bound.
    private static var unbounded: RuntimeConfiguration {
        var configuration = RuntimeConfiguration()
        configuration.checkpointEntities = .max
        configuration.checkpointBytes = .max
        configuration.checkpointIntervalMilliseconds = .max
        return configuration
    }

    /// Batches after the newest checkpoint, per partition.
    private func tails(_ harness: RuntimeHarness) throws -> [UInt64] {
        let store = try InMemoryJournalStore(disk: harness.disk)
        defer { store.close() }
        return try store.acquire().map { $0.sequence - $0.checkpointSequence }
    }

    @Test(arguments: ["entities", "bytes", "time", "none"])
    func aCheckpointIsDueAtABound(of kind: String) async throws {
        var configuration = Self.unbounded
        if kind == "entities" { configuration.checkpointEntities = 3 }
        if kind == "bytes" { configuration.checkpointBytes = 400 }
        if kind == "time" { configuration.checkpointIntervalMilliseconds = 1_000 }
        let harness = try RuntimeHarness(configuration: configuration)
        _ = try await harness.deploy(Model.waiting("waiting"))
        for number in 0..<80 {
            _ = try await harness.start("waiting", "{\"id\":\"k\(number)\"}")
            if kind == "time" { harness.clock.advance(400) }
        }
        harness.stop()
        let tails = try tails(harness)
        let longest = try #require(tails.max())
        #expect(kind == "none" ? longest >= 15 : longest < 15, "\(tails)")
        // Exact either way.
        let next = try harness.restarted()
        defer { next.stop() }
        #expect(next.runtime.status().liveInstances == 80)
        for number in 0..<80 { _ = try await next.publish("wake", "k\(number)") }
        try await next.eventually("all wake") { next.runtime.status().liveInstances == 0 }
        #expect(try await next.read { try $0.totals().completedInstances } == 80)
    }

    @Test func theJournalShrinksAndWhatIsLeftIsEnough() async throws {
        var configuration = Self.unbounded
        configuration.checkpointEntities = 4
        let harness = try RuntimeHarness(configuration: configuration)
        _ = try await harness.deploy(Model.waiting("waiting"))
        var count = 0
        try await harness.eventually("every partition is trimmed") {
            _ = try await harness.start(
                "waiting", "{\"id\":\"k\(count)\",\"text\":\"\(String(repeating: "x", count: 200))\"}")
            count += 1
            return try harness.journal.retainedSequences().allSatisfy { $0 > 0 }
        }
        harness.stop()
        let store = try InMemoryJournalStore(disk: harness.disk)
        let (heads, bases) = (try store.acquire(), try store.retainedSequences())
        #expect(try store.verifyChains().allSatisfy { $0.failure == nil })
        store.close()
        #expect(zip(heads, bases).allSatisfy { $1 <= $0.checkpointSequence })
        let next = try harness.restarted()
        defer { next.stop() }
        #expect(next.runtime.status().liveInstances == count)
        for number in 0..<count { _ = try await next.publish("wake", "k\(number)") }
        try await next.eventually("all wake") { next.runtime.status().liveInstances == 0 }
        #expect(try await next.read { try $0.totals().completedInstances } == count)
    }

    @Test func instancesThatWaitLeaveMemoryDownToTheBudget() async throws {
        var configuration = Self.unbounded
        configuration.checkpointIntervalMilliseconds = 1_000
        configuration.residentInstancesMax = 80
        let harness = try RuntimeHarness(configuration: configuration)
        defer { harness.stop() }
        _ = try await harness.deploy(Model.waiting("waiting"))
        for number in 0..<200 { _ = try await harness.start("waiting", "{\"id\":\"k\(number)\"}") }
        #expect(harness.runtime.status().residentInstances > 80)
        harness.clock.advance(1_001)
        // Without any further command: a checkpoint that has become durable is enough.
        try await harness.eventually("the budget holds") {
            harness.clock.advance(150)
            return harness.runtime.status().residentInstances <= 80
        }
        #expect(harness.runtime.status().liveInstances == 200)
        for number in 0..<200 { _ = try await harness.publish("wake", "k\(number)") }
        try await harness.eventually("all wake") { harness.runtime.status().liveInstances == 0 }
    }
}
