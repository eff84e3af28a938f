import Resilience
import Testing
import Values

struct ResilienceProfileTests {
    private func read(_ json: String, base: ResilienceProfile = .standard) throws
        -> (profile: ResilienceProfile, diagnostics: [Diagnostic])
    {
        var diagnostics: [Diagnostic] = []
        let profile = ResilienceProfile(try JSON.parse(json), name: "p", base: base, diagnostics: &diagnostics)
        return (profile, diagnostics)
    }

    @Test func everyFieldIsRead() throws {
        let (profile, diagnostics) = try self.read(
            """
            {"timeout": {"attempt": "20s", "total": "90s", "connect": "1s"},
             "retry": {"max": 7, "backoff": {"kind": "decorrelatedJitter", "base": "1s", "cap": "30s"},
                       "honourRetryAfter": {"maxWait": "2m"}, "inProcessWait": "3s",
                       "kinds": {"rateLimited": {"max": 10, "backoff": {"kind": "constant", "base": "9s"}},
                                 "timeout": {"retry": false}}},
             "breaker": {"window": {"kind": "count", "size": 50}, "minCalls": 20, "failureRate": 60,
                         "slowCall": "10s", "slowRate": 80, "open": "45s", "openMultiplier": 1.5, "openMax": "10m",
                         "halfOpen": 5, "lease": "25s", "halfOpenMax": "1m", "record": ["timeout"],
                         "ignore": "auth", "openOnRetryAfter": false},
             "rateLimit": {"limit": 90, "per": "1s", "burst": 20},
             "budget": {"capacity": 100, "cost": 1, "timeoutCost": 2, "refund": 3}}
            """)
        #expect(diagnostics == [])
        #expect(profile.name == "p")
        #expect(profile.attemptTimeout == .seconds(20) && profile.totalTimeout == .seconds(90))
        #expect(profile.connectTimeout == .seconds(1))
        #expect(profile.rateLimit == .init(limit: 90, period: .seconds(1), burst: 20))
        #expect(profile.retry.maximumAttempts == 7)
        #expect(profile.retry.backoff == .decorrelatedJitter(base: .seconds(1), cap: .seconds(30)))
        #expect(profile.retry.retryAfterMaximum == .seconds(120))
        #expect(profile.retry.inProcessWaitMaximum == .seconds(3))
        #expect(
            profile.retry.kinds == [
                .rateLimited: .init(maximumAttempts: 10, backoff: .constant(.seconds(9))),
                .timeout: .init(isRetryable: false),
            ])
        var breaker = CircuitBreaker.Policy()
        breaker.window = .count(size: 50)
        breaker.minimumCalls = 20
        breaker.failureRatePercent = 60
        breaker.slowCallDuration = .seconds(10)
        breaker.slowRatePercent = 80
        breaker.openDuration = .seconds(45)
        breaker.openMultiplier = 1.5
        breaker.openDurationMaximum = .seconds(600)
        breaker.halfOpenPermits = 5
        breaker.probeLease = .seconds(25)
        breaker.halfOpenDurationMaximum = .seconds(60)
        breaker.failureKinds = [.timeout]
        breaker.ignoredKinds = [.auth]
        breaker.opensOnRetryAfter = false
        #expect(profile.breaker == breaker)
        var budget = RetryBudget.Policy()
        budget.capacity = 100
        budget.retryCost = 1
        budget.timeoutRetryCost = 2
        budget.successRefund = 3
        #expect(profile.budget == budget)
    }

    @Test func nothingGivenMeansTheBase() throws {
        for base in ResilienceProfile.builtIn {
            var expected = base
            expected.name = "p"
            expected.breaker?.probeLease = base.attemptTimeout
            let (profile, diagnostics) = try self.read("{}", base: base)
            #expect(profile == expected)
            #expect(diagnostics == [])
        }
    }

    @Test func partsCanBeSwitchedOffAndOnAgain() throws {
        var limited = ResilienceProfile.standard
        limited.rateLimit = .init(limit: 1, period: .seconds(1))
        #expect(try self.read(#"{"rateLimit": false}"#, base: limited).profile.rateLimit == nil)
        #expect(try self.read("{}", base: limited).profile.rateLimit == limited.rateLimit)
        let off = try self.read(#"{"breaker": false, "budget": false, "retry": {"honourRetryAfter": false}}"#)
        #expect(off.profile.breaker == nil && off.profile.budget == nil)
        #expect(off.profile.retry.retryAfterMaximum == nil)
        let on = try self.read(#"{"breaker": {"open": "1s"}, "budget": {}}"#, base: .none)
        #expect(on.profile.breaker?.openDuration == .seconds(1) && on.profile.budget == RetryBudget.Policy())
        #expect(off.diagnostics == [] && on.diagnostics == [])
    }

    @Test func limitsHedgesEndpointsAndFaultsAreRead() throws {
        let (profile, diagnostics) = try self.read(
            """
            {"retryConcurrency": {"percent": 10, "min": 1},
             "concurrency": {"mode": "adaptive", "max": 40, "queue": 7, "wait": "2s", "initial": 4,
                             "decreaseRatio": 0.8, "smoothing": 0.5, "deviations": 3},
             "hedge": {"after": "300ms", "max": 2}, "idempotency": {"record": "effects", "keep": "2h"},
             "outlier": {"consecutive": 3, "unreachable": false, "interval": "5s", "eject": "10s", "ejectMax": "1m",
                         "jitter": "1s", "ejectedPercent": 50, "failureRate": {"percent": 90},
                         "successRate": {"endpoints": 3, "calls": 20, "deviations": 2}},
             "faults": {"failure": {"rate": 10, "kind": "rateLimited", "retryAfter": "3s", "mayHaveExecuted": true},
                        "latency": {"rate": 50, "kind": "uniform", "min": "10ms", "max": "1s"}}}
            """)
        #expect(diagnostics == [])
        var adaptive = AdaptiveLimit.Policy()
        (adaptive.initial, adaptive.decreaseRatio, adaptive.smoothing, adaptive.deviationScale) = (4, 0.8, 0.5, 3)
        var bulkhead = Bulkhead.Policy()
        (bulkhead.maximumConcurrent, bulkhead.queueMaximum, bulkhead.waitMaximum) = (40, 7, .seconds(2))
        bulkhead.adaptive = adaptive
        #expect(profile.bulkhead == bulkhead)
        #expect(profile.retryConcurrency?.percent == 10 && profile.retryConcurrency?.minimum == 1)
        #expect(profile.hedge?.after == .milliseconds(300) && profile.hedge?.maximum == 2)
        #expect(profile.recording.which == .effects && profile.recording.retention == .seconds(7_200))
        let outliers = try #require(profile.outliers)
        #expect(outliers.consecutiveFailures == 3 && outliers.consecutiveUnreachable == nil)
        #expect(outliers.interval == .seconds(5) && outliers.ejection == .seconds(10))
        #expect(outliers.ejectionMaximum == .seconds(60) && outliers.ejectionJitter == .seconds(1))
        #expect(outliers.ejectedPercentMaximum == 50 && outliers.failurePercentage?.threshold == 90)
        #expect(outliers.successRate?.endpointsMinimum == 3 && outliers.successRate?.callsMinimum == 20)
        let faults = try #require(profile.faults)
        #expect(faults.failurePercent == 10 && faults.latencyPercent == 50)
        #expect(faults.failure == CallFailure(kind: .rateLimited, mayHaveExecuted: true, retryAfter: .seconds(3)))
        #expect(faults.latency == .uniform(from: .milliseconds(10), to: .seconds(1)))
        #expect(try self.read(#"{"idempotency": false}"#, base: profile).profile.recording.which == .never)
        let off = try self.read(
            #"{"concurrency": false, "hedge": false, "outlier": false, "faults": false, "retryConcurrency": false}"#,
            base: profile)
        #expect(off.profile.bulkhead == nil && off.profile.hedge == nil && off.profile.outliers == nil)
        #expect(off.profile.faults == nil && off.profile.retryConcurrency == nil)
        let fixed = try self.read(#"{"concurrency": {"mode": "fixed"}}"#, base: profile).profile
        #expect(fixed.bulkhead?.maximumConcurrent == 40 && fixed.bulkhead?.adaptive == nil)
    }

    @Test(arguments: [
        "{}",
        #"{"rateLimit": {"limit": 3, "per": "2s", "burst": 1}, "retry": {"honourRetryAfter": false}, "budget": false}"#,
        #"{"retry": {"backoff": {"kind": "constant", "base": "1s"}, "kinds": {"timeout": {"retry": true, "max": 2}}}}"#,
        #"{"retry": {"kinds": {"timeout": {"backoff": {"kind": "exponential", "base": "1s", "multiplier": 1.5}}}}}"#,
        #"{"retry": {"backoff": {"kind": "equalJitter"}}, "breaker": {"window": {"kind": "count", "size": 9}}}"#,
        #"{"retry": {"backoff": {"kind": "decorrelatedJitter"}}, "breaker": false, "outlier": false}"#,
        #"{"retry": {"backoff": {"kind": "pollyJitter"}}, "concurrency": {"max": 3}, "hedge": {}}"#,
        #"{"concurrency": {"mode": "adaptive"}, "outlier": {"failureRate": {}, "consecutive": false}}"#,
        #"{"faults": {"latency": {"rate": 5, "kind": "constant", "value": "1s"}}, "retryConcurrency": {}}"#,
        #"{"faults": {"latency": {"rate": 5, "kind": "uniform", "max": "1s"}, "failure": {"rate": 0.5}}}"#,
        #"{"faults": {"latency": {"rate": 5, "kind": "exponential", "mean": "1s"}}, "outlier": {"successRate": false}}"#,
        #"{"faults": {"failure": {"rate": 1, "retryAfter": "9s"}}}"#,
        #"{"faults": {"latency": {"rate": 5, "kind": "normal", "mean": "1s", "deviation": "100ms"}}}"#,
    ])
    func aProfileWrittenOutReadsBackTheSame(_ json: String) throws {
        for base in ResilienceProfile.builtIn {
            let (profile, diagnostics) = try self.read(json, base: base)
            #expect(diagnostics == [])
            var again: [Diagnostic] = []
            var copy = ResilienceProfile(profile.document, name: "p", base: .none, diagnostics: &again)
            #expect(again == [])
            // The default of this one is written out as the length it has.
            copy.breaker?.halfOpenDurationMaximum = profile.breaker?.halfOpenDurationMaximum
            #expect(copy == profile)
        }
    }

    @Test(arguments: [
        (CallRecording.Which.never, [] as [RepeatSafety]), (.unsafe, [.unsafe]), (.effects, [.idempotent, .unsafe]),
    ])
    func recordingFollowsTheSafetyOfTheCall(_ row: (which: CallRecording.Which, recorded: [RepeatSafety])) {
        var recording = CallRecording()
        recording.which = row.which
        #expect(RepeatSafety.allCases.filter { recording.applies(to: $0) } == row.recorded)
    }

    @Test func whatConcernsOneCallOnlySharesGuards() {
        var other = ResilienceProfile.standard
        other.name = "other"
        other.totalTimeout = .seconds(1)
        other.retry = .never
        other.hedge = HedgePolicy()
        other.faults = FaultPolicy()
        other.breaker?.probeLease = .seconds(1)
        #expect(other.sharesGuards(with: .standard))
        #expect(!ResilienceProfile.none.sharesGuards(with: .standard))
        let changes: [(inout ResilienceProfile) -> Void] = [
            { $0.breaker?.minimumCalls = 1 }, { $0.budget = nil }, { $0.bulkhead = .init() }, { $0.outliers = nil },
            { $0.rateLimit = .init(limit: 1, period: .seconds(1)) }, { $0.retryConcurrency = .init() },
        ]
        for change in changes {
            var copy = other
            change(&copy)
            #expect(!copy.sharesGuards(with: .standard))
        }
    }

    @Test func aProbesLeaseFollowsTheAttemptTimeout() throws {
        #expect(try self.read(#"{"timeout": {"attempt": "7s"}}"#).profile.breaker?.probeLease == .seconds(7))
    }

    @Test(arguments: [
        ("kind only", #"{"kind": "fullJitter"}"#, Backoff.fullJitter(base: .milliseconds(500), cap: .seconds(20))),
        ("equal", #"{"kind": "equalJitter", "base": "1m"}"#, .equalJitter(base: .seconds(60), cap: .seconds(60))),
        ("polly", #"{"kind": "pollyJitter", "base": "1s"}"#, .pollyJitter(base: .seconds(1), cap: .seconds(20))),
        (
            "exponential", #"{"kind": "exponential", "base": "1s", "multiplier": 3}"#,
            .exponential(base: .seconds(1), multiplier: 3, cap: .seconds(20))
        ),
    ])
    func backoffsAreRead(_ row: (name: String, json: String, backoff: Backoff)) throws {
        let (profile, diagnostics) = try self.read(#"{"retry": {"backoff": \#(row.json)}}"#)
        #expect(profile.retry.backoff == row.backoff)
        #expect(diagnostics == [])
    }

    @Test(
        arguments: [
            (#"{"retrys": {}}"#, "Unknown field resilience.retrys.", "Did you mean retry?"),
            (#"{"retry": {"maximum": 3}}"#, "Unknown field resilience.retry.maximum.", nil),
            (#"{"retry": {"max": 0}}"#, "resilience.retry.max", nil),
            (#"{"retry": {"backoff": {}}}"#, "resilience.retry.backoff.kind is missing.", nil),
            (
                #"{"retry": {"backoff": {"kind": "fulljiter"}}}"#, "resilience.retry.backoff.kind",
                "Did you mean fullJitter?"
            ),
            (#"{"retry": {"backoff": {"kind": "fullJitter", "base": "9s", "cap": "1s"}}}"#, "base ≤ cap", nil),
            (#"{"retry": {"backoff": {"kind": "constant", "cap": "1s"}}}"#, "Unknown field", nil),
            (#"{"retry": {"kinds": {"timeouts": {}}}}"#, "resilience.retry.kinds.timeouts", "Did you mean timeout?"),
            (#"{"timeout": {"attempt": "20"}}"#, "a length of time", nil),
            (#"{"timeout": {"attempt": "20s", "total": "10s"}}"#, "attempt ≤ total", nil),
            (#"{"timeout": {"attempt": "0"}}"#, "0 < attempt", nil),
            (#"{"rateLimit": {"limit": 3}}"#, "resilience.rateLimit.per is missing.", nil),
            (#"{"rateLimit": {"limit": 3, "per": "0"}}"#, "above 0", nil),
            (#"{"breaker": true}"#, "resilience.breaker: expected an object", nil),
            (#"{"breaker": {"window": {"size": 3}}}"#, "window.kind is missing", nil),
            (#"{"breaker": {"failureRate": 0}}"#, "1.0 to 100.0", nil),
            (#"{"breaker": {"ignore": ["auht"]}}"#, "breaker.ignore", "Did you mean auth?"),
            (#"{"budget": {"cost": -1}}"#, "budget.cost", nil),
            (#"{"concurrency": {"mode": "adaptve"}}"#, "concurrency.mode", "Did you mean adaptive?"),
            (#"{"concurrency": {"initial": 3}}"#, "Unknown field resilience.concurrency.initial", nil),
            (#"{"hedge": {"max": 0}}"#, "hedge.max", nil),
            (#"{"outlier": {"consecutive": 0}}"#, "outlier.consecutive", nil),
            (#"{"faults": {"failure": {}}}"#, "faults.failure.rate is missing", nil),
            (#"{"faults": {"latency": {"rate": 1}}}"#, "faults.latency.kind is missing", nil),
            (#"{"faults": {"latency": {"rate": 1, "kind": "normal", "mean": "1s"}}}"#, "deviation is missing", nil),
            (#"{"faults": {"latency": {"rate": 1, "kind": "uniform", "min": "2s", "max": "1s"}}}"#, "min ≤ max", nil),
            (#"[1]"#, "resilience: expected an object", nil),
        ] as [(String, String, String?)])
    func everyMistakeIsNamed(_ row: (json: String, words: String, remedy: String?)) throws {
        let (_, diagnostics) = try self.read(row.json)
        let finding = try #require(diagnostics.first)
        #expect(finding.code == "RES-0001" && finding.severity == .error)
        #expect(finding.message.contains(row.words), "\(finding)")
        if let remedy = row.remedy { #expect(finding.remedy == remedy) }
    }

    @Test func allMistakesAreNamedAtOnce() throws {
        let (_, diagnostics) = try self.read(#"{"a": 1, "retry": {"b": 2, "max": "x"}, "timeout": 3}"#)
        #expect(diagnostics.count == 4)
    }
}
