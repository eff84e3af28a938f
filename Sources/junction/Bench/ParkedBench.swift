import Engine
import Foundation
import Runtime
import Values

/// Many instances that wait for a message: what each costs, how fast they wake, and what they do to others.
struct ParkedBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        defer { engine.stop() }
        let count = settings.count ?? 1_000_000
        engine.registerNoOpWorker()
        engine.start()
        _ = try await engine.deploy(BenchModels.parked())
        _ = try await engine.deploy(BenchModels.sequence(10), name: "sequence.bpmn")
        let probe = Swift.min(20_000, count)
        try await throughput(engine, probe)
        let emptyRate = try await throughput(engine, probe)
        ProcessReading.releaseFreeMemory()
        let memoryBefore = ProcessReading.residentBytes()
        let diskBefore = engine.diskBytes

        let began = engine.nanoseconds()
        try await Self.park(engine, count: count)
        let parkSeconds = Double(engine.nanoseconds() - began) / 1e9
        // While they are held in memory; those beyond the budget have left it already.
        try await engine.wait { engine.runtime.status().isIdle }
        ProcessReading.releaseFreeMemory()
        let held = engine.runtime.status().residentInstances
        let heldMemory = ProcessReading.residentBytes()
        try await engine.runtime.settle()
        ProcessReading.releaseFreeMemory()
        let settledMemory = ProcessReading.residentBytes()
        let memory = settledMemory - memoryBefore
        let resident = engine.runtime.status().residentInstances
        let disk = engine.diskBytes - diskBefore

        let wakeCount = Swift.min(1_000, count)
        let wakeSeconds = try await wake(engine, from: 0, count: wakeCount)
        let manyCount = Swift.min(50_000, count - wakeCount)
        let manySeconds = manyCount > 0 ? try await wake(engine, from: wakeCount, count: manyCount) : 0
        let loadedRate = try await throughput(engine, probe)

        var report = BenchReport("parked")
        report.set("resident_instances", resident)
        report.set("bytes_per_instance_memory", Double(memory) / Double(count))
        let perEvicted = Double(memory) / Double(count)
        let perHeld = Double(heldMemory - settledMemory) / Double(Swift.max(1, held))
        report.set("held_instances", held)
        report.set("bytes_per_held_instance_memory", perEvicted + perHeld)
        report.set("wakes_per_second_1000", Double(wakeCount) / wakeSeconds)
        if manyCount > 0 { report.set("wakes_per_second_\(manyCount)", Double(manyCount) / manySeconds) }
        report.set("sequence10_tasks_per_second_empty", emptyRate)
        report.set("sequence10_tasks_per_second_parked", loadedRate)
        report.set("throughput_ratio", loadedRate / emptyRate, digits: 3)
        engine.describe(&report, instances: count, elements: 2, seconds: parkSeconds)
        report.set("bytes_per_instance_disk", Double(disk) / Double(count))
        return report
    }

    static func park(_ engine: BenchEngine, count: Int) async throws {
        try await engine.startInstances(
            of: "parked", count: count, inFlight: .max, variables: { Array("{\"id\":\"order-\($0)\"}".utf8) })
        try await engine.wait { engine.runtime.status().openSubscriptions >= count }
    }

    @discardableResult
    private func throughput(_ engine: BenchEngine, _ count: Int) async throws -> Double {
        let base = engine.runtime.status().completedInstances
        let began = engine.nanoseconds()
        try await engine.startInstances(of: "sequence", count: count, inFlight: settings.inFlight)
        try await engine.wait { engine.runtime.status().completedInstances - base >= count }
        return Double(count * 10) / (Double(engine.nanoseconds() - began) / 1e9)
    }

    private func wake(_ engine: BenchEngine, from first: Int, count: Int) async throws -> Double {
        let base = engine.runtime.status().completedInstances
        let began = engine.nanoseconds()
        let lanes = Swift.min(count, 256)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    for number in stride(from: first + lane, to: first + count, by: lanes) {
                        _ = try await engine.runtime.publishMessage(
                            PublishMessageRequest(name: "wake", correlationKey: "order-\(number)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await engine.wait { engine.runtime.status().completedInstances - base >= count }
        return Double(engine.nanoseconds() - began) / 1e9
    }
}
