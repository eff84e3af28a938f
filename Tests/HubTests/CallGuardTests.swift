import ConnectorKit
import Engine
import Resilience
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

/// A connector whose calls take as long as the test says, on endpoints that can be told apart.
private final class GateConnector: ConnectorModule {
    struct State {
        var running = 0
        var runningMax = 0
        var calls = 0
        /// The endpoint of each call, by the parameter `name`.
        var endpoints: [String] = []
        /// Calls that hang until they are cancelled.
        var hanging = 0
        var cancelled = 0
        /// Endpoints that cannot be reached.
        var down: Set<String> = []
    }

    let state = Mutex(State())

    var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "fake", version: 1, title: "Gate", summary: "Holds calls.", parameters: true,
            operations: [
                OperationDescriptor(
                    id: "act", title: "act", summary: "Acts.", effect: .read, idempotency: .natural, input: true,
                    output: true)
            ])
    }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        GateConnection(module: self, name: configuration.parameters["name"]?.asString ?? "")
    }

    private struct GateConnection: Connection {
        let module: GateConnector
        let name: String

        func test() async throws {}

        func invoke(_ call: OperationCall) async -> Outcome {
            let (hangs, isDown) = self.module.state.withLock { state in
                state.calls += 1
                state.endpoints.append(self.name)
                state.running += 1
                state.runningMax = max(state.runningMax, state.running)
                defer { state.hanging = max(0, state.hanging - 1) }
                return (state.hanging > 0, state.down.contains(self.name))
            }
            if hangs {
                let (stream, continuation) = AsyncStream<Void>.makeStream()
                for await _ in stream {}
                continuation.finish()
            }
            for _ in 0..<20 { await Task.yield() }
            self.module.state.withLock { state in
                state.running -= 1
                if Task.isCancelled { state.cancelled += 1 }
            }
            if isDown || Task.isCancelled {
                return .failed(ConnectorError(.unavailable, code: "FAKE-1", "It is down.", remedy: "Wait."))
            }
            return .done(["ok": true], facts: [:])
        }

        func armSource(_ request: SourceRequest) async throws -> any EventSource {
            throw ConnectorError(.unsupported, code: "FAKE-2", "No sources.", remedy: "None.")
        }

        func close() async {}
    }
}

@Suite(.timeLimit(.minutes(2))) struct CallGuardTests {
    private struct Bench {
        let clock = ManualConnectorClock()
        let engine = FakeEngine()
        let connector = GateConnector()
        let logs = LogCapture()
        let hub: HubService

        init(
            endpoints: [ValueContext] = [], operations: [String: ResilienceProfile] = [:], concurrencyMax: Int = 8,
            _ configure: (inout ResilienceProfile) -> Void = { _ in }
        ) {
            var profile = ResilienceProfile(name: "test")
            profile.retry.maximumAttempts = 3
            profile.retry.backoff = .constant(.seconds(1))
            configure(&profile)
            var configuration = HubConfiguration()
            configuration.connections = [
                ConnectionDeclaration(
                    id: "remote", connector: "fake", parameters: ["name": "only"], endpoints: endpoints,
                    profile: profile, operations: operations, concurrencyMax: concurrencyMax)
            ]
            self.hub = HubService(
                service: self.engine, modules: [self.connector], configuration: configuration, clock: self.clock,
                random: { 0.5 }, logger: self.logs.logger)
            self.hub.start()
        }

        func run(_ job: ActivatedJob) async -> String { outcomeText(await self.engine.run(job)) }

        var status: ConnectionStatus { self.hub.connections()[0] }
    }

    // MARK: Places

    @Test func aBulkheadBoundsTheCallsToOneHost() async throws {
        let bench = Bench {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 2
        }
        bench.engine.push((0..<20).map { callJob(UInt64($0)) })
        await bench.engine.wait { $0.outcomes.count == 20 }
        #expect(bench.connector.state.withLock { $0.runningMax } == 2)
        #expect(bench.engine.outcomes.allSatisfy { outcomeText($0.outcome).hasPrefix("completed") })
        let places = try #require(bench.status.guards.first?.places)
        #expect(places.running == 0 && places.waiting == 0 && places.limit == 2)
    }

    @Test func aFullBulkheadGivesTheWorkBack() async {
        let bench = Bench {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 1
            $0.bulkhead?.queueMaximum = 0
        }
        bench.engine.push([callJob(1), callJob(2)])
        await bench.engine.wait { $0.outcomes.count == 2 }
        #expect(
            bench.engine.outcomes.map { outcomeText($0.outcome) }.sorted() == [
                "completed {\"ok\":true}", "postponed 5000 Too many calls of connection remote run and wait already.",
            ])
    }

    @Test func anAdaptiveLimitGrowsWithTheLoad() async throws {
        let bench = Bench {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 4
            $0.bulkhead?.adaptive = AdaptiveLimit.Policy()
        }
        bench.engine.push((0..<50).map { callJob(UInt64($0)) })
        await bench.engine.wait { $0.outcomes.count == 50 }
        #expect(bench.connector.state.withLock { (1...4).contains($0.runningMax) })
        #expect(bench.status.guards.first?.meanMilliseconds == 0, "the clock stands still")
    }

    @Test func theHubStopsWhileCallsWaitForPlaces() async {
        let bench = Bench {
            $0.bulkhead = Bulkhead.Policy()
            $0.bulkhead?.maximumConcurrent = 1
        }
        bench.connector.state.withLock { $0.hanging = 1 }
        bench.engine.push((0..<4).map { callJob(UInt64($0)) })
        while bench.status.guards.first?.places?.waiting != 3 { await Task.yield() }
        await bench.hub.shutdown()
        #expect(bench.engine.outcomes.isEmpty)
        #expect(bench.connector.state.withLock { $0.calls } == 1)
    }

    // MARK: Hedges

    @Test func aSilentCallIsHedgedAndTheFirstAnswerCounts() async {
        let bench = Bench { $0.hedge = HedgePolicy() }
        bench.connector.state.withLock { $0.hanging = 1 }
        #expect(await bench.run(callJob()) == "completed {\"ok\":true}")
        #expect(bench.connector.state.withLock { $0.calls } == 2)
        #expect(bench.connector.state.withLock { $0.cancelled } == 1, "the loser was called off")
        #expect(bench.status.guards[0].decisions.contains { $0 == ("hedges", 1) })
        #expect(bench.status.guards[0].retryTokens == 500)
    }

    // MARK: Rehearsal

    @Test func rehearsedFailuresReachNobodyAndAreLoud() async throws {
        let bench = Bench {
            $0.faults = FaultPolicy()
            $0.faults?.failurePercent = 100
            $0.faults?.failure = CallFailure(kind: .unavailable)
        }
        let outcome = await bench.run(callJob())
        #expect(outcome.hasPrefix("failed 2 "), "\(outcome)")
        #expect(outcome.contains("HB306: Rehearsal: the resilience profile test injected a failure"))
        #expect(bench.connector.state.withLock { $0.calls } == 0)
        #expect(bench.status.rehearsal == "test: 100% fail as unavailable")
        #expect(bench.status.guards[0].decisions.contains { $0 == ("injectedFailures", 3) })
        #expect(bench.logs.text.contains("warning rehearsal: faults are injected"))
        #expect(bench.status.guards[0].windowFailures == 3, "the breaker sees them")
    }

    @Test(arguments: [
        (seconds: 4, calls: 1, attempts: 1, elapsed: 4), (seconds: 10, calls: 0, attempts: 3, elapsed: 32),
    ])
    func aRehearsedDelayIsPartOfTheAttempt(_ row: (seconds: Int, calls: Int, attempts: Int, elapsed: Int)) async {
        let bench = Bench {
            $0.attemptTimeout = .seconds(10)
            $0.faults = FaultPolicy()
            $0.faults?.latencyPercent = 100
            $0.faults?.latency = .constant(.seconds(row.seconds))
        }
        _ = await bench.run(callJob())
        #expect(bench.connector.state.withLock { $0.calls } == row.calls)
        #expect(bench.clock.now == .seconds(row.elapsed))
        #expect(bench.status.guards[0].decisions.contains { $0 == ("injectedDelays", row.attempts) })
    }

    // MARK: Endpoints

    @Test func endpointsTakeTurnsAndTheDeadOneIsLeftOut() async throws {
        let bench = Bench(endpoints: [["name": "a"], ["name": "b"]]) { $0.breaker = nil }
        bench.connector.state.withLock { $0.down = ["b"] }
        for number in 0..<12 {
            #expect(await bench.run(callJob(UInt64(number))) == "completed {\"ok\":true}", "\(number)")
        }
        #expect(bench.connector.state.withLock { state in state.endpoints.count { $0 == "b" } } == 5)
        let endpoints = try #require(bench.status.guards.first?.endpoints)
        #expect(endpoints.map(\.failures) == [0, 5])
        #expect(endpoints[1].ejectedMilliseconds != nil)
        #expect(bench.logs.text.contains("endpoint ejected"))
        #expect(bench.status.isConnected)
    }

    // MARK: Overrides

    @Test func anOperationHasItsOwnProfileAndSharesTheBreaker() async {
        var impatient = ResilienceProfile(name: "remote.act")
        impatient.retry = .never
        let bench = Bench(operations: ["act": impatient])
        bench.connector.state.withLock { $0.down = ["only"] }
        #expect(await bench.run(callJob()).hasSuffix("(after 1 attempts)"))
        #expect(bench.status.guards.map(\.profile) == ["test"])
        #expect(bench.status.operations.map(\.operation) == ["act"])
        #expect(bench.status.operations.first?.settings["retry"]?["max"] == .number(1))
    }

    @Test func theProcessModelHasTheLastWord() async {
        let bench = Bench()
        bench.connector.state.withLock { $0.down = ["only"] }
        #expect(await bench.run(callJob(resilience: #"{"retry": {"max": 2}}"#)).hasSuffix("(after 2 attempts)"))
        #expect(await bench.run(callJob(resilience: #"{"retry": {"max": 1}}"#)).hasSuffix("(after 1 attempts)"))
        #expect(bench.status.guards.map(\.profile) == ["test"], "they share everything but their retries")
        _ = await bench.run(callJob(resilience: #"{"breaker": false}"#))
        #expect(bench.status.guards.count == 2)
    }

    @Test(arguments: [
        ("{", "HB303: The header resilience of check-vendor is not a JSON document."),
        (#"{"retyr": {}}"#, "HB303: The resilience of check-vendor is wrong: Unknown field resilience.retyr."),
    ])
    func aWrongPolicyInTheModelIsAnIncident(_ row: (text: String, message: String)) async {
        let bench = Bench()
        #expect(await bench.run(callJob(resilience: row.text)).hasPrefix("failed 0 0 \(row.message)"))
        #expect(bench.connector.state.withLock { $0.calls } == 0)
    }
}

/// The outcome of a job, in one line.
func outcomeText(_ outcome: JobOutcome?) -> String { ConnectorWorkerTests.summary(outcome) }
