internal import ConnectorKit
internal import SQLSupport
internal import Synchronization
internal import Values

/// One connection: settings, and a pool of physical connections.
final class ODBCConnection: Connection {
    /// How long a driver may take to come back once it was asked to stop.
    private static let grace = Duration.seconds(2)

    private struct Running {
        var calls: [ObjectIdentifier: ODBCCall] = [:]
        var isClosed = false
    }

    private let id: String
    private let settings: ODBCSettings
    private let clock: any ConnectorClock
    private let pool: ResourcePool<ODBCLink>
    private let running = Mutex(Running())

    init(_ configuration: ConnectionConfiguration, _ settings: ODBCSettings) {
        self.id = configuration.id
        self.settings = settings
        let secrets = configuration.secrets
        let clock = configuration.clock
        self.clock = clock
        self.pool = ResourcePool(
            maximum: settings.connectionsMaximum, idleMaximum: settings.idleTimeout,
            lifetimeMaximum: settings.lifetime, clock: clock,
            behavior: .init(
                make: { deadline in
                    let timeout = min(settings.connectTimeout, deadline - clock.now)
                    return try await Self.open(settings, secrets, ODBCCall(timeout: max(timeout, .milliseconds(1))))
                },
                isUsable: { link, idle in
                    await Self.atMost(Self.grace, otherwise: false) {
                        await link.isAlive(asksDatabase: idle >= settings.validateAfter)
                    }
                },
                close: { link in await Self.atMost(Self.grace, otherwise: ()) { await link.close() } }))
    }

    /// What `body` gives, if it does within `limit`; it is not waited for any longer.
    private static func atMost<Value: Sendable>(
        _ limit: Duration, otherwise: Value, _ body: @escaping @Sendable () async -> Value
    ) async -> Value {
        let first = FirstOf<Value>()
        Task.detached { first.give(await body()) }
        let alarm = Task.detached {
            try await Task.sleep(for: limit)
            first.give(otherwise)
        }
        defer { alarm.cancel() }
        return await first.wait()
    }

    /// A physical connection, with the secrets as they are now.
    private static func open(
        _ settings: ODBCSettings, _ secrets: any SecretResolver, _ call: ODBCCall
    ) async throws -> ODBCLink {
        var revealed: [(name: String, secret: Secret)] = []
        if let reference = settings.password { revealed.append(("PWD", try await secrets.secret(reference))) }
        for (name, reference) in settings.secretAttributes {
            revealed.append((name, try await secrets.secret(reference)))
        }
        return try await ODBCLink.open(settings, revealed, call)
    }

    /// Asks the database for nothing.
    func test() async throws {
        let asked = try await self.withSession(timeout: .seconds(10)) { session, _ in
            session.isAlive(asksDatabase: false)
        }
        if !asked {
            throw ODBCErrors.connecting(
                ODBCDiagnostic(state: "08S01", native: 0, message: "The connection is dead."), self.settings)
        }
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        (try? ODBCInput.request(call).isIdempotent) == true ? true : nil
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            if self.running.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
            let (request, _) = try ODBCInput.request(call)
            try Task.checkCancellation()
            return try await self.withSession(timeout: call.timeout) { session, odbcCall in
                ODBCOperations(session: session, settings: self.settings, call: odbcCall, connection: self.id)
                    .perform(request)
            }
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard request.event == ODBCPollSettings.event else {
            throw ConnectorError.unknownEvent(request.event, of: ODBCModule.description)
        }
        if self.running.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
        return ODBCPollSource(
            try ODBCPollSettings(request.parameters, replay: request.replay), connection: self, memory: request.memory,
            clock: self.clock)
    }

    /// A page of rows after `position`.
    func page(_ query: ODBCPollQuery, after position: ODBCPosition, rows: Int) async throws -> ODBCPage {
        let settings = self.settings
        let id = self.id
        let result = try await self.withSession(timeout: query.timeout) { session, call in
            ODBCOperations(session: session, settings: settings, call: call, connection: id)
                .page(query, after: position, rows: rows)
        }
        return try result.get()
    }

    func close() async {
        let calls = self.running.withLock { running in
            running.isClosed = true
            return Array(running.calls.values)
        }
        for call in calls { call.end(.closed) }
        await self.pool.close()
    }

    // MARK: - Borrowing

    /// Runs `body` on a physical connection.
    ///
    /// At the deadline, when the task is cancelled or the connection closed, the driver is asked to stop; if it does
    /// not come back then, it is left behind: its connection is closed when it does.
    private func withSession<Result: Sendable>(
        timeout: Duration, _ body: @escaping @Sendable (ODBCSession, ODBCCall) -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        let loan = try await self.borrow(timeout)
        let left = timeout - (ContinuousClock.now - start)
        let call = ODBCCall(timeout: max(left, .milliseconds(1)))
        let key = ObjectIdentifier(call)
        let isClosed = self.running.withLock { running in
            running.calls[key] = call
            return running.isClosed
        }
        if isClosed { call.end(.closed) }
        let first = FirstOf<Swift.Result<Result, ConnectorError>>()
        let pool = self.pool
        let id = self.id
        Task.detached {
            let done = await loan.resource.perform { body($0, call) }
            let isReusable = done?.isReusable == true && call.ending == nil
            await pool.giveBack(loan, isReusable: isReusable)
            first.give(done.map { .success($0.result) } ?? .failure(ConnectorError.closed(id)))
        }
        let alarm = Task.detached {
            try await Task.sleep(for: call.timeout)
            call.end(.timedOut)
            try await Task.sleep(for: Self.grace)
            first.give(.failure(ODBCErrors.abandoned(timeout)))
        }
        let result = await withTaskCancellationHandler {
            await first.wait()
        } onCancel: {
            call.end(.cancelled)
            Task.detached {
                try await Task.sleep(for: Self.grace)
                first.give(.failure(ODBCErrors.abandoned(timeout)))
            }
        }
        alarm.cancel()
        self.running.withLock { $0.calls[key] = nil }
        return try result.get()
    }

    private func borrow(_ timeout: Duration) async throws -> ResourcePool<ODBCLink>.Loan {
        do {
            return try await self.pool.borrow(within: timeout)
        } catch ResourcePool<ODBCLink>.Refusal.exhausted {
            throw ODBCErrors.exhausted(self.id, self.settings.connectionsMaximum, timeout: timeout)
        } catch ResourcePool<ODBCLink>.Refusal.closed {
            throw ConnectorError.closed(self.id)
        } catch is CancellationError {
            // Nothing was sent yet.
            throw ODBCErrors.ended(.cancelled, connection: self.id, timeout: timeout, mayHaveExecuted: false)
        } catch {
            var error = ConnectorError(wrapping: error)
            error.mayHaveExecuted = false
            throw error
        }
    }
}
