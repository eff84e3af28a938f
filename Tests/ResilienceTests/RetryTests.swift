import Resilience
import Testing

struct BackoffTests {
    typealias Row = (name: String, backoff: Backoff, unit: Double, delays: [Duration])

    @Test(
        arguments: [
            ("constant", .constant(.seconds(2)), 0.7, [.seconds(2), .seconds(2), .seconds(2)]),
            (
                "exponential", .exponential(base: .seconds(1), multiplier: 3, cap: .seconds(20)), 0.7,
                [.seconds(1), .seconds(3), .seconds(9), .seconds(20), .seconds(20)]
            ),
            (
                "full jitter", .fullJitter(base: .seconds(1), cap: .seconds(5)), 0.5,
                [.milliseconds(500), .seconds(1), .seconds(2), .milliseconds(2_500), .milliseconds(2_500)]
            ),
            ("full jitter, no luck", .fullJitter(base: .seconds(1), cap: .seconds(5)), 0, [.zero, .zero]),
            (
                "equal jitter", .equalJitter(base: .seconds(1), cap: .seconds(5)), 0.5,
                [.milliseconds(750), .milliseconds(1_500), .seconds(3), .milliseconds(3_750)]
            ),
            (
                "decorrelated", .decorrelatedJitter(base: .seconds(1), cap: .seconds(8)), 0.5,
                [.seconds(2), .milliseconds(3_500), .milliseconds(5_750), .seconds(8), .seconds(8)]
            ),
        ] as [Row])
    func delays(_ row: Row) {
        var memory = BackoffMemory()
        #expect(row.delays.map { _ in memory.nextDelay(row.backoff, unit: row.unit) } == row.delays)
    }

    /// Checked against the formula by hand: t = 0.5: 2^0.5 · tanh(√2) / 1.4 s.
    @Test func pollyJitterFollowsItsFormula() {
        var memory = BackoffMemory()
        let backoff = Backoff.pollyJitter(base: .seconds(1), cap: .seconds(3_600))
        let first = memory.nextDelay(backoff, unit: 0.5)
        #expect(abs(first / .seconds(1) - 0.897_40) < 0.000_1)
        // t = 1.5: (2^1.5 · tanh(√6) − 2^0.5 · tanh(√2)) / 1.4 s.
        let second = memory.nextDelay(backoff, unit: 0.5)
        #expect(abs(second / .seconds(1) - 1.093_00) < 0.000_1)
    }

    static let seeds: [UInt64] = [1, 2, 3, 0xDEAD, 0xBEEF]

    @Test(arguments: seeds)
    func delaysStayWithinTheirBounds(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            let base = Duration.milliseconds(1 + generator.pick(2_000))
            let cap = base + .milliseconds(generator.pick(60_000))
            for backoff in [
                .exponential(base: base, multiplier: 1 + generator.unit() * 4, cap: cap),
                .fullJitter(base: base, cap: cap), .equalJitter(base: base, cap: cap),
                .decorrelatedJitter(base: base, cap: cap), .pollyJitter(base: base, cap: cap),
            ] as [Backoff] {
                var memory = BackoffMemory()
                for attempt in 0..<1_100 {
                    let delay = memory.nextDelay(backoff, using: &generator)
                    guard delay >= .zero, delay <= backoff.maximum else {
                        Issue.record("seed \(seed): \(backoff), attempt \(attempt): \(delay)")
                        return
                    }
                    if case .decorrelatedJitter = backoff, delay < min(base, cap) - .nanoseconds(1) {
                        Issue.record("seed \(seed): \(backoff), attempt \(attempt): \(delay) is below the base")
                        return
                    }
                }
            }
        }
    }
}

struct RetryTests {
    typealias KindRow = (kind: FailureKind, isRetryable: Bool)

    @Test(
        arguments: [
            (.auth, false), (.permission, false), (.notFound, false), (.conflict, false), (.validation, false),
            (.rateLimited, true), (.quotaExhausted, false), (.transient, true), (.timeout, true),
            (.unavailable, true), (.unsupported, false), (.unknown, false),
        ] as [KindRow])
    func kindsAreRetriedByDefault(_ row: KindRow) {
        #expect(RetryPolicy().allowsRetry(after: CallFailure(kind: row.kind), safety: .safe) == row.isRetryable)
    }

    @Test func theRuleForTheKindComesBeforeTheConnectorsVerdict() {
        var policy = RetryPolicy()
        let refused = CallFailure(kind: .transient, isRetryable: false)
        let allowed = CallFailure(kind: .validation, isRetryable: true)
        #expect(!policy.allowsRetry(after: refused, safety: .safe))
        #expect(policy.allowsRetry(after: allowed, safety: .safe))
        policy.kinds = [.transient: .init(isRetryable: true), .validation: .init(isRetryable: false)]
        #expect(policy.allowsRetry(after: refused, safety: .safe))
        #expect(!policy.allowsRetry(after: allowed, safety: .safe))
    }

    @Test(arguments: [
        (safety: RepeatSafety.safe, mayHaveExecuted: true, allowed: true), (.idempotent, true, true),
        (.unsafe, false, true), (.unsafe, true, false),
    ])
    func anEffectThatMayHaveHappenedIsNotRepeated(
        _ row: (safety: RepeatSafety, mayHaveExecuted: Bool, allowed: Bool)
    ) {
        let failure = CallFailure(kind: .timeout, mayHaveExecuted: row.mayHaveExecuted)
        var policy = RetryPolicy()
        policy.kinds = [.timeout: .init(isRetryable: true)]
        #expect(policy.allowsRetry(after: failure, safety: row.safety) == row.allowed)
        var machine = RetryMachine()
        let decision = machine.attemptFailed(failure, safety: row.safety, policy: policy, unit: 0)
        #expect((decision == .stop(.mayHaveExecuted)) == !row.allowed)
    }

    @Test func attemptsAreCountedOverEarlierRuns() {
        var policy = RetryPolicy()
        policy.maximumAttempts = 3
        policy.backoff = .constant(.seconds(1))
        let failure = CallFailure(kind: .transient)
        var machine = RetryMachine(failedAttempts: 1)
        #expect(machine.attemptFailed(failure, safety: .safe, policy: policy, unit: 0) == .retry(after: .seconds(1)))
        #expect(machine.attemptFailed(failure, safety: .safe, policy: policy, unit: 0) == .stop(.attemptsExhausted))
        #expect(machine.failedAttempts == 3)
        var never = RetryMachine(failedAttempts: -5)
        #expect(never.attemptFailed(failure, safety: .safe, policy: .never, unit: 0) == .stop(.attemptsExhausted))
    }

    @Test func kindsMayHaveAttemptsAndWaitsOfTheirOwn() {
        var policy = RetryPolicy()
        policy.maximumAttempts = 2
        policy.backoff = .constant(.seconds(1))
        policy.kinds = [.rateLimited: .init(maximumAttempts: 9, backoff: .constant(.seconds(30)))]
        var machine = RetryMachine(failedAttempts: 5)
        #expect(
            machine.attemptFailed(CallFailure(kind: .rateLimited), safety: .safe, policy: policy, unit: 0)
                == .retry(after: .seconds(30)))
        #expect(
            machine.attemptFailed(CallFailure(kind: .transient), safety: .safe, policy: policy, unit: 0)
                == .stop(.attemptsExhausted))
    }

    typealias AfterRow = (asked: Duration, maximum: Duration?, delay: Duration)

    @Test(
        arguments: [
            (.seconds(10), .seconds(60), .seconds(10)), (.seconds(1), .seconds(60), .seconds(2)),
            (.seconds(86_400), .seconds(60), .seconds(60)), (.seconds(10), nil, .seconds(2)),
        ] as [AfterRow])
    func retryAfterIsHonouredWithinLimits(_ row: AfterRow) {
        var policy = RetryPolicy()
        policy.backoff = .constant(.seconds(2))
        policy.retryAfterMaximum = row.maximum
        var machine = RetryMachine()
        let failure = CallFailure(kind: .unavailable, retryAfter: row.asked)
        #expect(machine.attemptFailed(failure, safety: .safe, policy: policy, unit: 0) == .retry(after: row.delay))
    }
}

struct RetryBudgetTests {
    @Test func retriesDrainItAndSuccessesFillIt() {
        var policy = RetryBudget.Policy()
        policy.capacity = 16
        var budget = RetryBudget(policy: policy)
        #expect(budget.tryWithdraw(after: .transient) == 5)
        #expect(budget.tryWithdraw(after: .timeout) == 10)
        #expect(budget.tryWithdraw(after: .transient) == nil)
        #expect(budget.tokens == 1)
        budget.succeeded(lastCost: 0)
        #expect(budget.tokens == 2)
        budget.succeeded(lastCost: 5)
        budget.succeeded(lastCost: 10)
        #expect(budget.tokens == 16, "never above its capacity")
    }
}
