import Metrics
import Resilience

/// Figures of one connection's calls.
///
/// Labels stay bounded: connectors and connections are declared, results, reasons and states are few.
struct CallMetrics: Sendable {
    let succeeded: Counter
    let failed: Counter
    let postponed: Counter
    let attempts: Counter
    let retries: Counter
    let hedges: Counter
    /// Calls answered by the record of an earlier run.
    let replayed: Counter
    let ejections: Counter
    let injectedFailures: Counter
    let injectedDelays: Counter
    let seconds: Timer
    /// 0 closed, 1 half-open, 2 open, 3 refused by an operator.
    let breakerState: Gauge
    let retryTokens: Gauge
    let concurrencyLimit: Gauge
    private let refusals: [String: Counter]
    private let transitions: [String: Counter]

    init(connector: String, connection: String) {
        let dimensions = [("connector", connector), ("connection", connection)]
        func counter(_ label: String, _ extra: (String, String)? = nil) -> Counter {
            Counter(label: label, dimensions: dimensions + (extra.map { [$0] } ?? []))
        }
        func gauge(_ label: String) -> Gauge { Gauge(label: label, dimensions: dimensions) }
        self.succeeded = counter("connector_calls_total", ("result", "succeeded"))
        self.failed = counter("connector_calls_total", ("result", "failed"))
        self.postponed = counter("connector_calls_total", ("result", "postponed"))
        self.attempts = counter("connector_attempts_total")
        self.retries = counter("connector_retries_total")
        self.replayed = counter("connector_replays_total")
        self.hedges = counter("connector_hedges_total")
        self.ejections = counter("connector_endpoint_ejections_total")
        self.injectedFailures = counter("connector_faults_injected_total", ("fault", "failure"))
        self.injectedDelays = counter("connector_faults_injected_total", ("fault", "delay"))
        self.seconds = Timer(label: "connector_attempt_seconds", dimensions: dimensions)
        self.breakerState = gauge("connector_breaker_state")
        self.retryTokens = gauge("connector_retry_tokens")
        self.concurrencyLimit = gauge("connector_concurrency_limit")
        let reasons =
            CallPipeline.Reschedule.Reason.allCases.map(\.rawValue)
            + CallPipeline.Ending.Reason.allCases.map(\.rawValue)
        self.refusals = Dictionary(
            reasons.map { ($0, counter("connector_refusals_total", ("reason", $0))) }, uniquingKeysWith: { $1 })
        self.transitions = Dictionary(
            ["closed", "open", "half-open"].map { ($0, counter("connector_breaker_transitions_total", ("to", $0))) },
            uniquingKeysWith: { $1 })
    }

    /// The pipeline gave a call back or ended it.
    func refused(_ reason: CallPipeline.Reschedule.Reason) {
        self.refusals[reason.rawValue]?.increment()
    }

    /// The pipeline ended a call.
    func refused(_ reason: CallPipeline.Ending.Reason) {
        self.refusals[reason.rawValue]?.increment()
    }

    /// A breaker changed its state.
    func transition(to state: CircuitBreaker.State) {
        self.transitions[GuardStatus.word(state)]?.increment()
    }
}
