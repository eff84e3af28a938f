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

/// Notifications of some channels, over a connection of its own.
///
/// A hint at most: what is sent while nobody listens is lost, and equal ones of a transaction come as one. With a poll,
/// they only say that it is time to look; what is given out are rows, each until it is acknowledged.
actor NotificationSource: EventSource {
    /// After so long a silence the server is asked whether it is still there.
    private static let silenceMaximum = Duration.seconds(30)

    private struct State {
        var isClosed = false
        var interrupt: Interrupt?
    }

    private let id: String
    private let settings: PostgresSettings
    private let parameters: NotificationSettings
    private let secrets: any SecretResolver
    private let decoding: RecordDecoding
    private let memory: any SourceMemory
    private let thread: DedicatedThread
    private let state = Mutex(State())
    private var session: PostgresSession?
    private var lastHeard = ContinuousClock.now
    private var prefix = ""
    private var nextEvent: UInt64 = 1
    private var nextBatch: UInt64 = 1
    private var poll: NotificationPoll?
    private var unsaved: Value?

    init(
        _ id: String, _ settings: PostgresSettings, _ parameters: NotificationSettings, secrets: any SecretResolver,
        _ request: SourceRequest
    ) throws {
        if request.replay != nil, parameters.poll == nil {
            throw ChangeErrors.replay(
                "Notifications are not kept by anybody: there are none to replay.",
                remedy: "Replay from the hub's inbox, or read rows with poll.")
        }
        let replay = try request.replay.map { try NotificationPoll.Replay($0) }
        guard let thread = DedicatedThread.start() else {
            throw PostgresErrors.connecting(
                .notConnected("There is no thread left."), settings, timeout: settings.connectTimeout)
        }
        self.id = id
        self.settings = settings
        self.parameters = parameters
        self.secrets = secrets
        self.decoding = request.decoding
        self.memory = request.memory
        self.thread = thread
        self.poll = parameters.poll.map {
            NotificationPoll($0, replay: replay, recordBytesMaximum: request.decoding.recordBytesMaximum)
        }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    func connect() async throws {
        var password: Secret?
        if let reference = self.settings.password { password = try await self.secrets.secret(reference) }
        let timeout = self.settings.connectTimeout
        let saved = self.poll == nil ? nil : try await self.memory.load()
        try await self.interruptibly { interrupt in
            try self.open(password, PostgresSession.CallLimits(deadline: .now + timeout, interrupt: interrupt))
        }
        self.poll?.restart(saved)
    }

    private func open(_ password: Secret?, _ limits: PostgresSession.CallLimits) throws {
        self.session?.connection.close()
        self.session = nil
        let timeout = self.settings.connectTimeout
        let session: PostgresSession
        do throws(PQFailure) {
            if let password {
                session = try password.reveal { (text) throws(PQFailure) in
                    try PostgresSession.open(self.settings, password: text, limits)
                }
            } else {
                session = try PostgresSession.open(self.settings, password: nil, limits)
            }
        } catch {
            throw PostgresErrors.connecting(error, self.settings, timeout: timeout)
        }
        var steps: [PostgresSession.Step] = []
        for channel in self.parameters.channels { steps.append(.plain("LISTEN \(SQLText.quotedName(channel))")) }
        let report = session.run(steps + [.synchronize], limits)
        for case .failed(let error) in report.outcomes {
            throw PostgresErrors.server(error, mayHaveExecuted: false)
        }
        if let failure = report.failure {
            throw PostgresErrors.cut(failure, timeout: timeout, mayHaveExecuted: false)
        }
        self.session = session
        self.lastHeard = .now
        self.prefix = "\(session.connection.processID)-\(UInt64.random(in: 0 ... .max))"
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        try await self.interruptibly { interrupt in
            try self.next(maximum: max(1, maximum), deadline: .now + wait, interrupt)
        }
    }

    private func next(
        maximum: Int, deadline: ContinuousClock.Instant, _ interrupt: Interrupt
    ) throws -> EventBatch? {
        guard let session = self.session else {
            throw SourceInterruption.notConnected(reason: "The source is not connected.")
        }
        do {
            while true {
                if let batch = try self.look(maximum, session, interrupt) { return batch }
                if ContinuousClock.now >= deadline { return nil }
                let silence = self.lastHeard + Self.silenceMaximum
                let due = min(deadline, silence, self.poll?.next ?? deadline)
                if try !self.hears(session, until: due, interrupt), ContinuousClock.now >= silence {
                    try self.probe(session, interrupt)
                }
            }
        } catch {
            guard let failure = error as? PQFailure else { throw error }
            if failure == .interrupted, !self.state.withLock({ $0.isClosed }) { throw CancellationError() }
            session.connection.close()
            self.session = nil
            switch failure {
            case .broken(let words), .notConnected(let words):
                throw SourceInterruption.notConnected(reason: "The connection broke: \(words)")
            case .timedOut, .interrupted:
                throw SourceInterruption.notConnected(reason: "The server does not answer.")
            }
        }
    }

    /// Whether something comes before the moment given.
    private func hears(
        _ session: PostgresSession, until moment: ContinuousClock.Instant, _ interrupt: Interrupt
    ) throws(PQFailure) -> Bool {
        do throws(PQFailure) {
            try session.connection.wait(
                Int16(POLLIN), PQConnection.Limits(deadline: moment, interrupt: interrupt))
            return true
        } catch .timedOut {
            return false
        }
    }

    /// What has come, or what there is to read.
    private func look(_ maximum: Int, _ session: PostgresSession, _ interrupt: Interrupt) throws -> EventBatch? {
        try session.connection.consume()
        if self.poll != nil { return try self.nextRows(maximum, session, interrupt) }
        let events = self.take(maximum, from: session.connection)
        guard !events.isEmpty else { return nil }
        self.lastHeard = .now
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        return EventBatch(id: id, events: events)
    }

    /// Rows, when something woke or it is time; notifications are spent on that.
    private func nextRows(
        _ maximum: Int, _ session: PostgresSession, _ interrupt: Interrupt
    ) throws -> EventBatch? {
        while session.connection.nextNotification() != nil {
            self.lastHeard = .now
            self.poll?.wake()
        }
        guard let poll = self.poll else { return nil }
        if poll.isAtEnd { throw SourceInterruption.endOfInput }
        guard poll.next <= .now, poll.backlog < 20_000 else { return nil }
        let limits = PostgresSession.CallLimits(deadline: .now + .seconds(60), interrupt: interrupt)
        let batch: EventBatch?
        do throws(ConnectorError) {
            batch = try self.poll?.rows(min(maximum, 1_000), session, limits)
        } catch {
            guard session.mustClose || session.connection.isBroken else { throw error }
            throw interrupt.isRaised ? PQFailure.interrupted : PQFailure.broken(error.message)
        }
        self.lastHeard = .now
        if batch == nil, self.poll?.isAtEnd == true { throw SourceInterruption.endOfInput }
        return batch
    }

    /// Asks the server for a sign of life.
    private func probe(_ session: PostgresSession, _ interrupt: Interrupt) throws(PQFailure) {
        let limits = PostgresSession.CallLimits(deadline: .now + .seconds(10), interrupt: interrupt)
        if let failure = session.run([.plain("SELECT 1"), .synchronize], limits).failure { throw failure }
        self.lastHeard = .now
    }

    private func take(_ maximum: Int, from connection: PQConnection) -> [SourceEvent] {
        var events: [SourceEvent] = []
        while events.count < maximum, let notification = connection.nextNotification() {
            let payload = Array(notification.payload.utf8)
            let isJSON = self.decoding.format == .json
            let contentType = isJSON ? "application/json" : "text/plain"
            events.append(
                SourceEvent(
                    id: "\(self.prefix)-\(self.nextEvent)", payload: payload, contentType: contentType,
                    body: RecordDecoder.decode(record: payload, contentType: contentType, decoding: self.decoding),
                    coordinates: [
                        "channel": .string(notification.channel),
                        "serverProcess": SQLText.whole(Int(notification.processID)),
                    ]))
            self.nextEvent += 1
        }
        return events
    }

    /// Keeps the place of the last row; a notification is gone once it was read.
    func acknowledge(_ batch: EventBatch.ID) async throws {
        self.unsaved = self.poll?.acknowledge(batch) ?? self.unsaved
        guard let unsaved = self.unsaved else { return }
        try await self.memory.save(unsaved)
        self.unsaved = nil
    }

    /// Rows are read again from the last that was acknowledged; a notification cannot come again.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .setAside: try await self.acknowledge(batch)
        case .redeliver(let delay):
            guard self.poll != nil else { return }
            let saved = try await self.memory.load()
            self.poll?.restart(saved)
            self.poll?.wake(after: delay)
        }
    }

    func backlog() async -> Int? { self.poll?.backlog }

    nonisolated func close() async {
        let interrupt = self.state.withLock { state in
            state.isClosed = true
            return state.interrupt
        }
        interrupt?.raise()
        await self.end()
    }

    private func end() {
        self.session?.connection.close()
        self.session = nil
    }

    /// Runs `body`, which waits; cancelling the task or closing the source ends that.
    private func interruptibly<Result>(_ body: (Interrupt) throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        let interrupt = Interrupt()
        let isClosed = self.state.withLock { state in
            state.interrupt = interrupt
            return state.isClosed
        }
        if isClosed { throw ConnectorError.closed("\(self.id) (notification source)") }
        defer { self.state.withLock { $0.interrupt = nil } }
        return try await withTaskCancellationHandler {
            try body(interrupt)
        } onCancel: {
            interrupt.raise()
        }
    }
}
