import Resilience
public import Values

/// A connection, for displays.
public struct ConnectionStatus: Sendable {
    /// Its name.
    public var id: String
    /// The connector it belongs to.
    public var connector: String
    /// Whether it was made; connections are made when first needed.
    public var isConnected: Bool
    /// What an operator imposed on its breakers; nil when nothing.
    public var imposed: String?
    /// Calls that run.
    public var running: Int
    /// Calls that wait for a place.
    public var waiting: Int
    /// How many calls may run at once.
    public var concurrencyMax: Int
    /// Calls that ended since the hub started, repeated attempts not counted.
    public var calls: Int
    /// Attempts made since the hub started.
    public var attempts: Int
    /// The last failure, if there was one.
    public var lastError: String?
    /// When it happened, in Unix milliseconds.
    public var lastErrorAt: Int64?
    /// The name of the profile that guards its calls.
    public var profile: String
    /// The profile, every setting written out.
    public var settings: Value
    /// The same for operations that have profiles of their own.
    public var operations: [(operation: String, profile: String, settings: Value)]
    /// The faults injected on purpose, in words; nil: none.
    public var rehearsal: String?
    /// What guards its calls: one entry per host and profile that was called.
    public var guards: [GuardStatus]
    /// Who imposed a mode on its breakers; nil when nothing is imposed.
    public var imposedBy: String?
    /// The triggers its open breakers keep from reading.
    public var pausedTriggers: [String] = []

    /// The worst breaker state of its guards: `open`, `half-open` or `closed`; `forced-open` and the like when an
    /// operator imposed it; `none` without a breaker.
    public var breaker: String {
        if let imposed { return imposed }
        let order = ["open", "half-open", "closed", "none"]
        return self.guards.map(\.breaker).min { (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0) }
            ?? "closed"
    }
}

extension ConnectionDeclaration {
    /// The faults injected on purpose, in words; nil: none.
    var rehearsal: String? {
        let profiles = [self.profile] + self.operations.sorted { $0.key < $1.key }.map(\.value)
        let texts = profiles.compactMap { profile in profile.faults.map { "\(profile.name): \($0.summary)" } }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }
}

/// What an operator does to the breakers of a connection.
public enum BreakerCommand: String, Sendable, CaseIterable {
    /// Refuses every call and tells callers to come back; until changed.
    case open
    /// Lets every call pass, whatever fails; until changed.
    case close
    /// Refuses every call, with nothing to wait for; until changed.
    case isolate
    /// Gives the decision back to the breaker, which begins closed.
    case reset

    var mode: CircuitBreaker.Mode {
        switch self {
        case .open: .forcedOpen
        case .close: .forcedClosed
        case .isolate: .isolated
        case .reset: .automatic
        }
    }
}

/// What guards the calls to one host under one profile.
public struct GuardStatus: Sendable {
    /// The host; empty for the connection's own.
    public var group: String
    /// The profile in force.
    public var profile: String
    /// The breaker's state: `closed`, `open`, `half-open`, an imposed mode, or `none`.
    public var breaker: String
    /// Milliseconds until an open breaker lets a call through.
    public var opensMilliseconds: Int64?
    /// Calls in the breaker's window; while half-open, the probes that reported.
    public var windowCalls: Int
    /// Failed calls in it.
    public var windowFailures: Int
    /// Slow calls in it.
    public var windowSlowCalls: Int
    /// Calls let through since the hub started.
    public var admitted: Int
    /// Calls refused since the hub started.
    public var rejected: Int
    /// Calls that run, wait, and may run at once; nil when only the connection bounds them.
    public var places: (running: Int, waiting: Int, limit: Int)?
    /// Mean round trip an adaptive limit goes by, in milliseconds.
    public var meanMilliseconds: Double?
    /// Tokens left for retries; nil without a budget.
    public var retryTokens: Int?
    /// Calls in a retry, and how many may be; nil without a bound.
    public var retrying: (now: Int, allowed: Int)?
    /// Attempts the rate limit lets through at once; nil without one.
    public var rateRemaining: Int?
    /// The endpoints, when there are several.
    public var endpoints: [(calls: Int, failures: Int, ejectedMilliseconds: Int64?)]
    /// What was decided since the hub started, by name.
    public var decisions: [(name: String, count: Int)]

    init(_ key: ConnectionGuard.Key, _ pipeline: CallPipeline, at now: Duration) {
        self.group = key.group
        self.profile = key.profile
        self.breaker = pipeline.breaker.map { Self.word($0.mode) ?? Self.word($0.state) } ?? "none"
        if case .open(let until, _)? = pipeline.breaker?.state, pipeline.breaker?.mode == .automatic {
            self.opensMilliseconds = max(.zero, until - now).wholeMilliseconds
        }
        let counts = pipeline.breaker?.counts
        self.windowCalls = counts?.calls ?? 0
        self.windowFailures = counts?.failures ?? 0
        self.windowSlowCalls = counts?.slowCalls ?? 0
        self.admitted = pipeline.breaker?.totals.admitted ?? 0
        self.rejected = pipeline.breaker?.totals.rejected ?? 0
        self.places = pipeline.bulkhead.map { ($0.running, $0.waiting, $0.limit) }
        self.meanMilliseconds = pipeline.adaptive?.meanSeconds.map { $0 * 1_000 }
        self.retryTokens = pipeline.budget?.tokens
        self.retrying = pipeline.retryConcurrency.map { ($0.retrying, $0.allowed(active: pipeline.active)) }
        self.rateRemaining = pipeline.limiter?.remaining(at: now)
        self.endpoints = (pipeline.outliers?.endpoints ?? []).map { endpoint in
            (endpoint.calls, endpoint.failures, endpoint.ejectedUntil.map { max(.zero, $0 - now).wholeMilliseconds })
        }
        let totals = pipeline.totals
        self.decisions = [
            ("calls", totals.calls), ("attempts", totals.attempts), ("retries", totals.retries),
            ("hedges", totals.hedges), ("successes", totals.successes), ("failures", totals.failures),
            ("rateLimited", totals.rateLimited), ("queued", totals.queued),
            ("bulkheadRejections", totals.bulkheadRejections), ("circuitRejections", totals.circuitRejections),
            ("longWaits", totals.longWaits), ("budgetRefusals", totals.budgetRefusals),
            ("deadlinesExceeded", totals.deadlinesExceeded), ("injectedFailures", totals.injectedFailures),
            ("injectedDelays", totals.injectedDelays),
        ]
    }

    /// What an operator imposed, in words; nil for nothing.
    static func word(_ mode: CircuitBreaker.Mode) -> String? {
        switch mode {
        case .automatic: nil
        case .disabled: "disabled"
        case .metricsOnly: "metrics-only"
        case .forcedClosed: "forced-closed"
        case .forcedOpen: "forced-open"
        case .isolated: "isolated"
        }
    }

    static func word(_ state: CircuitBreaker.State) -> String {
        switch state {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half-open"
        }
    }

    /// The state as a number: 0 closed, 1 half-open, 2 open, 3 refused by an operator.
    static func level(mode: CircuitBreaker.Mode, state: CircuitBreaker.State) -> Int {
        switch mode {
        case .forcedOpen, .isolated: 3
        case .disabled, .metricsOnly, .forcedClosed: 0
        case .automatic:
            switch state {
            case .closed: 0
            case .halfOpen: 1
            case .open: 2
            }
        }
    }
}
