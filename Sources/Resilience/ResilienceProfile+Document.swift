public import Values

extension ResilienceProfile {
    /// The profile as `init(_:name:base:path:diagnostics:)` reads it, every setting written out.
    public var document: Value {
        [
            "timeout": [
                "attempt": .length(self.attemptTimeout), "total": .length(self.totalTimeout),
                "connect": .length(self.connectTimeout),
            ],
            "rateLimit": .or(self.rateLimit) {
                ["limit": .count($0.limit), "per": .length($0.period), "burst": .count($0.burst)]
            },
            "concurrency": .or(self.bulkhead) { $0.document },
            "retry": self.retry.document,
            "breaker": .or(self.breaker) { $0.document },
            "budget": .or(self.budget) {
                [
                    "capacity": .count($0.capacity), "cost": .count($0.retryCost),
                    "timeoutCost": .count($0.timeoutRetryCost), "refund": .count($0.successRefund),
                ]
            },
            "retryConcurrency": .or(self.retryConcurrency) {
                ["percent": .real($0.percent), "min": .count($0.minimum)]
            },
            "hedge": .or(self.hedge) { ["after": .length($0.after), "max": .count($0.maximum)] },
            "outlier": .or(self.outliers) { $0.document },
            "idempotency": ["record": .word(self.recording.which), "keep": .length(self.recording.retention)],
            "faults": .or(self.faults) { $0.document },
        ]
    }
}

extension Value {
    fileprivate static func length(_ duration: Duration) -> Value { .string(Quantity.text(duration)) }
    fileprivate static func count(_ number: Int) -> Value { .number(Number(number)) }
    fileprivate static func real(_ number: Double) -> Value { Number(number).map { .number($0) } ?? .null }
    fileprivate static func word(_ word: some RawRepresentable<String>) -> Value { .string(word.rawValue) }

    /// What `write` makes of `policy`; false when there is none.
    fileprivate static func or<Policy>(_ policy: Policy?, _ write: (Policy) -> Value) -> Value {
        policy.map(write) ?? .boolean(false)
    }

    fileprivate static func kinds(_ kinds: Set<FailureKind>) -> Value {
        .list(FailureKind.allCases.filter { kinds.contains($0) }.map { .word($0) })
    }
}

extension Bulkhead.Policy {
    fileprivate var document: Value {
        var fields: ValueContext = [
            "mode": .string(self.adaptive == nil ? "fixed" : "adaptive"), "max": .count(self.maximumConcurrent),
            "queue": .count(self.queueMaximum), "wait": .length(self.waitMaximum),
        ]
        if let adaptive {
            fields["initial"] = .count(adaptive.initial)
            fields["decreaseRatio"] = .real(adaptive.decreaseRatio)
            fields["smoothing"] = .real(adaptive.smoothing)
            fields["deviations"] = .real(adaptive.deviationScale)
        }
        return .context(fields)
    }
}

extension RetryPolicy {
    fileprivate var document: Value {
        var fields: ValueContext = [
            "max": .count(self.maximumAttempts), "backoff": self.backoff.document,
            "honourRetryAfter": .or(self.retryAfterMaximum) { ["maxWait": .length($0)] },
            "inProcessWait": .length(self.inProcessWaitMaximum),
        ]
        var kinds = ValueContext()
        for kind in FailureKind.allCases {
            guard let rule = self.kinds[kind] else { continue }
            var entry = ValueContext()
            if let isRetryable = rule.isRetryable { entry["retry"] = .boolean(isRetryable) }
            if let maximum = rule.maximumAttempts { entry["max"] = .count(maximum) }
            if let backoff = rule.backoff { entry["backoff"] = backoff.document }
            kinds[kind.rawValue] = .context(entry)
        }
        if !self.kinds.isEmpty { fields["kinds"] = .context(kinds) }
        return .context(fields)
    }
}

extension Backoff {
    fileprivate var document: Value {
        func jitter(_ kind: String, _ base: Duration, _ cap: Duration) -> Value {
            ["kind": .string(kind), "base": .length(base), "cap": .length(cap)]
        }
        switch self {
        case .constant(let delay):
            return ["kind": "constant", "base": .length(delay)]
        case .exponential(let base, let multiplier, let cap):
            return [
                "kind": "exponential", "base": .length(base), "cap": .length(cap), "multiplier": .real(multiplier),
            ]
        case .fullJitter(let base, let cap): return jitter("fullJitter", base, cap)
        case .equalJitter(let base, let cap): return jitter("equalJitter", base, cap)
        case .decorrelatedJitter(let base, let cap): return jitter("decorrelatedJitter", base, cap)
        case .pollyJitter(let base, let cap): return jitter("pollyJitter", base, cap)
        }
    }
}

extension CircuitBreaker.Policy {
    fileprivate var document: Value {
        let window: Value =
            switch self.window {
            case .count(let size): ["kind": "count", "size": .count(size)]
            case .time(let seconds): ["kind": "time", "seconds": .count(seconds)]
            }
        return [
            "window": window, "minCalls": .count(self.minimumCalls), "failureRate": .real(self.failureRatePercent),
            "slowCall": .length(self.slowCallDuration), "slowRate": .real(self.slowRatePercent),
            "open": .length(self.openDuration), "openMultiplier": .real(self.openMultiplier),
            "openMax": .length(self.openDurationMaximum), "halfOpen": .count(self.halfOpenPermits),
            "lease": .length(self.probeLease), "halfOpenMax": .length(self.effectiveHalfOpenMaximum),
            "record": .kinds(self.failureKinds), "ignore": .kinds(self.ignoredKinds),
            "openOnRetryAfter": .boolean(self.opensOnRetryAfter),
        ]
    }
}

extension OutlierDetector.Policy {
    fileprivate var document: Value {
        [
            "consecutive": .or(self.consecutiveFailures) { .count($0) },
            "unreachable": .or(self.consecutiveUnreachable) { .count($0) }, "interval": .length(self.interval),
            "eject": .length(self.ejection), "ejectMax": .length(self.ejectionMaximum),
            "jitter": .length(self.ejectionJitter), "ejectedPercent": .real(self.ejectedPercentMaximum),
            "successRate": .or(self.successRate) {
                [
                    "endpoints": .count($0.endpointsMinimum), "calls": .count($0.callsMinimum),
                    "deviations": .real($0.deviations),
                ]
            },
            "failureRate": .or(self.failurePercentage) {
                [
                    "percent": .real($0.threshold), "endpoints": .count($0.endpointsMinimum),
                    "calls": .count($0.callsMinimum),
                ]
            },
        ]
    }
}

extension FaultPolicy {
    fileprivate var document: Value {
        var failure: ValueContext = [
            "rate": .real(self.failurePercent), "kind": .word(self.failure.kind),
            "mayHaveExecuted": .boolean(self.failure.mayHaveExecuted),
        ]
        if let retryAfter = self.failure.retryAfter { failure["retryAfter"] = .length(retryAfter) }
        var latency: ValueContext = ["rate": .real(self.latencyPercent)]
        switch self.latency {
        case .constant(let length):
            latency["kind"] = "constant"
            latency["value"] = .length(length)
        case .uniform(let from, let to):
            latency["kind"] = "uniform"
            latency["min"] = .length(from)
            latency["max"] = .length(to)
        case .exponential(let mean, let cap):
            latency["kind"] = "exponential"
            latency["mean"] = .length(mean)
            latency["max"] = .length(cap)
        case .normal(let mean, let deviation, let cap):
            latency["kind"] = "normal"
            latency["mean"] = .length(mean)
            latency["deviation"] = .length(deviation)
            latency["max"] = .length(cap)
        }
        return ["failure": .context(failure), "latency": .context(latency)]
    }
}
