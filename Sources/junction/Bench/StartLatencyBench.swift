import Engine
import Foundation
import Runtime
import Synchronization
import Values

/// From the start command to the first task's handler, one instance at a time.
struct StartLatencyBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        let count = settings.count ?? 5_000
        let arrived = Mutex<Int64>(0)
        let runtime = engine.runtime
        runtime.registerWorker(type: "noop", capacity: 1) { jobs in
            let now = engine.nanoseconds()
            arrived.withLock { $0 = now }
            for job in jobs { runtime.finishJob(key: job.key, .completed(variables: nil)) }
        }
        engine.start()
        _ = try await engine.deploy(BenchModels.sequence(1))
        var samples: [Int64] = []
        let first = engine.nanoseconds()
        for number in 0..<(count + 200) {
            let base = runtime.status().completedInstances
            let began = engine.nanoseconds()
            _ = try await runtime.createInstance(
                CreateInstanceRequest(target: .process(id: "sequence", version: nil), actor: ""))
            try await engine.wait { runtime.status().completedInstances > base }
            if number >= 200 { samples.append(arrived.withLock { $0 } - began) }
        }
        var report = BenchReport("start-latency")
        let seconds = Double(engine.nanoseconds() - first) / 1e9
        engine.describe(&report, instances: count + 200, elements: 3, seconds: seconds)
        report.set("start_to_first_task_ms", nanoseconds: samples)
        return report
    }
}
