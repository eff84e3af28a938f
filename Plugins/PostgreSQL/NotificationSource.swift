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

/// The parameters of a source, checked.
struct NotificationSettings: Sendable {
    var channels: [String] = []

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        reader.require("channels")
        self.channels = reader.strings("channels") ?? []
        if reader.has("channels"), self.channels.isEmpty || self.channels.count > 100 {
            reader.add("parameters.channels: expected 1 to 100 names.")
        }
        for channel in self.channels where channel.isEmpty || channel.utf8.count > 63 || channel.utf8.contains(0) {
            reader.add("parameters.channels: expected names of 1 to 63 bytes.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}

/// Notifications of some channels, over a connection of its own.
///
/// A hint at most: what is sent while nobody listens is lost, and equal ones of a transaction come as one.
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
    private let thread: DedicatedThread
    private let state = Mutex(State())
    private var session: PostgresSession?
    private var lastHeard = ContinuousClock.now
    private var prefix = ""
    private var nextEvent: UInt64 = 1
    private var nextBatch: UInt64 = 1

    init(
        _ id: String, _ settings: PostgresSettings, _ parameters: NotificationSettings, secrets: any SecretResolver,
        decoding: RecordDecoding
    ) throws {
        guard let thread = DedicatedThread.start() else {
            throw PostgresErrors.connecting(
                .notConnected("There is no thread left."), settings, timeout: settings.connectTimeout)
        }
        self.id = id
        self.settings = settings
        self.parameters = parameters
        self.secrets = secrets
        self.decoding = decoding
        self.thread = thread
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    func connect() async throws {
        var password: Secret?
        if let reference = self.settings.password { password = try await self.secrets.secret(reference) }
        let timeout = self.settings.connectTimeout
        try await self.interruptibly { interrupt in
            try self.open(password, PostgresSession.CallLimits(deadline: .now + timeout, interrupt: interrupt))
        }
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
        do throws(PQFailure) {
            while true {
                try session.connection.consume()
                let events = self.take(maximum, from: session.connection)
                if !events.isEmpty {
                    self.lastHeard = .now
                    let id = EventBatch.ID(rawValue: self.nextBatch)
                    self.nextBatch += 1
                    return EventBatch(id: id, events: events)
                }
                let silence = self.lastHeard + Self.silenceMaximum
                do throws(PQFailure) {
                    let limits = PQConnection.Limits(deadline: min(deadline, silence), interrupt: interrupt)
                    try session.connection.wait(Int16(POLLIN), limits)
                } catch .timedOut {
                    guard ContinuousClock.now >= silence else { return nil }
                    try self.probe(session, interrupt)
                }
            }
        } catch {
            if error == .interrupted, !self.state.withLock({ $0.isClosed }) { throw CancellationError() }
            session.connection.close()
            self.session = nil
            switch error {
            case .broken(let words), .notConnected(let words):
                throw SourceInterruption.notConnected(reason: "The connection broke: \(words)")
            case .timedOut, .interrupted:
                throw SourceInterruption.notConnected(reason: "The server does not answer.")
            }
        }
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

    /// Nothing to do: a notification is gone once it was read.
    func acknowledge(_ batch: EventBatch.ID) async throws {}

    /// Nothing to do: a notification cannot come again.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {}

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
