import Engine
import Foundation
import Hub
import Logging
import Runtime
import Server
import ServiceLifecycle
import Storage
import Synchronization
import Values

/// Deliveries of a webhook over loopback, signed as GitHub signs them; each is answered after its commit.
struct IngestWebhook {
    let settings: BenchSettings

    private static let path = "/hooks/orders"
    private static let connections = 128
    private static let secretVariable = "BENCH_HOOK_SECRET"
    private static let secret = "bench-hook-secret"
    private static let body: [UInt8] = Array(
        (#"{"orderId":4711,"customer":"Ada Lovelace","total":129,"note":""# + String(repeating: "x", count: 900)
            + "\"}").utf8)
    /// What `openssl dgst -sha256 -hmac bench-hook-secret` gives for the body.
    private static let signature = "1bd2b79fbf04ca4280a83d57761f552233bbb46249295a4523ce9d33ef053572"
    private static let deliveryPrefix = "order-"

    private static func trigger(more: [String]) -> IngestTrigger {
        IngestTrigger(
            source: [
                "type: webhook", "webhook:", "  path: \(Self.path)",
                "  verify: { scheme: github, secret: \"env:\(Self.secretVariable)\" }",
            ], more: more, secrets: [Self.secretVariable: Self.secret])
    }

    private static let request = IngestSender.Request(
        head: """
            POST \(Self.path) HTTP/1.1\r
            Host: 127.0.0.1\r
            Content-Type: application/json\r
            X-GitHub-Event: order\r
            X-Hub-Signature-256: sha256=\(Self.signature)\r
            Content-Length: \(Self.body.count)\r
            X-GitHub-Delivery: \(Self.deliveryPrefix)
            """, body: Self.body)

    // MARK: As many as possible

    func throughput() async throws -> BenchReport {
        let count = IngestBench.count(self.settings)
        let hub = try await IngestHub(
            self.settings, Self.trigger(more: []), model: BenchModels.sequence(0, id: IngestTrigger.process))
        return try await Self.serving(hub, self.settings) { port in
            async let sending = IngestSender.send(
                Self.request, count: count, port: port, connections: Self.connections, rate: nil)
            let reading = try await hub.measure(count)
            let sent = try await sending
            let counters = try await hub.settle(count)
            var report = IngestBench.report(.webhook, hub, reading, counters)
            report.set("connections", Self.connections)
            report.set("accepted", sent.accepted)
            report.set("busy", sent.busy)
            report.set("sender_cpu_seconds_per_event", sent.processorSeconds / Double(count), digits: 8)
            report.set("answer_ms", nanoseconds: sent.answerTimes)
            return report
        }
    }

    // MARK: At a rate

    /// From the request to the first task's worker, at `rate` requests a second.
    func latency(rate: Double) async throws -> BenchReport {
        let warm = Int(rate * 2)
        let count = warm + (self.settings.count ?? Int(rate * 20))
        let times = Arrivals(count: count)
        let hub = try await IngestHub(
            self.settings, Self.trigger(more: ["transform: { set: { delivery: \"=event.id\" } }"]),
            model: BenchModels.sequence(1, id: IngestTrigger.process),
            prepare: { engine in
                let runtime = engine.runtime
                runtime.registerWorker(type: "noop", capacity: 1_000_000) { jobs in
                    times.note(jobs, at: engine.nanoseconds(), prefix: Self.deliveryPrefix)
                    for job in jobs { runtime.finishJob(key: job.key, .completed(variables: nil)) }
                }
            })
        return try await Self.serving(hub, self.settings) { port in
            async let sending = IngestSender.send(
                Self.request, count: count, port: port, connections: 64, rate: rate)
            let reading = try await hub.measure(count)
            let sent = try await sending
            let counters = try await hub.settle(count)
            let runtime = hub.engine.runtime
            try await hub.engine.wait { runtime.status().completedInstances >= count }
            let arrived = times.values
            let samples = (warm..<count).map { arrived[$0] - sent.sentAt[$0] }
            var report = IngestBench.report(.webhook, hub, reading, counters)
            report.set("rate", rate)
            report.set("busy", sent.busy)
            report.set("answer_ms", nanoseconds: Array(sent.answerTimes.dropFirst(warm)))
            report.set("first_task_ms", nanoseconds: samples, [50, 95, 99])
            let sorted = samples.sorted()
            report.set("first_task_p99_ms", Double(sorted[sorted.count * 99 / 100]) / 1e6, digits: 3)
            report.set("first_task_max_ms", Double(sorted[sorted.count - 1]) / 1e6, digits: 3)
            return report
        }
    }

    /// When the first job of each delivery came to its worker.
    private final class Arrivals: Sendable {
        private let times: Mutex<[Int64]>

        init(count: Int) {
            self.times = Mutex([Int64](repeating: 0, count: count))
        }

        var values: [Int64] { self.times.withLock { $0 } }

        func note(_ jobs: [ActivatedJob], at time: Int64, prefix: String) {
            for job in jobs {
                guard let variables = try? JSON.parse(job.variables),
                    let delivery = variables["delivery"]?.asString,
                    let number = Int(delivery.dropFirst(prefix.count))
                else { continue }
                self.times.withLock { times in
                    if times.indices.contains(number), times[number] == 0 { times[number] = time }
                }
            }
        }
    }

    // MARK: Serving

    /// Runs the API's server as long as `body`, which gets its port; ends the hub too.
    private static func serving(
        _ hub: IngestHub, _ settings: BenchSettings,
        body: @Sendable (_ port: Int) async throws -> BenchReport
    ) async throws -> BenchReport {
        let quiet = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let (ready, opened) = AsyncStream<Int?>.makeStream()
        let server = APIServer(
            configuration: .init(socketPath: nil, loopbackPort: 0, partitionCount: settings.partitions),
            workflow: hub.engine.runtime, records: hub.records, journal: hub.engine.journal, hub: hub.hub,
            ingress: hub.hub.ingress, logger: quiet
        ) { port in
            opened.yield(port)
            opened.finish()
        }
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: quiet))
        let serving = Task {
            defer { opened.finish() }
            try await group.run()
        }
        let result: Result<BenchReport, any Error>
        do {
            guard let port = await ready.first(where: { _ in true }) ?? nil else {
                try await serving.value
                throw BenchFailure("The server has no port.")
            }
            try await hub.waitUntilArmed()
            result = .success(try await body(port))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        _ = await serving.result
        await hub.stop()
        return try result.get()
    }
}
