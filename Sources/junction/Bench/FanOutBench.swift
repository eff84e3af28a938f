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
            let took = try await engine.runOne("fanout")
            if number >= 20 { samples.append(took) }
        }
        var report = BenchReport("fanout100")
        report.set("fan_out_and_join_ms", nanoseconds: samples)
        let seconds = Double(samples.reduce(0, +)) / 1e9
        engine.describe(&report, instances: count, elements: 103, seconds: seconds)
        return report
    }
}
