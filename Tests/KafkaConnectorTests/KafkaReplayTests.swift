import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Records are read again")
struct KafkaReplayTests {
    /// A topic of two partitions with 20 records, all of them committed by the group of its name.
    private func filled() async throws -> (any Connection, String, [SourceEvent]) {
        let broker = try Broker.address()
        let topic = Broker.unique("replay")
        try Broker.makeTopic(topic, partitions: 2)
        let connection = try await Make.connection([broker])
        for partition in 0..<2 { await Make.fill(connection, topic, 10, partition: partition) }
        let source = try await Make.source(connection, topic, group: topic)
        let events = try await source.readEvents(20)
        for batch in Set(events.map(\.0)) { try await source.acknowledge(batch) }
        await source.close()
        return (connection, topic, events.map(\.1))
    }

    private func arm(_ connection: any Connection, _ topic: String, _ range: Value) async throws -> any EventSource {
        let parameters: Value = ["topics": [.string(topic)], "group": .string(topic), "sessionTimeout": "6s"]
        return try await connection.armSource(
            SourceRequest(event: "record", parameters: parameters, replay: range))
    }

    /// Everything in the range, until it ends.
    private func replay(_ connection: any Connection, _ topic: String, _ range: Value) async throws -> [SourceEvent] {
        let source = try await self.arm(connection, topic, range)
        try await source.connect()
        var events: [SourceEvent] = []
        let deadline = ContinuousClock.now + .seconds(15)
        while ContinuousClock.now < deadline {
            do {
                guard let batch = try await source.read(maximum: 3, wait: .milliseconds(200)) else { continue }
                events += batch.events
                try await source.acknowledge(batch.id)
            } catch SourceInterruption.endOfInput {
                await source.close()
                return events
            }
        }
        Issue.record("The replay did not end.")
        await source.close()
        return events
    }

    @Test func aRangeComesWithTheSameIDsAndCommitsNothing() async throws {
        let (connection, topic, events) = try await self.filled()
        let all = try await self.replay(connection, topic, [:])
        #expect(Set(all.map(\.id)) == Set(events.map(\.id)) && all.count == 20)
        let some = try await self.replay(
            connection, topic, ["from": ["offset": 3], "to": ["offset": 6], "partitions": [1]])
        #expect(some.map(\.id) == (3...6).map { "\(topic)/1/\($0)" })
        let first = try #require(some.first)
        let original = try #require(events.first { $0.id == first.id })
        #expect(first.payload == original.payload && first.occurredAtMilliseconds == original.occurredAtMilliseconds)
        for partition in Int32(0)..<2 {
            let committed = try committedOffset([Broker.address()], group: topic, topic: topic, partition: partition)
            #expect(committed == 10)
        }
        await connection.close()
    }

    @Test func aRangeMayBeOfTimes() async throws {
        let (connection, topic, events) = try await self.filled()
        let times = events.compactMap(\.occurredAtMilliseconds).sorted()
        #expect(times.count == 20)
        let (from, to) = (times[5], times[12])
        let some = try await self.replay(
            connection, topic,
            [
                "from": ["time": .string(Timestamp.text(from))],
                "to": ["time": .string(Timestamp.text(to))],
            ])
        let expected = events.filter { (from...to).contains($0.occurredAtMilliseconds ?? 0) }
        #expect(Set(some.map(\.id)) == Set(expected.map(\.id)))
        await connection.close()
    }

    @Test(
        arguments: [
            ["from": ["offset": 10]], ["to": ["time": "2001-01-01T00:00:00Z"]], ["partitions": [7]],
            ["from": ["time": "2999-01-01T00:00:00Z"]], ["from": ["offset": 5], "to": ["offset": 4]],
        ] as [Value])
    func anEmptyRangeEndsAtOnce(_ range: Value) async throws {
        let (connection, topic, _) = try await self.filled()
        #expect(try await self.replay(connection, topic, range).isEmpty)
        await connection.close()
    }

    @Test func whatIsRejectedComesAgainBeforeTheEnd() async throws {
        let (connection, topic, _) = try await self.filled()
        let source = try await self.arm(connection, topic, ["partitions": [0]])
        try await source.connect()
        var ids: [String] = []
        #expect(
            try await eventually {
                guard let batch = try await source.read(maximum: 10, wait: .milliseconds(100)) else { return false }
                ids += batch.events.map(\.id)
                return ids.count == 10
            })
        let rejected = try #require(ids.isEmpty ? nil : EventBatch.ID(rawValue: 1))
        try await source.reject(rejected, .redeliver(after: .milliseconds(300)))
        #expect(try await source.read(maximum: 10, wait: .milliseconds(50)) == nil)
        let again = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        #expect(again.events.map(\.id) == Array(ids.prefix(again.events.count)))
        await source.close()
        await connection.close()
    }

    @Test(
        arguments: [
            ("no position", ["from": [:]], "replay.from"),
            ("both", ["from": ["offset": 1, "time": "2026-01-01T00:00:00Z"]], "replay.from"),
            ("no time", ["to": ["time": "yesterday"]], "timestamp"), ("no list", ["partitions": 1], "partitions"),
            ("another word", ["prefix": "x"], "prefix"), ("a text", "x", "replay"),
        ] as [(String, Value, String)])
    func rangesThatAreNoneAreNamed(_ row: (name: String, range: Value, word: String)) async throws {
        let connection = try await Make.connection(["127.0.0.1:1"])
        do {
            _ = try await self.arm(connection, "t", row.range)
            Issue.record("\(row.name) was taken.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .validation && "\(error)".contains(row.word), "\(row.name): \(error)")
        }
        await connection.close()
    }

    @Test func topicsAreNamed() async throws {
        let connection = try await Make.connection(["127.0.0.1:1"])
        do {
            _ = try await self.arm(connection, "^t", [:])
            Issue.record("A pattern was taken.")
        } catch {
            #expect(ConnectorError(wrapping: error).kind == .validation)
        }
        await connection.close()
    }

    @Test func brokersThatDoNotAnswerAreAnInterruption() async throws {
        let connection = try await Make.connection(["127.0.0.1:1"], ["connectTimeout": "300ms"])
        let source = try await self.arm(connection, "t", [:])
        await #expect(throws: SourceInterruption.self) { try await source.connect() }
        await source.close()
        await connection.close()
    }
}
