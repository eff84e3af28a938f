import Engine
import Foundation
import Runtime
import Values

/// One hundred parallel no-op tasks and their join, one instance at a time.
struct FanOutBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        let count = settings.count ?? 1_000
        engine.registerNoOpWorker()
        engine.start()
        _ = try await engine.deploy(BenchModels.fanOut(100))
        var samples: [Int64] = []
        for number in 0..<(count + 20) {
            let began = engine.nanoseconds()
            _ = try await engine.runtime.createInstance(
                CreateInstanceRequest(
                    target: .process(id: "fanout", version: nil), awaitMilliseconds: 60_000, actor: ""))
            if number >= 20 { samples.append(engine.nanoseconds() - began) }
        }
        var report = BenchReport("fanout100")
        report.set("instances", count)
        report.set("fan_out_and_join_ms", nanoseconds: samples)
        engine.describe(&report)
        return report
    }
}
