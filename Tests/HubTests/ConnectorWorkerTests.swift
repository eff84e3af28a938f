import ConnectorKit
import Decisions
import Engine
import ProcessModel
import Resilience
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

@Suite(.timeLimit(.minutes(2))) struct ConnectorWorkerTests {
    /// A hub with one connection to the fake connector, on a clock that only moves when told.
    private struct Bench {
        let clock = ManualConnectorClock()
        let engine = FakeEngine()
        let connector: FakeConnector
        let logs = LogCapture()
        let hub: HubService

        init(
            parameters: Value = [:], concurrencyMax: Int = 4, random: Double = 1,
            environment: [String: String] = [:], _ configure: (inout ResilienceProfile) -> Void = { _ in }
        ) {
            var profile = ResilienceProfile(name: "test")
            profile.retry.maximumAttempts = 3
            profile.retry.backoff = .constant(.seconds(1))
            profile.breaker = nil
            profile.budget = nil
            configure(&profile)
            var configuration = HubConfiguration()
            configuration.connections = [
                ConnectionDeclaration(
                    id: "remote", connector: "fake", parameters: parameters, profile: profile,
                    concurrencyMax: concurrencyMax),
                ConnectionDeclaration(id: "elsewhere", connector: "other", parameters: [:]),
            ]
            self.connector = FakeConnector(clock: self.clock)
            self.hub = HubService(
                service: self.engine, modules: [self.connector], configuration: configuration, clock: self.clock,
                random: { random }, environment: { environment[$0] }, logger: self.logs.logger)
            self.hub.start()
            self.hub.start()
        }

        /// The outcome of a job, in one line.
        func run(_ job: ActivatedJob) async -> String {
            ConnectorWorkerTests.summary(await self.engine.run(job))
        }
    }

    static func summary(_ outcome: JobOutcome?) -> String {
        switch outcome {
        case nil: "none"
        case .completed(let variables): "completed \(text(variables))"
        case .failed(let retries, let backoff, let message): "failed \(retries) \(backoff) \(message)"
        case .error(let code, let message, _): "error \(code) \(message ?? "")"
        case .postponed(let milliseconds, let message): "postponed \(milliseconds) \(message)"
        }
    }

    private static func failure(
        _ kind: ConnectorError.Kind, mayHaveExecuted: Bool = false, retryAfter: Duration? = nil,
        details: ValueContext = [:]
    ) -> Outcome {
        .failed(
            ConnectorError(
                kind, code: "FAKE-1", "It said \(kind.rawValue).", remedy: "Look.", mayHaveExecuted: mayHaveExecuted,
                retryAfter: retryAfter, details: details))
    }

    @Test func aSuccessCompletesTheJobWithItsResult() async {
        let bench = Bench()
        #expect(await bench.run(callJob(input: "{\"id\": 7}")) == "completed {\"ok\":true}")
        #expect(bench.connector.calls.map(\.input) == [["id": 7]])
        #expect(bench.connector.calls.map(\.operation) == ["act"])
        bench.connector.change { $0.outcomes = [.alreadyDone("text", facts: [:])] }
        #expect(await bench.run(callJob(2)) == "completed {\"result\":\"text\"}")
        #expect(bench.connector.change { $0.connections } == 1)
    }

    @Test func aPassingFailureIsRetriedWithTheSameIdempotencyKey() async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = [Self.failure(.transient), Self.failure(.timeout)] }
        let job = callJob()
        #expect(await bench.run(job) == "completed {\"ok\":true}")
        #expect(bench.connector.calls.map(\.attempt) == [1, 2, 3])
        #expect(Set(bench.connector.calls.map(\.idempotencyKey)) == [job.idempotencyKey])
        #expect(bench.clock.now == .seconds(2))
    }

    @Test func exhaustedAttemptsUseOneRetryOfTheJob() async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = Array(repeating: Self.failure(.unavailable), count: 6) }
        #expect(
            await bench.run(callJob(retries: 3))
                == "failed 2 1000 FAKE-1: It said unavailable. — Look. (after 3 attempts)")
        #expect(await bench.run(callJob(2, retries: 1)).hasPrefix("failed 0 "))
        let status = bench.hub.connections()[0]
        #expect(status.calls == 2)
        #expect(status.attempts == 6)
        #expect(status.lastError == "FAKE-1: It said unavailable. — Look.")
        #expect(status.isConnected)
    }

    @Test(arguments: [
        ConnectorError.Kind.validation, .notFound, .conflict, .permission, .auth, .quotaExhausted, .unsupported,
        .unknown,
    ])
    func aFailureThatDoesNotPassIsAnIncidentAtOnce(_ kind: ConnectorError.Kind) async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = [Self.failure(kind)] }
        #expect(await bench.run(callJob()) == "failed 0 0 FAKE-1: It said \(kind.rawValue). — Look.")
        #expect(bench.connector.calls.count == 1)
    }

    @Test func anEffectThatMayHaveHappenedIsNotRepeated() async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = [Self.failure(.timeout, mayHaveExecuted: true)] }
        let outcome = await bench.run(callJob(operation: "once"))
        #expect(outcome.hasPrefix("failed 0 0 FAKE-1: It said timeout. — Look. The remote may have carried it out"))
        #expect(bench.connector.calls.count == 1)
    }

    @Test(
        arguments: [("look", nil, 2), ("act", nil, 2), ("once", true, 2), ("act", false, 1)] as [(String, Bool?, Int)])
    func repetitionFollowsTheOperationUnlessTheConnectionKnowsBetter(
        _ row: (operation: String, isRepeatable: Bool?, calls: Int)
    ) async {
        let bench = Bench()
        bench.connector.change { state in
            state.isRepeatable = row.isRepeatable
            state.outcomes = [Self.failure(.timeout, mayHaveExecuted: true)]
        }
        _ = await bench.run(callJob(operation: row.operation))
        #expect(bench.connector.calls.count == row.calls)
    }

    @Test func theProcessDecidesWhichRejectionsAreBPMNErrors() async throws {
        let bench = Bench()
        let rules = [
            ResultError(condition: try Expression.compile("result.status = 404"), code: "UNKNOWN_VENDOR"),
            ResultError(condition: try Expression.compile("result.status = 409 and vendor = \"v1\""), code: "REFUSED"),
        ]
        bench.connector.change { $0.outcomes = [Self.failure(.conflict, details: ["status": 409])] }
        #expect(
            await bench.run(callJob(input: "{\"vendor\": \"v1\"}", errors: rules))
                == "error REFUSED FAKE-1: It said conflict. — Look.")
        bench.connector.change { $0.outcomes = [Self.failure(.conflict, details: ["status": 409])] }
        #expect(await bench.run(callJob(2, errors: rules)).hasPrefix("failed 0 "))
    }

    @Test func anOpenBreakerPostponesAndBurnsNoRetries() async {
        let bench = Bench { profile in
            profile.retry = .never
            var breaker = CircuitBreaker.Policy()
            breaker.window = .count(size: 4)
            breaker.minimumCalls = 2
            breaker.openDuration = .seconds(10)
            breaker.halfOpenPermits = 1
            profile.breaker = breaker
        }
        bench.connector.change { $0.outcomes = [Self.failure(.unavailable), Self.failure(.unavailable)] }
        #expect(await bench.run(callJob(1, retries: 3)).hasPrefix("failed 2 "))
        // The second failure opens the breaker; from then on no call is made and no retry is used.
        #expect(await bench.run(callJob(2, retries: 3)).hasPrefix("postponed 1000"))
        #expect(await bench.run(callJob(2, retries: 3)).hasPrefix("postponed 1000"))
        #expect(bench.connector.calls.count == 2)
        #expect(bench.hub.connections()[0].breaker == "open")
        #expect((bench.hub.connections()[0].guards[0].opensMilliseconds ?? 0) > 9_000)
        bench.clock.advance(by: .seconds(11))
        #expect(await bench.run(callJob(2, retries: 3)) == "completed {\"ok\":true}")
        #expect(bench.hub.connections()[0].breaker == "closed")
        let changes = bench.logs.text.split(separator: "\n").filter { $0.contains("circuit breaker changed") }
        #expect(changes.count == 3)
    }

    @Test func anOutageNeverBecomesAnIncidentWhileTheBreakerIsOpen() async {
        let bench = Bench { profile in
            var breaker = CircuitBreaker.Policy()
            breaker.window = .count(size: 10)
            breaker.minimumCalls = 5
            breaker.openDuration = .seconds(1)
            breaker.openMultiplier = 1
            profile.breaker = breaker
            profile.retry.maximumAttempts = 10
        }
        bench.connector.change { $0.outcomes = Array(repeating: Self.failure(.unavailable), count: 40) }
        var outcome = ""
        for _ in 0..<100 {
            outcome = await bench.run(callJob(retries: 1))
            guard outcome.hasPrefix("postponed") else { break }
            bench.clock.advance(by: .seconds(2))
        }
        #expect(outcome == "completed {\"ok\":true}")
    }

    @Test func aLongWaitGivesTheJobBackAndGoesOnCounting() async {
        let bench = Bench { profile in
            profile.retry.inProcessWaitMaximum = .milliseconds(100)
        }
        bench.connector.change { $0.outcomes = Array(repeating: Self.failure(.transient), count: 3) }
        #expect(
            await bench.run(callJob()).hasPrefix("postponed 1000 The next attempt is due later. Last failure: FAKE-1"))
        #expect(await bench.run(callJob()).hasPrefix("postponed 1000 "))
        #expect(await bench.run(callJob()).hasPrefix("failed 2 "))
        #expect(bench.connector.calls.map(\.attempt) == [1, 2, 3])
    }

    @Test func theRemotesRetryAfterIsObeyed() async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = [Self.failure(.rateLimited, retryAfter: .seconds(4))] }
        #expect(await bench.run(callJob()) == "completed {\"ok\":true}")
        #expect(bench.clock.now == .seconds(4))
    }

    @Test func theTotalDeadlineHoldsOverAllAttempts() async {
        let bench = Bench { profile in
            profile.attemptTimeout = .seconds(4)
            profile.totalTimeout = .seconds(6)
            profile.retry.maximumAttempts = 100
        }
        bench.connector.change { state in
            state.callDuration = .seconds(3)
            state.outcomes = Array(repeating: Self.failure(.timeout), count: 10)
        }
        #expect(await bench.run(callJob()).hasPrefix("failed 2 "))
        #expect(bench.connector.calls.map(\.timeout) == [.seconds(4), .seconds(2)])
    }

    @Test func aSpentBudgetEndsTheCallEarly() async {
        let bench = Bench { profile in
            profile.retry.maximumAttempts = 100
            var budget = RetryBudget.Policy()
            budget.capacity = 10
            profile.budget = budget
        }
        bench.connector.change { $0.outcomes = Array(repeating: Self.failure(.transient), count: 10) }
        #expect(await bench.run(callJob()).hasSuffix("(after 3 attempts)"))
        #expect(bench.hub.connections()[0].guards[0].retryTokens == 0)
    }

    @Test func aRateLimitHoldsEveryAttemptBack() async {
        let bench = Bench { profile in
            profile.rateLimit = RateLimiter.Policy(limit: 2, period: .seconds(1), burst: 1)
        }
        bench.connector.change { $0.outcomes = [Self.failure(.transient)] }
        #expect(await bench.run(callJob()) == "completed {\"ok\":true}")
        #expect(await bench.run(callJob(2)) == "completed {\"ok\":true}")
        #expect(bench.clock.now == .milliseconds(1_500))
        #expect(bench.hub.connections()[0].guards.map(\.rateRemaining) == [0])
    }

    @Test func operatorsDecideAboutTheBreakersOfAConnection() async throws {
        let bench = Bench { $0.breaker = CircuitBreaker.Policy() }
        func set(_ command: BreakerCommand) throws {
            try bench.hub.setBreaker(command, connection: "remote", actor: "me")
        }
        // Before the first call, and for guards made later too.
        try set(.isolate)
        #expect(bench.hub.connections()[0].breaker == "isolated")
        #expect(await bench.run(callJob()) == "postponed 60000 Connection remote was isolated by an operator.")
        try set(.open)
        #expect(bench.hub.connections()[0].breaker == "forced-open")
        #expect(await bench.run(callJob(2)).hasPrefix("postponed 30001 The circuit breaker"))
        #expect(bench.connector.calls.isEmpty)
        try set(.close)
        #expect(bench.hub.connections()[0].breaker == "forced-closed")
        bench.connector.change { $0.outcomes = Array(repeating: Self.failure(.unavailable), count: 30) }
        for number in 3..<13 { _ = await bench.run(callJob(UInt64(number))) }
        #expect(bench.connector.calls.count == 30, "nothing opens it")
        #expect(bench.logs.text.contains("circuit breaker would open"))
        try set(.reset)
        #expect(bench.hub.connections()[0].breaker == "closed")
        #expect(await bench.run(callJob(13)) == "completed {\"ok\":true}")
        #expect(bench.logs.text.contains("actor=me"))
        #expect(throws: HubError.self) { try bench.hub.setBreaker(.open, connection: "remot", actor: "me") }
    }

    @Test func aResetClosesABreakerThatOpenedByItself() async throws {
        let bench = Bench {
            $0.breaker = CircuitBreaker.Policy()
            $0.breaker?.minimumCalls = 1
        }
        bench.connector.change { $0.outcomes = [Self.failure(.unavailable)] }
        #expect(await bench.run(callJob()).hasPrefix("postponed"))
        #expect(bench.hub.connections()[0].breaker == "open")
        try bench.hub.setBreaker(.reset, connection: "remote", actor: "me")
        #expect(bench.hub.connections()[0].breaker == "closed")
        #expect(await bench.run(callJob(2)) == "completed {\"ok\":true}")
    }

    @Test(arguments: [
        ("no connection", callJob(connection: nil), "HB301: The call names no connection."),
        (
            "unknown connection", callJob(connection: "remot"),
            "HB301: There is no connection \"remot\". — Did you mean \"remote\"?"
        ),
        (
            "connection of another connector", callJob(connection: "elsewhere"),
            "HB301: Connection elsewhere belongs to the connector other, not to fake."
        ),
        ("no operation", callJob(operation: nil), "HB301: The connector fake has no operation \"\"."),
        (
            "unknown operation", callJob(operation: "atc"),
            "HB301: The connector fake has no operation \"atc\". — Did you mean \"act\"?"
        ),
        (
            "unknown profile", callJob(profile: "bakground"),
            "HB301: There is no resilience profile \"bakground\". — Did you mean \"background\"?"
        ),
        ("input that is no JSON", callJob(input: "{"), "HB303: The input of the call is not a JSON document."),
    ])
    func aCallThatCannotBeMadeIsAnIncidentWithARemedy(
        _ row: (name: String, job: ActivatedJob, message: String)
    ) async {
        let bench = Bench()
        let outcome = await bench.run(row.job)
        #expect(outcome.hasPrefix("failed 0 0 \(row.message)"), "\(row.name): \(outcome)")
        #expect(outcome.contains(" — "), "\(row.name)")
        #expect(bench.connector.calls.isEmpty)
    }

    @Test func aProfileNamedInTheProcessOverridesTheConnections() async {
        let bench = Bench()
        bench.connector.change { $0.outcomes = [Self.failure(.transient)] }
        #expect(await bench.run(callJob(profile: "none")).hasSuffix("(after 1 attempts)"))
        #expect(bench.hub.connections()[0].guards.map(\.profile) == ["none"])
        #expect(bench.hub.connections()[0].breaker == "none")
    }

    @Test func eachHostHasABreakerOfItsOwn() async {
        let bench = Bench { $0.breaker = CircuitBreaker.Policy() }
        for (number, url) in ["http://A.example:80/x", "https://u:p@b.example?q", "http://a.example:80/y", "/path"]
            .enumerated()
        {
            _ = await bench.run(callJob(UInt64(number), input: "{\"url\": \"\(url)\"}"))
        }
        #expect(bench.hub.connections()[0].guards.map(\.group) == ["", "a.example:80", "b.example"])
        for number in 0..<300 {
            _ = await bench.run(callJob(UInt64(number), input: "{\"url\": \"http://h\(number).example\"}"))
        }
        #expect(bench.hub.connections()[0].guards.count <= 257)
    }

    @Test func aConnectionThatCannotBeMadeIsTriedAgainByTheNextCall() async {
        let bench = Bench()
        let wrong = ConnectorError(.validation, code: "FAKE-2", "Wrong parameters.", remedy: "Correct them.")
        let late = ConnectorError(.unavailable, code: "FAKE-3", "Not there yet.", remedy: "Wait.")
        bench.connector.change { $0.connectErrors = [wrong, late] }
        #expect(await bench.run(callJob()) == "failed 0 0 FAKE-2: Wrong parameters. — Correct them.")
        #expect(!bench.hub.connections()[0].isConnected)
        #expect(await bench.run(callJob(2)) == "failed 2 1000 FAKE-3: Not there yet. — Wait.")
        #expect(await bench.run(callJob(3)) == "completed {\"ok\":true}")
    }

    @Test func aSecretThatArrivesLateNeedsNoRestartAndShowsNowhere() async {
        let canary = "canary-5f3a91"
        let environment = Mutex<[String: String]>([:])
        let clock = ManualConnectorClock()
        let connector = FakeConnector(clock: clock)
        let engine = FakeEngine()
        let logs = LogCapture()
        var configuration = HubConfiguration()
        configuration.connections = [
            ConnectionDeclaration(
                id: "remote", connector: "fake", parameters: ["token": ["secret": "env:TOKEN"]], profile: .none)
        ]
        let hub = HubService(
            service: engine, modules: [connector], configuration: configuration, clock: clock,
            environment: { name in environment.withLock { $0[name] } }, logger: logs.logger)
        hub.start()
        let missing = Self.summary(await engine.run(callJob()))
        #expect(missing.hasPrefix("failed 0 0 CON-0007: There is no secret env:TOKEN."))
        environment.withLock { $0["TOKEN"] = canary }
        // A careless remote that echoes the credential in its error.
        let echo = ConnectorError(.validation, code: "FAKE-4", "Bad token \(canary)!", remedy: "Not \(canary).")
        connector.change { $0.outcomes = [.reject(echo)] }
        let echoed = Self.summary(await engine.run(callJob(2)))
        #expect(echoed == "failed 0 0 FAKE-4: Bad token <secret>! — Not <secret>.")
        #expect(hub.connections()[0].lastError == "FAKE-4: Bad token <secret>! — Not <secret>.")
        #expect(!logs.text.contains(canary))
        #expect(!"\(hub.connections())".contains(canary))
    }

    @Test func callsOfOneConnectionAreBounded() async {
        let bench = Bench(concurrencyMax: 3)
        let jobs = (0..<50).map { callJob(UInt64($0)) }
        bench.engine.push(jobs)
        var seen = 0
        while bench.engine.outcomes.count < jobs.count {
            seen = max(seen, bench.hub.connections()[0].running)
            await Task.yield()
        }
        #expect(seen <= 3)
        #expect(Set(bench.engine.outcomes.map(\.key)).count == 50)
    }

    @Test func stoppingTheHubEndsWaitsAndAnswersNothing() async {
        let engine = FakeEngine()
        let connector = FakeConnector()
        var profile = ResilienceProfile(name: "slow")
        profile.retry.backoff = .constant(.seconds(4))
        var configuration = HubConfiguration()
        configuration.connections = [
            ConnectionDeclaration(id: "remote", connector: "fake", parameters: [:], profile: profile)
        ]
        let hub = HubService(
            service: engine, modules: [connector], configuration: configuration, logger: LogCapture().logger)
        connector.change { $0.outcomes = Array(repeating: Self.failure(.transient), count: 100) }
        let running = Task { await hub.run() }
        while engine.state.withLock({ $0.workers.isEmpty }) { await Task.yield() }
        engine.push([callJob()])
        while connector.calls.isEmpty { await Task.yield() }
        running.cancel()
        await running.value
        #expect(engine.outcomes.isEmpty)
        #expect(connector.change { $0.closed } == 1)
        engine.push([callJob(2)])
        #expect(connector.calls.count == 1)
    }
}
