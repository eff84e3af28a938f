import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct OutboxTests {
    private func prepare(_ database: Database, _ more: String = "") async throws {
        try await database.run(
            """
            CREATE TABLE outbox (id bigserial PRIMARY KEY, aggregate_id text, type text, payload jsonb, headers jsonb,
                occurred_at timestamptz DEFAULT '2026-11-24 12:00:00+00'\(more))
            """)
    }

    private func add(_ database: Database, _ key: String, _ number: Int) async throws {
        try await database.run(
            "INSERT INTO outbox (aggregate_id, type, payload, headers) VALUES ($1, 'order.placed', $2, $3)",
            [.string(key), ["n": .number(Number(number))], ["trace": "abc"]])
    }

    private func poller(_ database: Database, _ more: ValueContext = ValueContext()) async throws -> any EventSource {
        var outbox: ValueContext = [
            "table": .string("\(database.schema).outbox"), "mode": "poll", "key": "aggregate_id", "every": "20ms",
        ]
        outbox.merge(more)
        return try await database.connection.armSource(
            SourceRequest(event: "change", parameters: ["outbox": .context(outbox)]))
    }

    @Test func insertsAreReadFromTheLogAsTheEventsTheyHold() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await self.prepare(database)
        try await self.add(database, "A-1", 1)
        let source = try await database.connection.armSource(
            SourceRequest(
                event: "change",
                parameters: [
                    "slot": .string(fixture.slot), "publication": .string(fixture.slot),
                    "outbox": ["table": .string("\(fixture.schema).outbox"), "key": "aggregate_id"],
                ], memory: fixture.memory))
        try await source.connect()
        try await self.add(database, "A-1", 2)
        // Removing what was published is nobody's event.
        try await database.run("DELETE FROM outbox")
        try await self.add(database, "B-1", 3)
        let events = try await source.take(3)
        #expect(events.map(\.value) == [["n": 1], ["n": 2], ["n": 3]])
        #expect(events.map(\.id) == ["1", "2", "3"])
        #expect(events.map { $0.coordinates["key"] } == ["A-1", "A-1", "B-1"])
        #expect(events[1].headers["trace"] == "abc")
        #expect(events[1].occurredAtMilliseconds == 1_795_521_600_000)
        #expect(
            events[1].coordinates["cloudEvent"] == [
                "id": "2", "source": .string("/postgresql/\(fixture.schema).outbox"), "type": "order.placed",
                "subject": "A-1", "time": "2026-11-24T12:00:00Z",
            ])
        await source.close()
        try await fixture.close()
    }

    @Test func polledRowsGoWithTheirAcknowledgement() async throws {
        let database = try await Database.open()
        try await self.prepare(database)
        for number in 1...5 { try await self.add(database, "A", number) }
        let source = try await self.poller(database)
        try await source.connect()
        let first = try #require(try await source.read(maximum: 2, wait: .seconds(5)))
        #expect(first.events.map(\.value) == [["n": 1], ["n": 2]])
        #expect(try await source.read(maximum: 2, wait: .milliseconds(30)) == nil)
        #expect(await source.backlog() == 2)
        // Dies with it: the rows are still there, under the same ids.
        await source.close()
        let second = try await self.poller(database)
        try await second.connect()
        let again = try #require(try await second.read(maximum: 2, wait: .seconds(5)))
        #expect(again.events.map(\.id) == first.events.map(\.id))
        try await second.acknowledge(again.id)
        #expect(try await database.value("SELECT count(*) FROM outbox") == 3)
        let rejected = try #require(try await second.read(maximum: 10, wait: .seconds(5)))
        try await second.reject(rejected.id, .redeliver(after: .milliseconds(20)))
        #expect(try await second.take(3).map(\.id) == ["3", "4", "5"])
        #expect(try await database.value("SELECT count(*) FROM outbox") == 0)
        #expect(try await second.read(maximum: 1, wait: .milliseconds(50)) == nil)
        await second.close()
        await database.close()
    }

    @Test func markedRowsStay() async throws {
        let database = try await Database.open()
        try await self.prepare(database, ", done_at timestamptz")
        try await self.add(database, "A", 1)
        let source = try await self.poller(database, ["mark": "done_at"])
        try await source.connect()
        _ = try await source.take(1)
        #expect(try await database.value("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL") == 1)
        #expect(try await source.read(maximum: 1, wait: .milliseconds(50)) == nil)
        await source.close()
        await database.close()
    }

    @Test func severalPollersKeepTheOrderOfEachKey() async throws {
        let database = try await Database.open()
        try await self.prepare(database)
        try await database.run(
            "INSERT INTO outbox (aggregate_id, payload) SELECT 'K' || n % 13, to_jsonb(n) FROM generate_series(1, 600) n"
        )
        let log = EventLog()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask {
                    let source = try await self.poller(database)
                    try await source.connect()
                    var reads = 0
                    while await log.count < 600 {
                        guard let batch = try await source.read(maximum: 25, wait: .milliseconds(20)) else { continue }
                        reads += 1
                        if (reads + number) % 5 == 4 {
                            try await source.reject(batch.id, .redeliver(after: .zero))
                            continue
                        }
                        await log.add(batch.events)
                        try await source.acknowledge(batch.id)
                    }
                    await source.close()
                }
            }
            try await group.waitForAll()
        }
        let events = await log.events
        #expect(Set(events.map(\.id)).count == 600)
        for (key, list) in Dictionary(grouping: events, by: { $0.coordinates["key"]?.asString ?? "" }) {
            let numbers = list.compactMap { $0.value.asInt64 }
            #expect(numbers == numbers.sorted(), "\(key)")
        }
        await database.close()
    }

    @Test func pollerSaysWhatItCannotDo() async throws {
        let database = try await Database.open()
        try await self.prepare(database)
        await #expect {
            _ = try await database.connection.armSource(
                SourceRequest(
                    event: "change", parameters: ["outbox": ["table": "outbox", "mode": "poll"]],
                    replay: ["from": 1]))
        } throws: { ConnectorError(wrapping: $0).code == "CON-5114" }
        let source = try await self.poller(database, ["payload": "body", "order": "sequence"])
        await #expect { try await source.connect() } throws: { error in
            let error = ConnectorError(wrapping: error)
            return error.code == "CON-5111" && error.message.contains("body") && error.message.contains("sequence")
        }
        await #expect(throws: SourceInterruption.self) { _ = try await source.read(maximum: 1, wait: .seconds(1)) }
        await source.close()
        await #expect { try await source.connect() } throws: { ConnectorError(wrapping: $0).code == "CON-0005" }
        await database.close()
    }

    @Test func lostConnectionIsReportedAndClosingEndsTheWait() async throws {
        let database = try await Database.open()
        try await self.prepare(database)
        try await self.add(database, "A", 1)
        let source = try await self.poller(database)
        try await source.connect()
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        try await database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()",
            [.string("%FROM \"\(database.schema)\".\"outbox\"%FOR UPDATE NOWAIT%")])
        await #expect(throws: SourceInterruption.self) { try await source.acknowledge(batch.id) }
        try await source.connect()
        #expect(try await source.take(1).map(\.id) == batch.events.map(\.id))
        let waiting = Task { try await source.read(maximum: 1, wait: .seconds(60)) }
        await source.close()
        #expect((try? await waiting.value) == nil)
        await database.close()
    }
}

/// Events of several readers, in the order they were taken.
actor EventLog {
    private(set) var events: [SourceEvent] = []
    var count: Int { self.events.count }
    func add(_ events: [SourceEvent]) { self.events += events }
}
