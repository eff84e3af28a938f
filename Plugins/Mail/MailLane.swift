internal import ConnectorKit
internal import SocketThread
internal import Synchronization
internal import Values

/// What is said over a session once it is logged in.
protocol MailDialogue: AnyObject, SendableMetatype {
    /// `smtp` or `imap`.
    static var protocolName: String { get }

    /// Begins the dialogue.
    init(_ session: MailSession) throws

    var session: MailSession { get }

    /// Whether the server still answers.
    func isAlive() -> Bool

    /// Ends the dialogue politely, without waiting.
    func quit()
}

/// One thread, one session: what is done over it is done one after the other.
///
/// A session is kept for the next call, and made anew when the server has closed it.
actor MailLane<Dialogue: MailDialogue> {
    /// How long a session that was kept may take to show that it still lives.
    private static var signOfLifeTimeout: Duration { .seconds(5) }

    private let connection: String
    private let server: MailServer
    private let secrets: any SecretResolver
    private let thread: SocketThread
    private let clock = SystemConnectorClock()
    private nonisolated let gate = MailGate()
    private var open: (dialogue: Dialogue, usedAt: Duration)?

    init(_ configuration: ConnectionConfiguration, _ server: MailServer) throws {
        self.connection = configuration.id
        self.secrets = configuration.secrets
        self.server = server
        do throws(SocketThread.StartFailure) {
            self.thread = try SocketThread()
        } catch {
            throw ConnectorError(
                .unavailable, code: MailErrors.Code.unreachable, "\(error)",
                remedy: "Check the limits on threads and memory of this process.")
        }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    /// Does something over the session, which is connected first if it has to be.
    ///
    /// Cancelling the task ends it, and the session with it.
    nonisolated func perform<Result: Sendable>(
        within timeout: Duration, _ body: @escaping @Sendable (Dialogue) throws -> Result
    ) async throws -> Result {
        let number = self.gate.enter()
        return try await withTaskCancellationHandler {
            try await self.run(number, timeout, body)
        } onCancel: {
            self.gate.cancel(number)
        }
    }

    /// Ends what runs; nothing runs after it.
    nonisolated func close() async {
        self.gate.close()
        await self.drop()
    }

    private func drop() {
        self.open?.dialogue.quit()
        self.open = nil
    }

    private func run<Result: Sendable>(
        _ number: UInt64, _ timeout: Duration, _ body: @Sendable (Dialogue) throws -> Result
    ) async throws -> Result {
        let deadline = self.clock.now + timeout
        var secret: Secret?
        if let credential = self.server.credential {
            switch credential {
            case .password(let reference), .token(let reference): secret = try await self.secrets.secret(reference)
            }
        }
        // From here on nothing else runs on this actor until this call is done.
        guard self.gate.begin(number) else {
            throw self.gate.isClosed ? ConnectorError.closed(self.connection) : Self.cancelled
        }
        defer {
            let wasCancelled = self.gate.end(number)
            if wasCancelled || self.open?.dialogue.session.isBroken == true { self.open = nil }
        }
        if let open = self.open {
            self.gate.attach(open.dialogue.session.handle)
            open.dialogue.session.allow(min(deadline - self.clock.now, Self.signOfLifeTimeout))
            if self.clock.now - open.usedAt > self.server.idle || !open.dialogue.isAlive() { self.drop() }
        }
        let dialogue: Dialogue
        if let open = self.open {
            dialogue = open.dialogue
            dialogue.session.allow(deadline - self.clock.now)
        } else {
            dialogue = try self.connect(secret, deadline)
        }
        do {
            let result = try body(dialogue)
            self.open = (dialogue, self.clock.now)
            return result
        } catch let error as ConnectorError where error.kind == .auth {
            // The next call logs in with the secret as it is then.
            self.open = nil
            throw error
        }
    }

    private func connect(_ secret: Secret?, _ deadline: Duration) throws -> Dialogue {
        let handle = try MailSession.Handle()
        self.gate.attach(handle)
        let session = MailSession(self.server, protocolName: Dialogue.protocolName, handle: handle)
        session.allow(deadline - self.clock.now)
        try session.connect(protocolName: Dialogue.protocolName, secret: secret)
        let dialogue = try Dialogue(session)
        self.open = (dialogue, self.clock.now)
        return dialogue
    }

    private static var cancelled: ConnectorError {
        var error = ConnectorError(wrapping: CancellationError())
        error.mayHaveExecuted = false
        return error
    }
}

/// Which call has its turn, and which are cancelled.
///
/// Safe from any thread.
final class MailGate: Sendable {
    private struct State {
        var next: UInt64 = 0
        var waiting: Set<UInt64> = []
        var cancelled: Set<UInt64> = []
        var running: UInt64?
        var handle: MailSession.Handle?
        var isClosed = false
    }

    private let state = Mutex(State())

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// The number of a new call.
    func enter() -> UInt64 {
        self.state.withLock { state in
            state.next += 1
            state.waiting.insert(state.next)
            return state.next
        }
    }

    /// Whether a call may begin.
    func begin(_ number: UInt64) -> Bool {
        self.state.withLock { state in
            state.waiting.remove(number)
            let isCancelled = state.cancelled.remove(number) != nil
            guard !isCancelled, !state.isClosed else { return false }
            state.running = number
            return true
        }
    }

    /// Names the session of the call that runs.
    func attach(_ handle: MailSession.Handle) {
        self.state.withLock { state in
            state.handle = handle
            if state.isClosed || state.running.map({ state.cancelled.contains($0) }) ?? false { handle.cancel() }
        }
    }

    /// Ends a call; whether it was cancelled.
    func end(_ number: UInt64) -> Bool {
        self.state.withLock { state in
            state.running = nil
            state.handle = nil
            return state.cancelled.remove(number) != nil
        }
    }

    /// Cancels a call that waits or runs.
    func cancel(_ number: UInt64) {
        self.state.withLock { state in
            guard state.running == number || state.waiting.contains(number) else { return }
            state.cancelled.insert(number)
            if state.running == number { state.handle?.cancel() }
        }
    }

    /// Cancels everything.
    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.handle?.cancel()
        }
    }
}
