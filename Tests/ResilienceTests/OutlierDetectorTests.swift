import Resilience
import Testing

struct OutlierDetectorTests {
    private func fail(_ detector: inout OutlierDetector, _ endpoint: Int, _ times: Int, at now: Duration = .zero) {
        for _ in 0..<times { detector.record(.failure, of: endpoint, at: now) }
    }

    @Test func endpointsTakeTurns() {
        var detector = OutlierDetector(count: 3)
        #expect((0..<6).map { _ in detector.choose(at: .zero) } == [0, 1, 2, 0, 1, 2])
    }

    @Test func fiveFailuresInARowEjectForLongerEachTime() {
        var detector = OutlierDetector(count: 3)
        _ = detector.choose(at: .zero)
        self.fail(&detector, 1, 4)
        detector.record(.success, of: 1, at: .zero)
        self.fail(&detector, 1, 4)
        #expect(detector.ejectedCount == 0, "a success begins the count anew")
        self.fail(&detector, 1, 1)
        #expect(
            detector.takeEvents() == [.ejected(endpoint: 1, reason: .consecutiveFailures, until: .seconds(30))])
        #expect((0..<4).map { _ in detector.choose(at: .seconds(1)) } == [2, 0, 2, 0])
        // Ejections end with a sweep.
        _ = detector.choose(at: .seconds(29))
        #expect(detector.ejectedCount == 1)
        _ = detector.choose(at: .seconds(39))
        #expect(detector.takeEvents() == [.returned(endpoint: 1)])
        self.fail(&detector, 1, 5, at: .seconds(40))
        #expect(detector.endpoints[1].ejectedUntil == .seconds(100), "twice as long")
    }

    @Test func whatCannotBeReachedCountsByItself() {
        var policy = OutlierDetector.Policy()
        policy.consecutiveFailures = nil
        policy.consecutiveUnreachable = 2
        policy.ejectionJitter = .seconds(10)
        var detector = OutlierDetector(policy: policy, count: 2)
        detector.record(.unreachable, of: 0, at: .zero)
        detector.record(.failure, of: 0, at: .zero)
        detector.record(.unreachable, of: 0, at: .zero)
        #expect(detector.ejectedCount == 0)
        detector.record(.unreachable, of: 0, at: .zero, unit: 0.5)
        #expect(detector.endpoints[0].ejectedUntil == .seconds(35))
        #expect(detector.endpoints[0].failures == 4 && detector.endpoints[0].calls == 4)
    }

    @Test func theLastEndpointStaysAndAtLeastOneMayGo() {
        var policy = OutlierDetector.Policy()
        policy.ejectedPercentMaximum = 0
        var few = OutlierDetector(policy: policy, count: 3)
        for endpoint in 0..<3 { self.fail(&few, endpoint, 5) }
        #expect(few.ejectedCount == 1)
        policy.ejectedPercentMaximum = 100
        var all = OutlierDetector(policy: policy, count: 3)
        for endpoint in 0..<3 { self.fail(&all, endpoint, 5) }
        #expect(all.ejectedCount == 2)
        #expect(all.choose(at: .zero) == 2)
    }

    @Test func aPassedHealthCheckForgivesEverything() {
        var detector = OutlierDetector(count: 2)
        self.fail(&detector, 0, 5)
        detector.passedHealthCheck(0)
        #expect(detector.ejectedCount == 0 && detector.endpoints[0].ejections == 0)
        self.fail(&detector, 0, 4)
        #expect(detector.ejectedCount == 0)
        detector.passedHealthCheck(1)
        #expect(detector.takeEvents().count == 2, "what was not ejected does not return")
    }

    @Test func aSuccessRateFarBelowTheOthersEjects() {
        var policy = OutlierDetector.Policy()
        policy.consecutiveFailures = nil
        var detector = OutlierDetector(policy: policy, count: 6)
        _ = detector.choose(at: .zero)
        for call in 0..<100 {
            for endpoint in 0..<6 {
                detector.record(endpoint == 4 && call % 2 == 0 ? .failure : .success, of: endpoint, at: .seconds(1))
            }
        }
        _ = detector.choose(at: .seconds(10))
        #expect(detector.takeEvents() == [.ejected(endpoint: 4, reason: .successRate, until: .seconds(40))])
        // The next interval begins with nothing: no verdict without calls.
        _ = detector.choose(at: .seconds(20))
        #expect(detector.ejectedCount == 1)
    }

    @Test func aFailurePercentageEjectsWhateverTheOthersDo() {
        var policy = OutlierDetector.Policy()
        policy.consecutiveFailures = nil
        policy.successRate = nil
        var rule = OutlierDetector.Policy.FailurePercentage()
        rule.endpointsMinimum = 2
        policy.failurePercentage = rule
        policy.ejectedPercentMaximum = 50
        var detector = OutlierDetector(policy: policy, count: 4)
        _ = detector.choose(at: .zero)
        for call in 0..<50 {
            for endpoint in 0..<4 { detector.record(call < 42 ? .failure : .success, of: endpoint, at: .zero) }
        }
        for _ in 0..<4 { detector.record(.failure, of: 2, at: .zero) }
        _ = detector.choose(at: .seconds(10))
        #expect(detector.takeEvents() == [.ejected(endpoint: 2, reason: .failurePercentage, until: .seconds(40))])
    }

    static let seeds: [UInt64] = (0..<10).map { 0x0071_0000 + $0 }

    /// 10 seeds of 200 schedules: whatever happens, an endpoint in use is chosen and ejections end.
    @Test(arguments: seeds)
    func randomSchedulesAlwaysLeaveAnEndpoint(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<200 {
            var policy = OutlierDetector.Policy()
            policy.consecutiveFailures = 1 + generator.pick(3)
            policy.ejectedPercentMaximum = Double(generator.pick(101))
            policy.failurePercentage = OutlierDetector.Policy.FailurePercentage()
            policy.failurePercentage?.endpointsMinimum = 1
            policy.failurePercentage?.callsMinimum = 1
            let count = 1 + generator.pick(6)
            var detector = OutlierDetector(policy: policy, count: count)
            var now = Duration.zero
            for _ in 0..<100 {
                now += .milliseconds(generator.pick(5_000))
                let endpoint = detector.choose(at: now)
                let outcome = ([.success, .failure, .unreachable] as [OutlierDetector.Outcome])[generator.pick(3)]
                let isInUse = detector.endpoints[endpoint].ejectedUntil == nil
                detector.record(outcome, of: endpoint, at: now)
                let allowed = min(max(1, Int(policy.ejectedPercentMaximum * Double(count) / 100)), count - 1)
                let longest = detector.endpoints.compactMap(\.ejectedUntil).max() ?? now
                guard isInUse, detector.ejectedCount <= allowed, longest <= now + policy.ejectionMaximum else {
                    Issue.record("seed \(seed), schedule \(schedule): \(detector.endpoints)")
                    return
                }
            }
            // What happened so far may eject once more; without calls everybody comes back.
            for _ in 0..<2 {
                now += policy.ejectionMaximum + policy.interval
                _ = detector.choose(at: now)
            }
            #expect(detector.ejectedCount == 0, "seed \(seed), schedule \(schedule)")
        }
    }
}
