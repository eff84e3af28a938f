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
    ///     retryConcurrency: { percent: 20, min: 3 }
    ///     concurrency: { mode: adaptive, max: 25, initial: 1, queue: 1000, wait: 5s }
    ///     hedge:   { after: 2s, max: 1 }
    ///     outlier: { consecutive: 5, interval: 10s, eject: 30s, ejectMax: 5m, ejectedPercent: 10 }
    ///     idempotency: { record: unsafe, keep: 24h }
    ///     faults:  { failure: { rate: 10, kind: timeout }, latency: { rate: 50, kind: constant, value: 2s } }
    ///
    /// Everything but `timeout` and `retry` may be `false`, and so may `honourRetryAfter`. Everything wrong is added to
    /// `diagnostics`; the result is to be used only when nothing was.
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
        if let retry = reader.object("retry") {
            self.retry.read(from: retry)
        }
        if reader.value("rateLimit") == .boolean(false) {
            self.rateLimit = nil
        } else if let limit = reader.object("rateLimit") {
            self.rateLimit = RateLimiter.Policy.read(from: limit) ?? self.rateLimit
        }
        Self.readOptional(reader, "breaker", into: &self.breaker)
        Self.readOptional(reader, "budget", into: &self.budget)
        Self.readOptional(reader, "retryConcurrency", into: &self.retryConcurrency)
        Self.readOptional(reader, "concurrency", into: &self.bulkhead)
        Self.readOptional(reader, "hedge", into: &self.hedge)
        Self.readOptional(reader, "outlier", into: &self.outliers)
        Self.readOptional(reader, "faults", into: &self.faults)
        if reader.value("idempotency") == .boolean(false) {
            self.recording.which = .never
        } else if let fields = reader.object("idempotency") {
            self.recording.which = fields.word("record", of: CallRecording.Which.self) ?? self.recording.which
            self.recording.retention = fields.duration("keep") ?? self.recording.retention
            fields.finish()
        }
        reader.finish()
        if reader.value("breaker")?["lease"] == nil {
            self.breaker?.probeLease = self.attemptTimeout
        }
        diagnostics += reader.diagnostics
    }

    private static func readOptional<Policy: ConfigurablePolicy>(
        _ reader: FieldReader, _ key: String, into policy: inout Policy?
    ) {
        if reader.value(key) == .boolean(false) {
            policy = nil
        } else if let fields = reader.object(key) {
            var changed = policy ?? Policy()
            changed.read(from: fields)
            policy = changed
        }
    }
}

/// A policy whose settings all have defaults and can be given in configuration.
protocol ConfigurablePolicy {
    init()
    /// Takes the fields given; those not given stay.
    mutating func read(from fields: FieldReader)
}
