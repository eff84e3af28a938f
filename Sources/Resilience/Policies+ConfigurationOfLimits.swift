internal import Values

extension Bulkhead.Policy: ConfigurablePolicy {
    private enum Mode: String, CaseIterable {
        case fixed, adaptive
    }

    mutating func read(from fields: FieldReader) {
        self.maximumConcurrent = fields.integer("max", in: 1...10_000) ?? self.maximumConcurrent
        self.queueMaximum = fields.integer("queue", in: 0...1_000_000) ?? self.queueMaximum
        self.waitMaximum = fields.duration("wait") ?? self.waitMaximum
        switch fields.word("mode", of: Mode.self) {
        case .fixed: self.adaptive = nil
        case .adaptive: self.adaptive = self.adaptive ?? AdaptiveLimit.Policy()
        case nil: break
        }
        if var adaptive = self.adaptive {
            adaptive.initial = fields.integer("initial", in: 1...10_000) ?? adaptive.initial
            adaptive.decreaseRatio = fields.double("decreaseRatio", in: 0.1...0.99) ?? adaptive.decreaseRatio
            adaptive.smoothing = fields.double("smoothing", in: 0.01...1) ?? adaptive.smoothing
            adaptive.deviationScale = fields.double("deviations", in: 0...100) ?? adaptive.deviationScale
            self.adaptive = adaptive
        }
        fields.finish()
    }
}

extension HedgePolicy: ConfigurablePolicy {
    mutating func read(from fields: FieldReader) {
        self.after = fields.duration("after") ?? self.after
        self.maximum = fields.integer("max", in: 1...10) ?? self.maximum
        fields.finish()
    }
}

extension OutlierDetector.Policy: ConfigurablePolicy {
    mutating func read(from fields: FieldReader) {
        self.consecutiveFailures = Self.count(fields, "consecutive", self.consecutiveFailures)
        self.consecutiveUnreachable = Self.count(fields, "unreachable", self.consecutiveUnreachable)
        self.interval = fields.duration("interval") ?? self.interval
        self.ejection = fields.duration("eject") ?? self.ejection
        self.ejectionMaximum = fields.duration("ejectMax") ?? max(self.ejectionMaximum, self.ejection)
        self.ejectionJitter = fields.duration("jitter") ?? self.ejectionJitter
        self.ejectedPercentMaximum = fields.double("ejectedPercent", in: 0...100) ?? self.ejectedPercentMaximum
        if fields.value("successRate") == .boolean(false) {
            self.successRate = nil
        } else if let rule = fields.object("successRate") {
            var changed = self.successRate ?? SuccessRate()
            changed.endpointsMinimum = rule.integer("endpoints", in: 1...1_000) ?? changed.endpointsMinimum
            changed.callsMinimum = rule.integer("calls", in: 1...1_000_000) ?? changed.callsMinimum
            changed.deviations = rule.double("deviations", in: 0...100) ?? changed.deviations
            rule.finish()
            self.successRate = changed
        }
        if fields.value("failureRate") == .boolean(false) {
            self.failurePercentage = nil
        } else if let rule = fields.object("failureRate") {
            var changed = self.failurePercentage ?? FailurePercentage()
            changed.threshold = rule.double("percent", in: 1...100) ?? changed.threshold
            changed.endpointsMinimum = rule.integer("endpoints", in: 1...1_000) ?? changed.endpointsMinimum
            changed.callsMinimum = rule.integer("calls", in: 1...1_000_000) ?? changed.callsMinimum
            rule.finish()
            self.failurePercentage = changed
        }
        fields.finish()
    }

    /// A count that `false` switches off.
    private static func count(_ fields: FieldReader, _ key: String, _ current: Int?) -> Int? {
        if fields.value(key) == .boolean(false) { return nil }
        return fields.integer(key, in: 1...10_000) ?? current
    }
}

extension FaultPolicy: ConfigurablePolicy {
    mutating func read(from fields: FieldReader) {
        if let failure = fields.object("failure") {
            failure.require("rate")
            self.failurePercent = failure.double("rate", in: 0...100) ?? self.failurePercent
            self.failure.kind = failure.word("kind", of: FailureKind.self) ?? self.failure.kind
            self.failure.retryAfter = failure.duration("retryAfter") ?? self.failure.retryAfter
            self.failure.mayHaveExecuted = failure.boolean("mayHaveExecuted") ?? self.failure.mayHaveExecuted
            failure.finish()
        }
        if let latency = fields.object("latency") {
            latency.require("rate")
            self.latencyPercent = latency.double("rate", in: 0...100) ?? self.latencyPercent
            self.latency = LatencyDistribution.read(from: latency) ?? self.latency
        }
        fields.finish()
    }
}

extension LatencyDistribution {
    private enum Kind: String, CaseIterable {
        case constant, uniform, exponential, normal
    }

    static func read(from fields: FieldReader) -> LatencyDistribution? {
        defer { fields.finish() }
        fields.require("kind")
        func duration(_ key: String) -> Duration {
            fields.require(key)
            return fields.duration(key) ?? .zero
        }
        switch fields.word("kind", of: Kind.self) {
        case nil:
            return nil
        case .constant:
            return .constant(duration("value"))
        case .uniform:
            let (from, to) = (fields.duration("min") ?? .zero, duration("max"))
            if to < from {
                fields.add(
                    "\(fields.path): expected min ≤ max but found min \(Quantity.text(from)), max \(Quantity.text(to))."
                )
            }
            return .uniform(from: from, to: to)
        case .exponential:
            let mean = duration("mean")
            return .exponential(mean: mean, cap: fields.duration("max") ?? mean * 10)
        case .normal:
            let (mean, deviation) = (duration("mean"), duration("deviation"))
            return .normal(mean: mean, deviation: deviation, cap: fields.duration("max") ?? mean + deviation * 5)
        }
    }
}
