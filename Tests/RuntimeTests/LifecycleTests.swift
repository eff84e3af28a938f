import Engine
import Storage
import StorageTestSupport
import Synchronization
import Testing
import Values

@testable import Runtime

/// Starting, stopping, bounds and clocks.
@Suite struct LifecycleTests {
    @Test(.timeLimit(.minutes(1))) func shutdownAnswersEverybodyWhoWaits() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let runtime = harness.runtime
        let poll = Task { try await harness.activate("other", wait: 3_600_000) }
        let awaiting = Task { try await harness.start("chain", await: 3_600_000) }
        try await harness.eventually("both wait") {
            runtime.core.requests.waiting == 1 && runtime.core.jobs.waitingPolls == 1
        }
        runtime.shutdown()
        runtime.shutdown()
        for result in [await poll.result.map { _ in }, await awaiting.result.map { _ in }] {
            #expect(throws: CommandRejection.self) { try result.get() }
        }
        let late = await #expect(throws: CommandRejection.self) { try await harness.start("chain") }
        #expect(late?.code == .storeFailed)
        let read = await #expect(throws: CommandRejection.self) { try await harness.activate(wait: 60_000) }
        #expect(read?.code == .storeFailed)
        try await runtime.waitForRecords()
        harness.stop()
        // What was accepted is there.
        let next = try harness.restarted()
        defer { next.stop() }
        #expect(next.runtime.status().liveInstances == 1)
    }

    @Test func startsAreRefusedWhenTooManyCommandsWaitAndOtherWorkIsNot() async throws {
        let gate = GatedStore.Gate()
        var configuration = RuntimeConfiguration()
        configuration.queuedCommandsMax = 3
        let harness = try RuntimeHarness(configuration: configuration) { GatedStore($0, gate) }
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        gate.close()
        let held = (0..<3).map { _ in Task { try await harness.start("chain") } }
        try await harness.eventually("three wait") { harness.runtime.core.requests.count == 3 }
        let refused = await #expect(throws: CommandRejection.self) { try await harness.start("chain") }
        #expect(refused?.code == .resourceExhausted && refused?.retryAfterMilliseconds != nil)
        let published = Task { try await harness.publish("any", "x") }
        try await harness.eventually("the message is accepted") { harness.runtime.core.requests.count == 4 }
        gate.open()
        for start in held { _ = try await start.value }
        _ = try await published.value
        #expect(try await harness.read { try $0.totals().activeInstances } == 3)
    }

    @Test func afterAFailureForGoodNothingIsSaidToBeWorthRepeating() async throws {
        let faulty = Mutex<FaultyStore?>(nil)
        let harness = try RuntimeHarness { store in
            let wrapped = FaultyStore(store)
            faulty.withLock { $0 = wrapped }
            return wrapped
        }
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        try #require(faulty.withLock { $0 }).setFault(.init(write: 1, isPersistent: true, outcome: .refused(.corrupt)))
        for _ in 0..<2 {
            let refused = await #expect(throws: CommandRejection.self) { try await harness.start("chain") }
            #expect(refused?.code == .storeFailed && refused?.retryAfterMilliseconds == nil)
        }
        #expect(harness.runtime.status().failure?.code == .corrupt)
    }

    /// What cannot be read is met in the middle of a command, which then must not have happened.
    @Test func stateThatCannotBeReadStopsTheEngineAndLosesNothing() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        let instance = try await harness.start("waiting", "{\"id\":\"a\"}").key
        try await harness.runtime.settle()
        // Another format, until it is turned back.
        harness.disk.invertStates(of: EntityKind(rawValue: EntityKinds.instance))
        _ = try? await harness.publish("wake", "a", timeToLive: 60_000, id: "m")
        try await harness.eventually("it stops") { harness.runtime.status().stoppedBy != nil }
        let failure = try #require(harness.runtime.status().stoppedBy)
        #expect(failure.code == .corrupt && failure.message.contains("\(instance.rawValue)"))
        let refused = await #expect(throws: CommandRejection.self) { try await harness.start("waiting") }
        #expect(refused?.code == .storeFailed && refused?.message.contains("cannot read its state") == true)
        harness.stop()
        harness.disk.invertStates(of: EntityKind(rawValue: EntityKinds.instance))
        let again = try harness.restarted()
        do {
            _ = try await again.publish("wake", "a", timeToLive: 60_000, id: "m")
        } catch let error as CommandRejection where error.code == .alreadyExists {
            // It was durable; only its effect was not.
        }
        try await again.eventually("it ends") {
            try await again.read { try $0.totals().completedInstances } == 1
        }
        again.stop()
    }

    @Test func aJournalThatNamesWhatIsNotDeployedIsNotRecovered() async throws {
        let harness = try RuntimeHarness()
        _ = try await harness.deploy(Model.waiting("waiting"))
        // The first batch of each partition comes with a checkpoint, those after it are only in the journal.
        for _ in 0..<4 { _ = try await harness.start("waiting", "{\"id\":\"a\"}") }
        try await harness.runtime.settle()
        for _ in 0..<4 { _ = try await harness.start("waiting", "{\"id\":\"a\"}") }
        harness.stop()
        harness.disk.forget(EntityKind(rawValue: EntityKinds.definition))
        let error = #expect(throws: StoreError.self) {
            try RuntimeHarness(disk: harness.disk, directory: harness.directory, clock: harness.clock)
        }
        #expect(error?.code == .corrupt && error?.message.contains("not deployed") == true)
    }

    /// Time inside a partition never goes back: keys stay unique and sorted, timers fire when the clock has caught up.
    @Test(arguments: [false, true])
    func aClockSetBackLosesNothing(restarting: Bool) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.delay("delay", "PT10S"))
        _ = try await harness.deploy(Model.sequence("chain", 1), name: "chain.bpmn")
        var keys: [Key] = []
        for _ in 0..<8 { keys.append(try await harness.start("delay").key) }
        harness.clock.advance(-3_600_000)
        if restarting { harness = try harness.restarted() }
        for _ in 0..<8 { keys.append(try await harness.start("delay").key) }
        #expect(Set(keys).count == 16)
        for partition in 0..<4 {
            let own = keys.filter { $0.partition == partition }
            #expect(own == own.sorted(), "partition \(partition)")
        }
        // Jobs do not wait for the calendar.
        _ = try await harness.start("chain")
        let job = try #require(try await harness.activate(wait: 10_000).first)
        try await harness.runtime.completeJob(key: job.key, variables: nil)
        #expect(harness.runtime.status().openTimers == 16)
        harness.clock.advance(3_600_000 + 10_001)
        try await harness.eventually("all timers fire") { harness.runtime.status().liveInstances == 0 }
        let rows = try await harness.read { try $0.processInstances(Query()).items.map(\.record) }
        #expect(rows.allSatisfy { $0.state == .completed && $0.startedAt <= $0.endedAt ?? 0 })
    }

    @Test func anAnswerThatIsNoObjectBecomesAnIncident() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let runtime = harness.runtime
        runtime.registerWorker(type: "work", capacity: 4) { jobs in
            for job in jobs { runtime.finishJob(key: job.key, .completed(variables: Array("[1]".utf8))) }
        }
        _ = try await harness.start("chain")
        try await harness.eventually("an incident") {
            try await harness.read { try $0.incidents(Query()).items.first?.record.message.contains("JSON object") }
                == true
        }
    }

    /// In-process workers: every way to answer, each once; a second answer is ignored.
    @Test func everyAnswerOfAnInProcessWorkerTakesEffectOnce() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        let caught = """
            <bpmn:boundaryEvent id="caught" attachedToRef="task"><bpmn:errorEventDefinition errorRef="refused"/>\
            </bpmn:boundaryEvent><bpmn:endEvent id="refusedEnd"/>\(Model.flow("caught", "refusedEnd"))
            """
        _ = try await harness.deploy(
            "<bpmn:error id=\"refused\" errorCode=\"REFUSED\"/>"
                + Model.single("guarded", Model.job("task", type: "work"), beside: caught))
        let runtime = harness.runtime
        let attempts = Mutex<[Key: Int]>([:])
        runtime.registerWorker(type: "work", capacity: 4) { jobs in
            for job in jobs {
                let attempt = attempts.withLock { attempts in
                    attempts[job.key, default: 0] += 1
                    return attempts[job.key]
                }
                let outcome: JobOutcome
                switch attempt {
                case 1: outcome = .postponed(milliseconds: 1_000, message: "open breaker")
                case 2: outcome = .failed(retries: 1, backoffMilliseconds: 1_000, message: "reset")
                default:
                    let isRefused = String(decoding: job.variables, as: UTF8.self).contains("bad")
                    outcome =
                        isRefused ? .error(code: "REFUSED", message: nil, variables: nil) : .completed(variables: nil)
                }
                runtime.finishJob(key: job.key, outcome)
                runtime.finishJob(key: job.key, .completed(variables: nil))
            }
        }
        let good = try await harness.start("guarded", "{\"name\":\"good\"}").key
        let bad = try await harness.start("guarded", "{\"name\":\"bad\"}").key
        try await harness.eventually("both end") {
            harness.clock.advance(1_001)
            return runtime.status().completedInstances == 2
        }
        #expect(attempts.withLock { $0.values.sorted() } == [3, 3])
        let ends = [try await harness.path(good), try await harness.path(bad)].map { $0.map(\.isTerminated) }
        #expect(ends[0].count == 3 && !ends[0].contains(true))
        #expect(ends[1].count == 4 && ends[1].contains(true))
        #expect(try await harness.path(good)[1].failedAttempts == 2)
    }
}

/// The variable that arms a crash point.
@Suite struct CrashPointTests {
    @Test(arguments: CrashPoint.allCases)
    func aPointIsDueOnItsNumberedPass(_ point: CrashPoint) throws {
        let first = try #require(try CrashPoint.parse(point.rawValue))
        #expect(first.point == point)
        #expect([first.isDue(), first.isDue()] == [true, false])
        let third = try #require(try CrashPoint.parse("\(point.rawValue):3"))
        #expect((0..<4).map { _ in third.isDue() } == [false, false, true, false])
    }

    @Test func withoutTheVariableNothingIsArmed() throws {
        #expect(try CrashPoint.parse(nil) == nil)
        #expect(try CrashPoint.parse("") == nil)
    }

    @Test(arguments: ["nowhere", "after-commit:", "after-commit:0", "after-commit:x", ":3"])
    func aNameThatIsNoPointIsRefused(_ text: String) {
        let error = #expect(throws: StoreError.self) { try CrashPoint.parse(text) }
        #expect(error?.code == .misuse && error?.remedy.contains("before-commit") == true)
    }
}
