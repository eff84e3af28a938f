import Metrics
import Resilience
import Synchronization

/// What guards the calls of a connection to one host: the pipeline behind its lock, and those who wait for a place.
///
/// Safe from any thread. Nothing is called while the lock is held.
final class ConnectionGuard: Sendable {
    /// Names what one breaker guards: calls to one host, under one profile.
    struct Key: Hashable, Sendable {
        /// The host or operation group; empty for the connection's own.
        var group: String
        /// The profile's name.
        var profile: String
    }

    /// What somebody who waits for a place is told.
    enum Answer: Sendable {
        case granted, refused, cancelled
    }

    /// What a step did to the machines, to be logged and measured outside of the lock.
    struct Changes: Sendable {
        var breaker: [CircuitBreaker.Event] = []
        var endpoints: [OutlierDetector.Event] = []
        var retryTokens: Int?
        var limit: Int?

        var isEmpty: Bool {
            self.breaker.isEmpty && self.endpoints.isEmpty && self.retryTokens == nil && self.limit == nil
        }
    }

    private struct State {
        var pipeline: CallPipeline
        var waiting: [Bulkhead.Ticket: CheckedContinuation<Answer, Never>] = [:]
        /// Answers that came before anybody waited for them.
        var early: [Bulkhead.Ticket: Answer] = [:]
    }

    let key: Key
    private let state: Mutex<State>
    private let report: @Sendable (ConnectionGuard, Changes) -> Void

    /// Creates a guard with a closed breaker, or one in `mode`; `report` hears of every change that somebody may want to
    /// see.
    init(
        _ key: Key, profile: ResilienceProfile, endpoints: Int, mode: CircuitBreaker.Mode,
        report: @escaping @Sendable (ConnectionGuard, Changes) -> Void
    ) {
        var pipeline = CallPipeline(profile: profile, endpoints: endpoints)
        if mode != .automatic {
            pipeline.breaker?.setMode(mode)
            _ = pipeline.breaker?.takeEvents()
        }
        self.key = key
        self.state = Mutex(State(pipeline: pipeline))
        self.report = report
    }

    /// Works on the pipeline; tells those whose wait ended because of it.
    func step<Result: Sendable>(_ body: (inout CallPipeline) -> Result) -> Result {
        var changes = Changes()
        let (result, woken) = self.state.withLock { state in
            let tokens = state.pipeline.budget?.tokens
            let limit = state.pipeline.bulkhead?.limit
            let result = body(&state.pipeline)
            changes.breaker = state.pipeline.breaker?.takeEvents() ?? []
            changes.endpoints = state.pipeline.takeOutlierEvents()
            if let now = state.pipeline.budget?.tokens, now != tokens { changes.retryTokens = now }
            if let now = state.pipeline.bulkhead?.limit, now != limit { changes.limit = now }
            var woken: [(CheckedContinuation<Answer, Never>, Answer)] = []
            for answer in state.pipeline.takeAnswers() {
                let word: Answer = answer.isGranted ? .granted : .refused
                if let continuation = state.waiting.removeValue(forKey: answer.ticket) {
                    woken.append((continuation, word))
                } else {
                    state.early[answer.ticket] = word
                }
            }
            return (result, woken)
        }
        for (continuation, answer) in woken { continuation.resume(returning: answer) }
        if !changes.isEmpty { self.report(self, changes) }
        return result
    }

    /// Waits for the answer to `ticket`; `cancelled` when the task is, and no answer was given before.
    func answer(to ticket: Bulkhead.Ticket) async -> Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = self.state.withLock { state in
                    let early = state.early.removeValue(forKey: ticket)
                    if early == nil { state.waiting[ticket] = continuation }
                    return early
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Answer, Never>? in
                guard state.pipeline.cancelWait(ticket) else { return nil }
                if let continuation = state.waiting.removeValue(forKey: ticket) { return continuation }
                state.early[ticket] = .cancelled
                return nil
            }
            continuation?.resume(returning: .cancelled)
        }
    }

    /// How long the breaker stays open; nil when it lets calls through.
    func openRemaining(at now: Duration) -> Duration? {
        self.step { pipeline in
            pipeline.breaker?.advance(to: now)
            guard let breaker = pipeline.breaker, case .open(let until, _) = breaker.state else { return nil }
            return max(.milliseconds(1), until - now)
        }
    }

    /// The guard for displays.
    func status(at now: Duration) -> GuardStatus {
        self.step { pipeline in
            pipeline.breaker?.advance(to: now)
            return GuardStatus(self.key, pipeline, at: now)
        }
    }
}
