internal import Values

extension RateLimiter.Policy {
    static func read(from fields: FieldReader) -> RateLimiter.Policy? {
        fields.require("limit")
        fields.require("per")
        let limit = fields.integer("limit", in: 1...1_000_000_000)
        let period = fields.duration("per")
        let burst = fields.integer("burst", in: 1...1_000_000_000)
        if period == .zero { fields.add("\(fields.path).per: expected a length of time above 0.") }
        fields.finish()
        guard let limit, let period else { return nil }
        return RateLimiter.Policy(limit: limit, period: period, burst: burst)
    }
}

extension RetryPolicy {
    mutating func read(from fields: FieldReader) {
        self.maximumAttempts = fields.integer("max", in: 1...1_000) ?? self.maximumAttempts
        self.backoff = fields.object("backoff").flatMap { Backoff.read(from: $0) } ?? self.backoff
        self.inProcessWaitMaximum = fields.duration("inProcessWait") ?? self.inProcessWaitMaximum
        if fields.value("honourRetryAfter") == .boolean(false) {
            self.retryAfterMaximum = nil
        } else if let honour = fields.object("honourRetryAfter") {
            self.retryAfterMaximum = honour.duration("maxWait") ?? self.retryAfterMaximum
            honour.finish()
        }
        if let kinds = fields.object("kinds") {
            for kind in FailureKind.allCases {
                guard let rule = kinds.object(kind.rawValue) else { continue }
                self.kinds[kind] = KindRule(
                    isRetryable: rule.boolean("retry"), maximumAttempts: rule.integer("max", in: 1...1_000),
                    backoff: rule.object("backoff").flatMap { Backoff.read(from: $0) })
                rule.finish()
            }
            kinds.finish()
        }
        fields.finish()
    }
}

extension Backoff {
    private enum Kind: String, CaseIterable {
        case constant, exponential, fullJitter, equalJitter, decorrelatedJitter, pollyJitter
    }

    static func read(from fields: FieldReader) -> Backoff? {
        fields.require("kind")
        let kind = fields.word("kind", of: Kind.self)
        let base = fields.duration("base") ?? .milliseconds(500)
        if kind == .constant {
            fields.finish()
            return .constant(base)
        }
        let cap = fields.duration("cap") ?? max(.seconds(20), base)
        var multiplier = 2.0
        if kind == .exponential { multiplier = fields.double("multiplier", in: 1...100) ?? multiplier }
        if cap < base {
            fields.add(
                "\(fields.path): expected base ≤ cap but found base \(Quantity.text(base)), cap \(Quantity.text(cap)).")
        }
        fields.finish()
        return switch kind {
        case nil, .constant: nil
        case .exponential: .exponential(base: base, multiplier: multiplier, cap: cap)
        case .fullJitter: .fullJitter(base: base, cap: cap)
        case .equalJitter: .equalJitter(base: base, cap: cap)
        case .decorrelatedJitter: .decorrelatedJitter(base: base, cap: cap)
        case .pollyJitter: .pollyJitter(base: base, cap: cap)
        }
    }
}

extension CircuitBreaker.Policy: ConfigurablePolicy {
    private enum WindowKind: String, CaseIterable {
        case count, time
    }

    mutating func read(from fields: FieldReader) {
        if let window = fields.object("window") {
            window.require("kind")
            switch window.word("kind", of: WindowKind.self) {
            case .count: self.window = .count(size: window.integer("size", in: 1...100_000) ?? 20)
            case .time: self.window = .time(seconds: window.integer("seconds", in: 1...3_600) ?? 60)
            case nil: break
            }
            window.finish()
        }
        self.minimumCalls = fields.integer("minCalls", in: 1...100_000) ?? self.minimumCalls
        self.failureRatePercent = fields.double("failureRate", in: 1...100) ?? self.failureRatePercent
        self.slowCallDuration = fields.duration("slowCall") ?? self.slowCallDuration
        self.slowRatePercent = fields.double("slowRate", in: 1...100) ?? self.slowRatePercent
        self.openDuration = fields.duration("open") ?? self.openDuration
        self.openMultiplier = fields.double("openMultiplier", in: 1...10) ?? self.openMultiplier
        self.openDurationMaximum = fields.duration("openMax") ?? max(self.openDurationMaximum, self.openDuration)
        self.halfOpenPermits = fields.integer("halfOpen", in: 1...1_000) ?? self.halfOpenPermits
        self.probeLease = fields.duration("lease") ?? self.probeLease
        self.halfOpenDurationMaximum = fields.duration("halfOpenMax") ?? self.halfOpenDurationMaximum
        self.failureKinds = fields.words("record", of: FailureKind.self).map { Set($0) } ?? self.failureKinds
        self.ignoredKinds = fields.words("ignore", of: FailureKind.self).map { Set($0) } ?? self.ignoredKinds
        self.opensOnRetryAfter = fields.boolean("openOnRetryAfter") ?? self.opensOnRetryAfter
        fields.finish()
    }
}

extension RetryBudget.Policy: ConfigurablePolicy {
    mutating func read(from fields: FieldReader) {
        self.capacity = fields.integer("capacity", in: 1...1_000_000) ?? self.capacity
        self.retryCost = fields.integer("cost", in: 0...1_000_000) ?? self.retryCost
        self.timeoutRetryCost = fields.integer("timeoutCost", in: 0...1_000_000) ?? self.timeoutRetryCost
        self.successRefund = fields.integer("refund", in: 0...1_000_000) ?? self.successRefund
        fields.finish()
    }
}

extension RetryConcurrency.Policy: ConfigurablePolicy {
    mutating func read(from fields: FieldReader) {
        self.percent = fields.double("percent", in: 0...100) ?? self.percent
        self.minimum = fields.integer("min", in: 0...100_000) ?? self.minimum
        fields.finish()
    }
}
