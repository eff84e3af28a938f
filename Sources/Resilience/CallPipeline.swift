/// The resilience layer around the calls of one connection, in its fixed order: total deadline → rate limit → retry
/// with budget → circuit breaker → attempt timeout → idempotency key → transport.
///
/// Pure: no clock, no randomness, no I/O.
///
/// One value per (connector, connection, host or operation group), shared by all its calls; a driver keeps it behind a
/// lock. Each call is a `Call` of its own:
///
///     var call = pipeline.call(safety: .idempotent, idempotencyKey: key, at: now)
///     var action = pipeline.begin(&call, at: now)
///     // .attempt → send, then pipeline.finish(&call, outcome, at:, unit:)
///     // .waitThenAttempt → wait, then pipeline.begin(&call, at:)
///     // anything else ends the call
public struct CallPipeline: Sendable {
    /// What the driver does next.
    public enum Action: Sendable, Hashable {
        /// Send the request once.
        case attempt(Attempt)
        /// Wait this long, then ask `begin` again.
        case waitThenAttempt(Duration)
        /// The call succeeded.
        case succeed
        /// Give the work back to its queue and start a new call later.
        case reschedule(Reschedule)
        /// The call failed for good.
        case fail(Ending)
    }

    /// One attempt to make.
    public struct Attempt: Sendable, Hashable {
        /// Number of the attempt, from 1, over all runs of the call.
        public let number: Int
        /// How long it may take: the attempt timeout or what is left of the total, whichever is less.
        public let timeout: Duration
        /// The key to send, if the call has one.
        public let idempotencyKey: String?
    }

    /// Why and when to come back.
    public struct Reschedule: Sendable, Hashable {
        /// What stands in the way.
        public enum Reason: String, Sendable, Hashable {
            /// The breaker is open or probing. Nothing was burnt.
            case circuitOpen
            /// The next wait, for the backoff or the rate limit, is too long to hold a worker.
            case longWait
        }
        /// What stands in the way.
        public let reason: Reason
        /// How long to wait.
        public let after: Duration
        /// Attempts that count as failed so far; hand them to the next `Call`.
        public let failedAttempts: Int
        /// The failure that led here; `nil` when nothing was attempted.
        public let failure: CallFailure?
    }

    /// How a call failed for good.
    public struct Ending: Sendable, Hashable {
        /// Why there is no further attempt.
        public enum Reason: String, Sendable, Hashable {
            /// The failure is not of a kind that passes.
            case notRetryable
            /// The effect may have happened and must not happen twice.
            case mayHaveExecuted
            /// All attempts are used.
            case attemptsExhausted
            /// The connection's retries are used up for now.
            case budgetExhausted
            /// The total time is up, or would be before the next attempt.
            case deadlineExceeded
            /// An operator isolated the connection.
            case isolated
            /// The caller gave up.
            case cancelled
        }
        /// Why there is no further attempt.
        public let reason: Reason
        /// The last failure.
        public let failure: CallFailure
        /// Attempts that failed.
        public let failedAttempts: Int
    }

    /// How an attempt ended.
    public enum Outcome: Sendable, Hashable {
        /// The remote did it.
        case success
        /// It failed.
        case failure(CallFailure)
        /// The caller gave up; no verdict on the remote.
        case cancelled(mayHaveExecuted: Bool)
    }

    /// One logical call on its way through the pipeline.
    public struct Call: Sendable {
        enum Phase: Sendable {
            case ready
            case attempting(CircuitBreaker.Permit?, since: Duration)
            case ended
        }
        let safety: RepeatSafety
        let idempotencyKey: String?
        let deadline: Duration
        var retry: RetryMachine
        var phase: Phase = .ready
        var lastFailure: CallFailure?
        var lastRetryCost = 0

        /// Attempts that count as failed so far, earlier runs included.
        public var failedAttempts: Int { self.retry.failedAttempts }
    }

    /// The settings.
    public let profile: ResilienceProfile
    /// The breaker, unless the profile has none.
    public var breaker: CircuitBreaker?
    /// The retry budget, unless the profile has none.
    public private(set) var budget: RetryBudget?
    /// The rate limit, unless the profile has none.
    ///
    /// Every attempt counts, also a retry.
    public private(set) var limiter: RateLimiter?

    /// Creates a pipeline with a closed breaker and a full budget.
    public init(profile: ResilienceProfile) {
        self.profile = profile
        self.breaker = profile.breaker.map { CircuitBreaker(policy: $0) }
        self.budget = profile.budget.map { RetryBudget(policy: $0) }
        self.limiter = profile.rateLimit.map { RateLimiter(policy: $0) }
    }

    /// Starts a call.
    ///
    /// `failedAttempts` are those of earlier runs; `deadline` (on the clock of `now`) can only shorten the profile's
    /// total timeout.
    public func call(
        safety: RepeatSafety, idempotencyKey: String?, at now: Duration, failedAttempts: Int = 0,
        deadline: Duration? = nil
    ) -> Call {
        let own = now + self.profile.totalTimeout
        return Call(
            safety: safety, idempotencyKey: idempotencyKey, deadline: deadline.map { min($0, own) } ?? own,
            retry: RetryMachine(failedAttempts: failedAttempts))
    }

    /// Asks for the next attempt at `now`: at the start, and after each wait.
    public mutating func begin(_ call: inout Call, at now: Duration) -> Action {
        guard case .ready = call.phase else {
            preconditionFailure("begin: the call is in phase \(call.phase), not ready")
        }
        let remaining = call.deadline - now
        guard remaining > .zero else {
            return self.end(&call, .deadlineExceeded, call.lastFailure ?? CallFailure(kind: .timeout))
        }
        if let wait = self.limiter?.wait(at: now), wait > .zero {
            guard wait < remaining else {
                return self.end(&call, .deadlineExceeded, call.lastFailure ?? CallFailure(kind: .rateLimited))
            }
            if wait > self.profile.retry.inProcessWaitMaximum {
                return self.reschedule(&call, .longWait, after: wait.roundedUpToMilliseconds)
            }
            return .waitThenAttempt(wait)
        }
        let timeout = min(self.profile.attemptTimeout, remaining)
        var permit: CircuitBreaker.Permit?
        switch self.breaker?.tryAcquire(at: now, lease: timeout) {
        case nil:
            break
        case .success(let granted):
            permit = granted
        case .failure(let rejection):
            guard let retryAfter = rejection.retryAfter else {
                return self.end(&call, .isolated, CallFailure(kind: .unavailable))
            }
            return self.reschedule(&call, .circuitOpen, after: retryAfter)
        }
        self.limiter?.take(at: now)
        call.phase = .attempting(permit, since: now)
        return .attempt(
            Attempt(
                number: call.retry.failedAttempts + 1, timeout: timeout, idempotencyKey: call.idempotencyKey))
    }

    /// Takes the result of the attempt at `now`.
    ///
    /// `unit` is a random number in [0, 1).
    public mutating func finish(
        _ call: inout Call, _ outcome: Outcome, at now: Duration, unit: Double
    ) -> Action {
        guard case .attempting(let permit, let since) = call.phase else {
            preconditionFailure("finish: the call is in phase \(call.phase), not attempting")
        }
        if let permit {
            let verdict = self.verdict(on: outcome)
            self.breaker?.record(verdict, for: permit, took: now - since, at: now)
        }
        switch outcome {
        case .success:
            call.phase = .ended
            self.budget?.succeeded(lastCost: call.lastRetryCost)
            return .succeed
        case .cancelled(let mayHaveExecuted):
            return self.end(&call, .cancelled, CallFailure(kind: .unknown, mayHaveExecuted: mayHaveExecuted))
        case .failure(let failure):
            return self.afterFailure(&call, failure, at: now, unit: unit)
        }
    }

    /// Takes the result of the attempt, with the caller's generator.
    public mutating func finish(
        _ call: inout Call, _ outcome: Outcome, at now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Action {
        self.finish(&call, outcome, at: now, unit: generator.nextUnit())
    }
}

extension CallPipeline {
    private mutating func afterFailure(
        _ call: inout Call, _ failure: CallFailure, at now: Duration, unit: Double
    ) -> Action {
        call.lastFailure = failure
        // While the circuit is not closed, a failure that may pass burns no retry: an outage must not turn into
        // incidents and dead letters.
        if let wait = self.breaker?.waitWhileNotClosed(at: now),
            self.profile.retry.allowsRetry(after: failure, safety: call.safety)
        {
            return self.reschedule(&call, .circuitOpen, after: wait)
        }
        let policy = self.profile.retry
        switch call.retry.attemptFailed(failure, safety: call.safety, policy: policy, unit: unit) {
        case .stop(.notRetryable): return self.end(&call, .notRetryable, failure)
        case .stop(.mayHaveExecuted): return self.end(&call, .mayHaveExecuted, failure)
        case .stop(.attemptsExhausted): return self.end(&call, .attemptsExhausted, failure)
        case .retry(let delay):
            if delay > policy.inProcessWaitMaximum {
                return self.reschedule(&call, .longWait, after: delay.roundedUpToMilliseconds)
            }
            guard now + delay < call.deadline else { return self.end(&call, .deadlineExceeded, failure) }
            if self.budget != nil {
                guard let cost = self.budget?.tryWithdraw(after: failure.kind) else {
                    return self.end(&call, .budgetExhausted, failure)
                }
                call.lastRetryCost = cost
            }
            call.phase = .ready
            return .waitThenAttempt(delay)
        }
    }

    private func verdict(on outcome: Outcome) -> CircuitBreaker.Verdict {
        switch outcome {
        case .success: .success
        case .cancelled: .neutral
        case .failure(let failure): self.profile.breaker?.verdict(on: failure) ?? .neutral
        }
    }

    private func end(_ call: inout Call, _ reason: Ending.Reason, _ failure: CallFailure) -> Action {
        call.phase = .ended
        return .fail(Ending(reason: reason, failure: failure, failedAttempts: call.retry.failedAttempts))
    }

    private func reschedule(_ call: inout Call, _ reason: Reschedule.Reason, after: Duration) -> Action {
        call.phase = .ended
        return .reschedule(
            Reschedule(
                reason: reason, after: after, failedAttempts: call.retry.failedAttempts, failure: call.lastFailure))
    }
}

extension CircuitBreaker.Policy {
    /// What a failure means for the breaker.
    public func verdict(on failure: CallFailure) -> CircuitBreaker.Verdict {
        if self.ignoredKinds.contains(failure.kind) { return .neutral }
        guard self.failureKinds.contains(failure.kind) else { return .success }
        if self.opensOnRetryAfter, let wait = failure.retryAfter { return .failureOpening(wait) }
        return .failure
    }
}

extension CircuitBreaker {
    /// How long a caller whose attempt just failed should stay away; `nil` while calls pass.
    func waitWhileNotClosed(at now: Duration) -> Duration? {
        switch self.mode {
        case .disabled, .metricsOnly: return nil
        case .forcedOpen, .isolated: return self.policy.openDuration(round: 1)
        case .automatic: break
        }
        switch self.state {
        case .closed: return nil
        case .open(let until, _): return (max(until - now, .zero) + .nanoseconds(1)).roundedUpToMilliseconds
        case .halfOpen: return self.policy.openDuration(round: 1)
        }
    }
}
