/// Everything the resilience layer needs to know to guard the calls of a connection: a named bundle of settings.
///
/// Given in configuration as an object (see `init(_:base:path:diagnostics:)`), overridable per connection, per operation
/// and in the process model.
public struct ResilienceProfile: Sendable, Hashable {
    /// The name it is known by.
    public var name: String
    /// Limit for one attempt.
    ///
    /// Default 30 s.
    public var attemptTimeout: Duration = .seconds(30)
    /// Limit for the whole call, retries and waits in process included.
    ///
    /// Default 90 s.
    public var totalTimeout: Duration = .seconds(90)
    /// Limit for making a connection; within the attempt.
    ///
    /// Default 5 s.
    public var connectTimeout: Duration = .seconds(5)
    /// How many attempts may be made in a time; `nil`, the default: any.
    public var rateLimit: RateLimiter.Policy?
    /// How many calls run at once to one host; `nil`, the default: as many as the connection allows.
    public var bulkhead: Bulkhead.Policy?
    /// Which failures are tried again.
    public var retry = RetryPolicy()
    /// When calls stop; `nil`: never.
    public var breaker: CircuitBreaker.Policy? = CircuitBreaker.Policy()
    /// Limit on retries of all calls together over time; `nil`: none.
    public var budget: RetryBudget.Policy? = RetryBudget.Policy()
    /// Limit on calls in a retry at once; `nil`, the default: none.
    public var retryConcurrency: RetryConcurrency.Policy?
    /// When slow calls are sent a second time; `nil`, the default: never.
    public var hedge: HedgePolicy?
    /// When an endpoint of several is left out; `nil`: never.
    public var outliers: OutlierDetector.Policy? = OutlierDetector.Policy()
    /// Which calls are remembered durably before they are sent.
    public var recording = CallRecording()
    /// Failures and delays injected on purpose; `nil`, the default: none.
    public var faults: FaultPolicy?

    /// Creates a profile with the default settings.
    public init(name: String) {
        self.name = name
    }

    /// Four attempts, full jitter from 500 ms to 20 s, breaker at half of at least ten calls in a minute.
    public static let standard = ResilienceProfile(name: "default")

    /// For callers who wait for the answer: two attempts, five seconds in all, few retries at once.
    public static let interactive: ResilienceProfile = {
        var profile = ResilienceProfile(name: "interactive")
        profile.attemptTimeout = .seconds(3)
        profile.totalTimeout = .seconds(5)
        profile.connectTimeout = .seconds(1)
        profile.retry.maximumAttempts = 2
        profile.retry.backoff = .fullJitter(base: .milliseconds(100), cap: .seconds(1))
        profile.retry.inProcessWaitMaximum = .seconds(1)
        profile.retryConcurrency = RetryConcurrency.Policy()
        return profile
    }()

    /// For work nobody waits for: ten attempts, waits of up to five minutes.
    public static let background: ResilienceProfile = {
        var profile = ResilienceProfile(name: "background")
        profile.attemptTimeout = .seconds(60)
        profile.totalTimeout = .seconds(300)
        profile.retry.maximumAttempts = 10
        profile.retry.backoff = .fullJitter(base: .seconds(1), cap: .seconds(300))
        profile.retry.retryAfterMaximum = .seconds(900)
        return profile
    }()

    /// One attempt, no breaker, no budget.
    public static let none: ResilienceProfile = {
        var profile = ResilienceProfile(name: "none")
        profile.retry = .never
        profile.breaker = nil
        profile.budget = nil
        profile.outliers = nil
        return profile
    }()

    /// The profiles that exist without configuration.
    public static let builtIn: [ResilienceProfile] = [.standard, .interactive, .background, .none]

    /// Whether calls under `other` can share breaker, limits and budgets with calls under this profile: they differ in
    /// what concerns a single call only (name, timeouts, retries, hedges, recording, faults).
    public func sharesGuards(with other: ResilienceProfile) -> Bool {
        var breaker = other.breaker
        // The lease of a probe is given with each attempt.
        if let own = self.breaker { breaker?.probeLease = own.probeLease }
        return self.rateLimit == other.rateLimit && self.bulkhead == other.bulkhead && self.breaker == breaker
            && self.budget == other.budget && self.retryConcurrency == other.retryConcurrency
            && self.outliers == other.outliers
    }

    /// The rules for endpoints; without any, endpoints take turns and none is ejected.
    var outlierPolicy: OutlierDetector.Policy {
        if let outliers { return outliers }
        var policy = OutlierDetector.Policy()
        policy.consecutiveFailures = nil
        policy.consecutiveUnreachable = nil
        policy.successRate = nil
        return policy
    }
}
