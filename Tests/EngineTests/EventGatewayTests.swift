import Testing
import Values

@testable import Engine

/// Event-based gateways (BPMN 2.0.2 clause 13.4.4 and 10.6.6; WCP-16).
@Suite("Event-based gateways")
struct EventGatewayTests {
    private static let root = [Model.message("msg"), Model.signal("sig"), Model.message("go", key: nil)]

    private static let deferred = Model.process(
        """
        start -> gate1; gate1 -> c1 -> a -> end; gate1 -> c2 -> b -> end2; gate1 -> c3 -> c -> end3
        gate1 -> r -> d -> end4; gate1 -> c4 -> e -> end5
        """,
        nodes: [
            Model.catching("c1", Model.onMessage("msg")), Model.catching("c2", Model.onSignal("sig")),
            Model.catching("c3", Model.duration("PT1M")), Model.receive("r", "other"),
            Model.catching("c4", Model.onCondition("=x > 1")),
        ], root: root + [Model.message("other")])

    @Test("the first event decides, the others are no longer waited for", arguments: ["a", "b", "c", "d", "e"])
    func firstDecides(chosen: String) throws {
        let harness = EngineHarness(partitions: 2)
        try harness.deploy(Self.deferred)
        let key = try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.live == ["gate1"])
        harness.checkpointAll()
        harness.crash(0)
        switch chosen {
        case "a": try harness.publish("msg", "k", #"{"y":1}"#)
        case "b": try harness.broadcast("sig", #"{"y":1}"#)
        case "c": harness.advance(seconds: 60)
        case "d": try harness.publish("other", "k", #"{"y":1}"#)
        default: try harness.set(#"{"x":2}"#, of: key)
        }
        #expect(harness.live == [chosen])
        #expect(harness.leftovers == [1, 0, 0, 0, 1])
        #expect(harness.instances[0].variables.contains { $0.name == "y" } == ["a", "b", "d"].contains(chosen))
        try harness.complete(chosen)
        #expect(!harness.isLive(key))
    }

    @Test("a condition that holds already decides at once")
    func holdsAlready() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.deferred)
        try harness.start("p", #"{"key":"k","x":5}"#)
        #expect(harness.live == ["e"])
        #expect(harness.leftovers == [1, 0, 0, 0, 1])
    }

    @Test("a message that came before is taken at once")
    func buffered() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.deferred)
        try harness.publish("msg", "k", ttl: 60_000)
        try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.live == ["a"])
    }

    @Test("an event whose wait cannot begin is an incident of the gateway")
    func failed() throws {
        let harness = EngineHarness()
        try harness.deploy(Self.deferred)
        let key = try harness.start()
        #expect(harness.incidents.map(\.element) == ["gate1"])
        #expect(harness.leftovers == [0, 0, 0, 0, 1])
        try harness.set(#"{"key":"k"}"#, of: key)
        try harness.resolve()
        try harness.broadcast("sig")
        #expect(harness.live == ["b"])
    }

    private func instantiating(parallel: Bool) throws -> EngineHarness {
        let harness = EngineHarness(partitions: 2)
        try harness.deploy(
            Model.process(
                "g -> c1 -> a -> end; g -> c2 -> b -> end2",
                nodes: [
                    Model.instantiating("g", parallel: parallel), Model.catching("c1", Model.onMessage("go")),
                    Model.catching("c2", Model.onSignal("sig")),
                ], root: Self.root))
        return harness
    }

    @Test("an instantiating gateway begins an instance with each of its events")
    func exclusiveInstantiating() throws {
        let harness = try instantiating(parallel: false)
        try harness.publish("go", "", #"{"x":1}"#)
        #expect(harness.live == ["a"])
        try harness.broadcast("sig")
        #expect(harness.live == ["a", "b"])
        #expect(harness.instances.count == 2)
        for activity in ["a", "b"] { try harness.complete(activity) }
        #expect(harness.instances.isEmpty)
    }

    @Test("a parallel instantiating gateway begins with one event and then waits for the others")
    func parallelInstantiating() throws {
        let harness = try instantiating(parallel: true)
        try harness.publish("go", "")
        #expect(harness.live == ["a", "g"])
        try harness.complete("a")
        #expect(harness.live == ["g"], "the instance is not over")
        harness.checkpointAll()
        harness.crash(0)
        harness.crash(1)
        let first = try #require(harness.instances.first).key
        try harness.broadcast("sig")
        #expect(harness.instances.first { $0.key == first }.map { $0.elements.count } == 2)
        for job in harness.jobs where job.instance == first {
            harness.send(.completeJob(key: job.key, variables: .empty), forKey: job.key)
        }
        #expect(!harness.isLive(first))
    }

    @Test("a process that begins with events cannot be started by hand")
    func byHand() throws {
        let harness = try instantiating(parallel: false)
        let definition = try #require(harness.registry.definition(processID: "p"))
        let reply = harness.send(.createInstance(NewInstance(definition: definition)))
        #expect(reply.rejection?.code == .invalidArgument)
    }
}
