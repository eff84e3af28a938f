/// Chooses among the endpoints of one connection and leaves out, for a while, those that fail where the others do not.
///
/// Pure: no clock, no randomness. The rules are Envoy's outlier detection, with one addition: the last endpoint is never
/// ejected. Endpoints are known by their index.
public struct OutlierDetector: Sendable {
    /// When an endpoint is ejected, and for how long.
    public struct Policy: Sendable, Hashable {
        /// Ejected after this many failures in a row; nil: never for that reason.
        ///
        /// Default 5.
        public var consecutiveFailures: Int? = 5
        /// Ejected after this many times in a row in which it could not be reached at all; nil: never.
        ///
        /// Default 5.
        public var consecutiveUnreachable: Int? = 5
        /// Rates are compared, and ejections end, this often.
        ///
        /// Default 10 s.
        public var interval: Duration = .seconds(10)
        /// An ejection lasts this long times the number of ejections so far.
        ///
        /// Default 30 s.
        public var ejection: Duration = .seconds(30)
        /// No ejection lasts longer, jitter aside.
        ///
        /// Default 300 s.
        public var ejectionMaximum: Duration = .seconds(300)
        /// Up to this much is added to an ejection, at random.
        ///
        /// Default 0.
        public var ejectionJitter: Duration = .zero
        /// At most this percentage of the endpoints is ejected at once, but always at least one may be.
        ///
        /// Default 10.
        public var ejectedPercentMaximum = 10.0
        /// Compares success rates; nil: not.
        public var successRate: SuccessRate? = SuccessRate()
        /// Looks at failure percentages; nil, the default: not.
        public var failurePercentage: FailurePercentage?

        /// Ejects endpoints whose success rate is far below that of the others.
        public struct SuccessRate: Sendable, Hashable {
            /// Endpoints with enough calls that are needed to compare.
            ///
            /// Default 5.
            public var endpointsMinimum = 5
            /// Calls in an interval that are enough.
            ///
            /// Default 100.
            public var callsMinimum = 100
            /// Ejected below the mean minus this many standard deviations.
            ///
            /// Default 1.9.
            public var deviations = 1.9

            /// Creates the default constants.
            public init() {}
        }

        /// Ejects endpoints that fail too often, whatever the others do.
        public struct FailurePercentage: Sendable, Hashable {
            /// Ejected at this percentage of failures, or above.
            ///
            /// Default 85.
            public var threshold = 85.0
            /// Endpoints with enough calls that are needed.
            ///
            /// Default 5.
            public var endpointsMinimum = 5
            /// Calls in an interval that are enough.
            ///
            /// Default 50.
            public var callsMinimum = 50

            /// Creates the default constants.
            public init() {}
        }

        /// Creates the default policy.
        public init() {}
    }

    /// How an attempt at an endpoint ended.
    public enum Outcome: Sendable, Hashable {
        /// The endpoint worked.
        case success
        /// The endpoint failed.
        case failure
        /// The endpoint could not be reached.
        case unreachable
    }

    /// Why an endpoint was ejected.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Failures in a row.
        case consecutiveFailures
        /// Not reached several times in a row.
        case consecutiveUnreachable
        /// A success rate far below the others'.
        case successRate
        /// Too many failures.
        case failurePercentage
    }

    /// What changed.
    public enum Event: Sendable, Hashable {
        /// Left out until then.
        case ejected(endpoint: Int, reason: Reason, until: Duration)
        /// Back.
        case returned(endpoint: Int)
    }

    /// One endpoint, for displays.
    public struct Endpoint: Sendable, Hashable {
        /// Until when it is left out; nil while it is used.
        public internal(set) var ejectedUntil: Duration?
        /// Ejections that still lengthen the next one.
        public internal(set) var ejections = 0
        /// Attempts since creation.
        public internal(set) var calls = 0
        /// Of these, the failed ones.
        public internal(set) var failures = 0
        var failuresInARow = 0
        var unreachableInARow = 0
        var intervalCalls = 0
        var intervalSuccesses = 0
    }

    /// The policy it follows.
    public let policy: Policy
    /// The endpoints, by index.
    public private(set) var endpoints: [Endpoint]
    private var nextSweep: Duration?
    private var last = -1
    private var events: [Event] = []

    /// Creates a detector of `count` endpoints, all in use.
    public init(policy: Policy = Policy(), count: Int) {
        precondition(count > 0, "init: expected at least one endpoint but found \(count)")
        self.policy = policy
        self.endpoints = Array(repeating: Endpoint(), count: count)
    }

    /// Endpoints left out.
    public var ejectedCount: Int { self.endpoints.count { $0.ejectedUntil != nil } }

    /// The endpoint for the next attempt at `now`: one after the other, the ejected ones left out.
    ///
    /// `unit` is a random number in [0, 1), for the jitter of ejections that begin now.
    public mutating func choose(at now: Duration, unit: Double = 0) -> Int {
        self.sweepIfDue(at: now, unit: unit)
        for step in 1...self.endpoints.count {
            let index = (self.last + step) % self.endpoints.count
            guard self.endpoints[index].ejectedUntil == nil else { continue }
            self.last = index
            return index
        }
        preconditionFailure("choose: all \(self.endpoints.count) endpoints are ejected")
    }

    /// An attempt at `endpoint` ended at `now`.
    public mutating func record(_ outcome: Outcome, of endpoint: Int, at now: Duration, unit: Double = 0) {
        self.endpoints[endpoint].calls += 1
        self.endpoints[endpoint].intervalCalls += 1
        switch outcome {
        case .success:
            self.endpoints[endpoint].intervalSuccesses += 1
            self.endpoints[endpoint].failuresInARow = 0
            self.endpoints[endpoint].unreachableInARow = 0
        case .failure:
            self.endpoints[endpoint].failures += 1
            self.endpoints[endpoint].failuresInARow += 1
            self.endpoints[endpoint].unreachableInARow = 0
        case .unreachable:
            self.endpoints[endpoint].failures += 1
            self.endpoints[endpoint].failuresInARow += 1
            self.endpoints[endpoint].unreachableInARow += 1
        }
        let state = self.endpoints[endpoint]
        if let limit = self.policy.consecutiveUnreachable, state.unreachableInARow >= limit {
            self.eject(endpoint, .consecutiveUnreachable, at: now, unit)
        } else if let limit = self.policy.consecutiveFailures, state.failuresInARow >= limit {
            self.eject(endpoint, .consecutiveFailures, at: now, unit)
        }
        self.sweepIfDue(at: now, unit: unit)
    }

    /// An active health check of `endpoint` passed: it is used again, and what it did before is forgotten.
    public mutating func passedHealthCheck(_ endpoint: Int) {
        self.restore(endpoint)
        self.endpoints[endpoint].ejections = 0
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

// MARK: - Decisions

extension OutlierDetector {
    private mutating func sweepIfDue(at now: Duration, unit: Double) {
        guard let due = self.nextSweep else {
            self.nextSweep = now + self.policy.interval
            return
        }
        guard now >= due else { return }
        self.nextSweep = now + self.policy.interval
        for index in self.endpoints.indices {
            if let until = self.endpoints[index].ejectedUntil {
                if now >= until { self.restore(index) }
            } else if self.endpoints[index].ejections > 0 {
                // An interval without an ejection makes the next one shorter.
                self.endpoints[index].ejections -= 1
            }
        }
        self.compareSuccessRates(at: now, unit)
        self.checkFailurePercentages(at: now, unit)
        for index in self.endpoints.indices {
            self.endpoints[index].intervalCalls = 0
            self.endpoints[index].intervalSuccesses = 0
        }
    }

    private func successPercent(_ index: Int) -> Double {
        100 * Double(self.endpoints[index].intervalSuccesses) / Double(self.endpoints[index].intervalCalls)
    }

    private mutating func compareSuccessRates(at now: Duration, _ unit: Double) {
        guard let rule = self.policy.successRate else { return }
        let busy = self.endpoints.indices.filter { self.endpoints[$0].intervalCalls >= max(1, rule.callsMinimum) }
        guard busy.count >= max(1, rule.endpointsMinimum) else { return }
        let rates = busy.map { self.successPercent($0) }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
        let threshold = mean - rule.deviations * variance.squareRoot()
        for (index, rate) in zip(busy, rates) where rate < threshold {
            self.eject(index, .successRate, at: now, unit)
        }
    }

    private mutating func checkFailurePercentages(at now: Duration, _ unit: Double) {
        guard let rule = self.policy.failurePercentage else { return }
        let busy = self.endpoints.indices.filter { self.endpoints[$0].intervalCalls >= max(1, rule.callsMinimum) }
        guard busy.count >= max(1, rule.endpointsMinimum) else { return }
        for index in busy where 100 - self.successPercent(index) >= rule.threshold {
            self.eject(index, .failurePercentage, at: now, unit)
        }
    }

    private mutating func eject(_ endpoint: Int, _ reason: Reason, at now: Duration, _ unit: Double) {
        guard self.endpoints[endpoint].ejectedUntil == nil else { return }
        let ejected = self.ejectedCount
        let share = Int(self.policy.ejectedPercentMaximum * Double(self.endpoints.count) / 100)
        guard ejected < max(1, share), ejected + 1 < self.endpoints.count else { return }
        self.endpoints[endpoint].ejections += 1
        let length = min(
            self.policy.ejection * self.endpoints[endpoint].ejections,
            max(self.policy.ejectionMaximum, self.policy.ejection))
        let until = now + length + .clampedSeconds(self.policy.ejectionJitter.inSeconds * unit)
        self.endpoints[endpoint].ejectedUntil = until
        self.note(.ejected(endpoint: endpoint, reason: reason, until: until))
    }

    private mutating func restore(_ endpoint: Int) {
        self.endpoints[endpoint].failuresInARow = 0
        self.endpoints[endpoint].unreachableInARow = 0
        guard self.endpoints[endpoint].ejectedUntil != nil else { return }
        self.endpoints[endpoint].ejectedUntil = nil
        self.note(.returned(endpoint: endpoint))
    }

    private mutating func note(_ event: Event) {
        if self.events.count >= 64 { self.events.removeFirst() }
        self.events.append(event)
    }
}
