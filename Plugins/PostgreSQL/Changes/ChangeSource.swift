internal import ConnectorKit
internal import SQLSupport
internal import Synchronization
internal import Values

/// Changes of tables, out of a replication slot, after the rows that were there.
///
/// The slot is the position: what is confirmed to it is what was acknowledged, whole transactions in their order. Between
/// reads a task keeps the connection alive; nothing more is read then than the socket holds.
actor ChangeSource: EventSource {
    /// So many events may be out before reading pauses.
    static let eventsMaximum = 10_000
    /// So many bytes of payload may be out before reading pauses.
    static let bytesMaximum = 64 << 20
    /// A batch ends when it has as many.
    static let batchBytesMaximum = 4 << 20

    private struct Shared {
        var isClosed = false
        var interrupt: Interrupt?
    }

    /// The connections, while they stand.
    struct Streams {
        /// Holds the lock, and is asked about the catalog.
        var control: PostgresSession
        var replication: ReplicationLink?
        var snapshot: SnapshotReader?
    }

    let id: String
    let settings: PostgresSettings
    let parameters: ChangeSettings
    let decoding: RecordDecoding
    /// Whether the snapshot is read again, which moves nothing.
    let isReplay: Bool
    private let memory: any SourceMemory
    private let secrets: any SecretResolver
    private let thread: DedicatedThread
    private let shared = Mutex(Shared())

    var streams: Streams?
    var assembler: ChangeAssembler
    var tracker = AcknowledgedPosition<SnapshotProgress>(.zero)
    /// What was saved last, or is about to be.
    var saved: ChangeMemory?
    var isUnsaved = false
    /// What the server may be told: nothing before the memory that goes with it is durable.
    var durable = LogPosition.zero
    var told = LogPosition.zero
    var lastStatus = ContinuousClock.now
    var nextCheck = ContinuousClock.now
    var nextHeartbeat = ContinuousClock.now
    var nextLagCheck = ContinuousClock.now
    /// Signs of life are due this often.
    var statusInterval = Duration.seconds(10)
    var isLagging: Bool?
    var alarm: ConnectorError?
    /// Why the connections do not stand.
    var loss = "The source is not connected."
    private var keeper: Task<Void, Never>?
    var out: [UInt64: [SourceEvent]] = [:]
    var again: [(batch: UInt64, due: ContinuousClock.Instant)] = []
    var nextBatch: UInt64 = 1

    init(
        _ id: String, _ settings: PostgresSettings, _ parameters: ChangeSettings, secrets: any SecretResolver,
        _ request: SourceRequest
    ) throws {
        guard let thread = DedicatedThread.start() else {
            throw PostgresErrors.connecting(
                .notConnected("There is no thread left."), settings, timeout: settings.connectTimeout)
        }
        self.id = id
        self.settings = settings
        self.parameters = parameters
        self.decoding = request.decoding
        self.isReplay = request.replay != nil
        self.memory = request.memory
        self.secrets = secrets
        self.thread = thread
        self.assembler = ChangeAssembler(slot: "", tables: [], outbox: nil, decoding: request.decoding)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    deinit { self.keeper?.cancel() }

    nonisolated var isClosed: Bool { self.shared.withLock { $0.isClosed } }

    /// Whether only rows are read that are there.
    var isSnapshotOnly: Bool { self.isReplay || self.parameters.snapshot == .only }

    // MARK: - Connecting

    func connect() async throws {
        self.disconnect("The source is not connected.")
        var password: Secret?
        if let reference = self.settings.password { password = try await self.secrets.secret(reference) }
        let memory = ChangeMemory(try await self.memory.load())
        let timeout = self.settings.connectTimeout
        // Batches of before come again unless they were acknowledged, and their transactions with them.
        let confirmed = self.durable
        try await self.interruptibly { interrupt in
            do {
                try self.open(
                    password, memory, confirmed,
                    PostgresSession.CallLimits(deadline: .now + timeout, interrupt: interrupt))
            } catch {
                self.disconnect("The source is not connected.")
                throw error
            }
        }
        self.out = [:]
        self.again = []
        self.durable = self.tracker.confirmed
        self.told = .zero
        let now = ContinuousClock.now
        (self.lastStatus, self.nextCheck, self.nextLagCheck) = (now, now, now)
        self.nextHeartbeat = now + (self.parameters.heartbeat?.every ?? .zero)
        try await self.save()
        let interval = min(.seconds(1), self.statusInterval)
        self.keeper = Task { [weak self] in
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { return }
                await self?.pulse()
            }
        }
    }

    func save() async throws {
        guard self.isUnsaved, !self.isReplay, let saved = self.saved else { return }
        try await self.memory.save(saved.value)
        self.isUnsaved = false
    }

    func disconnect(_ reason: String) {
        self.keeper?.cancel()
        self.keeper = nil
        self.streams?.replication?.close()
        self.streams?.snapshot?.close()
        self.streams?.control.connection.close()
        self.streams = nil
        self.loss = reason
    }

    // MARK: - Acknowledging

    func acknowledge(_ batch: EventBatch.ID) async throws {
        self.out[batch.rawValue] = nil
        self.again.removeAll { $0.batch == batch.rawValue }
        if let progress = self.tracker.done(batch.rawValue) { self.note(progress) }
        let confirmed = self.tracker.confirmed
        try await self.save()
        self.durable = max(self.durable, confirmed)
        self.pulse()
    }

    /// A batch that is set aside is one the server need not send again: it has no place for such things.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .setAside: try await self.acknowledge(batch)
        case .redeliver(let delay):
            guard self.out[batch.rawValue] != nil, !self.again.contains(where: { $0.batch == batch.rawValue }) else {
                return
            }
            // Nothing overtakes it.
            self.again.append((batch.rawValue, .now + delay))
            self.again.sort { $0.batch < $1.batch }
        }
    }

    func backlog() async -> Int? { self.tracker.events }

    // MARK: - Ending

    nonisolated func close() async {
        let interrupt = self.shared.withLock { shared in
            shared.isClosed = true
            return shared.interrupt
        }
        interrupt?.raise()
        await self.end()
    }

    private func end() {
        self.disconnect("The source is closed.")
        self.out = [:]
        self.again = []
    }

    /// Runs `body`, which waits; cancelling the task or closing the source ends that.
    func interruptibly<Result>(_ body: (Interrupt) throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        let interrupt = Interrupt()
        let isClosed = self.shared.withLock { shared in
            shared.interrupt = interrupt
            return shared.isClosed
        }
        if isClosed { throw ConnectorError.closed("\(self.id) (source of changes)") }
        defer { self.shared.withLock { $0.interrupt = nil } }
        return try await withTaskCancellationHandler {
            try body(interrupt)
        } onCancel: {
            interrupt.raise()
        }
    }
}
