import Resilience
import Testing

/// Drives one pipeline on a clock of its own.
///
/// The random number is always 0.5 unless given.
private final class Driver {
    var pipeline: CallPipeline
    var now = Duration.zero

    init(_ change: (inout ResilienceProfile) -> Void = { _ in }) {
        var profile = ResilienceProfile(name: "test")
        profile.attemptTimeout = .seconds(10)
        profile.totalTimeout = .seconds(60)
        profile.retry.maximumAttempts = 3
        profile.retry.backoff = .constant(.seconds(1))
        profile.breaker?.minimumCalls = 4
        profile.breaker?.halfOpenPermits = 1
        change(&profile)
        self.pipeline = CallPipeline(profile: profile)
    }

    func call(
        _ safety: RepeatSafety = .idempotent, key: String? = "k", failedAttempts: Int = 0, deadline: Duration? = nil
    ) -> CallPipeline.Call {
        self.pipeline.call(
            safety: safety, idempotencyKey: key, at: self.now, failedAttempts: failedAttempts, deadline: deadline)
    }

    func begin(_ call: inout CallPipeline.Call) -> CallPipeline.Action {
        self.pipeline.begin(&call, at: self.now)
    }

    func finish(
        _ call: inout CallPipeline.Call, _ outcome: CallPipeline.Outcome, after duration: Duration = .zero
    ) -> CallPipeline.Action {
        self.now += duration
        return self.pipeline.finish(&call, outcome, at: self.now, unit: 0.5)
    }

    /// One attempt, from begin to finish.
    func attempt(_ call: inout CallPipeline.Call, _ outcome: CallPipeline.Outcome) -> CallPipeline.Action {
        let action = self.begin(&call)
        guard case .attempt = action else { return action }
        return self.finish(&call, outcome)
    }

    /// Trips the breaker with calls that fail at once.
    func trip() {
        for _ in 0..<4 {
            var call = self.call(.unsafe)
            _ = self.attempt(&call, .failure(CallFailure(kind: .transient, mayHaveExecuted: true)))
        }
    }
}

private let outage = CallPipeline.Outcome.failure(CallFailure(kind: .transient))

struct CallPipelineTests {
    @Test func aSuccessIsOneAttemptWithTimeoutAndKey() {
        let driver = Driver()
        var call = driver.call()
        guard case .attempt(let attempt) = driver.begin(&call) else {
            Issue.record("expected an attempt")
            return
        }
        #expect(attempt.number == 1 && attempt.timeout == .seconds(10) && attempt.idempotencyKey == "k")
        #expect(driver.finish(&call, .success) == .succeed)
        #expect(driver.pipeline.breaker?.counts.calls == 1)
    }

    @Test func failuresThatPassAreTriedAgainWithTheSameKey() {
        let driver = Driver()
        var call = driver.call()
        #expect(driver.attempt(&call, outage) == .waitThenAttempt(.seconds(1)))
        driver.now += .seconds(1)
        guard case .attempt(let second) = driver.begin(&call) else {
            Issue.record("expected an attempt")
            return
        }
        #expect(second.number == 2 && second.idempotencyKey == "k")
        #expect(driver.finish(&call, outage) == .waitThenAttempt(.seconds(1)))
        guard case .fail(let ending) = driver.attempt(&call, outage) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .attemptsExhausted && ending.failedAttempts == 3)
        #expect(ending.failure.kind == .transient)
    }

    typealias EndRow = (outcome: CallPipeline.Outcome, safety: RepeatSafety, reason: CallPipeline.Ending.Reason)

    @Test(
        arguments: [
            (.failure(CallFailure(kind: .validation)), .safe, .notRetryable),
            (.failure(CallFailure(kind: .timeout, mayHaveExecuted: true)), .unsafe, .mayHaveExecuted),
            (.cancelled(mayHaveExecuted: true), .safe, .cancelled),
        ] as [EndRow])
    func someOutcomesEndTheCall(_ row: EndRow) {
        let driver = Driver()
        var call = driver.call(row.safety)
        guard case .fail(let ending) = driver.attempt(&call, row.outcome) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == row.reason)
    }

    @Test func anOpenBreakerBurnsNoRetries() {
        let driver = Driver()
        driver.trip()
        var call = driver.call(failedAttempts: 2)
        guard case .reschedule(let reschedule) = driver.begin(&call) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.reason == .circuitOpen)
        #expect(reschedule.after == .milliseconds(30_001))
        #expect(reschedule.failedAttempts == 2 && reschedule.failure == nil)
    }

    @Test func theFailureThatOpensTheBreakerIsNotCounted() {
        let driver = Driver { $0.breaker?.minimumCalls = 1 }
        var call = driver.call()
        guard case .reschedule(let reschedule) = driver.attempt(&call, outage) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.reason == .circuitOpen && reschedule.failedAttempts == 0)
        #expect(reschedule.failure?.kind == .transient)
        // The probe that fails half-open burns nothing either.
        driver.now += .seconds(31)
        var probe = driver.call()
        guard case .reschedule(let again) = driver.attempt(&probe, outage) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(again.failedAttempts == 0 && again.after == .milliseconds(60_001))
        // What can never succeed does not wait for the circuit.
        driver.now += .seconds(61)
        var wrong = driver.call()
        guard case .fail(let ending) = driver.attempt(&wrong, .failure(CallFailure(kind: .validation))) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .notRetryable)
        #expect(driver.pipeline.breaker?.state == .closed, "a refusal is an answer of a healthy remote")
    }

    @Test func aFailingProbeAmongOthersComesBackLater() {
        let driver = Driver {
            $0.breaker?.minimumCalls = 1
            $0.breaker?.halfOpenPermits = 3
        }
        var call = driver.call()
        _ = driver.attempt(&call, outage)
        driver.now += .seconds(31)
        var probe = driver.call()
        guard case .reschedule(let reschedule) = driver.attempt(&probe, outage) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.after == .seconds(30))
    }

    @Test func retryAfterOpensTheBreakerForEverybody() {
        let driver = Driver()
        var call = driver.call()
        let throttled = CallPipeline.Outcome.failure(CallFailure(kind: .rateLimited, retryAfter: .seconds(20)))
        guard case .reschedule(let reschedule) = driver.attempt(&call, throttled) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.after == .milliseconds(20_001))
        var other = driver.call()
        guard case .reschedule = driver.begin(&other) else {
            Issue.record("expected to come back later")
            return
        }
    }

    @Test func longWaitsAreNotWaitedInProcess() {
        let driver = Driver {
            $0.retry.backoff = .constant(.milliseconds(5_001))
            $0.breaker = nil
        }
        var call = driver.call()
        guard case .reschedule(let reschedule) = driver.attempt(&call, outage) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.reason == .longWait && reschedule.failedAttempts == 1)
        #expect(reschedule.after == .milliseconds(5_001))
        var next = driver.call(failedAttempts: reschedule.failedAttempts)
        guard case .attempt(let attempt) = driver.begin(&next) else {
            Issue.record("expected an attempt")
            return
        }
        #expect(attempt.number == 2)
    }

    @Test func theTotalDeadlineBoundsAttemptsAndWaits() {
        let driver = Driver()
        var call = driver.call(deadline: .seconds(4))
        guard case .attempt(let attempt) = driver.begin(&call) else {
            Issue.record("expected an attempt")
            return
        }
        #expect(attempt.timeout == .seconds(4))
        guard case .fail(let ending) = driver.finish(&call, outage, after: .milliseconds(3_000)) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .deadlineExceeded && ending.failure.kind == .transient)

        var late = driver.call()
        driver.now += .seconds(60)
        guard case .fail(let tooLate) = driver.begin(&late) else {
            Issue.record("expected the end")
            return
        }
        #expect(tooLate.reason == .deadlineExceeded && tooLate.failure.kind == .timeout)
    }

    @Test func aSpentBudgetEndsRetriesForEverybody() {
        let driver = Driver {
            $0.budget?.capacity = 9
            $0.breaker = nil
        }
        var first = driver.call()
        #expect(driver.attempt(&first, outage) == .waitThenAttempt(.seconds(1)))
        var second = driver.call()
        guard case .fail(let ending) = driver.attempt(&second, outage) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .budgetExhausted)
        #expect(driver.attempt(&first, .success) == .succeed)
        #expect(driver.pipeline.budget?.tokens == 9, "a success after a retry gives its cost back")
    }

    @Test func everyAttemptCountsAgainstTheRateLimit() {
        let driver = Driver {
            $0.rateLimit = .init(limit: 1, period: .seconds(2), burst: 1)
            $0.breaker = nil
        }
        var call = driver.call()
        #expect(driver.attempt(&call, outage) == .waitThenAttempt(.seconds(1)))
        driver.now += .seconds(1)
        #expect(driver.begin(&call) == .waitThenAttempt(.seconds(1)), "a retry consumes quota too")
        driver.now += .seconds(1)
        #expect(driver.attempt(&call, .success) == .succeed)
    }

    @Test func aRateLimitThatTakesTooLongGivesTheWorkBack() {
        let driver = Driver { $0.rateLimit = .init(limit: 1, period: .seconds(10)) }
        var first = driver.call()
        #expect(driver.attempt(&first, .success) == .succeed)
        var second = driver.call()
        guard case .reschedule(let reschedule) = driver.begin(&second) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.reason == .longWait && reschedule.after == .seconds(10))
        #expect(reschedule.failedAttempts == 0 && reschedule.failure == nil)
        var hurried = driver.call(deadline: .seconds(5))
        guard case .fail(let ending) = driver.begin(&hurried) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .deadlineExceeded && ending.failure.kind == .rateLimited)
    }

    @Test func aCallTheBreakerRefusesCostsNoQuota() {
        let driver = Driver { $0.rateLimit = .init(limit: 10, period: .seconds(1)) }
        driver.trip()
        driver.now += .seconds(2)
        var call = driver.call()
        guard case .reschedule = driver.begin(&call) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(driver.pipeline.limiter?.remaining(at: driver.now) == 10)
    }

    @Test func anIsolatedConnectionFailsAtOnce() {
        let driver = Driver()
        driver.pipeline.breaker?.setMode(.isolated)
        var call = driver.call()
        guard case .fail(let ending) = driver.begin(&call) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .isolated && ending.failure.kind == .unavailable)
    }

    @Test func modesThatLetEverythingPassRetryAsUsual() {
        for mode in [CircuitBreaker.Mode.disabled, .metricsOnly] {
            let driver = Driver { $0.breaker?.minimumCalls = 1 }
            driver.pipeline.breaker?.setMode(mode)
            var call = driver.call()
            #expect(driver.attempt(&call, outage) == .waitThenAttempt(.seconds(1)))
        }
        let driver = Driver()
        var call = driver.call()
        _ = driver.begin(&call)
        driver.pipeline.breaker?.setMode(.forcedOpen)
        guard case .reschedule(let reschedule) = driver.finish(&call, outage) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(reschedule.after == .seconds(30))
    }

    typealias VerdictRow = (kind: FailureKind, verdict: CircuitBreaker.Verdict)

    @Test(
        arguments: [
            (.auth, .neutral), (.quotaExhausted, .neutral), (.unsupported, .neutral), (.permission, .success),
            (.notFound, .success), (.conflict, .success), (.validation, .success), (.transient, .failure),
            (.timeout, .failure), (.unavailable, .failure), (.unknown, .failure), (.rateLimited, .failure),
        ] as [VerdictRow])
    func kindsAreVerdictsOnTheRemote(_ row: VerdictRow) {
        var policy = CircuitBreaker.Policy()
        #expect(policy.verdict(on: CallFailure(kind: row.kind)) == row.verdict)
        let asking = CallFailure(kind: row.kind, retryAfter: .seconds(3))
        #expect(policy.verdict(on: asking) == (row.verdict == .failure ? .failureOpening(.seconds(3)) : row.verdict))
        policy.opensOnRetryAfter = false
        #expect(policy.verdict(on: asking) == row.verdict)
    }

    @Test func theCallersGeneratorIsUsed() {
        let driver = Driver { $0.retry.backoff = .fullJitter(base: .seconds(1), cap: .seconds(4)) }
        var generator = SeededGenerator(seed: 1)
        var copy = generator
        var call = driver.call()
        _ = driver.begin(&call)
        let action = driver.pipeline.finish(&call, outage, at: driver.now, using: &generator)
        #expect(action == .waitThenAttempt(.nanoseconds(Int64(copy.unit() * 1e9))))
    }

    static let seeds: [UInt64] = (0..<10).map { 0xCA11_0000 + $0 }

    /// Whatever happens: attempts are bounded, no unsafe effect is sent twice, every wait is bounded, and the call ends.
    @Test(arguments: seeds)
    func randomCallsEnd(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let driver = Driver { $0.breaker?.minimumCalls = 2 }
        for number in 0..<500 {
            let safety = RepeatSafety.allCases[generator.pick(3)]
            var call = driver.call(safety)
            var action = driver.begin(&call)
            var mayHaveHappened = false
            for step in 0... {
                guard step < 10 else {
                    Issue.record("seed \(seed), call \(number): does not end")
                    return
                }
                if case .attempt(let attempt) = action {
                    if attempt.number > 3 || attempt.timeout > .seconds(10) || (mayHaveHappened && safety == .unsafe) {
                        Issue.record("seed \(seed), call \(number): \(attempt)")
                        return
                    }
                    let failure = CallFailure(
                        kind: FailureKind.allCases[generator.pick(12)], mayHaveExecuted: generator.pick(2) == 0,
                        retryAfter: generator.pick(4) == 0 ? .seconds(generator.pick(100)) : nil)
                    mayHaveHappened = mayHaveHappened || failure.mayHaveExecuted
                    let outcome: CallPipeline.Outcome = generator.pick(3) == 0 ? .success : .failure(failure)
                    action = driver.finish(&call, outcome, after: .milliseconds(generator.pick(11_000)))
                } else if case .waitThenAttempt(let delay) = action {
                    if delay < .zero || delay > .seconds(5) {
                        Issue.record("seed \(seed), call \(number): waits \(delay)")
                        return
                    }
                    driver.now += delay
                    action = driver.begin(&call)
                } else {
                    if case .reschedule(let reschedule) = action, reschedule.after <= .zero {
                        Issue.record("seed \(seed), call \(number): comes back at once")
                        return
                    }
                    break
                }
            }
            driver.now += .milliseconds(generator.pick(20_000))
        }
    }
}
