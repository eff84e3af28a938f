import ProcessModel
import Testing
import Values

@testable import Engine

/// Each case runs with one partition, where messages are handled at once, and with several, where they travel.
@Suite("Messages", .serialized)
struct MessageTests {
    private static let root = [Model.message("msg"), Model.message("other", key: "=other")]

    private func harness(_ partitions: Int, _ flows: String, _ nodes: [String]) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        try harness.deploy(Model.process(flows, nodes: nodes, root: Self.root))
        return harness
    }

    private static let receiving = [
        Model.receive("r", "msg"), Model.catching("r", Model.onMessage("msg")),
    ]

    @Test("a waiting instance takes the message with its variables", arguments: receiving, [1, 4])
    func correlate(_ node: String, _ partitions: Int) throws {
        let harness = try harness(partitions, "start -> r -> a -> end", [node])
        let key = try harness.start("p", #"{"key":"k1"}"#)
        let other = try harness.start("p", #"{"key":"k2"}"#)
        #expect(try harness.publish("msg", "k1", #"{"x":1}"#).key != nil)
        #expect(harness.live == ["a", "r"])
        #expect(harness.variables(key) == #"{"key":"k1","x":1}"#)
        #expect(harness.variables(other) == #"{"key":"k2"}"#)
        #expect(harness.partitions.reduce(0) { $0 + $1.engine.subscriptionCount } == 1)
        #expect(harness.partitions.allSatisfy { $0.engine.state.messages.isEmpty })
    }

    @Test("with output mappings the message's variables stay in the element", arguments: [1, 3])
    func outputs(_ partitions: Int) throws {
        let harness = try harness(
            partitions, "start -> r -> a -> end", [Model.receive("r", "msg", io: Model.io([], [("=x + 1", "y")]))])
        let key = try harness.start("p", #"{"key":"k1"}"#)
        try harness.publish("msg", "k1", #"{"x":1}"#)
        #expect(harness.variables(key) == #"{"key":"k1","y":2}"#)
    }

    @Test("a number is a correlation key like its text")
    func numericKey() throws {
        let harness = try harness(2, "start -> r -> end", [Model.receive("r", "msg")])
        try harness.start("p", #"{"key":4711}"#)
        try harness.publish("msg", "4711")
        #expect(harness.instances.isEmpty)
    }

    @Test("a missing correlation key is an incident")
    func noKey() throws {
        let harness = try harness(1, "start -> r -> end", [Model.receive("r", "msg")])
        let key = try harness.start("p", #"{"key":null}"#)
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"key":"k"}"#, of: key)
        try harness.resolve()
        try harness.publish("msg", "k")
        #expect(!harness.isLive(key))
    }

    @Test("a message without time to live is not kept", arguments: [1, 4])
    func notBuffered(_ partitions: Int) throws {
        let harness = try harness(partitions, "start -> r -> end", [Model.receive("r", "msg")])
        try harness.publish("msg", "k")
        let key = try harness.start("p", #"{"key":"k"}"#)
        #expect(harness.isLive(key))
    }

    @Test("a buffered message waits for its instance until its time is over", arguments: [1, 4])
    func buffered(_ partitions: Int) throws {
        let harness = try harness(partitions, "start -> a -> r -> end", [Model.receive("r", "msg")])
        try harness.publish("msg", "k", ttl: 10_000, #"{"x":1}"#)
        let key = try harness.start("p", #"{"key":"k"}"#)
        harness.advance(milliseconds: 9_999)
        harness.checkpointAll()
        try harness.complete("a")
        #expect(harness.variables(key) == #"{"key":"k","x":1}"#)
        #expect(!harness.isLive(key))
        let late = try harness.start("p", #"{"key":"k"}"#)
        try harness.complete("a")
        #expect(harness.isLive(late), "a process takes a message once")
        harness.advance(milliseconds: 1)
        #expect(harness.partitions.allSatisfy { $0.engine.state.messages.isEmpty })
    }

    @Test("a message id is unique while its message is buffered", arguments: [1, 4])
    func messageID(_ partitions: Int) throws {
        let harness = try harness(partitions, "start -> r -> end", [Model.receive("r", "msg")])
        #expect(try harness.publish("msg", "k", ttl: 1_000, id: "i").key != nil)
        harness.checkpointAll()
        for index in harness.partitions.indices { harness.crash(index) }
        #expect(try harness.publish("msg", "k", ttl: 1_000, id: "i").rejection?.code == .alreadyExists)
        #expect(try harness.publish("msg", "k", ttl: 1_000, id: "j").key != nil)
        #expect(try harness.publish("msg", "other", ttl: 1_000, id: "i").key != nil)
        harness.advance(milliseconds: 1_000)
        #expect(try harness.publish("msg", "k", ttl: 1_000, id: "i").key != nil)
    }

    @Test("of several instances of one process, only the longest waiting one takes a message", arguments: [1, 4])
    func oncePerProcess(_ partitions: Int) throws {
        let harness = try harness(partitions, "start -> r -> end", [Model.receive("r", "msg")])
        let first = try harness.start("p", #"{"key":"k"}"#)
        let second = try harness.start("p", #"{"key":"k"}"#, in: partitions - 1)
        let third = try harness.start("p", #"{"key":"k"}"#)
        try harness.publish("msg", "k", ttl: 5_000)
        #expect([first, second, third].map(harness.isLive) == [false, true, true])
        harness.checkpointAll()
        try harness.publish("msg", "k")
        #expect([second, third].map(harness.isLive) == [false, true])
        try harness.publish("msg", "k")
        #expect(harness.instances.isEmpty)
    }

    @Test("different processes each take a message", arguments: [1, 3])
    func severalProcesses(_ partitions: Int) throws {
        let harness = try harness(partitions, "start -> r -> end", [Model.receive("r", "msg")])
        try harness.deploy(
            Model.process("start -> r -> end", id: "q", nodes: [Model.receive("r", "msg")], root: Self.root))
        try harness.start("p", #"{"key":"k"}"#)
        try harness.start("q", #"{"key":"k"}"#, in: partitions - 1)
        try harness.publish("msg", "k")
        #expect(harness.instances.isEmpty)
    }

    @Test("an interrupting message boundary event ends its activity and closes the other waits", arguments: [1, 4])
    func interrupting(_ partitions: Int) throws {
        let harness = try harness(
            partitions, "start -> a -> end; b -> after -> end2; c -> end3",
            [
                Model.task("a"), Model.boundary("b", on: "a", Model.onMessage("msg")),
                Model.boundary("c", on: "a", Model.onMessage("other")),
            ])
        let key = try harness.start("p", #"{"key":"k","other":"o"}"#)
        #expect(harness.partitions.reduce(0) { $0 + $1.engine.subscriptionCount } == 2)
        harness.checkpointAll()
        try harness.publish("msg", "k", #"{"x":1}"#)
        #expect(harness.live == ["after"])
        #expect(harness.variables(key) == #"{"key":"k","other":"o","x":1}"#)
        #expect(harness.partitions.allSatisfy { $0.engine.subscriptionCount == 0 })
    }

    @Test("a non-interrupting message boundary event fires once a message, until its activity ends", arguments: [1, 4])
    func nonInterrupting(_ partitions: Int) throws {
        let harness = try harness(
            partitions, "start -> u -> end; b -> after -> end2",
            [
                Model.user("u"),
                Model.boundary(
                    "b", on: "u", Model.onMessage("msg"), interrupting: false, io: Model.io([], [("=x", "last")])),
            ])
        let key = try harness.start("p", #"{"key":"k"}"#)
        for x in 1...3 {
            try harness.publish("msg", "k", #"{"x":\#(x)}"#)
            harness.checkpointAll()
        }
        #expect(harness.live == ["after", "after", "after", "u"])
        #expect(harness.variables(key) == #"{"key":"k","last":3}"#)
        try harness.completeTask("u")
        try harness.publish("msg", "k")
        #expect(harness.live == ["after", "after", "after"])
        #expect(harness.partitions.allSatisfy { $0.engine.subscriptionCount == 0 })
        #expect(harness.isLive(key))
    }

    @Test("a subscription that stays takes buffered messages one after the other", arguments: [1, 4])
    func staysAndTakesBuffered(_ partitions: Int) throws {
        let harness = try harness(
            partitions, "start -> a -> u -> end; b -> after -> end2",
            [Model.user("u"), Model.boundary("b", on: "u", Model.onMessage("msg"), interrupting: false)])
        for x in 1...3 { try harness.publish("msg", "k", ttl: 60_000, #"{"x\#(x)":1}"#) }
        let key = try harness.start("p", #"{"key":"k"}"#)
        try harness.complete("a")
        #expect(harness.live == ["after", "after", "after", "u"])
        #expect(harness.variables(key) == #"{"key":"k","x1":1,"x2":1,"x3":1}"#)
        harness.advance(seconds: 60)
        #expect(harness.partitions.allSatisfy { $0.engine.state.messages.isEmpty })
    }

    @Test("a subscription that stays open lets others of its process have the next message", arguments: [1, 4])
    func fairness(_ partitions: Int) throws {
        let harness = try harness(
            partitions, "start -> s -> end; b -> after -> end2",
            [
                Model.sub("s", "start1 -> r -> end1", nodes: [Model.receive("r", "msg")]),
                Model.boundary("b", on: "s", Model.onMessage("msg"), interrupting: false),
            ])
        try harness.start("p", #"{"key":"k"}"#)
        try harness.publish("msg", "k")
        #expect(harness.live == ["after", "r", "s"])
        try harness.publish("msg", "k")
        #expect(harness.live == ["after"])
    }

    @Test("a message boundary event still ends an activity that cannot be left")
    func boundaryInIncident() throws {
        let harness = try harness(
            2, "start -> a; a -> [=ok] b -> end; m1 -> end2",
            [Model.task("a"), Model.boundary("m1", on: "a", Model.onMessage("msg"))])
        let key = try harness.start("p", #"{"key":"k"}"#)
        try harness.complete("a")
        #expect(harness.incidents.count == 1)
        try harness.publish("msg", "k")
        #expect(!harness.isLive(key))
    }

    @Test("a message reaches the body of a multi-instance activity whose condition failed")
    func boundaryOnFailedLoop() throws {
        let harness = try harness(
            2, "start -> a -> end; m1 -> end2",
            [
                Model.task("a", loop: Model.loop(times: "=2", until: "=done")),
                Model.boundary("m1", on: "a", Model.onMessage("msg")),
            ])
        let key = try harness.start("p", #"{"key":"k"}"#)
        let job = try #require(harness.jobs.first)
        harness.send(.completeJob(key: job.key, variables: .empty))
        #expect(harness.incidents.map(\.type) == ["CONDITION_ERROR"])
        try harness.publish("msg", "k")
        #expect(!harness.isLive(key))
    }

    @Test("a message start event begins an instance of each process once", arguments: [1, 3])
    func messageStart(_ partitions: Int) throws {
        let harness = EngineHarness(partitions: partitions)
        for id in ["p", "q"] {
            try harness.deploy(
                Model.process(
                    "startM -> a -> end", id: id, nodes: [Model.start("startM", Model.onMessage("go"))],
                    root: [Model.message("go", key: nil)]))
        }
        try harness.publish("go", "", #"{"x":1}"#)
        #expect(harness.instances.map(\.process.id).sorted() == ["p", "q"])
        #expect(harness.instances.map { harness.variables($0.key) } == [#"{"x":1}"#, #"{"x":1}"#])
        let definition = try #require(harness.registry.definition(processID: "p"))
        let reply = harness.send(.createInstance(NewInstance(definition: definition)))
        #expect(reply.rejection?.code == .invalidArgument)
        // A version without the start event takes it away.
        try harness.deploy(Model.process("start -> b -> end", id: "p"))
        try harness.publish("go", "")
        #expect(harness.instances.map(\.process.id).sorted() == ["p", "q", "q"])
    }

    @Test("a started instance does not take the message that started it")
    func startTakesTheMessage() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "startM -> r -> end",
                nodes: [Model.start("startM", Model.onMessage("msg")), Model.receive("r", "msg")],
                root: [Model.message("msg")]))
        try harness.publish("msg", "k", ttl: 60_000, #"{"key":"k"}"#)
        #expect(harness.live == ["r"])
        try harness.publish("msg", "k", ttl: 60_000, #"{"key":"k"}"#)
        #expect(harness.live == ["r", "r"], "a message reaches a process once: by starting it")
    }

    @Test("a message that comes too late goes to the next instance instead")
    func rejectedThenNext() throws {
        let harness = try harness(
            4, "start -> r -> end; b -> end2",
            [Model.receive("r", "msg"), Model.boundary("b", on: "r", Model.duration("PT1M"))])
        let home = MessageHash.partition(MessageHash.of(name: "msg", correlationKey: "k"), of: 4)
        let away = (home + 1) % 4
        let first = try harness.start("p", #"{"key":"k"}"#, in: away)
        let second = try harness.start("p", #"{"key":"k"}"#, in: (home + 2) % 4)
        harness.holdsMessages = true
        try harness.publish("msg", "k")
        // While the message is on its way, the first instance stops waiting.
        harness.send(.cancelInstance(key: first), to: away)
        harness.checkpointAll()
        harness.holdsMessages = false
        harness.deliver()
        #expect(!harness.isLive(second))
        #expect(harness.partitions.allSatisfy { $0.engine.subscriptionCount == 0 && $0.engine.state.messages.isEmpty })
    }

    @Test("a message on its way survives crashes of both partitions")
    func crashOnTheWay() throws {
        let harness = try harness(2, "start -> r -> a -> end", [Model.receive("r", "msg")])
        let home = MessageHash.partition(MessageHash.of(name: "msg", correlationKey: "k"), of: 2)
        try harness.start("p", #"{"key":"k"}"#, in: 1 - home)
        harness.holdsMessages = true
        try harness.publish("msg", "k", #"{"x":1}"#)
        for index in 0..<2 { harness.crash(index) }
        harness.holdsMessages = false
        harness.deliver()
        #expect(harness.live == ["a"])
        #expect(harness.partitions[home].engine.state.messages.isEmpty)
    }

    @Test("a second message waits while the first is on its way to the only subscription")
    func busySubscription() throws {
        let harness = try harness(
            2, "start -> u -> end; b -> after -> end2",
            [Model.user("u"), Model.boundary("b", on: "u", Model.onMessage("msg"), interrupting: false)])
        let home = MessageHash.partition(MessageHash.of(name: "msg", correlationKey: "k"), of: 2)
        try harness.start("p", #"{"key":"k"}"#, in: 1 - home)
        harness.holdsMessages = true
        try harness.publish("msg", "k", ttl: 60_000)
        try harness.publish("msg", "k", ttl: 60_000)
        harness.holdsMessages = false
        harness.deliver()
        #expect(harness.live == ["after", "after", "u"])
    }

    @Test("many messages in one delivery do not look like an endless loop")
    func manyMessages() throws {
        let harness = try harness(
            2, "start -> r -> x -> end",
            [Model.receive("r", "msg"), Model.script("x", "=sum(for i in 1..10 return i)", to: "y")])
        harness.checks = false
        let home = MessageHash.partition(MessageHash.of(name: "msg", correlationKey: "k0"), of: 2)
        let keys = (0..<400).map { "k\($0)" }.filter {
            MessageHash.partition(MessageHash.of(name: "msg", correlationKey: $0), of: 2) == home
        }
        for key in keys { try harness.start("p", #"{"key":"\#(key)"}"#, in: 1 - home) }
        for key in keys { try harness.publish("msg", key) }
        #expect(harness.instances.isEmpty)
    }
}
