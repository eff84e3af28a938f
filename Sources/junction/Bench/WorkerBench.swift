import Engine
import Foundation
import JunctionClient
import Logging
import Runtime
import Values

/// Chains of ten no-op tasks taken by a worker in a process of its own, over the HTTP API on a Unix socket.
struct WorkerBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        try? FileManager.default.removeItem(atPath: settings.directory)
        try FileManager.default.createDirectory(atPath: settings.directory, withIntermediateDirectories: true)
        var logger = Logger(label: "junction.bench")
        logger.logLevel = .error
        let socket = Self.socketPath(settings)
        let host = try EngineHost(
            EngineHost.Options(
                dataDirectory: settings.directory, socketPath: socket, port: nil, project: nil,
                projectFolder: settings.directory, servesProject: false, actor: "bench"),
            logger: logger)
        let settings = self.settings
        let report = try await host.serve { _ in try await Self.measure(host, settings) }
        guard let report else { throw CommandFailure.bench("the server ended before the measurement") }
        return report
    }

    private static func measure(_ host: EngineHost, _ settings: BenchSettings) async throws -> BenchReport {
        let clock = SystemClock()
        let count = settings.count ?? 10_000
        _ = try await host.runtime.deploy(
            [DeploymentResource(name: "sequence.bpmn", bytes: BenchModels.sequence(10))], actor: "bench")
        let worker = Process()
        worker.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
        worker.arguments = ["bench", "worker-process", "--data", settings.directory]
        worker.standardOutput = FileHandle.nullDevice
        try worker.run()
        defer {
            worker.terminate()
            worker.waitUntilExit()
        }
        let began = clock.monotonicNanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<64 {
                group.addTask {
                    for _ in stride(from: lane, to: count, by: 64) {
                        _ = try await host.runtime.createInstance(
                            CreateInstanceRequest(target: .process(id: "sequence", version: nil), actor: ""))
                    }
                }
            }
            try await group.waitForAll()
        }
        while host.runtime.status().completedInstances < count { try await Task.sleep(for: .milliseconds(1)) }
        let seconds = Double(clock.monotonicNanoseconds() - began) / 1e9
        let status = host.runtime.status()
        var report = BenchReport("sequence10-worker")
        report.set("instances", count)
        report.set("seconds", seconds, digits: 3)
        report.set("instances_per_second", Double(count) / seconds)
        report.set("tasks_per_second", Double(count * 10) / seconds)
        report.set("elements_per_second", Double(count * 12) / seconds)
        report.set("commits", status.commits)
        report.set("events", status.events)
        report.set("rss_bytes", ProcessReading.residentBytes())
        // The first task runs in the other process, so its time is not seen here.
        report.set("start_to_first_task_ms", nanoseconds: [])
        report.set("bytes_per_instance_disk", Double(host.diskBytes) / Double(count))
        report.set("projector_lag_ms", nanoseconds: host.runtime.projectorLagSamples, [50, 99])
        report.set("fsync", "full")
        report.set("history", "full")
        return report
    }

    /// The worker's process: works until it is terminated.
    static func runWorker(_ settings: BenchSettings) async throws -> BenchReport {
        // The scenario's name was added to the directory for this process; the server's is the one before.
        let directory = (settings.directory as NSString).deletingLastPathComponent
        let client = JunctionClient(
            endpoint: .unixSocket(directory + "/junction.sock"), actor: nil)
        let worker = JobWorker(
            client: client,
            configuration: .init(type: "noop", name: "bench", capacity: 2_000, batch: 500, wait: .seconds(5))
        ) { _ in .completed() }
        await worker.run()
        await client.shutdown()
        return BenchReport("worker-process")
    }

    private static func socketPath(_ settings: BenchSettings) -> String { settings.directory + "/junction.sock" }
}

extension CommandFailure {
    /// A scenario that could not be measured.
    static func bench(_ reason: String) -> CommandFailure {
        CommandFailure(.measurement, "The measurement failed: \(reason).", remedy: "Run it again on a quiet machine.")
    }
}
