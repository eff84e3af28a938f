import Engine
import Foundation
import ProcessModel
import Runtime
import Values

/// A model of 1,000 nodes: read, deployed, and run through once.
struct ParseBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        engine.start()
        let nodes = 1_000
        let count = settings.count ?? 100
        let model = BenchModels.large(nodes)
        var parse: [Int64] = []
        var deploy: [Int64] = []
        var runThrough: [Int64] = []
        for number in 0..<count {
            var began = engine.nanoseconds()
            let result = BPMNImporter.read(model, file: "large.bpmn")
            precondition(!result.processes.isEmpty)
            parse.append(engine.nanoseconds() - began)
            // A comment makes each deployment a new version.
            let version = model + Array("<!-- \(number) -->".utf8)
            began = engine.nanoseconds()
            _ = try await engine.deploy(version)
            deploy.append(engine.nanoseconds() - began)
            runThrough.append(try await engine.runOne("large", variables: Array("{\"amount\":500}".utf8)))
        }
        var report = BenchReport("parse")
        report.set("nodes", nodes)
        report.set("model_bytes", model.count)
        report.set("parse_ms", nanoseconds: parse)
        report.set("parse_and_deploy_ms", nanoseconds: deploy)
        report.set("run_through_ms", nanoseconds: runThrough)
        let seconds = Double(runThrough.reduce(0, +)) / 1e9
        engine.describe(&report, instances: count, elements: nodes, seconds: seconds)
        return report
    }
}
