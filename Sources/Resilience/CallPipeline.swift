/// The resilience layer around the calls of one connection, in its fixed order: total deadline → rate limit → bulkhead,
/// fixed or adaptive → retry with budgets → circuit breaker → attempt timeout → idempotency key → transport.
///
/// Pure: no clock, no randomness, no I/O.
///
/// One value per (connector, connection, host or operation group), shared by all its calls; a driver keeps it behind a
/// lock. Each call is a `Call` of its own:
///
///     var call = pipeline.call(safety: .idempotent, idempotencyKey: key, at: now)
///     var action = pipeline.begin(&call, at: now, unit: random)
///     // .attempt → send, then pipeline.finish(&call, outcome, of: attempt.id, at:, unit:)
///     // .waitThenAttempt → wait, then pipeline.begin(&call, at:, unit:)
///     // .waitForPlace → wait for the answer, then pipeline.resume(&call, granted:, at:, unit:)
///     // anything else ends the call
///     // after each step: tell those whom takeAnswers() names
///
/// A call that is neither ended nor `abandon`ed holds its place and its share of the budgets for ever.
public struct CallPipeline: Sendable {
    /// The settings.
    public let profile: ResilienceProfile
    /// The breaker, unless the profile has none.
    public var breaker: CircuitBreaker?
    /// The places, unless the profile bounds none.
    public internal(set) var bulkhead: Bulkhead?
    /// What the number of places follows, unless it is fixed.
    public internal(set) var adaptive: AdaptiveLimit?
    /// The retry budget, unless the profile has none.
    public internal(set) var budget: RetryBudget?
    /// The bound on concurrent retries, unless the profile has none.
    public internal(set) var retryConcurrency: RetryConcurrency?
    /// The rate limit, unless the profile has none.
    ///
    /// Every attempt counts, also a retry.
    public internal(set) var limiter: RateLimiter?
    /// The endpoints, when there are several.
    public internal(set) var outliers: OutlierDetector?
    /// Calls that began and have not ended.
    public internal(set) var active = 0
    /// What was decided so far.
    public internal(set) var totals = Totals()
    var answers: [Bulkhead.Answer] = []

    /// Creates a pipeline with a closed breaker and full budgets.
    public init(profile: ResilienceProfile, endpoints: Int = 1) {
        self.profile = profile
        self.breaker = profile.breaker.map { CircuitBreaker(policy: $0) }
        self.budget = profile.budget.map { RetryBudget(policy: $0) }
        self.retryConcurrency = profile.retryConcurrency.map { RetryConcurrency(policy: $0) }
        self.limiter = profile.rateLimit.map { RateLimiter(policy: $0) }
        self.outliers = endpoints > 1 ? OutlierDetector(policy: profile.outlierPolicy, count: endpoints) : nil
        if let policy = profile.bulkhead {
            var bulkhead = Bulkhead(policy: policy)
            self.adaptive = policy.adaptive.map { AdaptiveLimit(policy: $0, maximum: policy.maximumConcurrent) }
            if let adaptive { _ = bulkhead.setLimit(adaptive.limit, at: .zero) }
            self.bulkhead = bulkhead
        }
    }

    /// Starts a call.
    ///
    /// - Parameters:
    ///   - profile: What the call itself wants (timeouts, retries, hedges, faults); nil: as the pipeline's.
    ///   - safety: What carrying it out twice would do.
    ///   - idempotencyKey: Handed on to every attempt.
    ///   - now: The time.
    ///   - failedAttempts: Those of earlier runs.
    ///   - deadline: On the clock of `now`; can only shorten the profile's total timeout.
    public func call(
        profile: ResilienceProfile? = nil, safety: RepeatSafety, idempotencyKey: String?, at now: Duration,
        failedAttempts: Int = 0, deadline: Duration? = nil
    ) -> Call {
        let profile = profile ?? self.profile
        let own = now + profile.totalTimeout
        return Call(
            profile: profile, safety: safety, idempotencyKey: idempotencyKey,
            deadline: deadline.map { min($0, own) } ?? own, failedAttempts: failedAttempts)
    }

    /// Asks for the next attempt at `now`: at the start, and after each wait.
    ///
    /// `unit` is a random number in [0, 1); only rehearsed faults and ejections with jitter look at it.
    public mutating func begin(_ call: inout Call, at now: Duration, unit: Double = 0) -> Action {
        guard case .ready = call.phase else {
            preconditionFailure("begin: the call is in phase \(call.phase), not ready")
        }
        if !call.isCounted {
            call.isCounted = true
            self.active += 1
            self.totals.calls += 1
        }
        let remaining = call.deadline - now
        guard remaining > .zero else {
            return self.end(&call, .deadlineExceeded, call.lastFailure ?? CallFailure(kind: .timeout), at: now)
        }
        if let wait = self.limiter?.wait(at: now), wait > .zero {
            self.totals.rateLimited += 1
            guard wait < remaining else {
                return self.end(&call, .deadlineExceeded, call.lastFailure ?? CallFailure(kind: .rateLimited), at: now)
            }
            if wait > call.settings.retry.inProcessWaitMaximum {
                return self.reschedule(&call, .longWait, after: wait.roundedUpToMilliseconds, at: now)
            }
            return .waitThenAttempt(wait)
        }
        if !call.hasPlace {
            switch self.bulkhead?.enter(at: now, deadline: call.deadline) {
            case nil:
                break
            case .granted:
                call.hasPlace = true
            case .queued(let ticket):
                self.totals.queued += 1
                call.phase = .waiting(ticket)
                return .waitForPlace(ticket)
            case .full:
                return self.reschedule(&call, .bulkheadFull, after: self.bulkheadPause, at: now)
            }
        }
        let timeout = min(call.settings.attemptTimeout, remaining)
        switch self.breaker?.tryAcquire(at: now, lease: timeout) {
        case nil:
            return .attempt(self.start(&call, nil, timeout, isHedge: false, at: now, unit))
        case .success(let permit):
            return .attempt(self.start(&call, permit, timeout, isHedge: false, at: now, unit))
        case .failure(let rejection):
            guard let retryAfter = rejection.retryAfter else {
                return self.end(&call, .isolated, CallFailure(kind: .unavailable), at: now)
            }
            return self.reschedule(&call, .circuitOpen, after: retryAfter, at: now)
        }
    }

    /// Goes on with a call that waited for a place and got its answer.
    public mutating func resume(_ call: inout Call, granted: Bool, at now: Duration, unit: Double = 0) -> Action {
        guard case .waiting = call.phase else {
            preconditionFailure("resume: the call is in phase \(call.phase), not waiting")
        }
        call.phase = .ready
        guard granted else {
            return self.reschedule(&call, .bulkheadFull, after: self.bulkheadPause, at: now)
        }
        call.hasPlace = true
        return self.begin(&call, at: now, unit: unit)
    }

    /// Asks for one more attempt beside those that run, because they have been silent for `hedgeAfter`.
    ///
    /// Nil when there is to be none: for calls that must not be carried out twice, when the rate limit, the breaker or a
    /// budget forbids it, or when the call has had its hedges.
    public mutating func hedge(_ call: inout Call, at now: Duration, unit: Double = 0) -> Attempt? {
        guard case .attempting = call.phase, self.mayHedge(call), call.deadline > now,
            self.limiter?.wait(at: now) ?? .zero <= .zero, self.breaker?.waitWhileNotClosed(at: now) == nil,
            self.payForRetry(&call, after: .transient)
        else { return nil }
        let timeout = min(call.settings.attemptTimeout, call.deadline - now)
        let permit = try? self.breaker?.tryAcquire(at: now, lease: timeout).get()
        return self.start(&call, permit, timeout, isHedge: true, at: now, unit)
    }

    /// Takes the result of an attempt at `now`; without `id`, of the only one that runs.
    ///
    /// After a success the other attempts of the call are to be cancelled; their results are of no interest.
    /// `unit` is a random number in [0, 1).
    public mutating func finish(
        _ call: inout Call, _ outcome: Outcome, of id: Int? = nil, at now: Duration, unit: Double
    ) -> Action {
        guard case .attempting = call.phase, let running = call.take(id) else {
            preconditionFailure("finish: the call is in phase \(call.phase) and has no such attempt")
        }
        self.report(outcome, of: running, at: now, unit)
        switch outcome {
        case .success:
            self.budget?.succeeded(lastCost: call.lastRetryCost)
            self.totals.successes += 1
            self.close(&call, at: now)
            return .succeed
        case .cancelled(let mayHaveExecuted):
            return self.end(&call, .cancelled, CallFailure(kind: .unknown, mayHaveExecuted: mayHaveExecuted), at: now)
        case .failure(let failure):
            call.lastFailure = failure
            if !call.isAlone, call.settings.retry.allowsRetry(after: failure, safety: call.safety) {
                return .awaitOthers
            }
            return self.afterFailure(&call, failure, at: now, unit: unit)
        }
    }

    /// Takes the result of the attempt, with the caller's generator.
    public mutating func finish(
        _ call: inout Call, _ outcome: Outcome, at now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Action {
        self.finish(&call, outcome, at: now, unit: generator.nextUnit())
    }

    /// Ends a call whose caller went away, with no verdict; gives back everything it holds.
    ///
    /// Not for a call whose ticket was answered: `resume` it first. Harmless after the end.
    public mutating func abandon(_ call: inout Call, at now: Duration) {
        if case .ended = call.phase { return }
        if case .waiting(let ticket) = call.phase { _ = self.bulkhead?.cancel(ticket) }
        self.close(&call, at: now)
    }

    /// Takes somebody out of the queue for places; false when the answer was given before.
    public mutating func cancelWait(_ ticket: Bulkhead.Ticket) -> Bool {
        self.bulkhead?.cancel(ticket) ?? false
    }

    /// Takes the answers for those who wait for places, in order.
    public mutating func takeAnswers() -> [Bulkhead.Answer] {
        guard !self.answers.isEmpty else { return [] }
        defer { self.answers.removeAll(keepingCapacity: true) }
        return self.answers
    }

    /// Takes what happened to endpoints since the last time.
    public mutating func takeOutlierEvents() -> [OutlierDetector.Event] {
        self.outliers?.takeEvents() ?? []
    }
}
