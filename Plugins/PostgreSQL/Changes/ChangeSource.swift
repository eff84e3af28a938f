internal import ConnectorKit
internal import SQLSupport
internal import Synchronization
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

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
    private var durable = LogPosition.zero
    private var told = LogPosition.zero
    private var lastStatus = ContinuousClock.now
    private var nextCheck = ContinuousClock.now
    private var nextHeartbeat = ContinuousClock.now
    private var nextLagCheck = ContinuousClock.now
    /// Signs of life are due this often.
    var statusInterval = Duration.seconds(10)
    var isLagging: Bool?
    private var alarm: ConnectorError?
    /// Why the connections do not stand.
    private var loss = "The source is not connected."
    private var keeper: Task<Void, Never>?
    private var out: [UInt64: [SourceEvent]] = [:]
    private var again: [(batch: UInt64, due: ContinuousClock.Instant)] = []
    private var nextBatch: UInt64 = 1

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

    private func save() async throws {
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

    // MARK: - Reading

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let batch = try await self.interruptibly { interrupt in
            try self.next(maximum: max(1, min(maximum, 10_000)), deadline: .now + wait, interrupt)
        }
        try await self.save()
        return batch
    }

    private func next(
        maximum: Int, deadline: ContinuousClock.Instant, _ interrupt: Interrupt
    ) throws -> EventBatch? {
        while true {
            self.pulse()
            if let alarm {
                self.alarm = nil
                throw alarm
            }
            guard let streams else { throw SourceInterruption.notConnected(reason: self.loss) }
            do {
                if let first = self.again.first {
                    if first.due <= .now { return self.giveAgain() }
                } else if self.tracker.events < Self.eventsMaximum, self.tracker.bytes < Self.bytesMaximum {
                    if let snapshot = streams.snapshot {
                        if let batch = try self.page(snapshot, maximum: maximum, interrupt) { return batch }
                        try self.finishSnapshot(interrupt)
                        continue
                    }
                    if self.isSnapshotOnly { throw SourceInterruption.endOfInput }
                    if let batch = try self.fill(maximum: maximum, interrupt) { return batch }
                }
                guard .now < deadline else { return nil }
                try self.rest(until: deadline, interrupt)
            } catch let failure as PQFailure {
                if failure == .interrupted, !self.shared.withLock({ $0.isClosed }) { throw CancellationError() }
                self.disconnect("The connection broke: \(failure)")
                throw SourceInterruption.notConnected(reason: self.loss)
            }
        }
    }

    /// Waits for something to do.
    private func rest(until deadline: ContinuousClock.Instant, _ interrupt: Interrupt) throws(PQFailure) {
        guard let streams else { return }
        var limits = PQConnection.Limits(
            deadline: min(deadline, .now + min(.seconds(1), self.statusInterval)), interrupt: interrupt)
        if let due = self.again.first?.due { limits.deadline = min(limits.deadline, due) }
        let isReading =
            self.again.isEmpty && self.tracker.events < Self.eventsMaximum && self.tracker.bytes < Self.bytesMaximum
        do throws(PQFailure) {
            if let link = streams.replication, link.isStreaming, isReading {
                try link.connection.wait(Int16(POLLIN), limits)
            } else {
                try streams.control.connection.wait(0, limits)
            }
        } catch .timedOut {}
    }

    /// Rows of the snapshot; nil at its end.
    private func page(_ snapshot: SnapshotReader, maximum: Int, _ interrupt: Interrupt) throws -> EventBatch? {
        do throws(ConnectorError) {
            let limits = PostgresSession.CallLimits(deadline: .now + .seconds(60), interrupt: interrupt)
            guard let page = try snapshot.next(maximum: maximum, limits) else { return nil }
            return self.give(page.events, bytes: page.bytes, position: nil, progress: page.progress)
        } catch {
            if interrupt.isRaised, !self.shared.withLock({ $0.isClosed }) {
                self.disconnect("Reading the snapshot was cancelled.")
                throw CancellationError()
            }
            self.disconnect("The snapshot broke off: \(error.message)")
            if error.isRetryable { throw SourceInterruption.notConnected(reason: self.loss) }
            throw error
        }
    }

    private func finishSnapshot(_ interrupt: Interrupt) throws {
        self.streams?.snapshot?.close()
        self.streams?.snapshot = nil
        if let progress = self.tracker.reached(SnapshotProgress(isDone: true)) { self.note(progress) }
        if !self.isSnapshotOnly {
            try self.startStreaming(
                PostgresSession.CallLimits(deadline: .now + self.settings.connectTimeout, interrupt: interrupt))
        }
    }

    private func note(_ progress: SnapshotProgress) {
        self.saved?.progress = progress
        self.isUnsaved = true
    }

    /// What one frame came to.
    private enum Taken {
        case step(ChangeAssembler.Step)
        case keepAlive(LogPosition, wantsReply: Bool)
    }

    private func take(_ frame: UnsafeRawBufferPointer) -> Result<Taken, PGOutput.Malformed> {
        do throws(PGOutput.Malformed) {
            switch try ReplicationFrame.incoming(frame) {
            case .data(let bytes): return .success(.step(try self.assembler.take(bytes)))
            case .keepAlive(let end, let wantsReply): return .success(.keepAlive(end, wantsReply: wantsReply))
            }
        } catch {
            return .failure(error)
        }
    }

    /// Takes what has come; nil when there are no events in it.
    private func fill(maximum: Int, _ interrupt: Interrupt) throws -> EventBatch? {
        guard let link = self.streams?.replication else { return nil }
        let limits = PQConnection.Limits(deadline: .now + .seconds(10), interrupt: interrupt)
        var events: [SourceEvent] = []
        var bytes = 0
        var position: LogPosition?
        func reached(_ place: LogPosition) {
            if events.isEmpty { self.tracker.reached(place) } else { position = place }
        }
        reading: while events.count < maximum, bytes < Self.batchBytesMaximum {
            let taken: Taken
            switch try link.next(limits, self.take) {
            case .none: break reading
            case .ended(let error):
                self.disconnect("The server ended the stream.")
                if let error { throw ChangeErrors.refusal(error, slot: self.parameters.slot) }
                throw SourceInterruption.notConnected(reason: self.loss)
            case .some(.success(let result)): taken = result
            case .some(.failure(let error)):
                self.disconnect("The server sent what is no \(error.what).")
                throw PostgresErrors.malformed(error.what, mayHaveExecuted: false)
            }
            switch taken {
            case .step(.nothing): break
            case .step(.event(let event)):
                bytes += event.payload.count
                events.append(event)
            case .step(.events(let several)): events += several
            case .step(.committed(let end)): reached(end)
            case .step(.relation(let relation)): try self.install(relation)
            case .keepAlive(let end, let wantsReply):
                // Within a transaction its position may be beyond changes that have not come.
                if !self.assembler.isInTransaction { reached(end) }
                if self.tracker.isEmpty { self.durable = max(self.durable, self.tracker.confirmed) }
                if wantsReply { try self.tell() }
            }
        }
        if self.tracker.isEmpty, !self.isUnsaved { self.durable = max(self.durable, self.tracker.confirmed) }
        return events.isEmpty ? nil : self.give(events, bytes: bytes, position: position, progress: nil)
    }

    private func install(_ relation: PGOutput.Relation) throws {
        guard self.assembler.wants(relation), let catalog = self.catalog(.seconds(10)) else {
            self.assembler.install(nil, for: relation.id)
            return
        }
        let shape = try catalog.shape(relation)
        try self.checkOutbox(shape)
        self.assembler.install(shape, for: relation.id)
    }

    func checkOutbox(_ shape: TableShape) throws(ConnectorError) {
        guard let outbox = self.parameters.outbox else { return }
        let missing = outbox.missing(in: shape.columns.map(\.name))
        guard missing.isEmpty else {
            throw ChangeErrors.setup(
                "The outbox \(shape.path) has no column \(missing.joined(separator: ", ")).",
                remedy: "Name the columns in outbox as the table has them.")
        }
    }

    func catalog(_ timeout: Duration) -> ChangeCatalog? {
        self.streams.map {
            ChangeCatalog(session: $0.control, limits: .init(deadline: .now + timeout, interrupt: Interrupt()))
        }
    }

    private func give(
        _ events: [SourceEvent], bytes: Int, position: LogPosition?, progress: SnapshotProgress?
    ) -> EventBatch {
        let batch = self.nextBatch
        self.nextBatch += 1
        self.tracker.add(
            batch: batch, events: events.count, bytes: bytes, position: position, progress: progress)
        self.out[batch] = events
        return EventBatch(id: EventBatch.ID(rawValue: batch), events: events)
    }

    private func giveAgain() -> EventBatch? {
        let batch = self.again.removeFirst().batch
        return self.out[batch].map { EventBatch(id: EventBatch.ID(rawValue: batch), events: $0) }
    }

    // MARK: - Staying alive

    /// Does what is due: signs of life, confirmations, the heartbeat, a look at the slot.
    private func pulse() {
        guard let streams else { return }
        let now = ContinuousClock.now
        do throws(PQFailure) {
            let isNews = self.durable > self.told && now - self.lastStatus >= .milliseconds(100)
            if isNews || now - self.lastStatus >= self.statusInterval { try self.tell() }
            guard now >= self.nextCheck else { return }
            self.nextCheck = now + .seconds(1)
            // A server that shuts down ends this one first, and waits for the other until we have it all.
            guard streams.control.connection.isAlive else {
                self.disconnect("The server ended the connection that watches the slot.")
                return
            }
        } catch {
            self.disconnect("The connection broke: \(error)")
            return
        }
        guard !self.isSnapshotOnly else { return }
        do throws(ConnectorError) {
            if let heartbeat = self.parameters.heartbeat, now >= self.nextHeartbeat {
                self.nextHeartbeat = now + heartbeat.every
                try self.catalog(.seconds(5))?.session.texts(
                    heartbeat.statement ?? "SELECT pg_catalog.pg_logical_emit_message(false, 'junction', '')",
                    limits: .init(deadline: now + .seconds(5), interrupt: Interrupt()))
            }
            if now >= self.nextLagCheck {
                self.nextLagCheck = now + min(.seconds(30), self.parameters.heartbeat?.every ?? .seconds(30))
                try self.checkLag()
            }
        } catch {
            self.alarm = error
        }
    }

    private func tell() throws(PQFailure) {
        self.lastStatus = .now
        guard let link = self.streams?.replication, link.isStreaming else { return }
        try link.confirm(self.durable)
        self.told = self.durable
    }

    /// Raises the alarm once when the slot falls behind, and again only after it has caught up.
    private func checkLag() throws(ConnectorError) {
        guard let slot = try self.catalog(.seconds(5))?.slot(self.parameters.slot) else { return }
        let maximum = self.parameters.lagBytesMaximum
        let isBehind = slot.status == "unreserved" || maximum.map { slot.lag > $0 } ?? false
        let hasCaughtUp = slot.status != "unreserved" && maximum.map { slot.lag < $0 / 5 * 4 } ?? true
        // Behind from the start is why somebody looks at the trigger already; it must not be kept from catching up.
        if isBehind, self.isLagging == false {
            self.alarm = ChangeErrors.lag(
                self.parameters.slot, bytes: slot.lag, maximum: maximum, status: slot.status)
        }
        if isBehind { self.isLagging = true } else if hasCaughtUp { self.isLagging = false }
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
    private func interruptibly<Result>(_ body: (Interrupt) throws -> Result) async throws -> Result {
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
