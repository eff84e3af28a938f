import Resilience
import Values

/// A connection, for displays.
public struct ConnectionStatus: Sendable {
    /// Its name.
    public var id: String
    /// The connector it belongs to.
    public var connector: String
    /// Whether it was made; connections are made when first needed.
    public var isConnected: Bool
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
    /// What guards its calls: one entry per host and profile that was called.
    public var guards: [GuardStatus]

    /// The worst breaker state of its guards: `open`, `half-open` or `closed`; `forced-open` and the like when an
    /// operator imposed it; `none` without a breaker.
    public var breaker: String {
        let order = ["isolated", "forced-open", "open", "half-open", "closed", "metrics-only", "disabled", "none"]
        return self.guards.map(\.breaker).min { (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0) }
            ?? "closed"
    }
}

/// One breaker with its window, and the retry budget beside it.
public struct GuardStatus: Sendable {
    /// The host; empty for the connection's own.
    public var group: String
    /// The profile in force.
    public var profile: String
    /// The breaker's state: `closed`, `open`, `half-open`, an imposed mode, or `none`.
    public var breaker: String
    /// Milliseconds until an open breaker lets a call through.
    public var opensMilliseconds: Int64?
    /// Calls in the breaker's window.
    public var windowCalls: Int
    /// Failed calls in it.
    public var windowFailures: Int
    /// Slow calls in it.
    public var windowSlowCalls: Int
    /// Calls let through since the hub started.
    public var admitted: Int
    /// Calls refused since the hub started.
    public var rejected: Int
    /// Tokens left for retries; nil without a budget.
    public var retryTokens: Int?
    /// Attempts the rate limit lets through at once; nil without one.
    public var rateRemaining: Int?

    init(_ key: ConnectionLane.GuardKey, _ pipeline: CallPipeline, at now: Duration) {
        self.group = key.group
        self.profile = key.profile
        self.breaker = pipeline.breaker.map(Self.word) ?? "none"
        if case .open(let until, _)? = pipeline.breaker?.state {
            self.opensMilliseconds = max(.zero, until - now).wholeMilliseconds
        }
        let counts = pipeline.breaker?.counts
        self.windowCalls = counts?.calls ?? 0
        self.windowFailures = counts?.failures ?? 0
        self.windowSlowCalls = counts?.slowCalls ?? 0
        self.admitted = pipeline.breaker?.totals.admitted ?? 0
        self.rejected = pipeline.breaker?.totals.rejected ?? 0
        self.retryTokens = pipeline.budget?.tokens
        self.rateRemaining = pipeline.limiter?.remaining(at: now)
    }

    private static func word(_ breaker: CircuitBreaker) -> String {
        switch breaker.mode {
        case .disabled: return "disabled"
        case .metricsOnly: return "metrics-only"
        case .forcedOpen: return "forced-open"
        case .isolated: return "isolated"
        case .automatic: return Self.word(breaker.state)
        }
    }

    static func word(_ state: CircuitBreaker.State) -> String {
        switch state {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half-open"
        }
    }
}
