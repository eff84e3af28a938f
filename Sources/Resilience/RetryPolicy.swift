/// Which failures are tried again, how often and after how long.
public struct RetryPolicy: Sendable, Hashable {
    /// What is special about one kind of failure.
    public struct KindRule: Sendable, Hashable {
        /// Whether this kind is tried again; `nil`: as usual for the kind.
        public var isRetryable: Bool?
        /// Attempts in all when the latest failure is of this kind; `nil`: as for every kind.
        public var maximumAttempts: Int?
        /// Waits after this kind; `nil`: as for every kind.
        public var backoff: Backoff?

        /// Creates a rule.
        public init(isRetryable: Bool? = nil, maximumAttempts: Int? = nil, backoff: Backoff? = nil) {
            self.isRetryable = isRetryable
            self.maximumAttempts = maximumAttempts
            self.backoff = backoff
        }
    }

    /// Attempts in all, the first included; at least 1.
    ///
    /// Default 4.
    public var maximumAttempts = 4
    /// Waits between attempts.
    ///
    /// Default: full jitter from 500 ms to 20 s.
    public var backoff: Backoff = .fullJitter(base: .milliseconds(500), cap: .seconds(20))
    /// The longest `Retry-After` obeyed; a longer one is cut to this, so that a remote cannot park a caller for a day.
    ///
    /// `nil`: the remote's wish is ignored. Default 60 s.
    public var retryAfterMaximum: Duration? = .seconds(60)
    /// Waits longer than this are handed to the caller's scheduler instead of being waited out in process.
    ///
    /// Default 5 s.
    public var inProcessWaitMaximum: Duration = .seconds(5)
    /// Rules for single kinds.
    public var kinds: [FailureKind: KindRule] = [:]

    /// Creates the default policy.
    public init() {}

    /// A policy of one attempt.
    public static var never: RetryPolicy {
        var policy = RetryPolicy()
        policy.maximumAttempts = 1
        return policy
    }

    /// Whether a call of this `safety` may be attempted again after `failure`, the number of attempts aside.
    ///
    /// In order: an unsafe call the remote may have seen is never repeated; then the rule for the kind decides, then
    /// the connector's own verdict, then the kind's default.
    public func allowsRetry(after failure: CallFailure, safety: RepeatSafety) -> Bool {
        if safety == .unsafe && failure.mayHaveExecuted { return false }
        return self.kinds[failure.kind]?.isRetryable ?? failure.isRetryable ?? failure.kind.isRetryableByDefault
    }
}

/// Counts the attempts of one call and says when the next one is due.
///
/// Pure: no clock, no randomness.
public struct RetryMachine: Sendable, Hashable {
    /// What to do after a failure.
    public enum Decision: Sendable, Hashable {
        /// Try again after this long.
        case retry(after: Duration)
        /// Do not try again.
        case stop(Reason)
    }

    /// Why there is no further attempt.
    public enum Reason: String, Sendable, Hashable {
        /// The failure is not of a kind that passes.
        case notRetryable
        /// The effect may have happened and must not happen twice.
        case mayHaveExecuted
        /// All attempts are used.
        case attemptsExhausted
    }

    /// Attempts that failed so far.
    public private(set) var failedAttempts: Int
    private var memory = BackoffMemory()

    /// Starts a call that already failed `failedAttempts` times in earlier runs.
    public init(failedAttempts: Int = 0) {
        self.failedAttempts = max(0, failedAttempts)
    }

    /// An attempt failed.
    ///
    /// `unit` is a random number in [0, 1).
    ///
    /// With a `retryAfter` the wait is the longer one of it, cut to the policy's maximum, and the backoff.
    public mutating func attemptFailed(
        _ failure: CallFailure, safety: RepeatSafety, policy: RetryPolicy, unit: Double
    ) -> Decision {
        self.failedAttempts += 1
        guard policy.allowsRetry(after: failure, safety: safety) else {
            return .stop(safety == .unsafe && failure.mayHaveExecuted ? .mayHaveExecuted : .notRetryable)
        }
        let rule = policy.kinds[failure.kind]
        guard self.failedAttempts < max(1, rule?.maximumAttempts ?? policy.maximumAttempts) else {
            return .stop(.attemptsExhausted)
        }
        var delay = self.memory.nextDelay(rule?.backoff ?? policy.backoff, unit: unit)
        if let asked = failure.retryAfter, let maximum = policy.retryAfterMaximum {
            delay = max(delay, min(asked, maximum))
        }
        return .retry(after: delay)
    }
}
