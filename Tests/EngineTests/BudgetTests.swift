import Testing
import Values

@testable import Engine

/// What an instance costs in events and bytes; independent of the machine, so the thresholds are exact.
@Suite("Budgets")
struct BudgetTests {
    private func cost(_ flows: String, variables: String = "{}", _ drive: (EngineHarness) throws -> Void) throws
        -> (events: Int, bytes: Int)
    {
        let harness = EngineHarness()
        try harness.deploy(Model.process(flows))
        let before = (harness.eventCount, harness.journalBytes)
        let key = try harness.start("p", variables)
        try drive(harness)
        #expect(harness.outcome(key) == "completed")
        return (harness.eventCount - before.0, harness.journalBytes - before.1)
    }

    private static let sequence10 = "start -> \((1...10).map { "a\($0)" }.joined(separator: " -> ")) -> end"

    @Test("sequence10: ten jobs, one commit each")
    func sequence() throws {
        let (events, bytes) = try cost(Self.sequence10) { harness in
            for step in 1...10 { try harness.complete("a\(step)") }
        }
        #expect(events == 44)
        #expect(bytes == 372)
    }

    @Test("sequence10 in one batch: what the commit pipeline writes under load")
    func sequenceBatched() throws {
        let harness = EngineHarness()
        harness.checks = false
        try harness.deploy(Model.process(Self.sequence10))
        let engine = harness.partitions[0].engine
        let definition = try #require(harness.registry.definition(processID: "p"))
        engine.process(CommandEnvelope(.createInstance(NewInstance(definition: definition))), now: harness.now)
        for step in 1...10 {
            for job in engine.takeJobs(type: "a\(step)", maximum: 1) {
                engine.process(
                    CommandEnvelope(.completeJob(key: job.key.rawValue, variables: .empty)), now: harness.now)
            }
        }
        let batch = engine.takeBatch()
        #expect(engine.liveCount == 0)
        #expect(batch.eventCount == 44)
        #expect(batch.payload.count == 202)
    }

    @Test("a gateway decision and a waiting instance")
    func others() throws {
        let gateway = try cost("start -> xor; xor -> [=x > 1] m -> end1; xor -> [default] end2", variables: #"{"x":2}"#)
        { _ in }
        #expect(gateway.events == 7)
        #expect(gateway.bytes == 49)
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> r -> end", nodes: [Model.receive("r", "msg")], root: [Model.message("msg")]))
        let key = try harness.start("p", #"{"key":"k-1"}"#)
        harness.checkpoint(0)
        let row = harness.partitions[0].store.rows.values.first { $0.kind == EntityKinds.instance && $0.key == key }
        #expect(row?.state.count == 62)
        #expect(row?.index == nil)
    }
}
