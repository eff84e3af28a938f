/// Stops calling a remote that fails, and finds out when it is back.
///
/// Pure: no clock, no randomness, no I/O.
///
/// One breaker guards one (connector, connection, host or operation group). Every call first asks `tryAcquire`, and
/// hands the permit it got to `record` exactly once, with a verdict or as `.neutral`.
///
/// States: `closed` → `open` when a rate reaches its threshold or the remote asked to be left alone; `open` →
/// `halfOpen` by the first call strictly after `openUntil`; `halfOpen` → `closed` or `open` once `halfOpenPermits`
/// probes have reported. The semantics are resilience4j's, with its holes closed: a probe holds its permit on a lease,
/// a cancelled probe is no verdict, and results of calls that began in an earlier state never decide a later one.
public struct CircuitBreaker: Sendable {
    /// The automatic state.
    public enum State: Sendable, Hashable {
        /// Calls pass and are counted.
        case closed
        /// Calls are refused until `until`; `round` counts openings without a recovery between them, from 1.
        case open(until: Duration, round: Int)
        /// A few probes pass; `round` is that of the opening before.
        case halfOpen(since: Duration, round: Int)
    }

    /// What an operator imposed on the breaker.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// The breaker decides.
        case automatic
        /// Every call passes; nothing is counted.
        case disabled
        /// Every call passes and is counted; reaching a threshold is reported once, and has no effect.
        case metricsOnly
        /// Every call passes and is counted, because an operator said so; otherwise as `metricsOnly`.
        case forcedClosed
        /// Every call is refused, callers are told to come back after the first open time.
        case forcedOpen
        /// Every call is refused until an operator says otherwise; there is nothing to wait for.
        case isolated

        /// Whether outcomes go into the window.
        var counts: Bool {
            switch self {
            case .automatic, .metricsOnly, .forcedClosed: true
            case .disabled, .forcedOpen, .isolated: false
            }
        }
    }

    /// How a call ended, for the breaker.
    public enum Verdict: Sendable, Hashable {
        /// The remote worked.
        case success
        /// The remote failed.
        case failure
        /// The remote failed and asked not to be called for this long: opens at once.
        case failureOpening(Duration)
        /// No verdict (cancelled, ignored): the permit goes back and nothing is counted.
        case neutral
    }

    /// The right to make one call.
    public struct Permit: Sendable, Hashable {
        let era: UInt64
        let probe: UInt64
    }

    /// Why a call was refused.
    public struct Rejection: Error, Sendable, Hashable {
        /// The state that refused it.
        public enum Reason: String, Sendable, Hashable {
            /// Open: the remote failed too often.
            case open
            /// Half-open, and all probes are out.
            case probing
            /// An operator forced it open.
            case forcedOpen
            /// An operator isolated it.
            case isolated
        }
        /// The state that refused it.
        public let reason: Reason
        /// When to come back, counted from the `now` of the call, in whole milliseconds; `nil` when isolated.
        public let retryAfter: Duration?
    }

    /// What happened to the breaker itself, for logs and metrics.
    public enum Event: Sendable, Hashable {
        /// The automatic state changed.
        case stateChanged(from: State, to: State)
        /// An operator changed the mode.
        case modeChanged(from: Mode, to: Mode)
        /// In `metricsOnly` and `forcedClosed`: the failure rate reached its threshold. Once per stay in that mode.
        case failureRateExceeded(percent: Double)
        /// In `metricsOnly` and `forcedClosed`: the slow-call rate reached its threshold. Once per stay in that mode.
        case slowRateExceeded(percent: Double)
    }

    /// Totals since creation.
    public struct Totals: Sendable, Hashable {
        /// Calls let through.
        public internal(set) var admitted = 0
        /// Calls refused.
        public internal(set) var rejected = 0
        /// Verdicts of success.
        public internal(set) var successes = 0
        /// Verdicts of failure.
        public internal(set) var failures = 0
        /// Permits given back without a verdict, by the caller or by an expired lease.
        public internal(set) var released = 0
    }

    private struct Probe: Sendable {
        let id: UInt64
        let leaseUntil: Duration
    }

    /// The policy it follows.
    public let policy: Policy
    /// The automatic state.
    ///
    /// Changes only inside a call; an expired open time shows as `open` until the next one.
    public private(set) var state: State = .closed
    /// The operator's mode.
    public private(set) var mode: Mode = .automatic
    /// Totals since creation.
    public private(set) var totals = Totals()

    private var window: OutcomeWindow
    private var probeCounts = OutcomeCounts()
    private var probes: [Probe] = []
    private var halfOpenSince: Duration = .zero
    private var sawExpiredProbe = false
    private var nextProbe: UInt64 = 1
    /// Counts the states gone through, so that a late result can be told from a current one.
    private var era: UInt64 = 1
    private var hasReportedFailureRate = false
    private var hasReportedSlowRate = false
    private var events: [Event] = []

    /// Creates a closed breaker.
    public init(policy: Policy = Policy()) {
        self.policy = policy
        self.window = OutcomeWindow(policy.window)
    }

    /// The counts a decision would be taken from now: the window, or the probes while half-open.
    public var counts: OutcomeCounts {
        if case .halfOpen = self.state { return self.probeCounts }
        return self.window.total
    }

    /// Probes that hold a permit.
    public var outstandingProbes: Int { self.probes.count }

    /// The moment from which the automatic state may change without a result, if there is one.
    public var nextTransition: Duration? {
        switch self.state {
        case .closed: nil
        case .open(let until, _): until
        case .halfOpen: self.halfOpenSince + self.policy.effectiveHalfOpenMaximum
        }
    }

    /// Takes the events since the last time, oldest first.
    ///
    /// Only the latest 64 are kept.
    public mutating func takeEvents() -> [Event] {
        guard !self.events.isEmpty else { return [] }
        defer { self.events.removeAll(keepingCapacity: true) }
        return self.events
    }
}

// MARK: - Calls

extension CircuitBreaker {
    /// Asks for permission to make one call at `now`.
    ///
    /// `lease` is how long a probe may stay silent; `nil`: the policy's.
    public mutating func tryAcquire(at now: Duration, lease: Duration? = nil) -> Result<Permit, Rejection> {
        switch self.mode {
        case .disabled, .metricsOnly, .forcedClosed:
            return .success(self.admit())
        case .forcedOpen:
            return self.reject(.forcedOpen, retryAfter: self.policy.openDuration(round: 1))
        case .isolated:
            return self.reject(.isolated, retryAfter: nil)
        case .automatic:
            break
        }
        if case .open(let until, let round) = self.state {
            guard now > until else { return self.reject(.open, retryAfter: until - now) }
            self.move(to: .halfOpen(since: now, round: round))
        }
        if case .halfOpen = self.state {
            self.settleHalfOpen(at: now)
        }
        switch self.state {
        case .closed:
            return .success(self.admit())
        case .open(let until, _):
            return self.reject(.open, retryAfter: until - now)
        case .halfOpen:
            guard self.probes.count + self.probeCounts.calls < self.policy.halfOpenPermits else {
                let firstLease = self.probes.map(\.leaseUntil).min() ?? now
                return self.reject(.probing, retryAfter: min(firstLease - now, self.policy.openDuration(round: 1)))
            }
            let permit = self.admit(probe: self.nextProbe)
            self.probes.append(Probe(id: self.nextProbe, leaseUntil: now + (lease ?? self.policy.probeLease)))
            self.nextProbe += 1
            return .success(permit)
        }
    }

    /// Reports how the call that got `permit` ended at `now`, after `duration`.
    ///
    /// A permit of an earlier state, or one whose lease ran out, counts in `totals` only.
    public mutating func record(_ verdict: Verdict, for permit: Permit, took duration: Duration, at now: Duration) {
        switch verdict {
        case .success: self.totals.successes += 1
        case .failure, .failureOpening: self.totals.failures += 1
        case .neutral: self.totals.released += 1
        }
        guard self.mode.counts, permit.era == self.era else { return }
        let isSlow = duration > self.policy.slowCallDuration
        switch self.state {
        case .closed:
            guard verdict != .neutral else { return }
            self.window.record(isFailure: verdict != .success, isSlow: isSlow, at: now)
            self.decideClosed(verdict, at: now)
        case .open:
            // Only reached with a permit of this era when an operator's mode let calls through meanwhile.
            guard verdict != .neutral else { return }
            self.window.record(isFailure: verdict != .success, isSlow: isSlow, at: now)
        case .halfOpen(_, let round):
            guard let index = self.probes.firstIndex(where: { $0.id == permit.probe }) else { return }
            self.probes.remove(at: index)
            guard verdict != .neutral else { return }
            self.probeCounts.add(isFailure: verdict != .success, isSlow: isSlow)
            if case .failureOpening(let wait) = verdict, self.mode == .automatic {
                self.open(for: wait, round: round + 1, at: now)
            } else if self.probeCounts.calls >= self.policy.halfOpenPermits, self.mode == .automatic {
                self.decideHalfOpen(round: round, at: now)
            }
        }
    }

    private mutating func admit(probe: UInt64 = 0) -> Permit {
        self.totals.admitted += 1
        return Permit(era: self.era, probe: probe)
    }

    private mutating func reject(_ reason: Rejection.Reason, retryAfter: Duration?) -> Result<Permit, Rejection> {
        self.totals.rejected += 1
        // One nanosecond more: the open state ends strictly after its deadline.
        let wait = retryAfter.map { (max($0, .zero) + .nanoseconds(1)).roundedUpToMilliseconds }
        return .failure(Rejection(reason: reason, retryAfter: wait))
    }
}

// MARK: - Decisions

extension CircuitBreaker {
    private mutating func decideClosed(_ verdict: Verdict, at now: Duration) {
        if case .failureOpening(let wait) = verdict, self.mode == .automatic {
            self.open(for: wait, round: 1, at: now)
            return
        }
        let counts = self.window.total
        guard counts.calls >= self.policy.effectiveMinimumCalls else { return }
        let failureRateReached = counts.failureRatePercent >= self.policy.failureRatePercent
        let slowRateReached = counts.slowRatePercent >= self.policy.slowRatePercent
        guard self.mode == .automatic else {
            if failureRateReached, !self.hasReportedFailureRate {
                self.hasReportedFailureRate = true
                self.note(.failureRateExceeded(percent: counts.failureRatePercent))
            }
            if slowRateReached, !self.hasReportedSlowRate {
                self.hasReportedSlowRate = true
                self.note(.slowRateExceeded(percent: counts.slowRatePercent))
            }
            return
        }
        if failureRateReached || slowRateReached {
            self.open(for: self.policy.openDuration(round: 1), round: 1, at: now)
        }
    }

    private mutating func decideHalfOpen(round: Int, at now: Duration) {
        let failed =
            self.probeCounts.failureRatePercent >= self.policy.failureRatePercent
            || self.probeCounts.slowRatePercent >= self.policy.slowRatePercent
        if failed {
            self.open(for: self.policy.openDuration(round: round + 1), round: round + 1, at: now)
        } else {
            self.move(to: .closed)
        }
    }

    /// Takes back permits whose lease ran out, and decides when half-open has lasted too long: from the results there
    /// are; without any, a probe that hung speaks against the remote; without one of those, the wait starts again.
    private mutating func settleHalfOpen(at now: Duration) {
        guard case .halfOpen(_, let round) = self.state else { return }
        let before = self.probes.count
        self.probes.removeAll { $0.leaseUntil <= now }
        if self.probes.count < before {
            self.sawExpiredProbe = true
            self.totals.released += before - self.probes.count
        }
        guard now >= self.halfOpenSince + self.policy.effectiveHalfOpenMaximum else { return }
        if self.probeCounts.calls > 0 {
            self.decideHalfOpen(round: round, at: now)
        } else if self.sawExpiredProbe {
            self.open(for: self.policy.openDuration(round: round + 1), round: round + 1, at: now)
        } else {
            self.halfOpenSince = now
        }
    }

    private mutating func open(for wait: Duration, round: Int, at now: Duration) {
        let clamped = max(.zero, min(wait, max(self.policy.openDurationMaximum, self.policy.openDuration)))
        self.move(to: .open(until: now + clamped, round: round))
    }

    private mutating func move(to next: State) {
        let previous = self.state
        self.state = next
        self.era += 1
        self.probes.removeAll(keepingCapacity: true)
        self.probeCounts = OutcomeCounts()
        self.sawExpiredProbe = false
        switch next {
        case .closed: self.window = OutcomeWindow(self.policy.window)
        case .halfOpen(let since, _): self.halfOpenSince = since
        case .open: break
        }
        self.note(.stateChanged(from: previous, to: next))
    }

    private mutating func note(_ event: Event) {
        if self.events.count >= 64 { self.events.removeFirst() }
        self.events.append(event)
    }
}

// MARK: - Operators

extension CircuitBreaker {
    /// Imposes `mode`.
    ///
    /// Going back to `automatic` starts closed, with an empty window.
    public mutating func setMode(_ mode: Mode) {
        guard mode != self.mode else { return }
        let previous = self.mode
        self.mode = mode
        self.hasReportedFailureRate = false
        self.hasReportedSlowRate = false
        self.note(.modeChanged(from: previous, to: mode))
        if mode == .automatic { self.move(to: .closed) }
    }

    /// Opens now, for `duration` or the first open time; recovery then takes its usual course.
    public mutating func open(at now: Duration, for duration: Duration? = nil) {
        self.open(for: duration ?? self.policy.openDuration(round: 1), round: 1, at: now)
    }

    /// Closes now, with an empty window.
    public mutating func close() {
        self.move(to: .closed)
    }

    /// Lets time pass without a call: takes back leases and ends an open time that is over.
    ///
    /// For drivers that want the state shown to follow the clock.
    public mutating func advance(to now: Duration) {
        guard self.mode == .automatic else { return }
        self.window.advance(to: now)
        if case .open(let until, let round) = self.state, now > until {
            self.move(to: .halfOpen(since: now, round: round))
        }
        self.settleHalfOpen(at: now)
    }
}
