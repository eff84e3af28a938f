import ConnectorKit
import Foundation
import Hub
import HubDocuments
import Logging
import Runtime
import Storage
import Values

/// A trigger to measure.
struct IngestTrigger {
    /// The connection it reads from, and its connector; nil for sources of the hub's own.
    var connection: (module: any ConnectorModule, parameters: Value)?
    /// The content of the document's `source`, one line each.
    var source: [String]
    /// More of the document, one line each.
    var more: [String] = []
    /// The secrets there are, by the name of their variable.
    var secrets: [String: String] = [:]

    /// What triggers call the connection.
    static let connectionID = "bus"
    /// The process that is started for each event.
    static let process = "ingested"

    fileprivate func declaration(concurrency: Int) throws -> TriggerDeclaration {
        let lines =
            [
                "apiVersion: hub/v1", "kind: Trigger", "metadata: { id: ingest }", "source:",
            ] + self.source.map { "  " + $0 } + self.more + [
                "dedupe: { key: \"=event.id\" }", "concurrency: { max: \(concurrency) }",
                "target: { mode: start, workflow: \(Self.process) }",
            ]
        let log = DiagnosticLog(file: "bench.trigger.yaml")
        let text = lines.joined(separator: "\n") + "\n"
        guard let trigger = TriggerDeclaration.read(text, log: log, schemas: { _ in nil }) else {
            throw BenchFailure(log.diagnostics.map(\.message).joined(separator: " "))
        }
        return trigger
    }
}

/// What came of the events of a trigger.
struct IngestReading {
    /// Events counted while the time ran.
    var count = 0
    var seconds = 0.0
    var processorSeconds = 0.0
    /// Of all events.
    var counters = TriggerCounters()
}

/// A hub with one trigger, on an engine of its own.
final class IngestHub: Sendable {
    let engine: BenchEngine
    let hub: HubService
    let records: SQLiteRecordReader
    private let sources: SQLiteSourceStateStore
    private let running: Task<Void, Never>

    /// Starts everything; `prepare` has the engine before it moves.
    init(
        _ settings: BenchSettings, _ trigger: IngestTrigger, model: [UInt8],
        prepare: (BenchEngine) throws -> Void = { _ in }
    ) async throws {
        let engine = try BenchEngine(settings)
        try prepare(engine)
        engine.start()
        _ = try await engine.deploy(model)
        var configuration = HubConfiguration()
        if let (module, parameters) = trigger.connection {
            configuration.connections = [
                ConnectionDeclaration(
                    id: IngestTrigger.connectionID, connector: module.descriptor.id, parameters: parameters)
            ]
        }
        configuration.triggers = [try trigger.declaration(concurrency: min(settings.inFlight, 10_000))]
        let records = try SQLiteRecordReader(directory: settings.directory)
        let sources = try SQLiteSourceStateStore(directory: settings.directory)
        let secrets = trigger.secrets
        let hub = HubService(
            service: engine.runtime, modules: [trigger.connection?.module].compactMap { $0 },
            configuration: configuration, environment: { secrets[$0] }, records: records, sources: sources,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        self.engine = engine
        self.hub = hub
        self.records = records
        self.sources = sources
        self.running = Task { await hub.run() }
    }

    /// Ends everything.
    func stop() async {
        self.running.cancel()
        await self.running.value
        self.engine.stop()
        self.records.close()
        self.sources.close()
    }

    /// The trigger.
    var status: TriggerStatus {
        get throws {
            guard let status = self.hub.triggers().first else { throw BenchFailure("The hub has no trigger.") }
            return status
        }
    }

    /// Waits until the source is armed.
    func waitUntilArmed() async throws {
        let limit = ContinuousClock.now + .seconds(30)
        while try self.status.state != .armed {
            guard ContinuousClock.now < limit else {
                throw BenchFailure(try self.complaint("The source is not armed."))
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Counts durable starts until there are `count`; the time runs from the first one.
    func measure(_ count: Int) async throws -> IngestReading {
        let clock = ContinuousClock()
        let limit = clock.now + .seconds(300)
        var started: (time: ContinuousClock.Instant, processor: Double, count: Int)?
        var reading = IngestReading()
        while reading.count < count {
            try await Task.sleep(for: .milliseconds(1))
            let counters = try self.status.counters
            reading.count = counters.started + counters.deadLettered
            if started == nil, reading.count > 0 {
                started = (clock.now, ProcessReading.processorSeconds(), reading.count)
            }
            guard clock.now < limit else {
                throw BenchFailure(try self.complaint("Only \(reading.count) of \(count) events were ingested."))
            }
        }
        if let started {
            reading.count -= started.count
            reading.seconds = (clock.now - started.time).fractionalSeconds
            reading.processorSeconds = ProcessReading.processorSeconds() - started.processor
        }
        reading.counters = try self.status.counters
        return reading
    }

    /// Waits until all is acknowledged, and checks that each of `count` events started one instance.
    ///
    /// Returns what became of all of them.
    func settle(_ count: Int) async throws -> TriggerCounters {
        let limit = ContinuousClock.now + .seconds(30)
        while try self.status.pending > 0 {
            guard ContinuousClock.now < limit else {
                throw BenchFailure(try self.complaint("Events are not acknowledged."))
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let counters = try self.status.counters
        let instances = self.engine.runtime.status().startedInstances
        guard counters.started == count, instances == count, counters.deadLettered == 0 else {
            throw BenchFailure(try self.complaint("\(count) events started \(instances) instances."))
        }
        return counters
    }

    private func complaint(_ text: String) throws -> String {
        let status = try self.status
        return "\(text) The trigger is \(status.state): \(status.trouble ?? "no trouble"); \(status.counters)."
    }
}

extension Duration {
    /// In seconds.
    var fractionalSeconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }
}
