import Resilience
import Testing

/// Places, budgets, hedges, faults and endpoints in the pipeline, on a clock of the test's own.
struct CallPipelineLimitsTests {
    private static let outage = CallPipeline.Outcome.failure(CallFailure(kind: .transient))

    private func pipeline(endpoints: Int = 1, _ change: (inout ResilienceProfile) -> Void) -> CallPipeline {
        var profile = ResilienceProfile(name: "test")
        profile.attemptTimeout = .seconds(10)
        profile.totalTimeout = .seconds(60)
        profile.retry.maximumAttempts = 3
        profile.retry.backoff = .constant(.seconds(1))
        change(&profile)
        return CallPipeline(profile: profile, endpoints: endpoints)
    }

    private func attempt(_ action: CallPipeline.Action) throws -> CallPipeline.Attempt {
        guard case .attempt(let attempt) = action else { throw Unexpected(what: "\(action)") }
        return attempt
    }

    private struct Unexpected: Error {
        let what: String
    }

    // MARK: Places

    @Test func aCallWithoutAPlaceWaitsForItsAnswer() throws {
        var pipeline = self.pipeline {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 1
            $0.bulkhead?.queueMaximum = 1
        }
        var calls = (0..<3).map { _ in pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero) }
        _ = try self.attempt(pipeline.begin(&calls[0], at: .zero))
        guard case .waitForPlace(let ticket) = pipeline.begin(&calls[1], at: .zero) else {
            Issue.record("expected to wait")
            return
        }
        guard case .reschedule(let full) = pipeline.begin(&calls[2], at: .zero) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(full.reason == .bulkheadFull && full.after == .seconds(5) && full.failedAttempts == 0)
        #expect(pipeline.takeAnswers().isEmpty)
        // A retry keeps the place over its wait.
        #expect(pipeline.finish(&calls[0], Self.outage, at: .zero, unit: 0.5) == .waitThenAttempt(.seconds(1)))
        #expect(pipeline.takeAnswers().isEmpty)
        _ = try self.attempt(pipeline.begin(&calls[0], at: .seconds(1)))
        #expect(pipeline.finish(&calls[0], .success, at: .seconds(1), unit: 0) == .succeed)
        let answers = pipeline.takeAnswers()
        #expect(answers.map(\.ticket) == [ticket] && answers.map(\.isGranted) == [true])
        _ = try self.attempt(pipeline.resume(&calls[1], granted: true, at: .seconds(1)))
        #expect(pipeline.finish(&calls[1], .success, at: .seconds(1), unit: 0) == .succeed)
        #expect(pipeline.bulkhead?.running == 0 && pipeline.active == 0)
        #expect(pipeline.totals.queued == 1 && pipeline.totals.bulkheadRejections == 1)
    }

    @Test func aRefusedWaitComesBackLater() {
        var pipeline = self.pipeline {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 1
            $0.bulkhead?.waitMaximum = .milliseconds(20)
        }
        var first = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        var second = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        _ = pipeline.begin(&first, at: .zero)
        _ = pipeline.begin(&second, at: .zero)
        _ = pipeline.finish(&first, .success, at: .seconds(1), unit: 0)
        #expect(pipeline.takeAnswers().map(\.isGranted) == [false])
        guard case .reschedule(let late) = pipeline.resume(&second, granted: false, at: .seconds(1)) else {
            Issue.record("expected to come back later")
            return
        }
        #expect(late.reason == .bulkheadFull && late.after == .milliseconds(100))
        #expect(pipeline.active == 0 && pipeline.bulkhead?.running == 0)
    }

    @Test func theAdaptiveLimitDecidesHowManyPlacesThereAre() throws {
        var pipeline = self.pipeline {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 3
            $0.bulkhead?.adaptive = AdaptiveLimit.Policy()
        }
        #expect(pipeline.bulkhead?.limit == 1)
        var now = Duration.zero
        for _ in 0..<3 {
            // As many as there are places, at once.
            var calls = (0..<(pipeline.bulkhead?.limit ?? 0)).map { _ in
                pipeline.call(safety: .safe, idempotencyKey: nil, at: now)
            }
            for index in calls.indices { _ = try self.attempt(pipeline.begin(&calls[index], at: now)) }
            now += .milliseconds(10)
            for index in calls.indices { _ = pipeline.finish(&calls[index], .success, at: now, unit: 0) }
        }
        #expect(pipeline.bulkhead?.limit == 3)
        for _ in 0..<3 {
            var call = pipeline.call(safety: .unsafe, idempotencyKey: nil, at: now)
            _ = try self.attempt(pipeline.begin(&call, at: now))
            now += .milliseconds(10)
            _ = pipeline.finish(&call, Self.outage, at: now, unit: 0)
            pipeline.abandon(&call, at: now)
        }
        #expect(pipeline.bulkhead?.limit == 1)
    }

    // MARK: Budgets

    @Test func onlyAShareOfTheCallsMayBeInARetry() throws {
        var pipeline = self.pipeline {
            $0.retryConcurrency = RetryConcurrency.Policy()
            $0.retryConcurrency?.minimum = 1
            $0.breaker = nil
        }
        var first = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        var second = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        _ = pipeline.begin(&first, at: .zero)
        _ = pipeline.begin(&second, at: .zero)
        #expect(pipeline.finish(&first, Self.outage, at: .zero, unit: 0) == .waitThenAttempt(.seconds(1)))
        guard case .fail(let ending) = pipeline.finish(&second, Self.outage, at: .zero, unit: 0) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .budgetExhausted && pipeline.totals.budgetRefusals == 1)
        // The second retry of one call needs no second share.
        _ = pipeline.begin(&first, at: .seconds(1))
        #expect(pipeline.finish(&first, Self.outage, at: .seconds(1), unit: 0) == .waitThenAttempt(.seconds(1)))
        #expect(pipeline.retryConcurrency?.retrying == 1)
        _ = pipeline.begin(&first, at: .seconds(2))
        _ = pipeline.finish(&first, .success, at: .seconds(2), unit: 0)
        #expect(pipeline.retryConcurrency?.retrying == 0)
        #expect(pipeline.retryConcurrency?.allowed(active: 100) == 20)
    }

    @Test func theRemotesWishHoldsTheRateLimitForEverybody() throws {
        var pipeline = self.pipeline {
            $0.rateLimit = .init(limit: 10, period: .seconds(1))
            $0.breaker?.opensOnRetryAfter = false
        }
        var call = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        _ = pipeline.begin(&call, at: .zero)
        let throttled = CallPipeline.Outcome.failure(CallFailure(kind: .rateLimited, retryAfter: .seconds(3)))
        #expect(pipeline.finish(&call, throttled, at: .zero, unit: 0) == .waitThenAttempt(.seconds(3)))
        var other = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        #expect(pipeline.begin(&other, at: .seconds(1)) == .waitThenAttempt(.seconds(2)))
        _ = try self.attempt(pipeline.begin(&other, at: .seconds(3)))
        #expect(pipeline.limiter?.remaining(at: .seconds(3)) == 0, "the even rate, no burst")
    }

    // MARK: Hedges

    private func hedged(_ change: (inout ResilienceProfile) -> Void = { _ in }) -> CallPipeline {
        self.pipeline {
            $0.hedge = HedgePolicy()
            change(&$0)
        }
    }

    @Test func theFirstAnswerCountsAndTheOtherAttemptIsNoVerdict() throws {
        var pipeline = self.hedged()
        var call = pipeline.call(safety: .idempotent, idempotencyKey: "k", at: .zero)
        let first = try self.attempt(pipeline.begin(&call, at: .zero))
        #expect(first.hedgeAfter == .seconds(2))
        let hedge = try #require(pipeline.hedge(&call, at: .seconds(2)))
        #expect(hedge.number == 1 && hedge.id != first.id && hedge.idempotencyKey == "k" && hedge.hedgeAfter == nil)
        #expect(hedge.timeout == .seconds(10) && hedge.deadline == .seconds(60))
        #expect(pipeline.hedge(&call, at: .seconds(3)) == nil, "one is allowed")
        #expect(pipeline.budget?.tokens == 495)
        #expect(pipeline.finish(&call, .success, of: hedge.id, at: .seconds(4), unit: 0) == .succeed)
        #expect(pipeline.breaker?.counts.calls == 1 && pipeline.breaker?.totals.released == 1)
        #expect(pipeline.budget?.tokens == 500 && pipeline.totals.hedges == 1)
    }

    @Test func aFailureWaitsForTheOtherAttemptUnlessItIsFinal() throws {
        var pipeline = self.hedged()
        var call = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        let first = try self.attempt(pipeline.begin(&call, at: .zero))
        let hedge = try #require(pipeline.hedge(&call, at: .seconds(2)))
        #expect(pipeline.finish(&call, Self.outage, of: first.id, at: .seconds(3), unit: 0) == .awaitOthers)
        #expect(
            pipeline.finish(&call, Self.outage, of: hedge.id, at: .seconds(3), unit: 0)
                == .waitThenAttempt(.seconds(1)))
        #expect(call.failedAttempts == 1, "both together are one")

        var other = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        let third = try self.attempt(pipeline.begin(&other, at: .zero))
        _ = try #require(pipeline.hedge(&other, at: .seconds(2)))
        let refused = CallPipeline.Outcome.failure(CallFailure(kind: .validation))
        guard case .fail(let ending) = pipeline.finish(&other, refused, of: third.id, at: .seconds(3), unit: 0) else {
            Issue.record("expected the end")
            return
        }
        #expect(ending.reason == .notRetryable)
    }

    enum NoHedge: CaseIterable {
        case unsafe, spentBudget, retriesAtOnce, rateLimit, deadline
    }

    @Test(arguments: NoHedge.allCases)
    func someThingsForbidAHedge(_ reason: NoHedge) throws {
        var pipeline = self.hedged {
            switch reason {
            case .unsafe: break
            case .spentBudget: $0.budget?.capacity = 1
            case .retriesAtOnce:
                $0.retryConcurrency = RetryConcurrency.Policy()
                $0.retryConcurrency?.minimum = 0
            case .rateLimit: $0.rateLimit = .init(limit: 1, period: .seconds(60))
            case .deadline: $0.totalTimeout = .seconds(2)
            }
        }
        var call = pipeline.call(safety: reason == .unsafe ? .unsafe : .safe, idempotencyKey: nil, at: .zero)
        let first = try self.attempt(pipeline.begin(&call, at: .zero))
        #expect((first.hedgeAfter == nil) == (reason == .unsafe))
        let hedge = pipeline.hedge(&call, at: .seconds(2))
        #expect(hedge == nil)
    }

    @Test func anOpenBreakerForbidsHedges() throws {
        var pipeline = self.hedged()
        var call = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        _ = try self.attempt(pipeline.begin(&call, at: .zero))
        pipeline.breaker?.open(at: .seconds(1))
        #expect(pipeline.hedge(&call, at: .seconds(2)) == nil)
    }

    // MARK: Faults

    @Test func rehearsedFaultsComeWithTheAttempt() throws {
        var pipeline = self.pipeline {
            $0.faults = FaultPolicy()
            $0.faults?.failurePercent = 100
            $0.faults?.failure = CallFailure(kind: .timeout, mayHaveExecuted: true)
            $0.faults?.latencyPercent = 100
            $0.faults?.latency = .constant(.seconds(1))
        }
        var call = pipeline.call(safety: .safe, idempotencyKey: nil, at: .zero)
        let injection = try #require(try self.attempt(pipeline.begin(&call, at: .zero, unit: 0.3)).injection)
        #expect(injection.delay == .seconds(1) && injection.failure?.kind == .timeout)
        #expect(pipeline.totals.injectedFailures == 1 && pipeline.totals.injectedDelays == 1)
        #expect(pipeline.profile.faults?.summary == "100% fail as timeout, 100% delayed")
    }

    @Test(arguments: [
        ("constant", LatencyDistribution.constant(.milliseconds(40)), 0.04, 0.04...0.04),
        ("uniform", .uniform(from: .milliseconds(20), to: .milliseconds(60)), 0.04, 0.02...0.06),
        ("exponential", .exponential(mean: .milliseconds(40), cap: .seconds(1)), 0.04, 0...1),
        ("normal", .normal(mean: .milliseconds(40), deviation: .milliseconds(5), cap: .seconds(1)), 0.04, 0...1),
        ("cut", .exponential(mean: .seconds(40), cap: .milliseconds(40)), 0.04, 0...0.04),
    ])
    func faultsHaveTheRatesAndTheMeanAsked(
        _ row: (name: String, latency: LatencyDistribution, mean: Double, range: ClosedRange<Double>)
    ) {
        var policy = FaultPolicy()
        policy.failurePercent = 30
        policy.latencyPercent = 20
        policy.latency = row.latency
        let seed: UInt64 = 0xFA17
        var generator = SeededGenerator(seed: seed)
        var (failures, delays, total) = (0, 0, 0.0)
        let count = 20_000
        for _ in 0..<count {
            guard let injection = policy.injection(unit: generator.unit()) else { continue }
            if injection.failure != nil { failures += 1 }
            guard injection.delay > .zero else { continue }
            delays += 1
            let seconds = Double(injection.delay.components.attoseconds) * 1e-18
            #expect(row.range.contains(seconds), "\(row.name)")
            total += seconds
        }
        #expect(abs(Double(failures) / Double(count) - 0.3) < 0.02, "\(row.name), seed \(seed)")
        #expect(abs(Double(delays) / Double(count) - 0.2) < 0.02, "\(row.name), seed \(seed)")
        #expect(abs(total / Double(delays) - row.mean) < 0.003, "\(row.name), seed \(seed): \(total / Double(delays))")
    }

    // MARK: Endpoints

    @Test func attemptsTakeTurnsAmongEndpointsAndLeaveOutTheBadOne() throws {
        var pipeline = self.pipeline(endpoints: 3) { $0.breaker = nil }
        var used: [Int] = []
        for _ in 0..<24 {
            var call = pipeline.call(safety: .unsafe, idempotencyKey: nil, at: .zero)
            let attempt = try self.attempt(pipeline.begin(&call, at: .zero))
            used.append(attempt.endpoint)
            let failure = CallFailure(kind: .unavailable, isRetryable: false)
            _ = pipeline.finish(&call, attempt.endpoint == 1 ? .failure(failure) : .success, at: .zero, unit: 0)
        }
        #expect(used.prefix(6) == [0, 1, 2, 0, 1, 2])
        #expect(used.count { $0 == 1 } == 5)
        #expect(pipeline.takeOutlierEvents().count == 1)
        #expect(pipeline.takeOutlierEvents().isEmpty)
    }

    // MARK: Whatever happens

    static let seeds: [UInt64] = (0..<20).map { 0x11F7_0000 + $0 }

    /// 20 seeds of 50 schedules of 60 steps: everything on, calls that overlap, hedges, cancellations.
    ///
    /// Never more calls run than there are places, and when all have ended nothing is held any more.
    @Test(arguments: seeds)
    func everythingIsGivenBackInTheEnd(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<50 {
            guard let problem = self.run(&generator) else { continue }
            Issue.record("seed \(seed), schedule \(schedule): \(problem)")
            return
        }
    }

    private struct Live {
        var call: CallPipeline.Call
        var attempts: [CallPipeline.Attempt] = []
        var ticket: Bulkhead.Ticket?
        var resumesAt: Duration?
    }

    private func everything(_ generator: inout SeededGenerator) -> CallPipeline {
        let places = 1 + generator.pick(4)
        let isAdaptive = generator.pick(2) == 0
        return self.pipeline(endpoints: 1 + generator.pick(3)) {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = places
            $0.bulkhead?.queueMaximum = 3
            if isAdaptive { $0.bulkhead?.adaptive = AdaptiveLimit.Policy() }
            $0.retryConcurrency = RetryConcurrency.Policy()
            $0.rateLimit = .init(limit: 20, period: .seconds(1))
            $0.hedge = HedgePolicy()
            $0.breaker?.minimumCalls = 3
            $0.breaker?.openDuration = .seconds(2)
            $0.faults = FaultPolicy()
            $0.faults?.failurePercent = 10
        }
    }

    private func run(_ generator: inout SeededGenerator) -> String? {
        var pipeline = self.everything(&generator)
        var live: [Live] = []
        var now = Duration.zero
        func apply(_ action: CallPipeline.Action, _ index: Int) {
            switch action {
            case .attempt(let attempt): live[index].attempts.append(attempt)
            case .waitThenAttempt(let delay): live[index].resumesAt = now + delay
            case .waitForPlace(let ticket): live[index].ticket = ticket
            case .awaitOthers: break
            case .succeed, .reschedule, .fail: live.remove(at: index)
            }
        }
        func answer() {
            for answer in pipeline.takeAnswers() {
                guard let index = live.firstIndex(where: { $0.ticket == answer.ticket }) else { continue }
                live[index].ticket = nil
                apply(pipeline.resume(&live[index].call, granted: answer.isGranted, at: now), index)
                answerAgain = true
            }
        }
        var answerAgain = true
        for step in 0..<120 {
            now += .milliseconds(generator.pick(600))
            let isEnding = step >= 60
            if !isEnding, generator.pick(3) == 0 {
                let safety = RepeatSafety.allCases[generator.pick(3)]
                live.append(Live(call: pipeline.call(safety: safety, idempotencyKey: nil, at: now)))
                apply(pipeline.begin(&live[live.count - 1].call, at: now, unit: generator.unit()), live.count - 1)
            } else if !live.isEmpty {
                let index = generator.pick(live.count)
                if isEnding || generator.pick(12) == 0 {
                    pipeline.abandon(&live[index].call, at: now)
                    live.remove(at: index)
                } else if let resumesAt = live[index].resumesAt {
                    now = max(now, resumesAt)
                    live[index].resumesAt = nil
                    apply(pipeline.begin(&live[index].call, at: now, unit: generator.unit()), index)
                } else if !live[index].attempts.isEmpty {
                    if generator.pick(3) == 0, let hedge = pipeline.hedge(&live[index].call, at: now) {
                        live[index].attempts.append(hedge)
                    } else {
                        let attempt = live[index].attempts.remove(at: generator.pick(live[index].attempts.count))
                        let failure = CallFailure(
                            kind: FailureKind.allCases[generator.pick(12)], mayHaveExecuted: generator.pick(2) == 0)
                        let outcome: CallPipeline.Outcome = generator.pick(2) == 0 ? .success : .failure(failure)
                        let action = pipeline.finish(
                            &live[index].call, outcome, of: attempt.id, at: now, unit: generator.unit())
                        apply(action, index)
                    }
                }
            }
            answerAgain = true
            while answerAgain {
                answerAgain = false
                answer()
            }
            guard let bulkhead = pipeline.bulkhead, bulkhead.running <= bulkhead.policy.maximumConcurrent,
                pipeline.active == live.count, bulkhead.waiting == live.count(where: { $0.ticket != nil })
            else { return "\(pipeline.active) calls, \(live.count) known: \(String(describing: pipeline.bulkhead))" }
        }
        guard live.isEmpty, pipeline.active == 0, pipeline.bulkhead?.running == 0, pipeline.bulkhead?.waiting == 0,
            pipeline.retryConcurrency?.retrying == 0, pipeline.breaker?.outstandingProbes == 0
        else { return "something is held: \(pipeline.active) calls" }
        let totals = pipeline.breaker?.totals
        guard totals?.admitted == (totals?.successes ?? 0) + (totals?.failures ?? 0) + (totals?.released ?? 0) else {
            return "permits: \(String(describing: totals))"
        }
        return nil
    }
}
