/// Everything the resilience layer needs to know to guard the calls of a connection: a named bundle of settings.
///
/// Given in configuration as an object (see `init(_:base:path:diagnostics:)`), overridable per connection and per
/// operation.
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
    /// Which failures are tried again.
    public var retry = RetryPolicy()
    /// When calls stop; `nil`: never.
    public var breaker: CircuitBreaker.Policy? = CircuitBreaker.Policy()
    /// Limit on retries of all calls together; `nil`: none.
    public var budget: RetryBudget.Policy? = RetryBudget.Policy()

    /// Creates a profile with the default settings.
    public init(name: String) {
        self.name = name
    }

    /// Four attempts, full jitter from 500 ms to 20 s, breaker at half of at least ten calls in a minute.
    public static let standard = ResilienceProfile(name: "default")

    /// For callers who wait for the answer: two attempts, five seconds in all.
    public static let interactive: ResilienceProfile = {
        var profile = ResilienceProfile(name: "interactive")
        profile.attemptTimeout = .seconds(3)
        profile.totalTimeout = .seconds(5)
        profile.connectTimeout = .seconds(1)
        profile.retry.maximumAttempts = 2
        profile.retry.backoff = .fullJitter(base: .milliseconds(100), cap: .seconds(1))
        profile.retry.inProcessWaitMaximum = .seconds(1)
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
        return profile
    }()

    /// The profiles that exist without configuration.
    public static let builtIn: [ResilienceProfile] = [.standard, .interactive, .background, .none]
}
