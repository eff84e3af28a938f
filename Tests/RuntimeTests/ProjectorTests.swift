import Engine
import Foundation
import Runtime
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

/// Records are exact however the projector gets its batches, and whenever it stops.
@Suite struct ProjectorTests {
    /// A harness with records that can be held or refused.
    private struct Setup {
        let harness: RuntimeHarness
        let records: FaultyRecords

        init(
            configuration: RuntimeConfiguration = RuntimeConfiguration(), disk: InMemoryDisk? = nil,
            directory: TemporaryDirectory? = nil, pacesStarts: Bool = false
        ) throws {
            let made = Mutex<FaultyRecords?>(nil)
            harness = try RuntimeHarness(
                disk: disk ?? InMemoryDisk(partitionCount: 4), directory: directory ?? TemporaryDirectory(),
                configuration: configuration, pacesStarts: pacesStarts,
                wrapRecords: { store in
                    let faulty = FaultyRecords(store)
                    made.withLock { $0 = faulty }
                    return faulty
                })
            records = try #require(made.withLock { $0 })
        }
    }

    /// Stops, whatever is held.
    private func stop(_ setup: Setup) {
        setup.records.release()
        setup.records.fail(nil)
        setup.harness.stop()
    }

    /// Finishes a number of instances and leaves as many at their first job.
    private func work(_ harness: RuntimeHarness, _ count: Int, from first: Int = 0) async throws {
        for number in first..<first + count {
            _ = try await harness.start("chain", "{\"number\":\(number),\"half\":\"done\"}")
        }
        let jobs = try await harness.activate(maximum: count)
        for job in jobs { try await harness.runtime.completeJob(key: job.key, variables: nil) }
        for _ in 0..<count { _ = try await harness.start("chain") }
    }

    private func check(_ harness: RuntimeHarness, finished: Int, waiting: Int) async throws {
        let totals = try await harness.read { try $0.totals() }
        #expect(totals.completedInstances == finished && totals.activeInstances == waiting && totals.jobs == waiting)
        let instances = try await harness.read { try $0.processInstances(Query(page: PageRequest(limit: 1_000))).items }
        for row in instances {
            let path = try await harness.path(Key(rawValue: row.record.key))
            #expect(path.count == (row.record.state == .completed ? 3 : 2))
        }
    }

    @Test func aProjectorThatFallsBehindReadsTheJournal() async throws {
        var configuration = RuntimeConfiguration()
        configuration.projectorQueueBytesMax = 500
        configuration.projectorLagMillisecondsMax = .infinity
        let setup = try Setup(configuration: configuration)
        defer { stop(setup) }
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await setup.harness.runtime.waitForRecords()
        setup.records.hold()
        try await work(setup.harness, 40)
        setup.records.release()
        try await check(setup.harness, finished: 40, waiting: 40)
        try await setup.harness.eventually("nothing is left to do") { setup.harness.runtime.status().isIdle }
    }

    @Test func rowsThatWereRefusedAreWrittenWhenTheStoreWorksAgain() async throws {
        var configuration = RuntimeConfiguration()
        configuration.projectorLagMillisecondsMax = .infinity
        let setup = try Setup(configuration: configuration)
        defer { stop(setup) }
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await work(setup.harness, 5)
        setup.records.fail(.io)
        try await work(setup.harness, 5, from: 5)
        try await setup.harness.eventually("rows are refused") { setup.records.failures > 0 }
        #expect(setup.harness.runtime.status().projectorLagMilliseconds > 0)
        setup.records.fail(nil)
        try await setup.harness.eventually("the projector tries again") { setup.harness.runtime.status().isIdle }
        try await check(setup.harness, finished: 10, waiting: 10)
        #expect(setup.harness.runtime.status().projectorLagMilliseconds == 0)
    }

    @Test func readersAreToldWhenTheRecordsAreBehind() async throws {
        let setup = try Setup()
        defer { stop(setup) }
        setup.records.hold()
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        let refused = await #expect(throws: CommandRejection.self) { try await setup.harness.runtime.waitForRecords() }
        #expect(refused?.code == .resourceExhausted && refused?.retryAfterMilliseconds != nil)
        setup.records.release()
        try await setup.harness.runtime.waitForRecords()
        #expect(try await setup.harness.read { try $0.totals().definitions } == 1)
    }

    @Test func startsAreHeldBackWhileTheRecordsFallBehind() async throws {
        let setup = try Setup(pacesStarts: true)
        defer { stop(setup) }
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await setup.harness.runtime.waitForRecords()
        setup.records.hold()
        _ = try await setup.harness.publish("any", "x")
        try await setup.harness.eventually("the records are behind") {
            setup.harness.runtime.status().projectorLagMilliseconds > 100
        }
        let began = ContinuousClock.now
        _ = try await setup.harness.start("chain")
        #expect(ContinuousClock.now - began >= .milliseconds(200))
    }

    @Test func startsAreRefusedWhileTheRecordsAreFarBehindAndOtherWorkIsNot() async throws {
        var configuration = RuntimeConfiguration()
        configuration.projectorLagMillisecondsMax = 20
        let setup = try Setup(configuration: configuration)
        defer { stop(setup) }
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        _ = try await setup.harness.start("chain")
        try await setup.harness.runtime.waitForRecords()
        setup.records.hold()
        _ = try await setup.harness.publish("any", "x")
        try await setup.harness.eventually("the records are behind") {
            setup.harness.runtime.status().projectorLagMilliseconds > 20
        }
        let refused = await #expect(throws: CommandRejection.self) { try await setup.harness.start("chain") }
        #expect(refused?.code == .resourceExhausted && refused?.message.contains("behind") == true)
        let job = try #require(try await setup.harness.activate().first)
        try await setup.harness.runtime.completeJob(key: job.key, variables: nil)
        setup.records.release()
        try await setup.harness.runtime.waitForRecords()
        _ = try await setup.harness.start("chain")
    }

    /// Records from before the newest batches, as a power failure or a backup leaves them.
    @Test func recordsBehindTheJournalCatchUpAfterARestart() async throws {
        let setup = try Setup()
        setup.records.loseOnPowerFailure()
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await work(setup.harness, 5)
        setup.harness.stop()
        let older = try Data(contentsOf: URL(fileURLWithPath: setup.harness.directory.path + "/records.db"))

        let next = try Setup(disk: setup.harness.disk, directory: setup.harness.directory)
        next.records.loseOnPowerFailure()
        try await work(next.harness, 5, from: 5)
        next.harness.stop()
        let directory = TemporaryDirectory()
        try older.write(to: URL(fileURLWithPath: directory.path + "/records.db"))

        let last = try Setup(disk: setup.harness.disk, directory: directory)
        defer { last.harness.stop() }
        // The jobs of the second round took the first round's waiting instances along.
        try await check(last.harness, finished: 10, waiting: 10)
    }

    @Test func recordsThatAreGoneAreRebuiltWhileTheJournalHasEverything() async throws {
        let setup = try Setup()
        setup.records.loseOnPowerFailure()
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await work(setup.harness, 5)
        setup.harness.stop()
        let next = try Setup(disk: setup.harness.disk)
        defer { next.harness.stop() }
        try await check(next.harness, finished: 5, waiting: 5)
        let audit = try await next.harness.read { try $0.audit(Query()).items }
        #expect(audit.count { $0.action == "start-instance" } == 10)
    }

    /// What was trimmed is only in the records: going on without them would lose history silently.
    @Test func recordsOlderThanTheJournalsBeginningAreRefusedWithTheRemedy() async throws {
        var configuration = RuntimeConfiguration()
        configuration.checkpointEntities = 1
        let setup = try Setup(configuration: configuration)
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await setup.harness.eventually("the journal is trimmed") {
            _ = try await setup.harness.start("chain")
            return try setup.harness.journal.retainedSequences().contains { $0 > 0 }
        }
        setup.harness.stop()
        let error = #expect(throws: StoreError.self) { _ = try Setup(disk: setup.harness.disk) }
        #expect(error?.code == .trimmed)
        #expect(error?.message.contains("up to batch 0") == true && error?.remedy.contains("records.db") == true)
        // With its own records it opens.
        let next = try Setup(disk: setup.harness.disk, directory: setup.harness.directory)
        next.harness.stop()
    }

    @Test func recordsAheadOfTheJournalAreRefused() async throws {
        let setup = try Setup()
        _ = try await setup.harness.deploy(Model.sequence("chain", 1))
        try await work(setup.harness, 2)
        setup.harness.stop()
        let error = #expect(throws: StoreError.self) {
            _ = try Setup(disk: InMemoryDisk(partitionCount: 4), directory: setup.harness.directory)
        }
        #expect(error?.code == .corrupt && error?.remedy.contains("backup") == true)
    }
}
