import Resilience
import Testing

struct AdaptiveLimitTests {
    /// Runs intervals of one attempt each, every one as long as the mean or longer.
    private func run(
        _ limit: inout AdaptiveLimit, _ times: [Int], _ signal: AdaptiveLimit.Signal = .success, isBusy: Bool = true,
        from start: Duration = .zero
    ) -> Duration {
        var now = start
        for milliseconds in times {
            if isBusy { limit.began(running: limit.limit) }
            now += .milliseconds(milliseconds)
            _ = limit.ended(signal, took: .milliseconds(milliseconds), at: now)
        }
        return now
    }

    @Test func growsByOneARoundTripWhileTheLimitIsReachedAndNothingSlowsDown() {
        var limit = AdaptiveLimit(maximum: 5)
        #expect(limit.limit == 1)
        let now = self.run(&limit, Array(repeating: 100, count: 4))
        #expect(limit.limit == 4)
        #expect(limit.meanSeconds == 0.1)
        _ = self.run(&limit, Array(repeating: 100, count: 9), from: now)
        #expect(limit.limit == 5, "and not past its maximum")
    }

    @Test func doesNotGrowWithoutEvidence() {
        var limit = AdaptiveLimit(maximum: 5)
        _ = self.run(&limit, Array(repeating: 100, count: 10), isBusy: false)
        #expect(limit.limit == 1)
    }

    @Test func shrinksToNineTenthsWhenTheRemotePushesBack() {
        var policy = AdaptiveLimit.Policy()
        policy.initial = 50
        var limit = AdaptiveLimit(policy: policy)
        let now = self.run(&limit, [100])
        _ = self.run(&limit, [100], .backpressure, from: now)
        #expect(limit.limit == 45)
    }

    @Test func shrinksWhenSuccessesAreMuchSlowerThanUsual() {
        var policy = AdaptiveLimit.Policy()
        policy.initial = 10
        var limit = AdaptiveLimit(policy: policy)
        var now = self.run(&limit, [100, 110, 90, 100, 110, 90], isBusy: false)
        let before = limit.limit
        now = self.run(&limit, [400], from: now)
        #expect(limit.limit == Int(Double(before) * 0.9))
        // A little slower is neither.
        var calm = AdaptiveLimit(policy: policy)
        now = self.run(&calm, [100, 140, 60, 100, 140, 60], isBusy: false)
        let level = calm.limit
        _ = self.run(&calm, [110], isBusy: false, from: now)
        #expect(calm.limit == level)
    }

    @Test func aRemoteThatNeverAnsweredStillShrinksIt() {
        var policy = AdaptiveLimit.Policy()
        policy.initial = 10
        var limit = AdaptiveLimit(policy: policy)
        _ = self.run(&limit, [1, 1], .backpressure)
        #expect(limit.limit == 8)
        _ = self.run(&limit, [1], .neutral)
        #expect(limit.limit == 8)
    }

    /// The rules over a whole interval at once, in plain arithmetic.
    private struct Model {
        let policy: AdaptiveLimit.Policy
        let maximum: Int
        var limit: Int
        var mean: Double?
        var variance = 0.0
        var end = Duration.zero
        var times: [Double] = []
        var isReached = false
        var isPushed = false

        mutating func ended(_ signal: AdaptiveLimit.Signal, _ seconds: Double, at now: Duration) {
            if signal == .success { self.times.append(seconds) }
            if signal == .backpressure { self.isPushed = true }
            let average = self.times.isEmpty ? nil : self.times.reduce(0, +) / Double(self.times.count)
            guard let mean else {
                if let average {
                    self.mean = average
                    self.end = now + .seconds(average)
                } else if self.isPushed {
                    self.isPushed = false
                    self.shrink()
                }
                return
            }
            guard now >= self.end else { return }
            let slow = mean + self.policy.deviationScale * self.variance.squareRoot()
            if self.limit < self.maximum, self.isReached, !self.isPushed, let average, average <= mean {
                self.limit += 1
            } else if self.isPushed || average ?? 0 >= slow {
                self.shrink()
            }
            if let average {
                let difference = average - mean
                self.mean = mean + self.policy.smoothing * difference
                self.variance =
                    (1 - self.policy.smoothing) * (self.variance + self.policy.smoothing * difference * difference)
            }
            self.end = now + .seconds(self.mean ?? 0)
            (self.times, self.isReached, self.isPushed) = ([], false, false)
        }

        mutating func shrink() { self.limit = max(1, Int(Double(self.limit) * self.policy.decreaseRatio)) }
    }

    static let seeds: [UInt64] = (0..<20).map { 0xADA9_0000 + $0 }

    /// 20 seeds of 500 schedules each.
    ///
    /// Times are whole powers of two of a millisecond, so that no rounding can make the two disagree.
    @Test(arguments: seeds)
    func randomSchedulesAgreeWithTheModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<500 {
            var policy = AdaptiveLimit.Policy()
            policy.initial = 1 + generator.pick(20)
            policy.decreaseRatio = [0.5, 0.75, 0.9][generator.pick(3)]
            policy.smoothing = [0.25, 0.5][generator.pick(2)]
            let maximum = 1 + generator.pick(30)
            var limit = AdaptiveLimit(policy: policy, maximum: maximum)
            var model = Model(policy: policy, maximum: maximum, limit: min(policy.initial, maximum))
            var now = Duration.zero
            for step in 0..<60 {
                let isReached = generator.pick(3) > 0
                limit.began(running: isReached ? limit.limit : limit.limit - 1)
                model.isReached = model.isReached || isReached
                now += .milliseconds(generator.pick(200))
                let signal = ([.success, .success, .success, .backpressure, .neutral] as [AdaptiveLimit.Signal])[
                    generator.pick(5)]
                let milliseconds = 125 * (1 << generator.pick(4))
                let took = Duration.milliseconds(milliseconds)
                let before = limit.limit
                let isChanged = limit.ended(signal, took: took, at: now)
                model.ended(signal, Double(milliseconds) / 1_000, at: now)
                guard limit.limit == model.limit, (1...maximum).contains(limit.limit),
                    isChanged == (before != limit.limit)
                else {
                    Issue.record(
                        "seed \(seed), schedule \(schedule), step \(step): \(limit.limit) instead of \(model.limit)")
                    return
                }
            }
        }
    }
}
