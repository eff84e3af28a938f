import CRDKafka
import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Members of a group")
struct KafkaGroupTests {
    @Test func partitionsMoveBetweenTwoConsumersWithoutLoss() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("rebalance")
        try Broker.makeTopic(topic, partitions: 4)
        let connection = try await Make.connection([broker])
        for partition in 0..<4 { await Make.fill(connection, topic, 25, partition: partition) }
        let more: ValueContext = ["sessionTimeout": "6s"]
        let first = try await Make.source(connection, topic, group: topic, more)
        var seen: Set<String> = []
        func take(_ source: any EventSource) async throws {
            if let batch = try await source.read(maximum: 7, wait: .milliseconds(50)) {
                seen.formUnion(batch.events.map(\.id))
                try await source.acknowledge(batch.id)
            }
        }
        #expect(
            try await eventually {
                try await take(first); return seen.count >= 30
            })
        let second = try await Make.source(connection, topic, group: topic, more)
        #expect(
            try await eventually {
                try await take(first)
                try await take(second)
                return seen.count == 100
            })
        var newcomers = 0
        for partition in 0..<4 { await Make.fill(connection, topic, 10, partition: partition) }
        #expect(
            try await eventually {
                try await take(first)
                if let batch = try await second.read(maximum: 7, wait: .milliseconds(50)) {
                    newcomers += batch.events.count
                    seen.formUnion(batch.events.map(\.id))
                    try await second.acknowledge(batch.id)
                }
                return seen.count == 140
            })
        // The first leaves: the second gets everything.
        await first.close()
        for partition in 0..<4 { await Make.fill(connection, topic, 5, partition: partition) }
        #expect(
            try await eventually {
                try await take(second)
                return seen.count == 160
            })
        await second.close()
        for partition in Int32(0)..<4 {
            #expect(try committedOffset([broker], group: topic, topic: topic, partition: partition) == 40)
        }
        #expect(newcomers > 0, "The second consumer got nothing after it joined.")
        await connection.close()
    }

    @Test func aFullBufferDoesNotCostTheMembership() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("full")
        let connection = try await Make.connection([broker])
        await Make.fill(connection, topic, 200)
        let source = try await Make.source(
            connection, topic, group: topic,
            [
                "sessionTimeout": "6s", "maxPollInterval": "6s", "prefetch": ["messages": 10],
                "maxUnacknowledged": 20,
            ])
        var out: [EventBatch.ID] = []
        var count = 0
        #expect(
            try await eventually {
                if let batch = try await source.read(maximum: 5, wait: .milliseconds(20)) {
                    out.append(batch.id)
                    count += batch.events.count
                }
                return count == 20
            })
        // Longer than the interval in which a consumer must poll: nothing more is handed out, nothing is lost.
        let until = ContinuousClock.now + .seconds(8)
        while ContinuousClock.now < until {
            #expect(try await source.read(maximum: 5, wait: .milliseconds(100)) == nil)
        }
        for batch in out { try await source.acknowledge(batch) }
        #expect(
            try await eventually {
                if let batch = try await source.read(maximum: 50, wait: .milliseconds(20)) {
                    count += batch.events.count
                    try await source.acknowledge(batch.id)
                }
                return count == 200
            })
        await source.close()
        #expect(try committedOffset([broker], group: topic, topic: topic) == 200)
        await connection.close()
    }

    @Test func theSameSourceOnTwoNodesLosesNothing() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("nodes")
        try Broker.makeTopic(topic, partitions: 4)
        let sender = try await Make.connection([broker])
        let nodes = [try await Make.connection([broker]), try await Make.connection([broker])]
        var sources: [any EventSource] = []
        for node in nodes { sources.append(try await Make.source(node, topic, group: topic)) }
        var deliveries: [String: Int] = [:]
        var shares = [0, 0]
        func take(_ index: Int) async throws {
            guard let batch = try await sources[index].read(maximum: 10, wait: .milliseconds(20)) else { return }
            for event in batch.events { deliveries[event.id, default: 0] += 1 }
            shares[index] += batch.events.count
            try await sources[index].acknowledge(batch.id)
        }
        // Until both have a share, so that both take part in what comes then.
        #expect(
            try await eventually {
                for partition in 0..<4 { await Make.fill(sender, topic, 1, partition: partition) }
                for index in 0..<2 { try await take(index) }
                return shares.allSatisfy { $0 > 0 }
            })
        let early = deliveries
        for partition in 0..<4 { await Make.fill(sender, topic, 50, partition: partition) }
        var ends: [Int64] = []
        for partition in 0..<4 {
            let outcome = await sender.invoke(
                Make.produce(["topic": .string(topic), "value": "end", "partition": .number(Number(partition))]))
            ends.append(try #require(outcome.value?["offset"]?.asInt64))
        }
        let total = ends.reduce(0) { $0 + Int($1) + 1 }
        #expect(
            try await eventually {
                for index in 0..<2 { try await take(index) }
                return deliveries.count == total
            })
        // Nothing moved between them any more: each event came once.
        #expect(deliveries.filter { early[$0.key] == nil }.values.allSatisfy { $0 == 1 })
        for (partition, end) in ends.enumerated() {
            #expect(
                try await eventually {
                    try committedOffset([broker], group: topic, topic: topic, partition: Int32(partition)) == end + 1
                })
        }
        for source in sources { await source.close() }
        for node in nodes + [sender] { await node.close() }
    }
}
