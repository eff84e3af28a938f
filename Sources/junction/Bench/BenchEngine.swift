import Engine
import Foundation
import Logging
import Runtime
import Storage
import Synchronization
import Values

/// Hands out numbers from 0.
private final class Numbers: Sendable {
    private let next = Atomic<Int>(0)

    func take() -> Int { next.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// A runtime on a store of its own, for measuring.
final class BenchEngine: Sendable {
    let journal: SQLiteJournalStore
    let records: SQLiteRecordStore
    let runtime: WorkflowRuntime
    let clock = SystemClock()

    /// Opens the store in a folder, emptied unless `keeps`.
    init(_ settings: BenchSettings, keeps: Bool = false) throws {
        let manager = FileManager.default
        if !keeps { try? manager.removeItem(atPath: settings.directory) }
        try manager.createDirectory(atPath: settings.directory, withIntermediateDirectories: true)
        var logger = Logger(label: "junction.bench")
        logger.logLevel = .error
        journal = try SQLiteJournalStore(
            directory: settings.directory, options: .init(partitionCount: settings.partitions))
        records = try SQLiteRecordStore(directory: settings.directory, partitionCount: settings.partitions)
        runtime = try WorkflowRuntime(journal: journal, records: records, logger: logger)
    }

    func start() {
        runtime.start()
    }

    func stop() {
        runtime.shutdown()
        records.close()
        journal.close()
    }

    func deploy(_ model: [UInt8], name: String = "bench.bpmn") async throws -> DeployedProcess {
        let deployment = try await runtime.deploy([DeploymentResource(name: name, bytes: model)], actor: "bench")
        return deployment.definitions[0]
    }

    /// A worker that answers every job at once.
    func registerNoOpWorker(_ onJobs: (@Sendable ([ActivatedJob]) -> Void)? = nil) {
        let runtime = self.runtime
        runtime.registerWorker(type: "noop", capacity: 1_000_000) { jobs in
            onJobs?(jobs)
            for job in jobs { runtime.finishJob(key: job.key, .completed(variables: nil)) }
        }
    }

    var diskBytes: Int64 { journal.sizeBytes() + records.sizeBytes() }

    func nanoseconds() -> Int64 { clock.monotonicNanoseconds() }

    /// Waits until a condition holds, looking every half millisecond.
    func wait(_ condition: @Sendable () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .microseconds(500)) }
    }

    /// Starts instances until `count` were started, at most `inFlight` of them not completed at any time.
    func startInstances(
        of processID: String, count: Int, inFlight: Int, variables: (@Sendable (Int) -> [UInt8])? = nil,
        onStart: (@Sendable (Key, Int64) -> Void)? = nil
    ) async throws {
        let next = Numbers()
        let base = runtime.status().completedInstances
        let starters = Swift.min(inFlight, 512)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<starters {
                group.addTask {
                    while true {
                        let number = next.take()
                        guard number < count else { return }
                        if number % 64 == 0 {
                            while number - (self.runtime.status().completedInstances - base) >= inFlight {
                                try await Task.sleep(for: .microseconds(500))
                            }
                        }
                        let began = self.nanoseconds()
                        let created = try await self.runtime.createInstance(
                            CreateInstanceRequest(
                                target: .process(id: processID, version: nil), variables: variables?(number),
                                actor: ""))
                        onStart?(created.key, began)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Adds what every scenario reports.
    func describe(_ report: inout BenchReport) {
        let status = runtime.status()
        report.set("commits", status.commits)
        report.set("events", status.events)
        report.set("rss_bytes", ProcessReading.residentBytes())
        report.set("projector_lag_ms", nanoseconds: runtime.projectorLagSamples, [50, 99])
        report.set("fsync", "full")
        report.set("history", "full")
    }
}
