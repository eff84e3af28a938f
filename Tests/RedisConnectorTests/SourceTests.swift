import ConnectorKit
import Foundation
import LoopbackTestSupport
import Testing
import Values

@testable import RedisConnector

@Suite struct StreamSourceTests {
    private func add(_ numbers: Range<Int>, to stream: String, _ connection: any Connection) async {
        let calls = numbers.map {
            OperationCall(
                operation: "xadd", input: ["stream": .string(stream), "fields": ["n": .string("\($0)"), "x": "y"]])
        }
        #expect(await connection.invokeBatch(calls).allSatisfy { $0.error == nil })
    }

    @Test func entriesAreContextsOfTheirFields() async throws {
        let connection = try await Server.running().connect()
        let stream = newName("stream")
        let source = try await connection.source("stream", ["stream": .string(stream), "group": "g"])
        await self.add(0..<1, to: stream, connection)
        let event = try #require(try await source.events(1).first)
        #expect(event.value == ["n": "0", "x": "y"])
        #expect(event.contentType == "application/json")
        #expect(event.headers["deliveryCount"] == 1)
        #expect(event.coordinates["stream"] == .string(stream))
        let entry = try #require(event.coordinates["entry"]?.asString)
        #expect(event.id == "\(stream):\(entry)")
        #expect(abs((event.occurredAtMilliseconds ?? 0) - Int64(Date().timeIntervalSince1970 * 1_000)) < 60_000)
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(stream)]).error == nil)
        await connection.close()
    }

    @Test func aFieldMayHoldThePayload() async throws {
        let connection = try await Server.running().connect()
        let stream = newName("field")
        let source = try await connection.source(
            "stream",
            [
                "stream": .string(stream), "group": "g", "field": "payload", "contentType": "application/json",
            ])
        for fields: Value in [["payload": ["a": 1], "kind": "k"], ["payload": "{", "kind": "k"], ["kind": "k"]] {
            #expect(await connection.call("xadd", ["stream": .string(stream), "fields": fields]).error == nil)
        }
        let events = try await source.events(3)
        #expect(events.map(\.value) == [["a": 1], nil, nil])
        #expect(events.map { $0.headers["kind"] } == ["k", "k", "k"])
        for event in events.dropFirst() {
            guard case .undecodable(let finding) = event.body else {
                Issue.record("\(event.body)")
                continue
            }
            #expect(!finding.reason.isEmpty)
        }
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(stream)]).error == nil)
        await connection.close()
    }

    @Test func aMissingGroupIsNotMadeWhereThatIsSwitchedOff() async throws {
        let connection = try await Server.running().connect()
        let source = try await connection.source(
            "stream", ["stream": .string(newName("none")), "group": "g", "create": false])
        let error = await #expect(throws: ConnectorError.self) { try await source.read(maximum: 1, wait: .zero) }
        #expect(error?.kind == .notFound)
        await source.close()
        await connection.close()
    }

    @Test func consumersOfAGroupShareAndTakeOver() async throws {
        let connection = try await Server.running().connect()
        let stream = newName("takeover")
        let parameters: ValueContext = ["stream": .string(stream), "group": "g", "claimIdle": "1s"]
        var (one, two) = (parameters, parameters)
        one["consumer"] = "one"
        two["consumer"] = "two"
        let first = try await connection.source("stream", one)
        let second = try await connection.source("stream", two)
        await self.add(0..<10, to: stream, connection)
        let left = try await first.events(4, acknowledging: false)
        await first.close()
        let taken = try await second.events(10, wait: .seconds(4))
        #expect(taken.count == 10)
        #expect(Set(taken.map(\.id)).isSuperset(of: left.map(\.id)))
        let again = taken.filter { event in left.contains { $0.id == event.id } }
        #expect(again.allSatisfy { $0.headers["deliveryCount"] == 2 })
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        await second.close()
        #expect(await connection.call("delete", ["keys": .string(stream)]).error == nil)
        await connection.close()
    }

    @Test func rejectedEntriesComeAgainOrGoAside() async throws {
        let connection = try await Server.running().connect()
        let (stream, dead) = (newName("reject"), newName("dead"))
        let source = try await connection.source(
            "stream", ["stream": .string(stream), "group": "g", "deadLetterStream": .string(dead)])
        await self.add(0..<2, to: stream, connection)
        let first = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        let start = ContinuousClock.now
        try await source.reject(first.id, .redeliver(after: .milliseconds(300)))
        let again = try await source.redelivered(try #require(first.events.first?.id))
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(again.events.first?.headers["deliveryCount"] == 2)
        try await source.reject(again.id, .setAside)
        let entries = try #require(try await connection.redis("XRANGE", .string(dead), "-", "+").asList)
        let fields = try #require(entries.first?.asList?.last?.asList)
        #expect(fields.prefix(2) == ["n", "0"])
        #expect(fields.contains("junction.entry"))
        _ = try await source.events(1, wait: .milliseconds(50))
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        #expect(await source.backlog() == 0)
        await source.close()
        #expect(await connection.call("delete", ["keys": [.string(stream), .string(dead)]]).error == nil)
        await connection.close()
    }

    /// Where a dead letter cannot be written, the entry stays what it was.
    @Test func whatCannotBeSetAsideStaysPending() async throws {
        let connection = try await Server.running().connect()
        let (stream, dead) = (newName("aside"), newName("no-stream"))
        #expect(await connection.call("set", ["key": .string(dead), "value": 1]).error == nil)
        let source = try await connection.source(
            "stream", ["stream": .string(stream), "group": "g", "deadLetterStream": .string(dead)])
        await self.add(0..<1, to: stream, connection)
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        let error = await #expect(throws: ConnectorError.self) { try await source.reject(batch.id, .setAside) }
        #expect(error?.code == RedisErrors.Code.wrongType)
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 1)
        #expect(await connection.call("delete", ["keys": .string(dead)]).error == nil)
        try await source.reject(batch.id, .setAside)
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        #expect(try await connection.redis("XLEN", .string(dead)) == 1)
        await source.close()
        #expect(await connection.call("delete", ["keys": [.string(stream), .string(dead)]]).error == nil)
        await connection.close()
    }

    @Test func entriesDeletedWhilePendingAreForgotten() async throws {
        let connection = try await Server.running().connect()
        let stream = newName("deleted")
        let source = try await connection.source("stream", ["stream": .string(stream), "group": "g"])
        await self.add(0..<3, to: stream, connection)
        let events = try await source.events(3, acknowledging: false)
        let entry = try #require(events[1].coordinates["entry"])
        try await connection.redis("XDEL", .string(stream), entry)
        try await source.connect()
        #expect(try await source.events(3, wait: .milliseconds(200)).map { $0.value?["n"] } == ["0", "2"])
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(stream)]).error == nil)
        await connection.close()
    }

    /// The network breaks again and again: every entry comes, and what was acknowledged is not pending.
    @Test func nothingIsLostThroughReconnects() async throws {
        let server = try Server.running()
        let proxy = try LoopbackServer.proxy(to: server.port)
        let direct = try await server.connect()
        let connection = try await server.connect(port: proxy.port)
        let stream = newName("cut")
        let source = try await connection.source("stream", ["stream": .string(stream), "group": "g"])
        let total = 1_000
        await self.add(0..<total, to: stream, direct)
        var seen: [String: Int] = [:]
        var reads = 0
        while seen.count < total {
            do {
                let batch = try #require(try await source.read(maximum: 20, wait: .seconds(5)), "only \(seen.count)")
                reads += 1
                if reads % 10 == 0 { proxy.cut() }
                for event in batch.events { seen[event.id, default: 0] += 1 }
                try await source.acknowledge(batch.id)
            } catch is SourceInterruption {
                try await source.reconnect()
            }
        }
        if (try? await source.events(1, wait: .milliseconds(100))) == nil { try await source.reconnect() }
        _ = try await source.events(total, wait: .milliseconds(100))
        #expect(try await direct.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        await source.close()
        #expect(await direct.call("delete", ["keys": .string(stream)]).error == nil)
        await connection.close()
        await direct.close()
        proxy.stop()
    }
}

@Suite struct ListSourceTests {
    @Test func valuesStayInTheSecondListUntilTheyAreAcknowledged() async throws {
        let connection = try await Server.running().connect()
        let (list, processing) = (newName("list"), newName("processing"))
        let parameters: ValueContext = [
            "list": .string(list), "processing": .string(processing), "contentType": "application/json",
        ]
        let source = try await connection.source("list", parameters)
        let push: ValueContext = ["list": .string(list), "values": [["n": 1], ["n": 2], ["n": 3], ["n": 2]]]
        #expect(await connection.call("push", push).error == nil)
        let batch = try #require(try await source.read(maximum: 3, wait: .seconds(5)))
        #expect(batch.events.map(\.value) == [["n": 1], ["n": 2], ["n": 3]])
        #expect(try await connection.redis("LLEN", .string(processing)) == 3)
        // As after a crash: the same values come first, then the rest.
        try await source.connect()
        try await source.acknowledge(batch.id)
        let again = try await source.events(4)
        #expect(again.map(\.value) == [["n": 1], ["n": 2], ["n": 3], ["n": 2]])
        #expect(again.prefix(3).map(\.id) == batch.events.map(\.id))
        #expect(try await connection.redis("EXISTS", .string(list), .string(processing)) == 0)
        await source.close()
        await connection.close()
    }

    @Test func rejectedValuesComeAgainOrGoAside() async throws {
        let connection = try await Server.running().connect()
        let (list, dead) = (newName("reject"), newName("dead"))
        let source = try await connection.source(
            "list", ["list": .string(list), "side": "right", "deadLetterList": .string(dead)])
        #expect(await connection.call("push", ["list": .string(list), "values": ["b", "a"]]).error == nil)
        let first = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        #expect(first.events.map(\.text) == ["a"])
        let start = ContinuousClock.now
        try await source.reject(first.id, .redeliver(after: .milliseconds(300)))
        let again = try await source.redelivered(try #require(first.events.first?.id))
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        try await source.reject(again.id, .setAside)
        #expect(try await connection.redis("LRANGE", .string(dead), 0, -1) == ["a"])
        #expect(try await source.events(1, wait: .milliseconds(50)).map(\.text).allSatisfy { $0 == "b" })
        #expect(try await connection.redis("EXISTS", .string(list), .string(list + ":processing:cache")) == 0)
        #expect(await source.backlog() == 0)
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(dead)]).error == nil)
        await connection.close()
    }

    @Test func whatCannotBeSetAsideStaysInTheSecondList() async throws {
        let connection = try await Server.running().connect()
        let (list, dead) = (newName("aside"), newName("no-list"))
        #expect(await connection.call("set", ["key": .string(dead), "value": 1]).error == nil)
        let source = try await connection.source("list", ["list": .string(list), "deadLetterList": .string(dead)])
        #expect(await connection.call("push", ["list": .string(list), "values": ["a", "b"]]).error == nil)
        let batch = try #require(try await source.read(maximum: 2, wait: .seconds(5)))
        let error = await #expect(throws: ConnectorError.self) { try await source.reject(batch.id, .setAside) }
        #expect(error?.code == RedisErrors.Code.wrongType)
        #expect(try await connection.redis("LLEN", .string(list + ":processing:cache")) == 2)
        #expect(await connection.call("delete", ["keys": .string(dead)]).error == nil)
        try await source.reject(batch.id, .setAside)
        #expect(try await connection.redis("LRANGE", .string(dead), 0, -1) == ["a", "b"])
        #expect(try await connection.redis("EXISTS", .string(list + ":processing:cache")) == 0)
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(dead)]).error == nil)
        await connection.close()
    }

    @Test func aReadWaitsForTheFirstValue() async throws {
        let connection = try await Server.running().connect()
        let list = newName("wait")
        let source = try await connection.source("list", ["list": .string(list)])
        #expect(try await source.read(maximum: 5, wait: .milliseconds(50)) == nil)
        let start = ContinuousClock.now
        async let batch = source.read(maximum: 5, wait: .seconds(10))
        try await Task.sleep(for: .milliseconds(50))
        #expect(await connection.call("push", ["list": .string(list), "value": "x"]).error == nil)
        #expect(try await batch?.events.map(\.text) == ["x"])
        #expect(ContinuousClock.now - start < .seconds(5))
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(list + ":processing:cache")]).error == nil)
        await connection.close()
    }

    @Test func aKeyOfAnotherTypeIsAConflict() async throws {
        let connection = try await Server.running().connect()
        let key = newName("type")
        #expect(await connection.call("set", ["key": .string(key), "value": 1]).error == nil)
        let source = try await connection.source("list", ["list": .string(key)])
        let error = await #expect(throws: ConnectorError.self) { try await source.read(maximum: 1, wait: .zero) }
        #expect(error?.code == RedisErrors.Code.wrongType)
        await source.close()
        #expect(await connection.call("delete", ["keys": .string(key)]).error == nil)
        await connection.close()
    }
}

@Suite struct ChannelSourceTests {
    @Test func whatIsPublishedWhileConnectedComesInOrder() async throws {
        let connection = try await Server.running().connect()
        let channel = newName("channel")
        let source = try await connection.source(
            "channel", ["channels": .string(channel), "patterns": [.string(channel + ".*")]])
        let calls = (0..<500).map {
            OperationCall(
                operation: "publish",
                input: ["channel": .string($0 % 2 == 0 ? channel : channel + ".x"), "message": .string("\($0)")])
        }
        for outcome in await connection.invokeBatch(calls) { #expect(outcome.value == ["receivers": 1]) }
        let events = try await source.events(500)
        #expect(events.map(\.text) == (0..<500).map { "\($0)" })
        #expect(Set(events.map(\.id)).count == 500)
        #expect(events[1].coordinates["pattern"] == .string(channel + ".*"))
        #expect(events[1].coordinates["channel"] == .string(channel + ".x"))
        #expect(try await source.read(maximum: 1, wait: .milliseconds(20)) == nil)
        await source.close()
        await #expect(throws: ConnectorError.self) { try await source.read(maximum: 1, wait: .zero) }
        await connection.close()
    }

    @Test func aReadEndsWhenItsTaskIsCancelled() async throws {
        let connection = try await Server.running().connect()
        let source = try await connection.source("channel", ["channels": .string(newName("quiet"))])
        let start = ContinuousClock.now
        let task = Task { try await source.read(maximum: 1, wait: .seconds(60)) }
        task.cancel()
        #expect(try await task.value == nil)
        #expect(ContinuousClock.now - start < .seconds(10))
        await source.close()
        await connection.close()
    }

    @Test func aCutConnectionIsAnInterruption() async throws {
        let server = try Server.running()
        let proxy = try LoopbackServer.proxy(to: server.port)
        let connection = try await server.connect(port: proxy.port)
        let channel = newName("cut")
        let source = try await connection.source("channel", ["channels": .string(channel)])
        proxy.cut()
        await #expect(throws: SourceInterruption.self) { try await source.read(maximum: 1, wait: .seconds(10)) }
        try await source.reconnect()
        #expect(await connection.call("publish", ["channel": .string(channel), "message": "x"]).error == nil)
        #expect(try await source.events(1).map(\.text) == ["x"])
        await source.close()
        await connection.close()
        proxy.stop()
    }
}
