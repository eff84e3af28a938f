import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Checkpoints, eviction and recovery")
struct CheckpointTests {
    /// Everything an instance can carry at once.
    private static let everything = Model.process(
        """
        start -> and1
        and1 -> a -> end1
        and1 -> u -> end2
        and1 -> loop -> end3
        and1 -> seq -> end4
        and1 -> c -> end5
        and1 -> m -> and2 -> end6
        and1 -> b1 -> and2
        and1 -> bad -> end7
        and1 -> t -> end8
        and1 -> r -> end9
        late -> end10
        onMsg -> end11
        """,
        nodes: [
            Model.task("a", type: "=\"w\" + kind", io: Model.io([("=x", "local")])), Model.user("u"),
            Model.task("loop", loop: Model.loop(over: "=[1,2]", as: "i", output: ("all", "=i"))),
            Model.task("seq", loop: Model.loop(times: "=2", sequential: true)), Model.call("c", "q"),
            Model.script("bad", "=x", to: "y", loop: Model.loop(over: "=nothing", as: "i")),
            Model.catching("t", Model.timer("timeCycle", "R3/PT1H")), Model.receive("r", "msg"),
            Model.boundary("late", on: "a", Model.timer("timeCycle", "R/PT2H"), interrupting: false),
            Model.boundary("onMsg", on: "u", Model.onMessage("msg"), interrupting: false),
        ], root: [Model.message("msg")])

    private func full(partitions: Int = 2) throws -> (EngineHarness, UInt64) {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(Self.everything)
        let key = try harness.start("p", #"{"x":1,"key":"k","kind":"X"}"#)
        let loopJob = try #require(harness.jobs.first { $0.element == "loop" })
        harness.send(.completeJob(key: loopJob.key, variables: .empty))
        try harness.fail("seq", retries: 1, backoff: 9_000)
        harness.send(
            .activateJobs(JobActivation(type: "wX", worker: "me", maximum: 1, timeoutMilliseconds: 60_000)))
        return (harness, key)
    }

    @Test("an instance with everything keeps its bytes through checkpoint, eviction and reload")
    func roundTrip() throws {
        let (harness, key) = try full()
        let engine = harness.partitions[0].engine
        let before = engine.encode(try #require(engine.instance(key)))
        harness.checks = false
        harness.checkpointAll()
        #expect(engine.residentCount == 0 && engine.liveCount == 2)
        #expect(engine.encode(try #require(engine.instance(key))) == before)
        harness.crash(0)
        let restored = harness.partitions[0].engine
        #expect(restored.residentCount == 0)
        #expect(restored.encode(try #require(restored.instance(key))) == before)
        #expect(restored.openJobCount == 5 && restored.openTimerCount == 2)
    }

    @Test("after recovery everything goes on where it was")
    func goesOn() throws {
        let (harness, key) = try full()
        harness.checkpointAll()
        for index in 0..<2 { harness.crash(index) }
        harness.advance(milliseconds: 9_000)
        #expect(try harness.job("seq").phase == .activatable)
        harness.advance(milliseconds: 51_000)
        #expect(try harness.job("a").phase == .activatable)
        try harness.set(#"{"nothing":[1]}"#, of: key)
        try harness.resolve()
        harness.advance(seconds: 7_200)
        for element in ["a", "w", "loop", "seq", "seq", "b1"] {
            try harness.complete(element)
            harness.checkpointAll()
        }
        try harness.publish("msg", "k")
        try harness.publish("msg", "k")
        try harness.completeTask("u")
        #expect(harness.instances.isEmpty, "\(harness.live)")
    }

    @Test("an instance that is cut short or of another format is not read")
    func damagedInstance() throws {
        let (harness, key) = try full(partitions: 1)
        let engine = harness.partitions[0].engine
        let bytes = engine.encode(try #require(engine.instance(key)))
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self, "\(length) of \(bytes.count) bytes") {
                try Array(bytes[..<length]).withUnsafeBytes { buffer in
                    var reader = ByteReader(buffer)
                    _ = try engine.readInstance(key: key, &reader)
                }
            }
        }
        var other = bytes
        other[0] = 99
        #expect(throws: DecodingFailure.self) {
            try other.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                _ = try engine.readInstance(key: key, &reader)
            }
        }
    }

    @Test("every kind of entity is restored, each in one way")
    func kinds() {
        let kinds = EntityKinds.indexed + EntityKinds.whole + EntityKinds.deployed
        #expect(kinds.sorted() == Array(1...UInt8(kinds.count)))
        // The last one there is: the next number is unknown.
        let (engine, empty) = (EngineHarness().partitions[0].engine, UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(throws: DecodingFailure.self) {
            try engine.restore(kind: UInt8(kinds.count) + 1, key: 1, index: empty, state: empty)
        }
    }

    @Test("rows that are damaged or of an unknown kind are refused")
    func damagedRows() throws {
        let (harness, _) = try full(partitions: 1)
        try harness.publish("other", "k", ttl: 60_000, id: "i")
        try harness.deploy(
            Model.process(
                "s -> z -> end", id: "timed", nodes: [Model.start("s", Model.timer("timeCycle", "R/PT1H"))]))
        let definition = try #require(harness.registry.definition(processID: "q"))
        harness.send(.createInstance(NewInstance(definition: definition, uniqueKey: "k")))
        harness.send(
            .recordDeadLetter(
                DeadLetterRecorded(
                    origin: "o", coordinates: [1], dedupeKey: nil, stage: "s", errorCode: "c", errorMessage: "m",
                    contentType: "t", payload: [1], redriveCount: 0)))
        harness.checkpoint(0)
        func restore(_ kind: UInt8, _ index: [UInt8], _ state: [UInt8]) throws {
            let engine = PartitionEngine(
                partition: 0, partitionCount: 1, definitions: harness.registry, source: harness.partitions[0].store)
            try index.withUnsafeBytes { index in
                try state.withUnsafeBytes { state in
                    try engine.restore(kind: kind, key: 1, index: index, state: state)
                }
            }
        }
        var kinds: Set<UInt8> = []
        for row in harness.partitions[0].store.rows.values {
            kinds.insert(row.kind)
            let index = row.index ?? []
            #expect(throws: Never.self) { try restore(row.kind, index, row.state) }
            if !index.isEmpty {
                #expect(throws: DecodingFailure.self) { try restore(row.kind, Array(index.dropLast()), row.state) }
            } else if row.kind != EntityKinds.instance {
                #expect(throws: DecodingFailure.self) { try restore(row.kind, index, Array(row.state.dropLast())) }
            }
        }
        #expect(kinds == Set(1...8), "every kind of entity has a row")
        #expect(throws: DecodingFailure.self) { try restore(99, [], []) }
        #expect(throws: DecodingFailure.self) {
            try restore(EntityKinds.instance, [9] + Array(repeating: 0, count: 9), [])
        }
        for kind in [EntityKinds.message, EntityKinds.deadLetter, EntityKinds.definition] {
            // An event, but not the one that belongs there.
            #expect(throws: DecodingFailure.self) { try restore(kind, [], [5, 5]) }
        }
    }

    @Test("a checkpoint holds what changed since the last, and nothing when nothing did")
    func onlyChanges() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> b -> end"))
        let first = try harness.start()
        try harness.start()
        let engine = harness.partitions[0].engine
        #expect(engine.changedCount == 3)
        harness.checkpointAll()
        #expect(engine.changedCount == 0)
        #expect(engine.makeCheckpoint().isEmpty)
        harness.send(.completeJob(key: harness.jobs[0].key, variables: .empty))
        let checkpoint = engine.makeCheckpoint()
        #expect(checkpoint.changed.map(\.kind) == [EntityKinds.instance, EntityKinds.partition])
        #expect(checkpoint.changed[0].key == first)
        harness.partitions[0].store.write(checkpoint)
        harness.send(.cancelInstance(key: first))
        let removal = engine.makeCheckpoint()
        #expect(removal.removed.map(\.key) == [first])
    }

    @Test("an instance removed by a checkpoint under way does not come back from the store")
    func removedInFlight() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let key = try harness.start()
        harness.checkpointAll()
        harness.send(.cancelInstance(key: key))
        let engine = harness.partitions[0].engine
        #expect(engine.instance(key) == nil)
        let checkpoint = engine.makeCheckpoint()
        #expect(engine.instance(key) == nil, "the store still has it")
        harness.partitions[0].store.write(checkpoint)
        engine.checkpointCommitted()
        #expect(engine.instance(key) == nil)
    }

    @Test("keys given out before a crash are not given out again, even if the clock goes back")
    func keysGoOn() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> m -> end"))
        harness.checkpointAll()
        let key = try harness.start()
        harness.checkpointAll()
        harness.crash(0)
        harness.now -= 60_000
        #expect(try harness.start() > key)
    }

    @Test("eviction drops the least recently used first, and never what changed")
    func eviction() throws {
        let harness = EngineHarness()
        harness.checks = false
        try harness.deploy(Model.process("start -> a -> b -> end"))
        let keys = try (0..<5).map { _ in try harness.start() }
        let engine = harness.partitions[0].engine
        engine.evict(downTo: 0)
        #expect(engine.residentCount == 5, "none is in the checkpoint yet")
        harness.checkpoint(0, evicts: false)
        engine.evict(downTo: 5)
        #expect(engine.residentCount == 5)
        for key in [keys[3], keys[1]] {
            harness.send(.setVariables(scope: key, variables: .empty, local: true))
        }
        engine.evict(downTo: 2)
        #expect(engine.state.instances.keys.sorted() == [keys[1], keys[3]])
        harness.send(.setVariables(scope: keys[1], variables: try document(#"{"x":1}"#), local: true))
        engine.evict(downTo: 0)
        #expect(engine.state.instances.keys.sorted() == [keys[1]])
    }

    @Test("unique keys leave memory after a checkpoint and are still told apart")
    func uniqueKeyTexts() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> m -> end"))
        let definition = try #require(harness.registry.definition(processID: "p"))
        func start(_ key: String) -> Reply {
            harness.send(.createInstance(NewInstance(definition: definition, uniqueKey: key)))
        }
        _ = start("a")
        harness.checkpoint(0, evicts: false)
        let state = harness.partitions[0].engine.state.uniqueKeys
        #expect(state.values.map(\.text) == [nil])
        guard case .created(_, _, let existed) = start("a") else {
            Issue.record("refused")
            return
        }
        #expect(existed)
    }

    @Test("two unique keys with one hash are two keys")
    func uniqueKeyCollision() throws {
        let harness = EngineHarness()
        let engine = harness.partitions[0].engine
        let slot = try #require(engine.uniqueSlot("a"))
        // No two texts with one hash are known, so the slot is filled as another text would.
        engine.state.uniqueKeys[slot] = UniqueKeyState(owner: 1, expiresAt: 2, text: "b")
        let next = try #require(engine.uniqueSlot("a"))
        #expect(next != slot)
        var probe = next
        for _ in 0..<7 {
            engine.state.uniqueKeys[probe] = UniqueKeyState(owner: 1, expiresAt: 2, text: "b")
            probe = engine.uniqueSlot("a") ?? 0
        }
        #expect(engine.uniqueSlot("a") == nil, "the search is bounded")
    }

    @Test("variables are set in the scope of a job or task whose instance left memory")
    func setVariablesOfEvicted() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> and -> a -> end; and -> u -> end2", nodes: [Model.task("a"), Model.user("u")]))
        try harness.start()
        let scopes = try #require(harness.instances.first).elements.dropFirst().map(\.key)
        harness.checks = false
        harness.checkpoint(0)
        let engine = harness.partitions[0].engine
        for scope in scopes {
            engine.evict(downTo: 0)
            #expect(engine.residentCount == 0)
            let command = Command.setVariables(scope: scope, variables: try document(#"{"local":1}"#), local: true)
            #expect(harness.send(command).isDone)
            harness.checkpoint(0)
        }
        #expect(harness.instances.first?.variables.map(\.scope) == [3, 4])
        #expect(harness.send(.setVariables(scope: scopes[0] + 99, variables: .empty, local: true)).rejection != nil)
    }
}
