import Engine
import Foundation
import Runtime
import Values

/// A process that is killed with many parked instances and a journal tail, and how long the next one takes to be ready.
struct RecoveryBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let count = settings.count ?? 1_000_000
        try? FileManager.default.removeItem(atPath: settings.directory)
        let victim = Process()
        victim.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
        victim.arguments = [
            "bench", "recovery-victim", "--count", "\(count)", "--partitions", "\(settings.partitions)", "--data",
            settings.directory,
        ]
        let output = Pipe()
        victim.standardOutput = output
        victim.standardError = FileHandle.standardError
        try victim.run()
        var text = ""
        while !text.contains("tail written") {
            let chunk = output.fileHandleForReading.availableData
            guard !chunk.isEmpty else { throw CommandFailure.bench("the victim ended before it was killed") }
            text += String(decoding: chunk, as: UTF8.self)
        }
        kill(victim.processIdentifier, SIGKILL)
        victim.waitUntilExit()

        var own = settings
        own.directory += "/recovery-victim"
        let began = SystemClock().monotonicNanoseconds()
        let engine = try BenchEngine(own, keeps: true)
        defer { engine.stop() }
        engine.registerNoOpWorker()
        engine.start()
        _ = try await engine.runOne("sequence")
        let readySeconds = Double(engine.nanoseconds() - began) / 1e9
        var report = BenchReport("recovery")
        report.set("ready_seconds", readySeconds, digits: 3)
        report.set("live_instances", engine.runtime.status().liveInstances)
        report.set("open_subscriptions", engine.runtime.status().openSubscriptions)
        report.set("disk_bytes", Int(engine.diskBytes))
        let live = engine.runtime.status().liveInstances
        engine.describe(&report, instances: live, elements: 2, seconds: readySeconds)
        report.set("bytes_per_instance_disk", Double(engine.diskBytes) / Double(live))
        return report
    }

    /// Parks instances, then writes a tail until it is killed.
    static func runVictim(_ settings: BenchSettings) async throws -> BenchReport {
        let engine = try BenchEngine(settings)
        engine.registerNoOpWorker()
        engine.start()
        _ = try await engine.deploy(BenchModels.parked())
        _ = try await engine.deploy(BenchModels.sequence(10), name: "sequence.bpmn")
        try await ParkedBench.park(engine, count: settings.count ?? 1_000_000)
        try await engine.startInstances(of: "sequence", count: 20_000, inFlight: 4_000)
        print("tail written")
        fflush(nil)
        try await engine.startInstances(of: "sequence", count: 1_000_000, inFlight: 4_000)
        return BenchReport("recovery-victim")
    }
}
