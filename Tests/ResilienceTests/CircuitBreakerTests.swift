import Resilience
import Testing

/// A breaker with a clock and a record of permits, so that a test reads like a transcript.
private final class Transcript {
    var breaker: CircuitBreaker
    var now = Duration.zero

    init(_ change: (inout CircuitBreaker.Policy) -> Void = { _ in }) {
        var policy = CircuitBreaker.Policy()
        policy.window = .count(size: 4)
        policy.minimumCalls = 4
        policy.halfOpenPermits = 2
        policy.openDuration = .seconds(10)
        policy.probeLease = .seconds(5)
        policy.slowCallDuration = .seconds(1)
        change(&policy)
        self.breaker = CircuitBreaker(policy: policy)
    }

    func wait(_ duration: Duration) { self.now += duration }

    func acquire() -> CircuitBreaker.Permit? { try? self.breaker.tryAcquire(at: self.now).get() }

    /// Why a call is refused now; `nil` when it passes.
    func refusal() -> CircuitBreaker.Rejection? {
        if case .failure(let rejection) = self.breaker.tryAcquire(at: self.now) { return rejection }
        return nil
    }

    func end(_ permit: CircuitBreaker.Permit?, _ verdict: CircuitBreaker.Verdict, took: Duration = .zero) {
        if let permit { self.breaker.record(verdict, for: permit, took: took, at: self.now) }
    }

    /// One call.
    ///
    /// Returns whether it passed.
    @discardableResult
    func call(_ verdict: CircuitBreaker.Verdict, took: Duration = .zero) -> Bool {
        let permit = self.acquire()
        self.end(permit, verdict, took: took)
        return permit != nil
    }

    func calls(_ verdicts: CircuitBreaker.Verdict...) { for verdict in verdicts { self.call(verdict) } }

    var isClosed: Bool { self.breaker.state == .closed }
}

struct CircuitBreakerTests {
    @Test func staysClosedBelowTheMinimumOfCalls() {
        let t = Transcript()
        t.calls(.failure, .failure, .failure)
        #expect(t.isClosed)
        t.call(.failure)
        #expect(t.breaker.state == .open(until: .seconds(10), round: 1))
    }

    @Test(arguments: [(failures: 1, opens: false), (2, true), (4, true)])
    func opensAtTheFailureRateOrAbove(_ row: (failures: Int, opens: Bool)) {
        let t = Transcript()
        for number in 0..<4 { t.call(number < 4 - row.failures ? .success : .failure) }
        #expect(t.isClosed != row.opens)
    }

    @Test func onlyTheLastCallsOfACountWindowDecide() {
        let t = Transcript()
        t.calls(.failure, .success, .success, .success, .failure)
        #expect(t.breaker.counts.calls == 4 && t.breaker.counts.failures == 1)
        #expect(t.isClosed)
        t.call(.failure)
        #expect(!t.isClosed)
    }

    @Test func aMinimumAboveTheCountWindowIsCutToIt() {
        let t = Transcript { $0.minimumCalls = 100 }
        t.calls(.failure, .failure, .failure, .failure)
        #expect(!t.isClosed)
    }

    @Test func oldCallsLeaveATimeWindow() {
        let t = Transcript { $0.window = .time(seconds: 3) }
        t.calls(.failure, .failure, .failure)
        t.wait(.seconds(3))
        t.call(.failure)
        #expect(t.isClosed)
        #expect(t.breaker.counts.calls == 1)
        // A clock that goes back loses nothing and invents nothing.
        t.wait(.seconds(-2))
        t.call(.failure)
        #expect(t.breaker.counts.calls == 2)
        t.wait(.seconds(1_000_000))
        t.call(.success)
        #expect(t.breaker.counts.calls == 1)
    }

    @Test func slowCallsCountWhetherTheyFailOrNot() {
        let t = Transcript { $0.slowRatePercent = 50 }
        t.call(.success, took: .seconds(1))
        t.calls(.success, .success)
        t.call(.success, took: .seconds(1) + .nanoseconds(1))
        #expect(t.isClosed, "exactly the threshold is not slow")
        t.call(.success, took: .seconds(2))
        #expect(t.breaker.state == .open(until: .seconds(10), round: 1))
    }

    @Test func isOpenUntilStrictlyAfterItsDeadline() throws {
        let t = Transcript()
        t.calls(.failure, .failure, .failure, .failure)
        let refusal = try #require(t.refusal())
        #expect(refusal.reason == .open)
        #expect(refusal.retryAfter == .milliseconds(10_001))
        t.wait(.seconds(10))
        #expect(t.refusal()?.retryAfter == .milliseconds(1))
        t.wait(.milliseconds(1))
        #expect(t.acquire() != nil)
        #expect(t.breaker.state == .halfOpen(since: .milliseconds(10_001), round: 1))
    }

    @Test func probesThatSucceedClose() {
        let t = Transcript()
        t.calls(.failure, .failure, .failure, .failure)
        t.wait(.seconds(11))
        let probes = [t.acquire(), t.acquire()]
        #expect(t.refusal()?.reason == .probing)
        t.end(probes[0], .success)
        #expect(t.refusal()?.reason == .probing, "a used permit is not given out again")
        t.end(probes[1], .success)
        #expect(t.isClosed)
        #expect(t.breaker.counts.calls == 0)
    }

    @Test func probesThatFailOpenForLongerEachTime() {
        let t = Transcript { $0.openDurationMaximum = .seconds(35) }
        t.calls(.failure, .failure, .failure, .failure)
        for (round, seconds) in [(2, 20), (3, 35), (4, 35)] as [(Int, Int64)] {
            t.wait(.seconds(100))
            t.calls(.failure, .success)
            #expect(t.breaker.state == .open(until: t.now + .seconds(seconds), round: round))
        }
        t.wait(.seconds(100))
        t.calls(.success, .success)
        t.calls(.failure, .failure, .failure, .failure)
        #expect(t.breaker.state == .open(until: t.now + .seconds(10), round: 1), "recovery starts over")
    }

    @Test func aCancelledProbeIsNoVerdictAndGivesItsPermitBack() {
        let t = Transcript()
        t.calls(.failure, .failure, .failure, .failure)
        t.wait(.seconds(11))
        for _ in 0..<20 { #expect(t.call(.neutral)) }
        #expect(t.breaker.state == .halfOpen(since: .seconds(11), round: 1))
        t.calls(.success, .success)
        #expect(t.isClosed)
    }

    @Test func aHungProbeLosesItsLeaseAndItsSay() {
        let t = Transcript()
        t.calls(.failure, .failure, .failure, .failure)
        t.wait(.seconds(11))
        let hung = t.acquire()
        t.end(t.acquire(), .success)
        #expect(t.refusal()?.retryAfter == .milliseconds(5_001), "when the lease ends")
        t.wait(.seconds(5))
        let next = t.acquire()
        #expect(next != nil)
        t.end(hung, .failure)
        #expect(t.breaker.counts.calls == 1)
        t.end(next, .success)
        #expect(t.isClosed)
    }

    @Test func halfOpenEndsFromWhatIsKnown() {
        // Nothing but hung probes: open again.
        let hung = Transcript()
        hung.calls(.failure, .failure, .failure, .failure)
        hung.wait(.seconds(11))
        _ = hung.acquire()
        hung.wait(.seconds(10))
        #expect(hung.refusal()?.reason == .open)
        #expect(hung.breaker.state == .open(until: .seconds(41), round: 2))
        // One good result and then silence: closed, although two were wanted.
        let quiet = Transcript()
        quiet.calls(.failure, .failure, .failure, .failure)
        quiet.wait(.seconds(11))
        quiet.call(.success)
        quiet.wait(.seconds(10))
        #expect(quiet.acquire() != nil)
        #expect(quiet.isClosed)
        // Neither: it waits on.
        let idle = Transcript()
        idle.calls(.failure, .failure, .failure, .failure)
        idle.wait(.seconds(11))
        idle.call(.neutral)
        idle.wait(.seconds(100))
        #expect(idle.acquire() != nil)
        #expect(idle.breaker.state == .halfOpen(since: .seconds(11), round: 1))
    }

    @Test func resultsOfAnEarlierStateDecideNothing() {
        let t = Transcript()
        let early = [t.acquire(), t.acquire(), t.acquire(), t.acquire()]
        t.calls(.failure, .failure, .failure, .failure)
        t.end(early[0], .failure)
        #expect(t.breaker.state == .open(until: .seconds(10), round: 1), "not prolonged")
        t.wait(.seconds(11))
        let probe = t.acquire()
        t.end(early[1], .failure)
        #expect(t.breaker.counts.calls == 0)
        t.end(probe, .success)
        t.call(.success)
        #expect(t.isClosed)
        t.end(early[2], .failureOpening(.seconds(60)))
        #expect(t.isClosed)
        #expect(t.breaker.totals.failures == 7)
    }

    @Test func aRemoteThatAsksForAPauseGetsIt() {
        let t = Transcript()
        t.call(.failureOpening(.seconds(42)))
        #expect(t.breaker.state == .open(until: .seconds(42), round: 1))
        t.wait(.seconds(43))
        t.call(.failureOpening(.seconds(1_000_000)))
        #expect(t.breaker.state == .open(until: .seconds(43 + 300), round: 2), "clamped to the longest open time")
    }

    @Test func operatorsDecideOverTheBreaker() {
        let t = Transcript()
        t.breaker.setMode(.disabled)
        for _ in 0..<10 { #expect(t.call(.failure)) }
        #expect(t.isClosed && t.breaker.counts.calls == 0)

        t.breaker.setMode(.forcedOpen)
        #expect(t.refusal() == CircuitBreaker.Rejection.forced)
        t.breaker.setMode(.isolated)
        #expect(t.refusal()?.reason == .isolated && t.refusal()?.retryAfter == nil)
        #expect(t.breaker.totals.rejected == 3)

        t.breaker.setMode(.automatic)
        #expect(t.call(.success))
        t.breaker.open(at: t.now)
        #expect(t.refusal()?.reason == .open)
        t.breaker.close()
        #expect(t.call(.success))
        #expect(
            t.breaker.takeEvents().compactMap { event -> CircuitBreaker.Mode? in
                if case .modeChanged(_, let to) = event { return to }
                return nil
            } == [.disabled, .forcedOpen, .isolated, .automatic])
        #expect(t.breaker.takeEvents().isEmpty)
    }

    @Test func metricsOnlyReportsEachThresholdOnce() {
        let t = Transcript { $0.slowRatePercent = 50 }
        t.breaker.setMode(.metricsOnly)
        _ = t.breaker.takeEvents()
        for _ in 0..<10 { #expect(t.call(.failure, took: .seconds(2))) }
        #expect(
            t.breaker.takeEvents() == [.failureRateExceeded(percent: 100), .slowRateExceeded(percent: 100)])
        #expect(t.isClosed)
        t.call(.failureOpening(.seconds(9)))
        #expect(t.isClosed)
    }

    @Test func aSwitchOfModeInMidCallConfusesNothing() {
        let t = Transcript()
        let before = t.acquire()
        t.breaker.open(at: t.now)
        t.breaker.setMode(.metricsOnly)
        let during = t.acquire()
        t.end(before, .failure)
        t.end(during, .success)
        t.end(t.acquire(), .neutral)
        #expect(t.breaker.counts.calls == 1)
        t.breaker.setMode(.automatic)
        #expect(t.isClosed && t.breaker.counts.calls == 0)
    }

    @Test func timeAloneMovesItWhenAsked() {
        let t = Transcript()
        #expect(t.breaker.nextTransition == nil)
        t.calls(.failure, .failure, .failure, .failure)
        #expect(t.breaker.nextTransition == .seconds(10))
        t.breaker.advance(to: .seconds(10))
        #expect(t.breaker.state == .open(until: .seconds(10), round: 1))
        t.breaker.advance(to: .seconds(11))
        #expect(t.breaker.state == .halfOpen(since: .seconds(11), round: 1))
        #expect(t.breaker.nextTransition == .seconds(21))
        t.breaker.setMode(.isolated)
        t.breaker.advance(to: .seconds(100))
        #expect(t.breaker.state == .halfOpen(since: .seconds(11), round: 1))
    }

    @Test func eventsAreBounded() {
        let t = Transcript()
        for _ in 0..<100 { t.breaker.open(at: t.now) }
        #expect(t.breaker.takeEvents().count == 64)
    }

    @Test func ratesOfNoCallsAreZero() {
        let counts = CircuitBreaker().counts
        #expect(counts.failureRatePercent == 0 && counts.slowRatePercent == 0)
    }

    @Test func aForcedClosedBreakerLetsEverythingPassAndSaysOnceThatItWouldNot() {
        let t = Transcript()
        t.breaker.setMode(.forcedClosed)
        _ = t.breaker.takeEvents()
        for _ in 0..<10 { t.call(.failure) }
        #expect(t.breaker.totals.admitted == 10 && t.isClosed)
        #expect(t.breaker.takeEvents() == [.failureRateExceeded(percent: 100)])
        t.breaker.setMode(.automatic)
        #expect(t.breaker.counts.calls == 0)
    }

    @Test func timePassingEmptiesATimeWindowForDisplays() {
        let t = Transcript { $0.window = .time(seconds: 3) }
        t.calls(.failure, .success)
        t.wait(.seconds(10))
        #expect(t.breaker.counts.calls == 2)
        t.breaker.advance(to: t.now)
        #expect(t.breaker.counts.calls == 0)
    }
}

extension CircuitBreaker.Rejection {
    fileprivate static var forced: Self? {
        var policy = CircuitBreaker.Policy()
        policy.openDuration = .seconds(10)
        var breaker = CircuitBreaker(policy: policy)
        breaker.setMode(.forcedOpen)
        if case .failure(let rejection) = breaker.tryAcquire(at: .zero) { return rejection }
        return nil
    }
}
