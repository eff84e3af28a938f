internal import ConnectorKit
internal import SQLSupport
internal import Synchronization
internal import Values

/// One connection: settings, and a pool of physical connections.
final class PostgresConnection: Connection {
    private struct Running {
        var interrupts: [ObjectIdentifier: Interrupt] = [:]
        var isClosed = false
    }

    private let id: String
    private let settings: PostgresSettings
    private let secrets: any SecretResolver
    private let pool: ResourcePool<PostgresLink>
    private let running = Mutex(Running())

    init(_ configuration: ConnectionConfiguration, _ settings: PostgresSettings) {
        self.id = configuration.id
        self.settings = settings
        self.secrets = configuration.secrets
        let secrets = configuration.secrets
        let clock = configuration.clock
        self.pool = ResourcePool(
            maximum: settings.connectionsMaximum, idleMaximum: settings.idleTimeout,
            lifetimeMaximum: settings.lifetime, clock: clock,
            behavior: .init(
                make: { deadline in
                    try await Self.open(settings, secrets, timeout: min(settings.connectTimeout, deadline - clock.now))
                },
                isUsable: { link, _ in await link.isAlive() },
                close: { await $0.close() }))
    }

    /// A physical connection, with the password as it is now.
    static func open(
        _ settings: PostgresSettings, _ secrets: any SecretResolver, timeout: Duration
    ) async throws -> PostgresLink {
        var password: Secret?
        if let reference = settings.password { password = try await secrets.secret(reference) }
        let interrupt = Interrupt()
        return try await withTaskCancellationHandler {
            try await PostgresLink.open(settings, password: password, timeout: timeout, interrupt)
        } onCancel: {
            interrupt.raise()
        }
    }

    /// Asks the server for nothing.
    func test() async throws {
        let call = OperationCall(operation: "query", input: ["sql": "SELECT 1"], timeout: .seconds(10))
        if let error = await self.invoke(call).error { throw error }
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        guard let (request, isIdempotent) = try? PostgresInput.request(call, self.settings) else { return nil }
        return isIdempotent || self.key(call, request, isIdempotent) != nil ? true : nil
    }

    /// The key to record with the effect, if there is one and a table for it.
    private func key(_ call: OperationCall, _ request: PostgresRequest, _ isIdempotent: Bool) -> PostgresKey? {
        guard let table = self.settings.idempotencyTable, let key = call.idempotencyKey, !isIdempotent,
            request.isOneTransaction, !key.utf8.contains(0)
        else { return nil }
        return PostgresKey(table: table, key: key)
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            if self.running.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
            let (request, isIdempotent) = try PostgresInput.request(call, self.settings)
            try Task.checkCancellation()
            let key = self.key(call, request, isIdempotent)
            let outcome = try await self.withSession(timeout: call.timeout) { session, limits in
                PostgresOperations(session: session, settings: self.settings, timeout: call.timeout, limits: limits)
                    .perform(request, key)
            }
            return self.named(outcome)
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// Those that are one statement each go to one physical connection in one round trip; the others follow.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes: [Outcome?] = Array(repeating: nil, count: calls.count)
        var groups: [PipelineGroup: [(index: Int, statement: PostgresStatement)]] = [:]
        for (index, call) in calls.enumerated() {
            guard let (request, isIdempotent) = try? PostgresInput.request(call, self.settings),
                self.key(call, request, isIdempotent) == nil
            else { continue }
            switch request {
            case .query(let statement, let rows):
                groups[PipelineGroup(isReadOnly: true, timeout: call.timeout, rows: rows), default: []]
                    .append((index, statement))
            case .execute(let statement, let rows):
                groups[PipelineGroup(isReadOnly: false, timeout: call.timeout, rows: rows), default: []]
                    .append((index, statement))
            case .batch, .transaction, .copyIn, .copyOut: break
            }
        }
        for (group, items) in groups where items.count > 1 {
            let done = await self.pipeline(items.map(\.statement), group)
            for (item, outcome) in zip(items, done) { outcomes[item.index] = outcome }
        }
        var all: [Outcome] = []
        for (call, outcome) in zip(calls, outcomes) {
            if let outcome {
                all.append(outcome)
            } else {
                all.append(await self.invoke(call))
            }
        }
        return all
    }

    /// Calls that can share a run.
    private struct PipelineGroup: Hashable {
        var isReadOnly: Bool
        var timeout: Duration
        var rows: Int
    }

    private func pipeline(_ statements: [PostgresStatement], _ group: PipelineGroup) async -> [Outcome] {
        do {
            if self.running.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
            try Task.checkCancellation()
            let outcomes = try await self.withSession(timeout: group.timeout) { session, limits in
                PostgresOperations(session: session, settings: self.settings, timeout: group.timeout, limits: limits)
                    .pipeline(statements, isReadOnly: group.isReadOnly, rowsMaximum: group.rows)
            }
            return outcomes.map(self.named)
        } catch {
            let outcome = Outcome.failed(ConnectorError(wrapping: error))
            return statements.map { _ in outcome }
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        if self.running.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
        guard PostgreSQLModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: PostgreSQLModule.description)
        }
        if request.event == "change" { return try self.changeSource(request) }
        let parameters = try NotificationSettings(request.parameters)
        return try NotificationSource(
            self.id, self.settings, parameters, secrets: self.secrets, request)
    }

    private func changeSource(_ request: SourceRequest) throws -> any EventSource {
        let parameters = try ChangeSettings(request.parameters)
        if let outbox = parameters.outbox, outbox.mode == .poll {
            guard request.replay == nil else {
                throw ChangeErrors.replay(
                    "An outbox that is polled keeps no rows that are done: there are none to replay.",
                    remedy: "Replay from the hub's inbox; rows that were marked come again when the mark is taken off.")
            }
            return OutboxPollSource(
                self.id, self.settings, outbox, secrets: self.secrets, decoding: request.decoding)
        }
        if let replay = request.replay, replay != ["snapshot": true] {
            throw ChangeErrors.replay(
                "A replication slot cannot go back: there are no changes to replay.",
                remedy: "Replay from the hub's inbox; { snapshot: true } reads the rows again that are there.")
        }
        return try ChangeSource(self.id, self.settings, parameters, secrets: self.secrets, request)
    }

    func close() async {
        let interrupts = self.running.withLock { running in
            running.isClosed = true
            return Array(running.interrupts.values)
        }
        for interrupt in interrupts { interrupt.raise() }
        await self.pool.close()
    }

    // MARK: - Borrowing

    /// Runs `body` on a physical connection; cancelling the task, or closing the connection, interrupts it.
    private func withSession<Result: Sendable>(
        timeout: Duration,
        _ body: @escaping @Sendable (PostgresSession, PostgresSession.CallLimits) -> Result
    ) async throws -> Result {
        let deadline = ContinuousClock.now + timeout
        let loan = try await self.borrow(timeout)
        let interrupt = Interrupt()
        let isClosed = self.running.withLock { running in
            running.interrupts[ObjectIdentifier(interrupt)] = interrupt
            return running.isClosed
        }
        if isClosed { interrupt.raise() }
        let done = await withTaskCancellationHandler {
            await loan.resource.perform { session in
                body(session, PostgresSession.CallLimits(deadline: deadline, interrupt: interrupt))
            }
        } onCancel: {
            interrupt.raise()
        }
        self.running.withLock { $0.interrupts[ObjectIdentifier(interrupt)] = nil }
        await self.pool.giveBack(loan, isReusable: done?.isReusable ?? false)
        guard let done else { throw ConnectorError.closed(self.id) }
        return done.result
    }

    /// The outcome of a call that closing the connection ended is that of a closed connection.
    private func named(_ outcome: Outcome) -> Outcome {
        guard let error = outcome.error, error.code == ConnectorError.Code.cancelled, !Task.isCancelled,
            self.running.withLock({ $0.isClosed })
        else { return outcome }
        var closed = ConnectorError.closed(self.id)
        closed.mayHaveExecuted = error.mayHaveExecuted
        return .failed(closed)
    }

    private func borrow(_ timeout: Duration) async throws -> ResourcePool<PostgresLink>.Loan {
        do {
            return try await self.pool.borrow(within: timeout)
        } catch ResourcePool<PostgresLink>.Refusal.exhausted {
            throw PostgresErrors.exhausted(self.id, self.settings.connectionsMaximum, timeout: timeout)
        } catch ResourcePool<PostgresLink>.Refusal.closed {
            throw ConnectorError.closed(self.id)
        } catch is CancellationError {
            // Nothing was sent yet.
            throw PostgresErrors.cut(.interrupted, timeout: timeout, mayHaveExecuted: false)
        } catch {
            var error = ConnectorError(wrapping: error)
            error.mayHaveExecuted = false
            throw error
        }
    }
}
