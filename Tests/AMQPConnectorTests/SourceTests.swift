import ConnectorKit
import Foundation
import LoopbackTestSupport
import Testing
import Values

@testable import AMQPConnector

@Suite struct SourceTests {
    private func publish(_ numbers: Range<Int>, to queue: String, _ connection: any Connection) async {
        let outcomes = await connection.invokeBatch(numbers.map { .publish(.number(Number($0)), to: queue) })
        #expect(outcomes.allSatisfy { $0.error == nil })
    }

    @Test func aQueueThatIsNotThereIsNotMade() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let source = try await connection.armSource(
            SourceRequest(event: "message", parameters: ["queue": "test-no-such-queue"]))
        let error = await #expect(throws: ConnectorError.self) { try await source.connect() }
        #expect(error?.kind == .notFound)
        #expect(error?.message.contains("NOT_FOUND - no queue 'test-no-such-queue'") == true)
        await #expect(throws: SourceInterruption.self) { try await source.read(maximum: 1, wait: .zero) }
        await source.close()
        await connection.close()
    }

    @Test func aQueueOfOtherArgumentsIsAConflict() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("arguments")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await broker.source(connection, queue, arguments: ["x-expires": 61_000])
        }
        #expect(error?.kind == .conflict)
        #expect(error?.message.contains("PRECONDITION_FAILED") == true)
        await source.close()
        await connection.close()
    }

    @Test func anExclusiveConsumerKeepsOthersAway() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("exclusive")
        let first = try await broker.source(connection, queue, arguments: shortLived, ["exclusive": true])
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await broker.source(connection, queue, arguments: shortLived, ["exclusive": true])
        }
        #expect(error?.code == AMQPErrors.Code.permission, "\(String(describing: error))")
        await first.close()
        await connection.close()
    }

    @Test(
        arguments: [
            (parameters: [:], name: "amqp.queue"), (parameters: ["queue": ""], name: "amqp.queue"),
            (parameters: ["queue": "q", "prefetch": 0], name: "amqp.prefetch"),
            (parameters: ["queue": "q", "prefetch": 65_536], name: "amqp.prefetch"),
            (parameters: ["queue": "q", "declare": ["durible": true]], name: "amqp.declare.durible"),
            (parameters: ["queue": "q", "oversized": "drop"], name: "amqp.oversized"),
        ] as [(parameters: Value, name: String)])
    func wrongParametersAreNamed(_ row: (parameters: Value, name: String)) async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let error = await #expect(throws: ConnectorError.self) {
            try await connection.armSource(SourceRequest(event: "message", parameters: row.parameters))
        }
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.name) == true)
        await connection.close()
    }

    /// Acknowledging out of order neither loses nor repeats anything.
    @Test func batchesAreAcknowledgedInAnyOrder() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("order")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        await self.publish(0..<60, to: queue, connection)
        var batches: [EventBatch] = []
        while batches.reduce(0, { $0 + $1.events.count }) < 60 {
            batches.append(try #require(try await source.read(maximum: 10, wait: .seconds(5))))
        }
        let kept = batches.enumerated().filter { $0.offset % 3 == 1 }.map(\.element)
        for (index, batch) in batches.enumerated().reversed() where index % 3 != 1 {
            try await source.acknowledge(batch.id)
            try await source.acknowledge(batch.id)
        }
        #expect(await source.backlog() == kept.reduce(0) { $0 + $1.events.count })
        try await source.connect()
        let again = try await source.events(60, wait: .seconds(1))
        #expect(Set(again.map(\.id)) == Set(kept.flatMap { $0.events.map(\.id) }))
        #expect(again.allSatisfy { $0.coordinates["redelivered"] == true })
        await source.close()
        await connection.close()
    }

    @Test func prefetchBoundsWhatIsOut() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("prefetch")
        let source = try await broker.source(connection, queue, arguments: shortLived, ["prefetch": 5])
        await self.publish(0..<20, to: queue, connection)
        let out = try await source.events(20, acknowledging: false, wait: .milliseconds(300))
        #expect(out.count == 5)
        #expect(await source.backlog() == 5)
        await source.close()
        await connection.close()
    }

    @Test func aReadEndsWhenItsTimeIsUpOrItsTaskIsCancelled() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let source = try await broker.source(connection, newName("quiet"), arguments: shortLived)
        #expect(try await source.read(maximum: 1, wait: .milliseconds(50)) == nil)
        let start = ContinuousClock.now
        let task = Task { try await source.read(maximum: 1, wait: .seconds(60)) }
        task.cancel()
        #expect(try await task.value == nil)
        #expect(ContinuousClock.now - start < .seconds(10))
        await source.close()
        await connection.close()
    }

    /// A rejected batch waits its time, and comes again marked as such.
    @Test func aRejectedBatchComesAgainAfterItsDelay() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("again")
        let source = try await broker.source(
            connection, queue, arguments: ["x-queue-type": "quorum", "x-expires": 60_000])
        await self.publish(0..<1, to: queue, connection)
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        let start = ContinuousClock.now
        try await source.reject(batch.id, .redeliver(after: .milliseconds(400)))
        await self.publish(1..<2, to: queue, connection)
        let again = try await source.redelivered(try #require(batch.events.first?.id))
        #expect(ContinuousClock.now - start >= .milliseconds(400))
        #expect(again.events.first?.headers["x-delivery-count"] == 1)
        await source.close()
        await connection.close()
    }

    @Test func whatIsSetAsideGoesToTheDeadLetterQueue() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let (queue, graveyard) = (newName("dlx"), newName("graveyard"))
        var arguments = shortLived
        arguments["x-dead-letter-exchange"] = ""
        arguments["x-dead-letter-routing-key"] = .string(graveyard)
        let source = try await broker.source(connection, queue, arguments: arguments)
        let dead = try await broker.source(connection, graveyard, arguments: shortLived)
        await self.publish(0..<1, to: queue, connection)
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        try await source.reject(batch.id, .setAside)
        let event = try #require(try await dead.events(1).first)
        let death = try #require(event.headers["x-death"]?.asList?.first)
        #expect(death["queue"] == .string(queue))
        #expect(death["reason"] == "rejected")
        #expect(death["count"] == 1)
        await source.close()
        await dead.close()
        await connection.close()
    }

    @Test func anOversizedMessageStopsTheSourceOrGoesAside() async throws {
        let broker = try Broker.running()
        let large = try await broker.connect()
        let connection = try await broker.connect(["maxMessage": 1_000])
        let (queue, graveyard) = (newName("oversized"), newName("graveyard"))
        var arguments = shortLived
        arguments["x-dead-letter-exchange"] = ""
        arguments["x-dead-letter-routing-key"] = .string(graveyard)
        let dead = try await broker.source(large, graveyard, arguments: shortLived)
        let source = try await broker.source(connection, queue, arguments: arguments)
        let text = String(repeating: "x", count: 300_000)
        #expect(await large.invoke(.publish(.string(text), to: queue)).error == nil)
        #expect(await large.invoke(.publish("short", to: queue)).error == nil)
        let error = await #expect(throws: ConnectorError.self) {
            try await source.read(maximum: 5, wait: .seconds(5))
        }
        #expect(error?.code == AMQPErrors.Code.tooLarge)
        #expect(error?.message.contains("300000") == true)
        await source.close()

        let tolerant = try await broker.source(connection, queue, arguments: arguments, ["oversized": "setAside"])
        #expect(try await tolerant.events(1).map(\.value) == ["short"])
        #expect(try await dead.events(1).first?.payload.count == 300_000)
        await tolerant.close()
        await dead.close()
        await connection.close()
        await large.close()
    }

    /// The network breaks again and again while messages are consumed: nothing is lost, and what was acknowledged on a
    /// connection that still lived does not come again.
    @Test func nothingIsLostThroughReconnects() async throws {
        let broker = try Broker.running()
        let proxy = try LoopbackServer.proxy(to: broker.port)
        let publisher = try await broker.connect()
        let connection = try await broker.connect(port: proxy.port)
        let queue = newName("reconnect")
        let source = try await broker.source(connection, queue, arguments: shortLived, ["prefetch": 50])
        let total = 3_000
        await self.publish(0..<total, to: queue, publisher)
        var seen: [String: Int] = [:]
        var stale: [EventBatch.ID] = []
        var reads = 0
        var cuts = 0
        while seen.count < total {
            do {
                let batch = try #require(
                    try await source.read(maximum: 20, wait: .seconds(5)), "only \(seen.count) came")
                reads += 1
                if reads % 12 == 0, cuts < 8 {
                    // Withheld until the connection is another: such acknowledgements count for nothing.
                    cuts += 1
                    stale.append(batch.id)
                    proxy.cut()
                    continue
                }
                for event in batch.events { seen[event.id, default: 0] += 1 }
                try await source.acknowledge(batch.id)
            } catch is SourceInterruption {
                try await source.reconnect()
                for id in stale { try await source.acknowledge(id) }
                stale = []
            }
        }
        #expect(cuts == 8)
        #expect(seen.count == total)
        #expect(try await source.read(maximum: 1, wait: .milliseconds(300)) == nil)
        // A batch that was out when the network broke may come twice, no more.
        #expect(seen.values.reduce(0, +) - total <= cuts * 50)
        await source.close()
        await connection.close()
        await publisher.close()
        proxy.stop()
    }

    @Test func idleConnectionsLiveOnHeartbeats() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["heartbeat": "1s"])
        let queue = newName("heartbeat")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        await self.publish(0..<1, to: queue, connection)
        #expect(try await source.events(1).count == 1)
        // The broker hangs up after two heartbeats without a sign of life.
        #expect(try await source.read(maximum: 1, wait: .milliseconds(2_600)) == nil)
        await self.publish(1..<2, to: queue, connection)
        #expect(try await source.events(1).map(\.value) == [1])
        await source.close()
        await connection.close()
    }

    @Test func sourcesThatShareAQueueShareItsMessages() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("shared")
        let first = try await broker.source(connection, queue, arguments: shortLived, ["prefetch": 10])
        let second = try await broker.source(connection, queue, arguments: shortLived, ["prefetch": 10])
        await self.publish(0..<200, to: queue, connection)
        async let one = first.events(200, wait: .milliseconds(500))
        async let other = second.events(200, wait: .milliseconds(500))
        let values = try await (one + other).compactMap { $0.value?.asInt64 }
        #expect(values.sorted() == Array(0..<200))
        await first.close()
        await second.close()
        await connection.close()
    }
}
