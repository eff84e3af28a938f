import ConnectorKit
import Foundation
import KafkaConnector
import Values

/// Records of a Kafka cluster in this process, consumed to a no-op, and ingested durably by a trigger.
///
/// The cluster (librdkafka's mock), the library's threads, the connector's and the engine share the machine's cores.
struct ConnectorKafkaBench {
    let settings: BenchSettings

    static let topic = "bench"
    /// Enough that the mock, which keeps 5 MiB of a partition, keeps all.
    static let partitions = 128

    func run() async throws -> BenchReport {
        let count = self.settings.count ?? 400_000
        let cluster = try LoopbackKafka(topic: Self.topic, partitions: Self.partitions)
        defer { cluster.close() }
        let parameters = Self.parameters(cluster)
        let connection = try await KafkaModule().connect(
            ConnectionConfiguration(id: "bus", parameters: parameters))
        let valueBytes = try await Self.produce(count, over: connection)
        let consumed = try await Self.consume(count, over: connection)
        await connection.close()
        let ingested = try await self.ingest(min(count, 200_000), parameters)

        var report = BenchReport("connector-kafka")
        report.set("messages", count)
        report.set("value_bytes", valueBytes)
        report.set("messages_per_second", Double(count) / consumed.seconds)
        report.set("cpu_microseconds_per_message", consumed.processorSeconds / Double(count) * 1e6, digits: 2)
        report.set("ingested", ingested.count)
        report.set("ingested_per_second", Double(ingested.count) / ingested.seconds)
        report.set("ingestion_cpu_microseconds", ingested.processorSeconds / Double(ingested.count) * 1e6, digits: 2)
        report.set("rss_bytes", ProcessReading.residentBytes())
        report.set("fsync", "full")
        return report
    }

    /// Of a connection to the cluster.
    static func parameters(_ cluster: LoopbackKafka) -> Value {
        ["brokers": .list(cluster.brokers.map { .string($0) }), "producer": ["queueMessages": 1_000_000]]
    }

    private static let note = String(repeating: "x", count: 900)

    /// An order of 1 KiB.
    static func value(_ number: Int) -> Value {
        ["orderId": .number(Number(number)), "customer": "Ada Lovelace", "total": 129, "note": .string(Self.note)]
    }

    /// Fills the topic; returns how many bytes a value has.
    static func produce(_ count: Int, over connection: any Connection) async throws -> Int {
        var sent = 0
        while sent < count {
            let calls = (sent..<min(count, sent + 10_000)).map { number in
                OperationCall(
                    operation: "produce",
                    input: [
                        "topic": .string(Self.topic), "value": value(number),
                        "partition": .number(Number(number % Self.partitions)),
                    ], timeout: .seconds(120))
            }
            for outcome in await connection.invokeBatch(calls) {
                if let error = outcome.error { throw error }
            }
            sent += calls.count
        }
        return JSON.string(value(count)).utf8.count
    }

    private struct Reading {
        var count = 0
        var seconds = 0.0
        var processorSeconds = 0.0
    }

    /// Reads and acknowledges `count` records; the time runs from the first batch, when the group has formed.
    private static func consume(_ count: Int, over connection: any Connection) async throws -> Reading {
        let source = try await connection.armSource(
            SourceRequest(
                event: "record",
                parameters: [
                    "topics": [.string(Self.topic)], "group": "no-op", "value": "text",
                    "prefetch": ["messages": 50_000, "bytes": "64MiB"],
                ]))
        try await source.connect()
        let clock = ContinuousClock()
        var started: (time: ContinuousClock.Instant, processor: Double)?
        var first = 0
        var reading = Reading()
        while reading.count < count {
            guard let batch = try await source.read(maximum: 1_000, wait: .seconds(10)) else {
                throw BenchFailure("Only \(reading.count) of \(count) records came.")
            }
            reading.count += batch.events.count
            if started == nil {
                started = (clock.now, ProcessReading.processorSeconds())
                first = batch.events.count
            }
            try await source.acknowledge(batch.id)
        }
        if let started {
            reading.count -= first
            reading.seconds = (clock.now - started.time).fractionalSeconds * Double(count) / Double(reading.count)
            reading.processorSeconds = ProcessReading.processorSeconds() - started.processor
        }
        await source.close()
        return reading
    }

    // MARK: - Ingestion

    /// Starts a process for every record of the topic.
    static func trigger(_ parameters: Value) -> IngestTrigger {
        IngestTrigger(
            connection: (KafkaModule(), parameters),
            source: [
                "type: kafka", "connection: \(IngestTrigger.connectionID)",
                "kafka: { topics: [\(Self.topic)], group: ingestion, prefetch: { messages: 50000, bytes: 64MiB } }",
            ])
    }

    /// Starts a process that ends at once for every record, through a trigger, until `count` are durable.
    private func ingest(_ count: Int, _ parameters: Value) async throws -> IngestReading {
        let hub = try await IngestHub(
            self.settings, Self.trigger(parameters), model: BenchModels.sequence(0, id: IngestTrigger.process))
        do {
            let reading = try await hub.measure(count)
            await hub.stop()
            return reading
        } catch {
            await hub.stop()
            throw error
        }
    }
}

/// A scenario that could not be measured.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
