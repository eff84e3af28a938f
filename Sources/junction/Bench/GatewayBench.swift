import Decisions
import Engine
import Foundation
import ProcessModel
import Runtime
import Values

/// Exclusive gateways with a FEEL condition: through the whole engine, and the condition alone.
struct GatewayBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        let gates = 1_000
        let count = settings.count ?? 1_000
        engine.start()
        _ = try await engine.deploy(BenchModels.gateways(gates))
        let variables = Array("{\"amount\":1000000,\"customer\":\"c-1\",\"currency\":\"EUR\"}".utf8)
        let began = engine.nanoseconds()
        try await engine.startInstances(of: "gateways", count: count, inFlight: 64, variables: { _ in variables })
        try await engine.wait { engine.runtime.status().completedInstances >= count }
        let seconds = Double(engine.nanoseconds() - began) / 1e9
        var report = BenchReport("gateways")
        report.set("gateways_per_second", Double(count * gates) / seconds)
        report.set("gateway_us", seconds * 1e6 / Double(count * gates), digits: 3)
        let conditionNanoseconds = try measureCondition(engine)
        report.set("condition_us", conditionNanoseconds / 1e3, digits: 4)
        report.set("conditions_per_second", 1e9 / conditionNanoseconds)
        engine.describe(&report, instances: count, elements: gates + 2, seconds: seconds)
        return report
    }

    private func measureCondition(_ engine: BenchEngine) throws -> Double {
        let condition = try Expression.compile("amount > 100 and currency = \"EUR\"")
        let scope = MapScope(["amount": 250, "currency": "EUR"])
        let count = settings.count.map { $0 * 2_000 } ?? 2_000_000
        var held = 0
        let began = engine.nanoseconds()
        for _ in 0..<count where condition.evaluateCondition(scope) == true { held += 1 }
        let took = Double(engine.nanoseconds() - began)
        precondition(held == count)
        return took / Double(count)
    }
}
