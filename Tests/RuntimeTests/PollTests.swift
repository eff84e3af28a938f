import Engine
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

/// Long polls: each job goes to one of them, and none waits for nothing.
@Suite struct PollTests {
    /// Jobs that polls have taken.
    private final class Taken: Sendable {
        let keys = Mutex<[Key]>([])
    }

    @Test func eachJobWakesOnePollAndTheOthersGoOnWaiting() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let taken = Taken()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    let jobs = try await harness.activate(maximum: 1, wait: 60_000)
                    taken.keys.withLock { $0 += jobs.map(\.key) }
                }
            }
            for round in 1...4 {
                _ = try await harness.start("chain")
                try await harness.eventually("job \(round) is taken") { taken.keys.withLock(\.count) == round }
            }
            group.cancelAll()
        }
        #expect(Set(taken.keys.withLock { $0 }).count == 4)
        let rows = try await harness.read { try $0.jobs(Query()).items }
        #expect(rows.map(\.record.state) == [1, 1, 1, 1])
    }

    @Test func aPollReturnsNothingWhenItsTimeIsOver() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        #expect(try await harness.activate("nothing", wait: 30).isEmpty)
        #expect(try await harness.activate("nothing", wait: -5).isEmpty)
    }

    @Test func aCancelledPollReturnsAtOnceAndTakesNoJob() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        // The longest wait there is must not overflow either.
        let poll = Task { try await harness.activate(wait: .max) }
        poll.cancel()
        #expect(try await poll.value.isEmpty)
        _ = try await harness.start("chain")
        #expect(try await harness.activate(wait: 10_000).count == 1)
    }

    /// How a job becomes free again.
    enum Release: String, CaseIterable, Sendable {
        case lockRunsOut, backoffEnds, failsWithoutBackoff
    }

    @Test(arguments: Release.allCases)
    func aWaitingPollIsWoken(when release: Release) async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        _ = try await harness.start("chain")
        let job = try #require(try await harness.activate(lock: 1_000).first)
        let polled = Task { try await harness.activate(wait: 60_000) }
        if release != .lockRunsOut {
            let backoff: Int64 = release == .backoffEnds ? 1_000 : 0
            try await harness.runtime.failJob(
                FailJobRequest(key: job.key, retries: 1, backoffMilliseconds: backoff, message: "again"))
        }
        harness.clock.advance(1_001)
        let again = try await polled.value
        #expect(again.map(\.key) == [job.key])
        #expect(again.map(\.idempotencyKey) == [job.idempotencyKey])
    }

    @Test func jobsOfAllPartitionsAreFoundAndCarryWhatWasAskedFor() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        for number in 0..<30 { _ = try await harness.start("chain", "{\"a\":\(number),\"b\":true}") }
        let request = ActivateJobsRequest(
            type: "work", worker: "w", maximum: 25, timeoutMilliseconds: 1_000, fetchVariables: ["a"],
            waitMilliseconds: 0)
        let first = try await harness.runtime.activateJobs(request)
        let second = try await harness.runtime.activateJobs(request)
        #expect(first.count == 25 && second.count == 5)
        #expect(Set((first + second).map(\.key.partition)).count == 4)
        let texts = Set((first + second).map { String(decoding: $0.variables, as: UTF8.self) })
        #expect(texts == Set((0..<30).map { "{\"a\":\($0)}" }))
    }

    @Test(arguments: [
        ActivateJobsRequest(type: "", worker: "w", maximum: 1, timeoutMilliseconds: 1, waitMilliseconds: 0),
        ActivateJobsRequest(type: "t", worker: "w", maximum: 0, timeoutMilliseconds: 1, waitMilliseconds: 0),
        ActivateJobsRequest(type: "t", worker: "w", maximum: 1, timeoutMilliseconds: 0, waitMilliseconds: 0),
    ])
    func aRequestThatAsksForNothingIsRefused(_ request: ActivateJobsRequest) async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let refused = await #expect(throws: CommandRejection.self) {
            try await harness.runtime.activateJobs(request)
        }
        #expect(refused?.code == .invalidArgument)
    }

    @Test func keysOfAnotherStoreAreUnknown() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let key = Key(rawValue: UInt64.max >> 1)
        try #require(key.partition >= 4)
        let refused = await #expect(throws: CommandRejection.self) {
            try await harness.runtime.completeJob(key: key, variables: nil)
        }
        #expect(refused?.code == .notFound)
        harness.runtime.finishJob(key: key, .completed(variables: nil))
    }
}
