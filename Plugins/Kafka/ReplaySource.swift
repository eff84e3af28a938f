internal import ConnectorKit
internal import Values

/// Reads a range of records again, past the group: nothing is committed, and nobody's partitions move.
actor ReplaySource: EventSource {
    private let connection: String
    private let settings: RecordSourceSettings
    private let range: ReplayRange
    private let kafka: KafkaSettings
    private let secrets: any SecretResolver
    private let builder: RecordBuilder
    private let schemas: SchemaStore
    private var ledger: RecordLedger
    private var reader: ReplayReader?
    private var isClosed = false

    init(
        _ connection: String, _ settings: RecordSourceSettings, _ range: ReplayRange, _ kafka: KafkaSettings,
        secrets: any SecretResolver, schemas: SchemaStore
    ) throws {
        if let pattern = settings.topics.first(where: { $0.hasPrefix("^") }) {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "record.topics: a replay names its topics; \(pattern) is a pattern.",
                remedy: "Replay with the names of the topics.")
        }
        self.connection = connection
        self.settings = settings
        self.range = range
        self.kafka = kafka
        self.secrets = secrets
        self.schemas = schemas
        self.builder = try RecordBuilder(settings, schemas)
        self.ledger = RecordLedger(firstBatch: 1, outMaximum: settings.unacknowledgedMaximum)
    }

    /// Begins the range again: what was acknowledged before comes again too, with the same ids.
    func connect() async throws {
        await self.free()
        self.ledger.revoke(self.ledger.generations)
        self.ledger = RecordLedger(
            firstBatch: self.ledger.upcomingBatch, outMaximum: self.settings.unacknowledgedMaximum)
        if self.isClosed { throw ConnectorError.closed(self.connection) }
        let options = try await self.options()
        let (topics, range, timeout) = (self.settings.topics, self.range, self.kafka.connectTimeout)
        let builder = self.builder
        let ledger = self.ledger
        let made = try await KafkaThread.run {
            var ledger = ledger
            let reader = try ReplayReader(options, builder)
            do {
                try reader.open(topics, range, timeout: timeout) { ledger.assign(topic: $0, partition: $1) }
            } catch {
                reader.close()
                throw error
            }
            return (reader, ledger)
        }
        (self.reader, self.ledger) = made
        if self.isClosed {
            await self.free()
            throw ConnectorError.closed(self.connection)
        }
    }

    private func options() async throws -> KafkaOptions {
        var options = self.settings.options(self.kafka, try await KafkaCredentials(self.kafka, self.secrets))
        options.set("enable.partition.eof", true)
        options.set("queued.min.messages", self.settings.prefetchMessages)
        options.set("queued.max.messages.kbytes", max(1_024, self.settings.prefetchBytes / 1_024))
        return options
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = Monotonic.now + wait
        while true {
            try Task.checkCancellation()
            if self.isClosed { throw ConnectorError.closed(self.connection) }
            guard let reader = self.reader else {
                throw SourceInterruption.notConnected(reason: "connect was not called")
            }
            let now = Monotonic.now
            let left = max(.zero, min(deadline - now, .milliseconds(200)))
            switch self.ledger.next(max(1, maximum), at: now) {
            case .batch(let batch): return batch
            case .missingSchemas(let ids):
                do {
                    for id in ids.sorted() { try await self.schemas.fetch(id) }
                } catch let error as ConnectorError where error.isRetryable {
                    throw SourceInterruption.backOff(error.retryAfter ?? .seconds(1))
                }
                self.ledger.resolve(with: self.builder)
            case .nothing where !reader.isDone:
                self.ledger.add(try await KafkaThread.run { try reader.fetch(wait: left) })
            case .nothing where self.ledger.outCount == 0:
                throw SourceInterruption.endOfInput
            case .full, .nothing:
                // Only an acknowledgement, or the time of a rejected batch, makes a difference.
                guard now < deadline else { return nil }
                try await Task.sleep(for: min(left, .milliseconds(20)))
            }
            if Monotonic.now >= deadline, self.ledger.readyCount == 0, !reader.isDone { return nil }
        }
    }

    /// The batch is done; nothing is committed.
    func acknowledge(_ batch: EventBatch.ID) async throws { _ = self.ledger.acknowledge(batch) }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .setAside: _ = self.ledger.acknowledge(batch)
        case .redeliver(let after): self.ledger.redeliver(batch, notBefore: Monotonic.now + after)
        }
    }

    func close() async {
        self.isClosed = true
        await self.free()
    }

    func backlog() async -> Int? { self.ledger.readyCount + self.ledger.outCount }

    private func free() async {
        guard let reader = self.reader else { return }
        self.reader = nil
        try? await KafkaThread.run { reader.close() }
    }
}
