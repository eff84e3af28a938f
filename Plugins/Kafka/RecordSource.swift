internal import ConnectorKit
internal import Synchronization
internal import Values

/// The records of some topics, as a member of a consumer group.
///
/// Offsets are committed after acknowledgement, never past a record that is still out, and only for partitions that are
/// still this member's. What a rejected batch held is kept and delivered again from memory.
final class RecordSource: EventSource {
    private struct State {
        var loop: ConsumerLoop?
        var firstBatch: UInt64 = 1
        var isClosed = false
    }

    private let connection: String
    private let settings: RecordSourceSettings
    private let kafka: KafkaSettings
    private let secrets: any SecretResolver
    private let builder: RecordBuilder
    private let schemas: SchemaStore
    private let state = Mutex(State())

    init(
        _ connection: String, _ settings: RecordSourceSettings, _ kafka: KafkaSettings, secrets: any SecretResolver,
        schemas: SchemaStore
    ) throws {
        self.connection = connection
        self.settings = settings
        self.kafka = kafka
        self.secrets = secrets
        self.schemas = schemas
        self.builder = try RecordBuilder(settings, schemas)
    }

    func connect() async throws {
        let old = self.state.withLock { state in
            defer { state.loop = nil }
            return state.loop
        }
        if let old {
            await old.close()
            let upcoming = old.shared.withLock { $0.ledger.upcomingBatch }
            self.state.withLock { $0.firstBatch = upcoming }
        }
        let credentials = try await KafkaCredentials(self.kafka, self.secrets)
        let (firstBatch, isClosed) = self.state.withLock { ($0.firstBatch, $0.isClosed) }
        if isClosed { throw ConnectorError.closed(self.connection) }
        let loop = try ConsumerLoop(
            self.settings, self.builder, self.settings.options(self.kafka, credentials), firstBatch: firstBatch)
        try await loop.start(self.kafka.connectTimeout)
        let isTooLate = self.state.withLock { state -> Bool in
            if !state.isClosed { state.loop = loop }
            return state.isClosed
        }
        if isTooLate { await loop.close() }
    }

    private func loop() throws -> ConsumerLoop {
        let (loop, isClosed) = self.state.withLock { ($0.loop, $0.isClosed) }
        if isClosed { throw ConnectorError.closed(self.connection) }
        guard let loop else { throw SourceInterruption.notConnected(reason: "connect was not called") }
        return loop
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let loop = try self.loop()
        let deadline = Monotonic.now + wait
        while true {
            try Task.checkCancellation()
            let now = Monotonic.now
            let (next, failure, isRoomy) = loop.shared.withLock { shared in
                if let failure = shared.failure { return (RecordLedger.Next.nothing, failure as (any Error)?, false) }
                if shared.hasEnded || shared.isClosing {
                    return (.nothing, ConnectorError.closed(self.connection), false)
                }
                let next = shared.ledger.next(max(1, maximum), at: now)
                // The thread resumes the partitions when the buffer is half empty.
                let isRoomy =
                    shared.isPaused && shared.ledger.readyCount <= self.settings.prefetchMessages / 2
                    && shared.ledger.readyBytes <= self.settings.prefetchBytes / 2
                if isRoomy { shared.isPaused = false }
                return (next, nil, isRoomy)
            }
            if isRoomy { loop.wake() }
            if let failure { throw failure }
            switch next {
            case .batch(let batch): return batch
            case .missingSchemas(let ids): try await self.fetch(ids, for: loop)
            case .full, .nothing:
                guard now < deadline else { return nil }
                await loop.awaitRecords(until: deadline)
            }
        }
    }

    /// Asks the registry for schemas; the records stay where they are if it does not answer.
    private func fetch(_ ids: Set<Int32>, for loop: ConsumerLoop) async throws {
        do {
            for id in ids.sorted() { try await self.schemas.fetch(id) }
        } catch let error as ConnectorError where error.isRetryable {
            throw SourceInterruption.backOff(error.retryAfter ?? .seconds(1))
        }
        loop.shared.withLock { $0.ledger.resolve(with: self.builder) }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        self.done(batch)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .setAside: self.done(batch)
        case .redeliver(let after):
            guard let loop = self.state.withLock({ $0.loop }) else { return }
            loop.shared.withLock { $0.ledger.redeliver(batch, notBefore: Monotonic.now + after) }
            loop.wake()
        }
    }

    private func done(_ batch: EventBatch.ID) {
        guard let loop = self.state.withLock({ $0.loop }) else { return }
        let isNews = loop.shared.withLock { shared -> Bool in
            let wasFull = shared.ledger.outCount >= self.settings.unacknowledgedMaximum
            guard shared.ledger.acknowledge(batch), !shared.isCommitDue else { return wasFull }
            shared.isCommitDue = true
            return true
        }
        if isNews { loop.wake() }
    }

    func close() async {
        let loop = self.state.withLock { state in
            state.isClosed = true
            return state.loop
        }
        await loop?.close()
    }

    func backlog() async -> Int? {
        guard let loop = self.state.withLock({ $0.loop }) else { return nil }
        return loop.shared.withLock { shared in
            guard shared.failure == nil, !shared.hasEnded else { return nil }
            return shared.ledger.readyCount + shared.ledger.outCount + shared.remoteBacklog
        }
    }
}
