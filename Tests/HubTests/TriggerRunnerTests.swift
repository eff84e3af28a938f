import ConnectorKit
import Engine
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

@Suite(.timeLimit(.minutes(2))) struct TriggerRunnerTests {
    /// A hub with one trigger on the fake connector.
    private struct Bench {
        let engine: FakeEngine
        let connector: FakeConnector
        let logs = LogCapture()
        let clock = ManualConnectorClock()
        let hub: HubService

        init(
            engine: FakeEngine = FakeEngine(), connector: FakeConnector = FakeConnector(id: "files"),
            changes: [(String, String)] = []
        ) throws {
            self.engine = engine
            self.connector = connector
            var text = goodTrigger
            for (part, replacement) in changes {
                #expect(text.contains(part))
                text = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
                    .joined(separator: replacement)
            }
            var configuration = HubConfiguration()
            configuration.connections = [
                ConnectionDeclaration(id: "inbox", connector: "files", parameters: ["root": "/data"])
            ]
            configuration.triggers = [try #require(readTrigger(text).trigger)]
            self.hub = HubService(
                service: engine, modules: [connector], configuration: configuration, clock: self.clock,
                random: { 0.5 }, logger: self.logs.logger)
        }

        var status: TriggerStatus { self.hub.triggers()[0] }

        /// Runs the hub until `condition` holds.
        func run(until condition: (Bench) -> Bool) async {
            let task = Task { await self.hub.run() }
            while !condition(self) { await Task.yield() }
            task.cancel()
            await task.value
        }
    }

    private static func order(_ id: Int, amount: Value = 5) -> SourceEvent {
        SourceEvent(
            id: "f#\(id)", payload: Array("o-\(id),\(amount)".utf8), contentType: "text/csv",
            body: .value(["orderId": .string("o-\(id)"), "amount": amount]),
            coordinates: ["file": "f.csv", "line": .number(Number(Int64(id + 1)))])
    }

    private static func malformed(_ line: Int) -> SourceEvent {
        SourceEvent(
            id: "f#\(line)", payload: Array("bad-\(line)".utf8), contentType: "text/csv",
            body: .undecodable(.init(line: line, reason: "Bad quote.")),
            coordinates: ["file": "f.csv", "line": .number(Number(Int64(line)))])
    }

    @Test func aSourceThatGivesABatchTwiceIsArmedAgain() async throws {
        let bench = try Bench()
        bench.connector.change { state in
            state.batches = [[Self.order(1), Self.order(2)]]
            state.repeatsBatches = true
        }
        var wasNoticed = false
        await bench.run { bench in
            if bench.status.trouble?.contains("two batches that are out the number 0") == true {
                wasNoticed = true
                bench.connector.change { $0.repeatsBatches = false }
            }
            return bench.connector.change { $0.acknowledged.count } == 1
        }
        #expect(wasNoticed)
        #expect(
            bench.engine.state.withLock { Set($0.started.compactMap(\.idempotencyKey)) } == [
                "orders:o-1", "orders:o-2",
            ])
    }

    @Test func everyRecordIsAccountedForBeforeItsBatchIsAcknowledged() async throws {
        let bench = try Bench()
        bench.connector.change { state in
            state.batches = [
                [Self.order(1), Self.order(2), Self.malformed(9), Self.order(3, amount: 0)],
                [Self.order(2), Self.order(4, amount: "x")],
            ]
        }
        await bench.run { $0.connector.change { $0.acknowledged.count } == 2 }
        let counters = bench.status.counters
        #expect(counters.received == 6)
        #expect(counters.started == 2)
        #expect(counters.duplicates == 1)
        #expect(counters.filtered == 1)
        #expect(counters.deadLettered == 2)
        #expect(counters.failed == 0)
        #expect(Set(bench.engine.letters.map(\.errorCode)) == ["HB201", "HB204"])
        #expect(bench.connector.change { $0.armed.first?.event } == "file")
        #expect(bench.connector.change { $0.armed.first?.parameters } == ["dir": "in", "pattern": "*.csv"])
        #expect(bench.logs.text.contains("trigger armed"))
        #expect(!bench.logs.text.contains("bad-9"))
    }

    @Test func droppedRecordsAreCounted() async throws {
        let bench = try Bench(changes: [("format: csv", "format: csv, onError: drop")])
        bench.connector.change { $0.batches = [[Self.malformed(1)]] }
        await bench.run { $0.status.counters.dropped == 1 }
        #expect(bench.engine.letters.isEmpty)
    }

    @Test func theConnectionsParametersAreVisibleToTheSource() async throws {
        let bench = try Bench(changes: [("dir: in", "dir: \"=connection.root + \\\"/in\\\"\"")])
        await bench.run { $0.status.state == .armed }
        #expect(bench.connector.change { $0.armed.first?.parameters["dir"] } == "/data/in")
    }

    @Test func anExpressionOfTheSourceWithoutValueIsAFailure() async throws {
        let bench = try Bench(changes: [("dir: in", "dir: \"=connection.size + \\\"/in\\\"\"")])
        await bench.run { $0.status.state == .failed }
        #expect(bench.status.trouble?.hasPrefix("HB108: source.file.dir: ") == true)
    }

    @Test func backpressurePausesTheSourceAndLosesNothing() async throws {
        let bench = try Bench(changes: [("max: 20", "max: 1")])
        bench.engine.change { state in
            state.startRefusals = Array(repeating: .init(code: .resourceExhausted, retryAfter: 250), count: 30)
        }
        bench.connector.change { $0.batches = [(1...5).map { Self.order($0) }] }
        await bench.run { $0.connector.change { $0.acknowledged.count } == 1 }
        #expect(bench.status.counters.started == 5)
        #expect(bench.status.counters.failed == 30)
        #expect(bench.clock.now >= .milliseconds(30 * 250))
        #expect(bench.engine.letters.isEmpty)
    }

    @Test func aDeadLetterThatCannotBeWrittenHoldsTheBatchBack() async throws {
        let bench = try Bench()
        bench.engine.change { state in
            state.letterRefusals = [
                .init(code: .storeFailed, retryAfter: nil), .init(code: .resourceExhausted, retryAfter: nil),
            ]
        }
        bench.connector.change { $0.batches = [[Self.malformed(3)]] }
        await bench.run { $0.connector.change { $0.acknowledged.count } == 1 }
        #expect(bench.engine.letters.count == 1)
        #expect(bench.status.counters.failed == 2)
    }

    @Test func aStartTheEngineRefusesForGoodIsDeadLettered() async throws {
        let bench = try Bench()
        bench.engine.change { $0.startRefusals = [.init(code: .invalidArgument, retryAfter: nil)] }
        bench.connector.change { $0.batches = [[Self.order(1)]] }
        await bench.run { $0.connector.change { $0.acknowledged.count } == 1 }
        #expect(bench.engine.letters.map { "\($0.stage) \($0.errorCode)" } == ["commit HB207"])
    }

    @Test func aProcessThatIsNotDeployedYetLosesNoEvent() async throws {
        let bench = try Bench()
        bench.engine.change { $0.deployed = [] }
        bench.connector.change { $0.batches = [[Self.order(1)]] }
        let task = Task { await bench.hub.run() }
        // It is armed again at once by this clock: state and trouble of one moment.
        var failed = bench.status
        while failed.state != .failed {
            await Task.yield()
            failed = bench.status
        }
        #expect(failed.trouble?.contains("EN404") == true)
        #expect(bench.connector.change { $0.acknowledged.isEmpty })
        bench.engine.change { $0.deployed = ["order-intake"] }
        while bench.connector.change({ $0.acknowledged.isEmpty }) { await Task.yield() }
        task.cancel()
        await task.value
        #expect(bench.status.counters.started == 1)
        #expect(bench.engine.letters.isEmpty)
    }

    @Test func aSourceThatFailsIsArmedAgain() async throws {
        let bench = try Bench()
        bench.connector.change { state in
            state.connectErrors = [ConnectorError(.unavailable, code: "FAKE-1", "Gone.", remedy: "Wait.")]
            state.interruptions = [
                SourceInterruption.backOff(.milliseconds(1)), SourceInterruption.notConnected(reason: "unplugged"),
            ]
            state.acknowledgeErrors = [ConnectorError(.transient, code: "FAKE-2", "Busy.", remedy: "Wait.")]
            state.batches = [[Self.order(1)]]
        }
        await bench.run { $0.connector.change { $0.acknowledged.count } == 1 }
        #expect(bench.connector.change { $0.armed.count } == 3)
        #expect(bench.status.counters.started == 1)
        #expect(bench.status.counters.duplicates == 1)
        for reason in ["FAKE-1", "unplugged", "FAKE-2"] { #expect(bench.logs.text.contains(reason)) }
    }

    @Test func aSourceThatEndsPausesItsTrigger() async throws {
        let bench = try Bench()
        bench.connector.change { state in
            state.batches = [[Self.order(1)]]
            state.endsInput = true
        }
        await bench.run { $0.status.state == .paused }
        #expect(bench.status.counters.started == 1)
    }

    @Test func operatorsPauseAndResume() async throws {
        let bench = try Bench(changes: [("kind: Trigger", "kind: Trigger\nenabled: false")])
        #expect(bench.status.state == .paused)
        bench.connector.change { $0.batches = [[Self.order(1)]] }
        let task = Task { await bench.hub.run() }
        for _ in 0..<100 { await Task.yield() }
        #expect(bench.engine.startedVariables.isEmpty)
        try bench.hub.resumeTrigger("orders")
        while bench.engine.startedVariables.isEmpty { await Task.yield() }
        try bench.hub.pauseTrigger("orders")
        #expect(bench.status.state == .paused)
        bench.connector.change { $0.batches.append([Self.order(2)]) }
        task.cancel()
        await task.value
        #expect(throws: HubError.self) { try bench.hub.pauseTrigger("order") }
        #expect(throws: HubError.self) { try bench.hub.resumeTrigger("nothing") }
    }

    @Test func anUnknownConnectionIsAFailureWithARemedy() async throws {
        let bench = try Bench(changes: [("connection: inbox", "connection: inbx")])
        await bench.run { $0.status.state == .failed }
        #expect(bench.status.trouble == "HB301: There is no connection \"inbx\". — Did you mean \"inbox\"?")
        #expect((bench.status.rearmMilliseconds ?? -1) >= 0)
    }

    /// Dies at every call to the engine, before and after it took effect, and starts anew on the same source.
    @Test(arguments: 1...12, [false, true])
    func aHubThatDiesAnywhereStartsEveryRecordOnce(_ call: Int, _ afterEffect: Bool) async throws {
        let engine = FakeEngine()
        let connector = FakeConnector(id: "files")
        let records = (1...6).map { Self.order($0) } + [Self.malformed(20), Self.malformed(21)]
        connector.change {
            $0.batches = [Array(records[0..<5]), Array(records[5...]), [Self.order(2), Self.order(7)]]
        }
        engine.change { state in
            state.diesAtCall = call
            state.diesAfterEffect = afterEffect
        }
        let first = try Bench(engine: engine, connector: connector, changes: [("max: 20", "max: 3")])
        let finished: @Sendable (borrowing FakeConnector.State) -> Bool = { $0.acknowledged.count == 3 }
        await first.run { _ in
            engine.state.withLock { $0.isDead } || connector.change { finished($0) }
        }
        engine.change { state in
            state.isDead = false
            state.diesAtCall = nil
        }
        let second = try Bench(engine: engine, connector: connector, changes: [("max: 20", "max: 3")])
        await second.run { _ in connector.change { finished($0) } }
        for hub in [first, second] {
            let counters = hub.status.counters
            let accounted =
                counters.started + counters.duplicates + counters.filtered + counters.dropped + counters.deadLettered
            #expect(counters.received == accounted)
            #expect(hub.status.pending == 0)
        }
        let started = engine.state.withLock { $0.started.compactMap(\.businessID) }
        #expect(started.sorted() == (1...7).map { "o-\($0)" })
        #expect(Set(engine.letters.map { text($0.payload) }) == ["bad-20", "bad-21"])
        #expect(engine.letters.count == 2)
    }
}
