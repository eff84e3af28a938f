import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Deployments and dead letters")
struct DeploymentTests {
    @Test("an unchanged document keeps its version, a changed one gets the next")
    func versions() throws {
        let harness = EngineHarness()
        let first = try #require(try harness.deploy(Model.process("start -> a -> end")).first)
        harness.checkpointAll()
        harness.crash(0)
        let again = try #require(try harness.deploy(Model.process("start -> a -> end")).first)
        #expect(again.key == first.key && first.version == 1)
        let second = try #require(try harness.deploy(Model.process("start -> b -> end")).first)
        #expect(second.version == 2 && second.key != first.key)
        let third = try #require(try harness.deploy(Model.process("start -> a -> end")).first)
        #expect(third.version == 3, "the newest version is what counts")
        try harness.start()
        #expect(harness.live == ["a"])
        #expect(harness.partitions[0].engine.deployedProcesses.map(\.version) == [1, 2, 3])
    }

    @Test("deploying what is there leaves no trace and names the deployment that brought it")
    func unchanged() throws {
        let harness = EngineHarness()
        let model = Model.document([
            Model.definition("start -> a -> end"),
            Model.definition("s2 -> b2 -> e2", id: "q", nodes: [Model.start("s2", ""), Model.end("e2", "")]),
        ])
        let deployed = try harness.deploy(model)
        let events = harness.eventCount
        let result = BPMNImporter.read(Array(model.utf8), file: nil)
        let reply = harness.send(
            .deploy(result.processes.map { NewProcess(process: $0, resourceName: "m", resource: Array(model.utf8)) }))
        guard case .deployed(let deployment, let versions, _) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(harness.eventCount == events)
        #expect(deployment == deployed.first?.deploymentKey.rawValue)
        #expect(versions.map(\.key) == deployed.map(\.key.rawValue))
    }

    @Test("definitions are found by key, id, version, tag and deployment")
    func registry() throws {
        let harness = EngineHarness()
        let registry = harness.registry
        let first = try #require(try harness.deploy(Model.process("start -> a -> end", tag: "blue")).first)
        let second = try #require(try harness.deploy(Model.process("start -> b -> end", tag: "green")).first)
        registry.add(first)
        #expect(registry.definition(key: first.key) === first)
        #expect(registry.definition(processID: "p") === second)
        #expect(registry.definition(processID: "p", version: 1) === first)
        #expect(registry.definition(processID: "p", version: 3) == nil)
        #expect(registry.definition(processID: "x") == nil)
        #expect(registry.definition(processID: "p", versionTag: "blue") === first)
        #expect(registry.definition(processID: "p", versionTag: "red") == nil)
        #expect(registry.definition(processID: "p", deploymentKey: second.deploymentKey) === second)
        #expect(registry.all.map(\.version) == [1, 2])
        #expect(registry.messageStarts(name: "none").isEmpty)
    }

    private func letter(_ dedupeKey: String?, origin: String = "trigger") -> DeadLetterRecorded {
        DeadLetterRecorded(
            origin: origin, coordinates: Array("line 3".utf8), dedupeKey: dedupeKey, stage: "decode", errorCode: "E",
            errorMessage: "broken", contentType: "text/csv", payload: [1, 2], redriveCount: 0)
    }

    @Test("a dead letter is kept once per origin and key, and ends once")
    func deadLetters() throws {
        let harness = EngineHarness()
        let first = try #require(harness.send(.recordDeadLetter(letter("k"))).key)
        #expect(harness.send(.recordDeadLetter(letter("k"))).key == first)
        harness.checkpointAll()
        harness.crash(0)
        #expect(harness.send(.recordDeadLetter(letter("k"))).key == first)
        let others = [letter("k2"), letter("k", origin: "other"), letter(nil), letter(nil)].map {
            harness.send(.recordDeadLetter($0)).key ?? 0
        }
        #expect(Set(others + [first]).count == 5)
        #expect(harness.send(.endDeadLetter(key: first, outcome: 1)).isDone)
        #expect(harness.send(.endDeadLetter(key: first, outcome: 2)).rejection?.code == .notFound)
        #expect(harness.send(.recordDeadLetter(letter("k"))).key == first, "the same input stays known")
        harness.checkpointAll()
        #expect(harness.partitions[0].store.keys(of: EntityKinds.deadLetter).count == 4)
        var change = DeadLetterChanged(.edit)
        change.payload = [7]
        change.state = 4
        #expect(harness.send(.changeDeadLetter(key: others[0], change)).isDone)
        #expect(harness.send(.changeDeadLetter(key: first, change)).rejection?.code == .notFound)
        #expect(harness.send(.purgeDeadLetters([first, others[1]])).isDone, "open ones are left alone")
        harness.checkpointAll()
        harness.crash(0)
        #expect(harness.partitions[0].store.keys(of: EntityKinds.deadLetter).count == 4)
        #expect(harness.send(.endDeadLetter(key: others[0], outcome: 2)).isDone)
        harness.now += 31 * 86_400_000
        #expect(harness.send(.recordDeadLetter(letter("k"))).key != first, "and is forgotten after 30 days")
    }
}
