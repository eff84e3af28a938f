import Engine
import Foundation
import Logging
import Runtime
import Storage
import Synchronization
import Values

/// Hands out numbers from 0.
final class Numbers: Sendable {
    private let next = Atomic<Int>(0)

    func take() -> Int { next.wrappingAdd(1, ordering: .relaxed).oldValue }
}

/// A runtime on a store of its own, for measuring.
final class BenchEngine: Sendable {
    let journal: SQLiteJournalStore
    let records: SQLiteRecordStore
    let runtime: WorkflowRuntime
    let clock = SystemClock()
    /// From start to first task, for a sample of all instances.
    let firstTasks = SampledTimes()

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
    func registerNoOpWorker() {
        let (runtime, firstTasks, clock) = (self.runtime, self.firstTasks, self.clock)
        runtime.registerWorker(type: "noop", capacity: 1_000_000) { jobs in
            firstTasks.note(jobs, at: clock.monotonicNanoseconds())
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
        of processID: String, count: Int, inFlight: Int, variables: (@Sendable (Int) -> [UInt8])? = nil
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
                        self.firstTasks.started(created.key, at: began)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Starts one instance and waits for its end; returns how long that took, in nanoseconds.
    func runOne(_ processID: String, variables: [UInt8]? = nil) async throws -> Int64 {
        let began = nanoseconds()
        let created = try await runtime.createInstance(
            CreateInstanceRequest(
                target: .process(id: processID, version: nil), variables: variables, awaitMilliseconds: 60_000,
                actor: ""))
        firstTasks.started(created.key, at: began)
        return nanoseconds() - began
    }

    /// Adds what every scenario reports: `instances` of `elements` flow nodes each took `seconds`.
    func describe(_ report: inout BenchReport, instances: Int, elements: Int, seconds: Double) {
        let status = runtime.status()
        report.set("instances", instances)
        report.set("seconds", seconds, digits: 3)
        let rate = Double(instances) / seconds
        report.set("instances_per_second", rate)
        report.set("elements_per_second", rate * Double(elements))
        report.set("start_to_first_task_ms", nanoseconds: firstTasks.samples(), [50, 95, 99])
        let total = Swift.max(1, status.startedInstances)
        report.set("bytes_per_instance_disk", Double(diskBytes) / Double(total))
        report.set("commits", status.commits)
        report.set("events", status.events)
        report.set("rss_bytes", ProcessReading.residentBytes())
        report.set("projector_lag_ms", nanoseconds: runtime.projectorLagSamples, [50, 99])
        report.set("fsync", "full")
        report.set("history", "full")
    }
}
