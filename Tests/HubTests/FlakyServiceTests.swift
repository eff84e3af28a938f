import ConnectorKit
import Engine
import HTTPConnector
import Resilience
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

/// The HTTP connector behind the resilience layer, against a service that fails at a seeded rate.
@Suite(.timeLimit(.minutes(2))) struct FlakyServiceTests {
    private static func hub(
        _ server: FlakyServer, _ engine: FakeEngine, _ configure: (inout ResilienceProfile) -> Void
    ) -> HubService {
        var profile = ResilienceProfile(name: "test")
        profile.attemptTimeout = .milliseconds(200)
        profile.totalTimeout = .seconds(20)
        profile.retry.backoff = .constant(.milliseconds(1))
        profile.retry.maximumAttempts = 50
        profile.breaker = nil
        profile.budget = nil
        configure(&profile)
        var configuration = HubConfiguration()
        configuration.connections = [
            ConnectionDeclaration(
                id: "remote", connector: "http",
                parameters: [
                    "baseUrl": .string("http://127.0.0.1:\(server.port)"), "allowPrivate": true,
                    "honoursIdempotencyKey": true,
                ], profile: profile, concurrencyMax: 8)
        ]
        return HubService(
            service: engine, modules: [HTTPModule()], configuration: configuration, logger: LogCapture().logger)
    }

    private static func job(_ number: Int) -> ActivatedJob {
        callJob(
            UInt64(number), connector: "http", operation: "request",
            input: "{\"method\":\"POST\",\"path\":\"/check\",\"body\":{\"vendor\":\(number)}}")
    }

    @Test(arguments: [1, 2, 3])
    func everyCallSucceedsInTheEndUnderOneKeyEach(_ seed: UInt64) async throws {
        let server = try FlakyServer { number in
            var generator = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(number))
            return switch Int.random(in: 0..<20, using: &generator) {
            case 0..<5: .unavailable
            case 5..<8: .reset
            case 8: .late
            default: .ok
            }
        }
        defer { server.stop() }
        let engine = FakeEngine()
        let hub = Self.hub(server, engine) { _ in }
        let running = Task { await hub.run() }
        while engine.state.withLock({ $0.workers.isEmpty }) { await Task.yield() }
        let jobs = (0..<60).map { Self.job($0) }
        engine.push(jobs)
        await engine.wait { $0.outcomes.count == 60 }
        running.cancel()
        await running.value
        for (key, outcome) in engine.outcomes {
            guard case .completed(let variables) = outcome else {
                Issue.record("seed \(seed), job \(key): \(outcome)")
                continue
            }
            let result = try JSON.parse(variables ?? [])
            #expect(result["status"] == 200, "seed \(seed)")
            #expect(result["body"]?["vendor"]?.asInt64 == Int64(key.rawValue), "seed \(seed)")
        }
        // One key per call, whatever happened to its attempts, and a key for every call.
        #expect(server.keysByBody.count == 60, "seed \(seed)")
        for job in jobs {
            let keys = server.keysByBody["{\"vendor\":\(job.key)}"] ?? []
            #expect(keys.count == 1, "seed \(seed)")
            #expect(keys.first?.contains(job.idempotencyKey) == true, "seed \(seed): \(keys)")
        }
        #expect(server.requests > 60, "seed \(seed)")
        #expect(hub.connections()[0].calls == 60, "seed \(seed)")
    }

    @Test func theBreakerIsSeenOpeningAndClosing() async throws {
        // Down for the first 30 requests, then well.
        let server = try FlakyServer { $0 < 30 ? .unavailable : .ok }
        defer { server.stop() }
        let engine = FakeEngine()
        let hub = Self.hub(server, engine) { profile in
            var breaker = CircuitBreaker.Policy()
            breaker.window = .count(size: 10)
            breaker.minimumCalls = 5
            breaker.openDuration = .milliseconds(5)
            breaker.openMultiplier = 1
            breaker.halfOpenPermits = 2
            profile.breaker = breaker
        }
        hub.start()
        var seen: [String] = []
        var completed = 0
        // An outage costs no job its retries; calls that come back probe the service until it is well.
        while seen.last != "closed" || !seen.contains("open") {
            switch await engine.run(Self.job(completed)) {
            case .completed: completed += 1
            case .postponed(let milliseconds, _): try await Task.sleep(for: .milliseconds(milliseconds))
            case let outcome:
                Issue.record("unexpected \(String(describing: outcome)) after \(seen)")
                return
            }
            let breaker = hub.connections()[0].breaker
            if seen.last != breaker { seen.append(breaker) }
        }
        #expect(completed > 0)
        #expect(hub.connections()[0].guards.map(\.windowFailures) == [0])
    }
}
