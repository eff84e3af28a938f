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

    @Test func aCostCountsAsManyAttempts() {
        var limiter = RateLimiter(policy: .init(limit: 10, period: .seconds(1), burst: 5))
        limiter.take(at: .zero, cost: 3)
        #expect(limiter.remaining(at: .zero) == 2)
        #expect(limiter.wait(at: .zero, cost: 3) == .milliseconds(100))
        #expect(
            limiter.wait(at: .zero, cost: 8) == .milliseconds(300), "what is above the burst waits for an empty bucket")
    }

    @Test func aHoldNeverShortensAWait() {
        var limiter = RateLimiter(policy: .init(limit: 10, period: .seconds(1), burst: 2))
        limiter.hold(until: .seconds(3))
        limiter.hold(until: .seconds(1))
        #expect(limiter.wait(at: .zero) == .seconds(3))
        #expect(limiter.wait(at: .seconds(3)) == .zero)
        limiter.take(at: .seconds(3))
        #expect(limiter.wait(at: .seconds(3)) == .milliseconds(100))
    }

    static let modelSeeds: [UInt64] = (0..<20).map { 0x6C2A_0000 + $0 }

    /// 20 seeds of 500 schedules each, against a bucket that leaks: one attempt pours an interval's worth, and there is
    /// room for the burst.
    @Test(arguments: modelSeeds)
    func randomSchedulesAgreeWithALeakyBucket(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<500 {
            // Periods that divide evenly, so that no rounding can make the two disagree.
            let (limit, burst) = (1 << generator.pick(5), 1 + generator.pick(6))
            let interval = Duration.milliseconds(1 + generator.pick(500))
            var limiter = RateLimiter(policy: .init(limit: limit, period: interval * limit, burst: burst))
            var level = Duration.zero
            var now = Duration.zero
            for step in 0..<40 {
                let pause = Duration.milliseconds(generator.pick(1_000))
                now += pause
                level = max(.zero, level - pause)
                let cost = 1 + generator.pick(burst)
                let expected = max(.zero, level + interval * cost - interval * burst)
                guard limiter.wait(at: now, cost: cost) == expected,
                    limiter.remaining(at: now) == Int((interval * burst - min(level, interval * burst)) / interval)
                else {
                    Issue.record("seed \(seed), schedule \(schedule), step \(step): \(limiter), level \(level)")
                    return
                }
                if expected == .zero {
                    limiter.take(at: now, cost: cost)
                    level += interval * cost
                }
            }
        }
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
