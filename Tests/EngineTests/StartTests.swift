import Testing
import Values

@testable import Engine

@Suite("Starting instances, variables and incidents")
struct StartTests {
    private func start(
        _ harness: EngineHarness, key: String?, milliseconds: Int64 = 60_000, awaitsEnd: Bool = false
    ) throws -> (key: UInt64, definition: UInt64, existed: Bool) {
        let definition = try #require(harness.registry.definition(processID: "p"))
        let reply = harness.send(
            .createInstance(
                NewInstance(
                    definition: definition, businessID: "b-1", uniqueKey: key, uniqueMilliseconds: milliseconds,
                    awaitsEnd: awaitsEnd)))
        guard case .created(let instance, let version, let existed) = reply else {
            Issue.record("\(reply)")
            return (0, 0, false)
        }
        return (instance, version, existed)
    }

    @Test("a start with a unique key happens once, until the key is forgotten")
    func uniqueKey() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let first = try start(harness, key: "k")
        let definition = try #require(harness.registry.definition(processID: "p")).key.rawValue
        #expect(!first.existed && first.definition == definition)
        for round in 0..<3 {
            let again = try start(harness, key: "k")
            #expect(again.key == first.key && again.existed && again.definition == definition, "round \(round)")
            harness.checkpointAll()
            if round == 1 { harness.crash(0) }
        }
        #expect(try start(harness, key: "other").key != first.key)
        #expect(try start(harness, key: nil).key != first.key)
        harness.send(.cancelInstance(key: first.key))
        let ended = try start(harness, key: "k")
        #expect(ended.key == first.key && ended.existed && ended.definition == 0)
        harness.advance(milliseconds: 59_999)
        #expect(try start(harness, key: "k").key == first.key)
        harness.now += 1
        let later = try start(harness, key: "k")
        #expect(!later.existed && later.key != first.key)
        harness.tick()
        #expect(try start(harness, key: "k").key == later.key, "the first reservation's end does not end the second")
        harness.advance(milliseconds: 60_000)
        #expect(harness.partitions[0].engine.state.uniqueKeys.isEmpty)
    }

    @Test("whoever repeats a start may await the end of the first")
    func awaitExisting() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let first = try start(harness, key: "k")
        _ = try start(harness, key: "k", awaitsEnd: true)
        try harness.complete("a", #"{"x":1}"#)
        #expect(harness.variables(first.key) == #"{"x":1}"#)
    }

    @Test("an instance knows its business id and who called for what stands in the journal")
    func businessIDAndActor() throws {
        let harness = EngineHarness()
        harness.recordsEvents = true
        try harness.deploy(Model.process("start -> a -> end"))
        _ = try start(harness, key: nil)
        #expect(harness.instances.map(\.businessID) == ["b-1"])
        let job = try harness.job("a")
        harness.send(.updateJob(key: job.key, retries: 5, timeoutMilliseconds: nil), actor: "ann")
        let actors = harness.events.compactMap { event in if case .actor(let name) = event { name } else { nil } }
        #expect(actors == ["ann"])
    }

    @Test("within a batch an actor ends where the next command names none")
    func actorEnds() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let engine = harness.partitions[0].engine
        let definition = try #require(harness.registry.definition(processID: "p"))
        for actor in ["ann", nil, nil] {
            engine.process(
                CommandEnvelope(.createInstance(NewInstance(definition: definition)), actor: actor), now: harness.now)
        }
        #expect(engine.hasBatch && engine.batchBytes > 0)
        let actors = try decodeEvents(engine.takeBatch().payload).compactMap { event in
            if case .actor(let name) = event { name } else { nil }
        }
        #expect(actors == ["ann", ""])
        #expect(!engine.hasBatch && engine.takeBatch().payload.isEmpty)
    }

    @Test("variables are set where they live, or exactly where it is asked")
    func setVariables() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> end",
                nodes: [Model.sub("s", "start1 -> a -> end1", io: Model.io([("=1", "inner")]))]))
        let key = try harness.start("p", #"{"x":1}"#)
        let instance = try #require(harness.instances.first)
        let task = try #require(instance.elements.last)
        let scope = instance.elements[1].key
        func set(_ scope: UInt64, _ variables: String, local: Bool) throws {
            let reply = harness.send(.setVariables(scope: scope, variables: try document(variables), local: local))
            #expect(reply.isDone)
        }
        try set(task.key, #"{"x":2,"inner":3,"new":4}"#, local: false)
        #expect(harness.variables(key) == #"{"x":2,"new":4}"#)
        try set(task.key, #"{"x":9}"#, local: true)
        try set(scope, #"{"inner":5}"#, local: true)
        #expect(harness.variables(key) == #"{"x":2,"new":4}"#)
        let job = try #require(harness.take("a").first)
        #expect(String(decoding: job.variables, as: UTF8.self) == #"{"x":9,"inner":5,"new":4}"#)
    }

    @Test(
        "mappings write members and keep the others",
        arguments: [
            (#"{"order":{"id":1,"total":2}}"#, #"{"order":{"id":1,"total":7}}"#),
            (#"{"order":5}"#, #"{"order":{"total":7}}"#),
            ("{}", #"{"order":{"total":7}}"#),
        ])
    func nestedTargets(_ before: String, _ after: String) throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> end",
                nodes: [
                    Model.task(
                        "a", io: Model.io([("=1", "req.x.y"), ("=req.x.y + 1", "req.x.z")], [("=n", "order.total")]))
                ]))
        let key = try harness.start("p", before)
        let instance = try #require(harness.instances.first)
        let input = instance.variables.first { $0.name == "req" }?.value.json
        #expect(input.map { String(decoding: $0, as: UTF8.self) } == #"{"x":{"y":1,"z":2}}"#)
        try harness.complete("a", #"{"n":7}"#)
        #expect(harness.variables(key) == after)
    }

    @Test("a nested output reaches the variable of the nearest scope that has it")
    func nestedOutputScope() throws {
        let harness = EngineHarness()
        let task = Model.task("a", io: Model.io([], [("=n", "order.total")]))
        try harness.deploy(
            Model.process(
                "start -> s -> end",
                nodes: [
                    Model.sub(
                        "s", "start1 -> a -> end1", nodes: [task],
                        io: Model.io([("={id: 3}", "order")], [("=order", "copy")]))
                ]))
        let key = try harness.start()
        try harness.complete("a", #"{"n":7}"#)
        #expect(harness.variables(key) == #"{"copy":{"id":3,"total":7}}"#)
    }

    @Test("figures count what happened")
    func counters() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end"))
        let first = try harness.start()
        harness.send(.cancelInstance(key: first))
        try harness.start()
        try harness.fail("a", retries: 0)
        try harness.resolve()
        try harness.complete("a")
        let counters = harness.partitions[0].engine.counters
        #expect(counters.instancesStarted == 2 && counters.instancesCompleted == 1)
        #expect(counters.instancesTerminated == 1 && counters.incidentsRaised == 1)
        #expect(counters.jobsCreated == 2 && counters.jobsCompleted == 1 && counters.elementsStarted == 5)
    }
}
