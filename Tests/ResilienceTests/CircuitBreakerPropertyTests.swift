import Resilience
import Testing

/// The breaker against a slow, obvious model of it: a list of everything that happened.
private struct Model {
    struct Result {
        var at: Duration
        var isFailure: Bool
        var isSlow: Bool
    }

    let policy: CircuitBreaker.Policy
    var results: [Result] = []

    /// The results a closed breaker looks at.
    func window(at now: Duration) -> [Result] {
        switch self.policy.window {
        case .count(let size): Array(self.results.suffix(size))
        case .time(let seconds):
            self.results.filter { $0.at.components.seconds > now.components.seconds - Int64(seconds) }
        }
    }

    var minimum: Int {
        if case .count(let size) = self.policy.window { return min(self.policy.minimumCalls, size) }
        return self.policy.minimumCalls
    }

    /// Whether these results trip it.
    func trips(_ results: [Result]) -> Bool {
        let failures = Double(results.count(where: \.isFailure)) * 100 / Double(results.count)
        let slow = Double(results.count(where: \.isSlow)) * 100 / Double(results.count)
        return failures >= self.policy.failureRatePercent || slow >= self.policy.slowRatePercent
    }
}

struct CircuitBreakerPropertyTests {
    static let seeds: [UInt64] = (0..<40).map { 0x5EED_0000 + $0 }

    /// 40 seeds of 250 schedules each.
    @Test(arguments: seeds)
    func randomSchedulesAgreeWithTheModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<250 {
            guard self.run(&generator) else {
                Issue.record("seed \(seed), schedule \(schedule)")
                return
            }
        }
    }

    private func policy(_ generator: inout SeededGenerator) -> CircuitBreaker.Policy {
        var policy = CircuitBreaker.Policy()
        policy.window =
            generator.pick(2) == 0 ? .count(size: 1 + generator.pick(8)) : .time(seconds: 1 + generator.pick(5))
        policy.minimumCalls = 1 + generator.pick(6)
        policy.failureRatePercent = Double(10 + generator.pick(91))
        policy.slowRatePercent = Double(10 + generator.pick(91))
        policy.slowCallDuration = .milliseconds(500)
        policy.halfOpenPermits = 1 + generator.pick(4)
        policy.openDuration = .milliseconds(1 + generator.pick(4_000))
        policy.probeLease = .milliseconds(100 + generator.pick(3_000))
        return policy
    }

    /// One schedule.
    ///
    /// Returns whether the breaker did as the model says.
    private func run(_ generator: inout SeededGenerator) -> Bool {
        let policy = self.policy(&generator)
        var breaker = CircuitBreaker(policy: policy)
        var model = Model(policy: policy)
        var now = Duration.zero
        var era = 0
        var out: [(permit: CircuitBreaker.Permit, era: Int, since: Duration)] = []
        for _ in 0..<60 {
            now += .milliseconds(generator.pick(700))
            let before = breaker.state
            if out.isEmpty || generator.pick(2) == 0 {
                let result = breaker.tryAcquire(at: now)
                if breaker.state != before {
                    era += 1
                    model.results = []
                }
                switch (before, result) {
                case (.closed, .failure): return self.broken("closed refused a call")
                case (.open(let until, _), .success) where now <= until: return self.broken("open let a call through")
                case (.open(let until, _), .failure) where now > until: return self.broken("open held on too long")
                case (_, .failure(let rejection)) where rejection.retryAfter ?? .zero <= .zero:
                    return self.broken("no time to wait was given")
                default: break
                }
                if case .success(let permit) = result { out.append((permit, era, now)) }
            } else {
                let call = out.remove(at: generator.pick(out.count))
                let verdict = [.success, .success, .failure, .failure, .neutral][generator.pick(5)] as Verdict
                let took = now - call.since
                breaker.record(verdict, for: call.permit, took: took, at: now)
                if before == .closed, call.era == era, verdict != .neutral {
                    model.results.append(
                        Model.Result(at: now, isFailure: verdict == .failure, isSlow: took > policy.slowCallDuration))
                    let window = model.window(at: now)
                    let isDue = window.count >= model.minimum && model.trips(window)
                    guard isDue == (breaker.state != .closed) else { return self.broken("closed decided otherwise") }
                } else if before == .closed || call.era != era {
                    guard breaker.state == before else { return self.broken("a late result decided something") }
                }
                if breaker.state != before {
                    era += 1
                    model.results = []
                }
            }
            if case .halfOpen = breaker.state {
                let alive = out.count { $0.era == era && $0.since + policy.probeLease > now }
                guard alive + breaker.counts.calls <= policy.halfOpenPermits else {
                    return self.broken("\(alive) probes out, \(breaker.counts.calls) reported")
                }
            }
        }
        return true
    }

    private typealias Verdict = CircuitBreaker.Verdict

    private func broken(_ what: String) -> Bool {
        Issue.record("\(what)")
        return false
    }
}
