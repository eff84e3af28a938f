import Resilience
import Testing

struct RateLimiterTests {
    @Test func aBurstPassesThenTheEvenRate() {
        var limiter = RateLimiter(policy: .init(limit: 10, period: .seconds(1), burst: 3))
        #expect(limiter.remaining(at: .zero) == 3)
        for _ in 0..<3 {
            #expect(limiter.wait(at: .zero) == .zero)
            limiter.take(at: .zero)
        }
        #expect(limiter.remaining(at: .zero) == 0)
        #expect(limiter.wait(at: .zero) == .milliseconds(100))
        #expect(limiter.wait(at: .milliseconds(99)) == .milliseconds(1))
        #expect(limiter.wait(at: .milliseconds(100)) == .zero)
        limiter.take(at: .milliseconds(100))
        #expect(limiter.wait(at: .milliseconds(100)) == .milliseconds(100))
        // Idle time fills the burst again, and no more than that.
        #expect(limiter.remaining(at: .seconds(60)) == 3)
    }

    @Test func withoutABurstAWholePeriodMayComeAtOnce() {
        let policy = RateLimiter.Policy(limit: 5, period: .seconds(1))
        #expect(policy.burst == 5)
        #expect(
            RateLimiter.Policy(limit: 0, period: .zero, burst: 0) == .init(limit: 1, period: .nanoseconds(1), burst: 1))
    }

    static let seeds: [UInt64] = [11, 12, 13, 14]

    /// In no window are more attempts granted than its length allows at the even rate, plus the burst.
    @Test(arguments: seeds)
    func noWindowHoldsMoreThanAllowed(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<50 {
            let policy = RateLimiter.Policy(
                limit: 1 + generator.pick(20), period: .milliseconds(1 + generator.pick(2_000)),
                burst: 1 + generator.pick(6))
            var limiter = RateLimiter(policy: policy)
            var now = Duration.zero
            var granted: [Duration] = []
            for _ in 0..<150 {
                now += .microseconds(generator.pick(100_000))
                let wait = limiter.wait(at: now)
                if generator.pick(2) == 0 { now += wait }
                guard limiter.wait(at: now) == .zero else { continue }
                limiter.take(at: now)
                granted.append(now)
            }
            for (first, start) in granted.enumerated() {
                for (last, end) in granted.enumerated().dropFirst(first) {
                    let count = Double(last - first + 1)
                    let allowed = Double(policy.burst) + (end - start) / (policy.period / policy.limit)
                    if count > allowed + 1e-6 {
                        Issue.record("seed \(seed), round \(round): \(count) in \(end - start) of \(policy)")
                        return
                    }
                }
            }
        }
    }
}
