import AMQPConnector
import ArgumentParser
import ConnectorKit
import FilesConnector
import Foundation
import Hub
import KafkaConnector
import Runtime
import Values

/// Where the events of the scenario `ingest` come from.
enum IngestSource: String, CaseIterable, ExpressibleByArgument {
    case webhook, kafka, file, amqp
}

/// Events of one source, each of which starts a process that ends at once, until all are durable and acknowledged.
///
/// The remote (but RabbitMQ), the connector and the engine share this process and the machine's cores.
struct IngestBench {
    let settings: BenchSettings

    func run() async throws -> BenchReport {
        let source = self.settings.source ?? .kafka
        if let rate = self.settings.rate {
            guard source == .webhook else {
                throw BenchFailure("--rate paces requests: give --source webhook with it.")
            }
            return try await IngestWebhook(settings: self.settings).latency(rate: rate)
        }
        return switch source {
        case .webhook: try await IngestWebhook(settings: self.settings).throughput()
        case .kafka: try await self.kafka()
        case .file: try await self.files()
        case .amqp: try await self.amqp()
        }
    }

    /// How many events are asked for.
    static func count(_ settings: BenchSettings) -> Int { settings.count ?? 100_000 }

    /// What every source reports.
    static func report(
        _ source: IngestSource, _ hub: IngestHub, _ reading: IngestReading, _ counters: TriggerCounters
    ) -> BenchReport {
        var report = BenchReport("ingest")
        report.set("source", source.rawValue)
        report.set("events", counters.started)
        report.set("duplicates", counters.duplicates)
        report.set("dead_letters", counters.deadLettered)
        report.set("seconds", reading.seconds, digits: 3)
        report.set("events_per_second", Double(reading.count) / reading.seconds)
        report.set("cpu_seconds_per_event", reading.processorSeconds / Double(reading.count), digits: 8)
        report.set("bytes_per_event_disk", Double(hub.engine.diskBytes) / Double(counters.started))
        report.set("projector_lag_ms", nanoseconds: hub.engine.runtime.projectorLagSamples, [50, 99])
        report.set("rss_bytes", ProcessReading.residentBytes())
        report.set("fsync", "full")
        return report
    }

    /// Measures a source that has all events when the hub starts, or gets them meanwhile.
    private func measure(
        _ source: IngestSource, _ trigger: IngestTrigger, count: Int,
        prepare: (BenchEngine) throws -> Void = { _ in }
    ) async throws -> BenchReport {
        let hub = try await IngestHub(
            self.settings, trigger, model: BenchModels.sequence(0, id: IngestTrigger.process), prepare: prepare)
        do {
            let reading = try await hub.measure(count)
            let counters = try await hub.settle(count)
            let report = Self.report(source, hub, reading, counters)
            await hub.stop()
            return report
        } catch {
            await hub.stop()
            throw error
        }
    }

    // MARK: Kafka

    private func kafka() async throws -> BenchReport {
        let count = Self.count(self.settings)
        let cluster = try LoopbackKafka(topic: ConnectorKafkaBench.topic, partitions: ConnectorKafkaBench.partitions)
        defer { cluster.close() }
        let parameters = ConnectorKafkaBench.parameters(cluster)
        let connection = try await KafkaModule().connect(
            ConnectionConfiguration(id: IngestTrigger.connectionID, parameters: parameters))
        _ = try await ConnectorKafkaBench.produce(count, over: connection)
        await connection.close()
        return try await self.measure(.kafka, ConnectorKafkaBench.trigger(parameters), count: count)
    }

    // MARK: Files

    /// Lines of one file.
    private static let linesMaximum = 1_000

    private func files() async throws -> BenchReport {
        let count = Self.count(self.settings)
        let folder = URL(fileURLWithPath: self.settings.directory + "/files").standardizedFileURL.path
        let trigger = IngestTrigger(
            connection: (FilesModule(), ["root": .string(folder)]),
            source: [
                "type: file", "connection: \(IngestTrigger.connectionID)",
                "file: { dir: inbox, pattern: [\"*.ndjson\"], stable: { quietFor: 200ms, checks: 2 }, rescan: 1s }",
            ],
            more: ["decode: { format: ndjson }"])
        return try await self.measure(.file, trigger, count: count) { _ in
            let inbox = folder + "/inbox"
            try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: true)
            for first in stride(from: 0, to: count, by: Self.linesMaximum) {
                var bytes: [UInt8] = []
                for number in first..<min(count, first + Self.linesMaximum) {
                    bytes += Array(JSON.string(ConnectorKafkaBench.value(number)).utf8)
                    bytes.append(UInt8(ascii: "\n"))
                }
                try Data(bytes).write(to: URL(fileURLWithPath: inbox + "/orders-\(first).ndjson"))
            }
        }
    }

    // MARK: AMQP

    private func amqp() async throws -> BenchReport {
        let count = Self.count(self.settings)
        let broker = try AMQPBroker.fromEnvironment()
        let queue = "bench-\(UUID().uuidString)"
        try await broker.publish(count, to: queue)
        let trigger = IngestTrigger(
            connection: (AMQPModule(), broker.parameters),
            source: [
                "type: amqp", "connection: \(IngestTrigger.connectionID)",
                "amqp: { queue: \(queue), prefetch: 5000 }",
            ],
            secrets: [AMQPBroker.passwordVariable: broker.password])
        return try await self.measure(.amqp, trigger, count: count)
    }
}

/// A RabbitMQ that somebody else started.
private struct AMQPBroker: SecretResolver {
    var parameters: Value
    var password: String

    static let passwordVariable = "BENCH_AMQP_PASSWORD"
    private static let variable = "JUNCTION_SERVICE_RABBITMQ"

    static func fromEnvironment() throws -> AMQPBroker {
        guard let text = ProcessInfo.processInfo.environment[Self.variable] else {
            throw BenchFailure(
                "\(Self.variable) is not set: start a broker with Scripts/services start rabbitmq, and set the variable to "
                    + "the URL it prints (amqp://USER:PASSWORD@HOST:PORT).")
        }
        guard let address = URLComponents(string: text), let host = address.host, let port = address.port,
            let user = address.user, let password = address.password
        else { throw BenchFailure("\(Self.variable) is no URL like amqp://USER:PASSWORD@HOST:PORT.") }
        return AMQPBroker(
            parameters: [
                "hosts": .string("\(host):\(port)"), "user": .string(user),
                "password": ["secret": .string("env:" + Self.passwordVariable)],
            ], password: password)
    }

    func secret(_ reference: SecretReference) async throws -> Secret { Secret(self.password) }

    /// Makes a queue and fills it with persistent messages, all of them confirmed; it goes when nobody used it for 10 min.
    func publish(_ count: Int, to queue: String) async throws {
        let connection = try await AMQPModule().connect(
            ConnectionConfiguration(id: "publisher", parameters: self.parameters, secrets: self))
        let source = try await connection.armSource(
            SourceRequest(
                event: "message",
                parameters: [
                    "queue": .string(queue), "declare": ["arguments": ["x-expires": 600_000]],
                ]))
        try await source.connect()
        await source.close()
        let next = Numbers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    while true {
                        let first = next.take() * 200
                        guard first < count else { return }
                        let calls = (first..<min(count, first + 200)).map { number in
                            OperationCall(
                                operation: "publish",
                                input: [
                                    "routingKey": .string(queue), "messageId": .string("order-\(number)"),
                                    "body": ConnectorKafkaBench.value(number),
                                ], timeout: .seconds(120))
                        }
                        for outcome in await connection.invokeBatch(calls) {
                            if let error = outcome.error { throw error }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        await connection.close()
    }
}
