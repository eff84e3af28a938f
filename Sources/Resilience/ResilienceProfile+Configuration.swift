public import Values

extension ResilienceProfile {
    /// The diagnostic code of everything wrong in a profile.
    public static let diagnosticCode = "RES-0001"

    /// Reads a profile from configuration.
    ///
    /// Fields not given are taken from `base`.
    ///
    ///     timeout: { attempt: 20s, total: 90s, connect: 5s }
    ///     rateLimit: { limit: 90, per: 1s, burst: 20 }
    ///     retry:   { max: 4, backoff: { kind: fullJitter, base: 500ms, cap: 20s },
    ///                honourRetryAfter: { maxWait: 60s }, inProcessWait: 5s,
    ///                kinds: { rateLimited: { max: 10 } } }
    ///     breaker: { window: { kind: time, seconds: 60 }, minCalls: 10, failureRate: 50, slowCall: 10s,
    ///                slowRate: 80, open: 30s, halfOpen: 3 }
    ///     budget:  { capacity: 500, cost: 5, timeoutCost: 10, refund: 1 }
    ///
    /// `rateLimit`, `breaker`, `budget` and `honourRetryAfter` may be `false`. Everything wrong is added to `diagnostics`; the
    /// result is to be used only when nothing was.
    public init(
        _ value: Value, name: String, base: ResilienceProfile = .standard, path: String = "resilience",
        diagnostics: inout [Diagnostic]
    ) {
        self = base
        self.name = name
        let reader = FieldReader(value, path: path, code: Self.diagnosticCode)
        if let timeout = reader.object("timeout") {
            self.attemptTimeout = timeout.duration("attempt") ?? self.attemptTimeout
            self.totalTimeout = timeout.duration("total") ?? max(self.totalTimeout, self.attemptTimeout)
            self.connectTimeout = timeout.duration("connect") ?? self.connectTimeout
            if self.attemptTimeout <= .zero || self.totalTimeout < self.attemptTimeout {
                timeout.add(
                    "\(timeout.path): expected 0 < attempt ≤ total but found attempt "
                        + "\(Quantity.text(self.attemptTimeout)), total \(Quantity.text(self.totalTimeout)).")
            }
            timeout.finish()
        }
        if reader.value("rateLimit") == .boolean(false) {
            self.rateLimit = nil
        } else if let limit = reader.object("rateLimit") {
            self.rateLimit = RateLimiter.Policy.read(from: limit) ?? self.rateLimit
        }
        if let retry = reader.object("retry") {
            self.retry.read(from: retry)
        }
        Self.readOptional(reader, "breaker", into: &self.breaker) { (policy: inout CircuitBreaker.Policy, fields) in
            policy.read(from: fields)
        }
        Self.readOptional(reader, "budget", into: &self.budget) { (policy: inout RetryBudget.Policy, fields) in
            policy.capacity = fields.integer("capacity", in: 1...1_000_000) ?? policy.capacity
            policy.retryCost = fields.integer("cost", in: 0...1_000_000) ?? policy.retryCost
            policy.timeoutRetryCost = fields.integer("timeoutCost", in: 0...1_000_000) ?? policy.timeoutRetryCost
            policy.successRefund = fields.integer("refund", in: 0...1_000_000) ?? policy.successRefund
            fields.finish()
        }
        reader.finish()
        if reader.value("breaker")?["lease"] == nil {
            self.breaker?.probeLease = self.attemptTimeout
        }
        diagnostics += reader.diagnostics
    }

    private static func readOptional<Policy: DefaultPolicy>(
        _ reader: FieldReader, _ key: String, into policy: inout Policy?, _ read: (inout Policy, FieldReader) -> Void
    ) {
        if reader.value(key) == .boolean(false) {
            policy = nil
        } else if let fields = reader.object(key) {
            var changed = policy ?? Policy()
            read(&changed, fields)
            policy = changed
        }
    }
}

/// A policy whose settings all have defaults.
private protocol DefaultPolicy {
    init()
}

extension CircuitBreaker.Policy: DefaultPolicy {}
extension RetryBudget.Policy: DefaultPolicy {}

extension RateLimiter.Policy {
    fileprivate static func read(from fields: FieldReader) -> RateLimiter.Policy? {
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
    fileprivate mutating func read(from fields: FieldReader) {
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

    fileprivate static func read(from fields: FieldReader) -> Backoff? {
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

extension CircuitBreaker.Policy {
    private enum WindowKind: String, CaseIterable {
        case count, time
    }

    fileprivate mutating func read(from fields: FieldReader) {
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
