import ConnectorKit
import Engine
import Logging
import Metrics
import Resilience
import Synchronization

/// The calls of one connection: how many run, which wait, and what guards them.
///
/// Safe from any thread.
final class ConnectionLane: Sendable {
    private struct State {
        var running = 0
        var waiting: [ActivatedJob] = []
        var waitingStart = 0
        var guards: [ConnectionGuard.Key: ConnectionGuard] = [:]
        var descriptor: ConnectorDescriptor?
        var lastError: (message: String, at: Int64)?
        var calls = 0
        var attempts = 0
        var mode = CircuitBreaker.Mode.automatic
        var batchers: [BatchPlace: CallBatcher] = [:]
    }

    let declaration: ConnectionDeclaration
    let metrics: CallMetrics
    private let logger: Logger
    private let state = Mutex(State())

    /// The largest number of hosts told apart; calls to further ones share a guard.
    private static let guardsMax = 256

    /// Creates a lane whose breakers decide by themselves, or are in an imposed `mode`.
    init(_ declaration: ConnectionDeclaration, mode: CircuitBreaker.Mode = .automatic, logger: Logger) {
        self.declaration = declaration
        self.metrics = CallMetrics(connector: declaration.connector, connection: declaration.id)
        var logger = logger
        logger[metadataKey: "connection.id"] = "\(declaration.id)"
        self.logger = logger
        self.state.withLock { $0.mode = mode }
        self.metrics.breakerState.record(GuardStatus.level(mode: mode, state: .closed))
    }

    /// What the connection can do, as `module` says for its parameters.
    func descriptor(of module: any ConnectorModule) -> ConnectorDescriptor {
        if let known = self.state.withLock({ $0.descriptor }) { return known }
        let descriptor = module.descriptor(for: self.declaration.parameters)
        self.state.withLock { $0.descriptor = descriptor }
        return descriptor
    }

    // MARK: Jobs

    /// Takes a job.
    ///
    /// Returns true when the caller must start a loop that takes jobs with `next` until it returns nil.
    func enqueue(_ job: ActivatedJob) -> Bool {
        self.state.withLock { state in
            state.waiting.append(job)
            guard state.running < self.declaration.concurrencyMax else { return false }
            state.running += 1
            return true
        }
    }

    /// The next job for a loop; nil ends the loop.
    func next() -> ActivatedJob? {
        self.state.withLock { state in
            guard state.waitingStart < state.waiting.count else {
                state.running -= 1
                return nil
            }
            let job = state.waiting[state.waitingStart]
            state.waitingStart += 1
            if state.waitingStart == state.waiting.count || state.waitingStart >= 1_024 {
                state.waiting.removeFirst(state.waitingStart)
                state.waitingStart = 0
            }
            return job
        }
    }

    // MARK: Attempts

    /// Makes an attempt: alone, or together with others when the operation profits from that.
    func invoke(
        _ call: OperationCall, _ operation: OperationDescriptor, endpoint: Int, on connection: any Connection
    ) async -> Outcome {
        guard operation.batchMaximum > 1 else { return await connection.invoke(call) }
        let place = BatchPlace(operation: operation.id, endpoint: endpoint)
        let batcher = self.state.withLock { state in
            if let known = state.batchers[place] { return known }
            let new = CallBatcher(maximum: operation.batchMaximum)
            state.batchers[place] = new
            return new
        }
        return await batcher.invoke(call, on: connection)
    }

    /// What calls must have in common to be made together.
    private struct BatchPlace: Hashable {
        var operation: String
        var endpoint: Int
    }

    // MARK: Guards

    /// The guard of calls to `group` under `profile`, made when it is new.
    func `guard`(group: String, profile: ResilienceProfile) -> ConnectionGuard {
        self.state.withLock { state in
            var key = ConnectionGuard.Key(group: group, profile: profile.name)
            if let known = state.guards[key] { return known }
            if state.guards.count >= Self.guardsMax {
                key.group = ""
                if let known = state.guards[key] { return known }
            }
            let new = ConnectionGuard(
                key, profile: profile, endpoints: max(1, self.declaration.endpoints.count), mode: state.mode
            ) { [weak self] source, changes in self?.note(changes, of: source) }
            state.guards[key] = new
            return new
        }
    }

    private var allGuards: [ConnectionGuard] {
        self.state.withLock { state in
            state.guards.values.sorted { ($0.key.group, $0.key.profile) < ($1.key.group, $1.key.profile) }
        }
    }

    /// Imposes a breaker mode on every guard, present and to come; `automatic` begins closed.
    func setMode(_ mode: CircuitBreaker.Mode, actor: String) {
        self.state.withLock { $0.mode = mode }
        for each in self.allGuards {
            each.step { pipeline in
                if mode == .automatic, pipeline.breaker?.mode == .automatic { pipeline.breaker?.close() }
                pipeline.breaker?.setMode(mode)
            }
        }
        self.metrics.breakerState.record(GuardStatus.level(mode: mode, state: .closed))
        self.logger.info(
            "circuit breaker set by an operator",
            metadata: ["breaker.mode": "\(GuardStatus.word(mode) ?? "automatic")", "actor": "\(actor)"])
    }

    /// The mode an operator imposed.
    var mode: CircuitBreaker.Mode { self.state.withLock { $0.mode } }

    /// The open breaker that stays open longest; nil when all let calls through.
    func outage(at now: Duration) -> OutageWatch.Outage? {
        let mode = self.mode
        switch mode {
        case .forcedOpen, .isolated:
            return OutageWatch.Outage(
                connection: self.declaration.id, state: GuardStatus.word(mode) ?? "", remaining: nil)
        case .disabled, .metricsOnly, .forcedClosed: return nil
        case .automatic: break
        }
        return self.allGuards.compactMap { $0.openRemaining(at: now) }.max().map {
            OutageWatch.Outage(connection: self.declaration.id, state: "open", remaining: $0)
        }
    }

    private func note(_ changes: ConnectionGuard.Changes, of source: ConnectionGuard) {
        for event in changes.breaker {
            switch event {
            case .stateChanged(_, let state):
                self.metrics.breakerState.record(GuardStatus.level(mode: .automatic, state: state))
                self.metrics.transition(to: state)
                self.logger.info(
                    "circuit breaker changed",
                    metadata: [
                        "breaker.state": "\(GuardStatus.word(state))", "breaker.group": "\(source.key.group)",
                    ])
            case .failureRateExceeded(let percent), .slowRateExceeded(let percent):
                self.logger.info(
                    "circuit breaker would open",
                    metadata: ["rate.percent": "\(percent)", "breaker.group": "\(source.key.group)"])
            case .modeChanged:
                break
            }
        }
        for event in changes.endpoints {
            switch event {
            case .ejected(let endpoint, let reason, _):
                self.metrics.ejections.increment()
                self.logger.info(
                    "endpoint ejected", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason.rawValue)"])
            case .returned(let endpoint):
                self.logger.info("endpoint returned", metadata: ["endpoint": "\(endpoint)"])
            }
        }
        if let tokens = changes.retryTokens { self.metrics.retryTokens.record(tokens) }
        if let limit = changes.limit { self.metrics.concurrencyLimit.record(limit) }
    }

    // MARK: Figures

    func noteAttempt() {
        self.state.withLock { $0.attempts += 1 }
    }

    func noteCall(error: String?, at unixMilliseconds: Int64) {
        self.state.withLock { state in
            state.calls += 1
            if let error { state.lastError = (error, unixMilliseconds) }
        }
    }

    /// The lane for displays, at `now` on the connectors' clock.
    func status(isConnected: Bool, at now: Duration) -> ConnectionStatus {
        let guards = self.allGuards.map { $0.status(at: now) }
        let declaration = self.declaration
        return self.state.withLock { state in
            ConnectionStatus(
                id: declaration.id, connector: declaration.connector, isConnected: isConnected,
                imposed: GuardStatus.word(state.mode), running: state.running,
                waiting: state.waiting.count - state.waitingStart, concurrencyMax: declaration.concurrencyMax,
                calls: state.calls, attempts: state.attempts, lastError: state.lastError?.message,
                lastErrorAt: state.lastError?.at, profile: declaration.profile.name,
                settings: declaration.profile.document,
                operations: declaration.operations.sorted { $0.key < $1.key }.map {
                    ($0.key, $0.value.name, $0.value.document)
                }, rehearsal: declaration.rehearsal, guards: guards)
        }
    }
}
