import Engine
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
        var guards: [GuardKey: CallPipeline] = [:]
        var lastError: (message: String, at: Int64)?
        var calls = 0
        var attempts = 0
        var mode = CircuitBreaker.Mode.automatic
    }

    /// Names what one breaker guards: calls to one host, under one profile.
    struct GuardKey: Hashable, Sendable {
        /// The host or operation group; empty for the connection's own.
        var group: String
        /// The profile's name.
        var profile: String
    }

    let declaration: ConnectionDeclaration
    let metrics: CallMetrics
    private let state = Mutex(State())

    /// The largest number of hosts told apart; calls to further ones share a guard.
    private static let guardsMax = 256

    init(_ declaration: ConnectionDeclaration) {
        self.declaration = declaration
        self.metrics = CallMetrics(connector: declaration.connector, connection: declaration.id)
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

    // MARK: Guards

    /// Works on the pipeline that guards `key`, made from `profile` when it is new.
    func withPipeline<Result: Sendable>(
        _ key: GuardKey, profile: ResilienceProfile, _ body: (inout CallPipeline) -> Result
    ) -> (result: Result, events: [CircuitBreaker.Event]) {
        self.state.withLock { state in
            var key = key
            if state.guards[key] == nil, state.guards.count >= Self.guardsMax { key.group = "" }
            var pipeline = state.guards.removeValue(forKey: key) ?? self.fresh(profile, mode: state.mode)
            let result = body(&pipeline)
            let events = pipeline.breaker?.takeEvents() ?? []
            state.guards[key] = pipeline
            return (result, events)
        }
    }

    private func fresh(_ profile: ResilienceProfile, mode: CircuitBreaker.Mode) -> CallPipeline {
        var pipeline = CallPipeline(profile: profile)
        if mode != .automatic { pipeline.breaker?.setMode(mode) }
        return pipeline
    }

    /// Imposes a breaker mode on every guard, present and to come.
    func setMode(_ mode: CircuitBreaker.Mode) {
        self.state.withLock { state in
            state.mode = mode
            for key in state.guards.keys { state.guards[key]?.breaker?.setMode(mode) }
        }
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
        self.state.withLock { state in
            var guards: [GuardStatus] = []
            for key in state.guards.keys.sorted(by: { ($0.group, $0.profile) < ($1.group, $1.profile) }) {
                state.guards[key]?.breaker?.advance(to: now)
                guard let pipeline = state.guards[key] else { continue }
                guards.append(GuardStatus(key, pipeline, at: now))
            }
            return ConnectionStatus(
                id: self.declaration.id, connector: self.declaration.connector, isConnected: isConnected,
                running: state.running, waiting: state.waiting.count - state.waitingStart,
                concurrencyMax: self.declaration.concurrencyMax, calls: state.calls, attempts: state.attempts,
                lastError: state.lastError?.message, lastErrorAt: state.lastError?.at, guards: guards)
        }
    }
}

/// Figures of one connection's calls.
///
/// Labels stay bounded: connectors and connections are declared, results are few.
struct CallMetrics: Sendable {
    let succeeded: Counter
    let failed: Counter
    let postponed: Counter
    let attempts: Counter
    let seconds: Timer

    init(connector: String, connection: String) {
        let dimensions = [("connector", connector), ("connection", connection)]
        func counter(_ result: String) -> Counter {
            Counter(label: "connector_calls_total", dimensions: dimensions + [("result", result)])
        }
        self.succeeded = counter("succeeded")
        self.failed = counter("failed")
        self.postponed = counter("postponed")
        self.attempts = Counter(label: "connector_attempts_total", dimensions: dimensions)
        self.seconds = Timer(label: "connector_attempt_seconds", dimensions: dimensions)
    }
}
