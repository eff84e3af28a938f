import Engine
import Foundation
import ProcessModel
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
        engine.registerNoOpWorker { jobs in
            let now = engine.nanoseconds()
            if jobs.contains(where: { $0.element.id == "task0" }) { arrived.withLock { $0 = now } }
        }
        engine.start()
        _ = try await engine.deploy(BenchModels.sequence(1))
        var samples: [Int64] = []
        for number in 0..<(count + 200) {
            arrived.withLock { $0 = 0 }
            let base = engine.runtime.status().completedInstances
            let began = engine.nanoseconds()
            _ = try await engine.runtime.createInstance(
                CreateInstanceRequest(target: .process(id: "sequence", version: nil), actor: ""))
            try await engine.wait { engine.runtime.status().completedInstances > base }
            if number >= 200 { samples.append(arrived.withLock { $0 } - began) }
        }
        var report = BenchReport("start-latency")
        report.set("instances", count)
        report.set("start_to_first_task_ms", nanoseconds: samples)
        engine.describe(&report)
        return report
    }
}
