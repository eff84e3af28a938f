import Engine
import Foundation
import Runtime
import Synchronization
import Values

/// Chains of no-op service tasks, handled in this process.
///
/// Each task is a job that is durable before its handler sees it, and its completion is durable before the next one
/// starts.
struct ThroughputBench {
    let scenario: String
    let tasks: Int
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        let count = settings.count ?? (tasks == 1 ? 300_000 : 100_000)
        engine.registerNoOpWorker()
        engine.start()
        _ = try await engine.deploy(BenchModels.sequence(tasks))
        // A first run warms caches and lets files grow; it is not counted.
        let warmUp = Swift.min(count / 10, 5_000)
        try await measure(engine, warmUp)
        engine.firstTasks.forget()
        let base = engine.runtime.status()
        let seconds = try await measure(engine, count)
        try await engine.runtime.waitForRecords()
        var report = BenchReport(scenario)
        report.set("tasks_per_second", Double(count) / seconds * Double(tasks))
        engine.describe(&report, instances: count, elements: tasks + 2, seconds: seconds)
        let events = engine.runtime.status().events - base.events
        report.set("events_per_instance", Double(events) / Double(count))
        return report
    }

    @discardableResult
    private func measure(_ engine: BenchEngine, _ count: Int) async throws -> Double {
        let base = engine.runtime.status().completedInstances
        let began = engine.nanoseconds()
        try await engine.startInstances(of: "sequence", count: count, inFlight: settings.inFlight)
        try await engine.wait { engine.runtime.status().completedInstances - base >= count }
        return Double(engine.nanoseconds() - began) / 1e9
    }
}

/// Start and first task of a sample of instances.
final class SampledTimes: Sendable {
    private struct Content {
        var started: [Key: Int64] = [:]
        var firstTask: [Key: Int64] = [:]
    }

    private let content = Mutex(Content())

    /// One in 32, spread over partitions.
    private static func isSampled(_ key: Key) -> Bool { StableHash.mixed(key.rawValue) % 32 == 0 }

    func started(_ key: Key, at time: Int64) {
        guard Self.isSampled(key) else { return }
        content.withLock { $0.started[key] = time }
    }

    func note(_ jobs: [ActivatedJob], at time: Int64) {
        for job in jobs where Self.isSampled(job.instanceKey) {
            content.withLock { content in
                if content.firstTask[job.instanceKey] == nil { content.firstTask[job.instanceKey] = time }
            }
        }
    }

    /// Drops what was noted so far.
    func forget() {
        content.withLock { $0 = Content() }
    }

    func samples() -> [Int64] {
        content.withLock { content in
            content.started.compactMap { key, start in content.firstTask[key].map { $0 - start } }
        }
    }
}
