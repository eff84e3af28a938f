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
}
