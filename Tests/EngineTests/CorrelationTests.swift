import ProcessModel
import Testing
import Values

@testable import Engine

/// What comes of an event (ADR-0028).
///
/// Each case runs with one partition, where messages are handled at once, and with
/// several, where they travel.
@Suite("Correlation", .serialized)
struct CorrelationTests {
    private func harness(_ partitions: Int) throws -> EngineHarness {
        let harness = EngineHarness(partitions: partitions)
        harness.recordsEvents = true
        try CorrelationModels.deploy(to: harness)
        return harness
    }

    @Test("an event goes to the instance that waits", arguments: [1, 4])
    func correlates(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let waiting = try harness.start("p", #"{"key":"k"}"#, in: partitions - 1)
        let (effect, message) = try harness.correlate("k", #"{"e":1}"#, .start("p")).decided
        #expect(effect == .correlated)
        #expect(harness.live == ["a1"])
        #expect(harness.variables(waiting) == #"{"key":"k","e":1}"#)
        #expect(harness.messageCount == 0, "message \(message) is over")
    }

    @Test("when nobody waits, an instance starts in the message's partition", arguments: [1, 4])
    func starts(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let (effect, instance) = try harness.correlate("k", #"{"key":"k","e":1}"#, .start("w", business: "b")).decided
        #expect(effect == .started)
        let started = try #require(harness.instances.first)
        #expect(started.key == instance && started.businessID == "b")
        #expect(Key(rawValue: instance).partition == harness.home("k"))
        #expect(harness.variables(instance) == #"{"key":"k","e":1}"#)
        #expect(harness.messageCount == 0)
    }

    @Test("a process that begins with the message begins there, one without any beginning is refused")
    func startEvents() throws {
        let harness = try harness(1)
        #expect(try harness.correlate("k", "{}", .start("m")).decided.0 == .started)
        #expect(harness.performed.suffix(2) == ["sM", "b"], "not at the none start event")
        try harness.deploy(
            Model.process(
                "sO -> z -> end", id: "o", nodes: [Model.start("sO", Model.onMessage("other"))],
                root: [Model.message("other", key: nil)]))
        #expect(try harness.correlate("k", "{}", .start("o")).rejection?.code == .invalidArgument)
        #expect(try harness.correlate("k", "{}", .start("nothing")).rejection?.code == .notFound)
        #expect(try harness.correlate("k", "{}", .start("w", version: 7)).rejection?.code == .notFound)
        #expect(harness.live == ["b"])
    }

    @Test("events that come close together start one instance, and reach it one after the other", arguments: [1, 4])
    func neverTwice(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let (_, instance) = try harness.correlate("k", #"{"key":"k","e":1}"#, .start("w")).decided
        #expect(try harness.correlate("k", #"{"e":2}"#, .start("w")).decided.0 == .buffered)
        #expect(try harness.correlate("other", #"{"key":"other"}"#, .start("w")).decided.0 == .started)
        #expect(harness.instances.count == 2)
        harness.restart()
        try harness.completeJob(of: instance)
        #expect(harness.variables(instance) == "none" && !harness.isLive(instance), "it took the second event")
        #expect(harness.instances.count == 1 && harness.messageCount == 0)
        #expect(try harness.correlate("k", #"{"key":"k","e":3}"#, .start("w")).decided.0 == .started)
    }

    @Test("what still waits when the instance ends starts the next one, the oldest first", arguments: [1, 4])
    func succession(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let (_, first) = try harness.correlate("k", #"{"e":1}"#, .start("m")).decided
        for number in 2...4 {
            let reply = try harness.correlate("k", "{\"e\":\(number)}", .start("m", business: "b\(number)"))
            #expect(reply.decided.0 == .buffered)
        }
        harness.restart()
        try harness.completeJob(of: first)
        #expect(harness.instances.map(\.businessID) == ["b2"])
        harness.restart()
        harness.send(.cancelInstance(key: harness.instances[0].key), forKey: harness.instances[0].key)
        #expect(harness.instances.map(\.businessID) == ["b3"])
        #expect(harness.variables(harness.instances[0].key) == #"{"e":3}"#)
        #expect(harness.messageCount == 1)
    }

    @Test("a successor runs the newest version, unless one was named")
    func newestVersion() throws {
        let harness = try harness(1)
        let (_, first) = try harness.correlate("k", "{}", .start("m")).decided
        _ = try harness.correlate("k", "{}", .start("m"))
        _ = try harness.correlate("k", "{}", .start("m", version: 1))
        try harness.deploy(CorrelationModels.begun(behind: "b2"))
        try harness.completeJob(of: first)
        #expect(harness.live == ["b2"])
        try harness.complete("b2")
        #expect(harness.live == ["b"])
    }

    @Test("instances that end at once let everything that waits go in one command")
    func quick() throws {
        let harness = try harness(1)
        let (_, first) = try harness.correlate("k", "{}", .start("w")).decided
        for number in 0..<50 { _ = try harness.correlate("k", "{\"e\":\(number)}", .start("w")) }
        try harness.deploy(Model.process("start -> end", id: "w"))
        #expect(harness.messageCount == 50)
        harness.send(.cancelInstance(key: first))
        #expect(harness.instances.isEmpty && harness.messageCount == 0)
        #expect(harness.startCount == 51)
    }

    @Test("an event without a correlation key starts an instance of its own each time")
    func emptyKey() throws {
        let harness = try harness(2)
        for _ in 0..<3 { #expect(try harness.correlate("", "{}", .start("w")).decided.0 == .started) }
        #expect(harness.instances.count == 3)
        #expect(harness.partitions.allSatisfy { $0.engine.state.startLocks.isEmpty })
    }

    @Test("when nobody waits, an event waits, is refused or ignored, as it says", arguments: [1, 4])
    func noMatch(_ partitions: Int) throws {
        let harness = try harness(partitions)
        #expect(try harness.correlate("k", "{}", .refuse) == .correlation(.refusedNoMatch))
        #expect(try harness.correlate("k", "{}", .ignore).decided == (.nothing, 0))
        #expect(try harness.correlate("k", "{}", .buffer(milliseconds: 0)).decided.0 == .buffered)
        #expect(harness.messageCount == 0)
        #expect(try harness.correlate("k", #"{"e":5}"#, .buffer(milliseconds: 1_000)).decided.0 == .buffered)
        #expect(try harness.correlate("k", #"{"e":6}"#, .buffer(milliseconds: 2_000)).decided.0 == .buffered)
        harness.restart()
        harness.advance(milliseconds: 1_000)
        let instance = try harness.start("p", #"{"key":"k"}"#, in: partitions - 1)
        #expect(harness.variables(instance) == #"{"key":"k","e":6}"#)
        #expect(harness.messageCount == 0)
    }

    @Test("when several wait, an event goes to none, the first or all of them", arguments: [1, 4])
    func manyMatches(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let keys = try (0..<3).map { try harness.start("p", #"{"key":"k"}"#, in: $0 % partitions) }
        #expect(try harness.correlate("k", "{}", .start("p"), many: .refuse) == .correlation(.refusedManyMatches))
        #expect(harness.live == ["r1", "r1", "r1"])
        #expect(try harness.correlate("k", #"{"e":1}"#, .refuse, many: .first).decided.0 == .correlated)
        #expect(harness.variables(keys[0]) == #"{"key":"k","e":1}"#)
        #expect(try harness.correlate("k", #"{"e":2}"#, .refuse, many: .all).decided.0 == .correlated)
        #expect(keys.dropFirst().map(harness.variables) == [#"{"key":"k","e":2}"#, #"{"key":"k","e":2}"#])
        #expect(harness.messageCount == 0)
    }

    @Test("an instance that waits twice for the message counts once and takes it once")
    func waitsTwice() throws {
        let harness = try harness(1)
        try harness.deploy(
            Model.process(
                "start -> and1; and1 -> x -> a -> e1; and1 -> y -> b -> e2", id: "twice",
                nodes: [Model.receive("x", "msg"), Model.receive("y", "msg")], root: [Model.message("msg")]))
        try harness.start("twice", #"{"key":"k"}"#)
        #expect(try harness.correlate("k", "{}", .refuse, many: .refuse).decided.0 == .correlated)
        #expect(harness.live == ["a", "y"])
        #expect(try harness.correlate("k", "{}", .refuse, many: .all).decided.0 == .correlated)
        #expect(harness.live == ["a", "b"])
    }

    @Test("an instance that is gone passes its event on to the next, or to a new one", arguments: [2, 4], [1, 2])
    func rejected(_ partitions: Int, _ waiting: Int) throws {
        let harness = try harness(partitions)
        let away = (harness.home("k") + 1) % partitions
        let keys = try (0..<waiting).map { _ in try harness.start("p", #"{"key":"k"}"#, in: away) }
        harness.holdsMessages = true
        let reply = try harness.correlate("k", #"{"key":"k","e":1}"#, .start("w", buffer: 0), many: .first)
        #expect(reply.decided.0 == .correlated)
        harness.send(.cancelInstance(key: keys[0]), forKey: keys[0])
        harness.advance(milliseconds: 5)
        harness.holdsMessages = false
        harness.deliver()
        #expect(harness.live == (waiting == 2 ? ["a1"] : ["a2"]))
        #expect(harness.variables(try #require(harness.instances.first).key) == #"{"key":"k","e":1}"#)
        #expect(harness.messageCount == 0)
    }

    @Test("while an instance takes an event, the next one waits for it", arguments: [2, 4])
    func busy(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let away = (harness.home("k") + 1) % partitions
        try harness.deploy(
            Model.process(
                "start -> r -> s -> end", id: "two", nodes: [Model.receive("r", "msg"), Model.receive("s", "msg")],
                root: [Model.message("msg")]))
        let instance = try harness.start("two", #"{"key":"k"}"#, in: away)
        harness.holdsMessages = true
        #expect(try harness.correlate("k", "{}", .start("two")).decided.0 == .correlated)
        #expect(try harness.correlate("k", "{}", .start("two")).decided.0 == .buffered)
        harness.holdsMessages = false
        harness.deliver()
        #expect(!harness.isLive(instance) && harness.instances.isEmpty, "it took both")
        #expect(harness.messageCount == 0)
    }

    @Test("a repeated event causes nothing and is answered as the first, whatever came of it", arguments: [1, 4])
    func idempotent(_ partitions: Int) throws {
        let harness = try harness(partitions)
        let cases: [(String, NewCorrelation.NoMatch)] = [
            ("a", .start("m")), ("a", .start("m")), ("b", .buffer(milliseconds: 9_000)), ("c", .ignore),
        ]
        var first: [CorrelationReply] = []
        for (number, (key, noMatch)) in cases.enumerated() {
            let reply = try harness.correlate(key, "{}", noMatch, unique: "u\(number)")
            guard case .correlation(let answer) = reply else { throw Unexpected(reply: reply) }
            first.append(answer)
        }
        _ = try harness.start("p", #"{"key":"d"}"#)
        guard case .correlation(let taken) = try harness.correlate("d", "{}", .refuse, unique: "u") else { return }
        #expect([taken].map(\.effect) + first.map(\.effect) == [.correlated, .started, .buffered, .buffered, .nothing])
        let events = harness.eventCount
        for round in 0..<3 {
            for (number, (key, _)) in cases.enumerated() {
                #expect(
                    try harness.correlate(key, "{}", .refuse, unique: "u\(number)")
                        == .correlation(first[number].repeated), "round \(round)")
            }
            #expect(try harness.correlate("d", "{}", .start("w"), unique: "u") == .correlation(taken.repeated))
            #expect(harness.eventCount == events)
            harness.restart()
        }
        #expect(try harness.correlate("e", "{}", .start("w"), unique: "u").decided.0 == .started, "another event")
        harness.advance(milliseconds: 60_000)
        #expect(harness.partitions.allSatisfy { $0.engine.state.uniqueKeys.isEmpty })
        #expect(try harness.correlate("d", "{}", .start("w"), unique: "u").decided.0 == .started, "forgotten")
    }

    @Test("a refusal keeps no key: the repeated event is decided anew")
    func refusalsDoNotCount() throws {
        let harness = try harness(1)
        #expect(try harness.correlate("k", "{}", .refuse, unique: "u") == .correlation(.refusedNoMatch))
        for _ in 0..<2 { _ = try harness.start("p", #"{"key":"k"}"#) }
        #expect(try harness.correlate("k", "{}", .refuse, unique: "u") == .correlation(.refusedManyMatches))
        #expect(try harness.correlate("k", "{}", .start("q"), unique: "u", many: .first).decided.0 == .correlated)
        #expect(harness.partitions[0].engine.state.uniqueKeys.count == 1)
    }

    @Test("keys of signals, messages and events are keys of their own")
    func otherKeys() throws {
        let harness = try harness(1)
        try harness.deploy(
            Model.process(
                "s -> g -> end", id: "sig", nodes: [Model.start("s", "<signalEventDefinition signalRef=\"go\"/>")],
                root: ["<signal id=\"go\" name=\"go\"/>"]))
        var keys: [UInt64?] = []
        for _ in 0..<3 {
            keys.append(harness.send(.broadcastSignal(NewSignal(name: "go", uniqueKey: "u"))).key)
            harness.restart()
        }
        #expect(Set(keys).count == 1 && keys[0] != nil)
        #expect(harness.live == ["g"], "the signal was broadcast once")
        #expect(harness.send(.broadcastSignal(NewSignal(name: "go", uniqueKey: "v"))).key != keys[0])
        #expect(harness.live == ["g", "g"])
        let message = NewMessage(name: "msg", correlationKey: "k", timeToLiveMilliseconds: 9_000, uniqueKey: "u")
        let published = harness.send(.publishMessage(message)).key
        harness.restart()
        #expect(published != nil && harness.send(.publishMessage(message)).key == published)
        #expect(harness.messageCount == 1)
        var later = message
        later.uniqueKey = "v"
        #expect(harness.send(.publishMessage(later)).key != published)
    }

    @Test("a published message leaves start locks alone, and events leave other processes' messages alone")
    func besideMessages() throws {
        let harness = try harness(1)
        let (_, first) = try harness.correlate("k", #"{"key":"k"}"#, .start("m")).decided
        try harness.publish("msg", "k")
        #expect(harness.live == ["b", "b"], "a message that is published starts the process as ever")
        let (effect, _) = try harness.correlate("k", #"{"key":"k"}"#, .start("w")).decided
        #expect(effect == .started, "each process has a lock of its own")
        #expect(harness.live == ["a2", "b", "b"])
        try harness.completeJob(of: first)
        #expect(harness.live == ["a2", "b"])
    }

    @Test("events are kept with what came of them, once, and refused ones are not")
    func inbox() throws {
        let harness = try harness(2)
        func received(_ id: String) -> ReceivedEvent {
            ReceivedEvent(
                trigger: "t", eventID: id, dedupeKey: id, contentType: "text/plain", payload: Array(id.utf8),
                receivedAt: harness.now, retainMilliseconds: 5)
        }
        var kept: [(String, EventEffect, UInt64)] {
            harness.events.compactMap {
                guard case .eventReceived(let event) = $0 else { return nil }
                return (event.received.eventID, event.effect, event.effectKey)
            }
        }
        let (_, started) = try harness.correlate("k", "{}", .start("m"), unique: "1", received: received("1")).decided
        let (_, message) = try harness.correlate("k", "{}", .start("m"), received: received("2")).decided
        _ = try harness.correlate("k", "{}", .start("m"), unique: "1", received: received("1"))
        _ = try harness.correlate("x", "{}", .refuse, received: received("3"))
        _ = try harness.correlate("x", "{}", .ignore, received: received("4"))
        let definition = try #require(harness.registry.definition(processID: "w"))
        var created: UInt64 = 0
        for _ in 0..<2 {
            let reply = harness.send(
                .createInstance(NewInstance(definition: definition, uniqueKey: "5", received: received("5"))))
            if case .created(let key, _, _) = reply { created = key }
        }
        let signal = try #require(
            harness.send(.broadcastSignal(NewSignal(name: "s", uniqueKey: "6", received: received("6")))).key)
        _ = harness.send(.broadcastSignal(NewSignal(name: "s", uniqueKey: "6", received: received("6"))))
        let expected: [(String, EventEffect, UInt64)] = [
            ("1", .started, started), ("2", .buffered, message), ("4", .nothing, 0), ("5", .started, created),
            ("6", .signalled, signal),
        ]
        #expect(kept.map { "\($0)" } == expected.map { "\($0)" })
    }

    private struct Unexpected: Error {
        let reply: Reply
    }
}

extension CorrelationReply {
    fileprivate var effect: EventEffect? {
        if case .decided(let effect, _, _) = self { return effect }
        return nil
    }

    /// What a repetition is answered.
    fileprivate var repeated: CorrelationReply {
        guard case .decided(let effect, let key, _) = self else { return self }
        return .decided(effect, key: key, alreadyExisted: true)
    }
}
