import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct NotificationSourceTests {
    private func channel() -> String { "Channel \"\(UUID().uuidString.prefix(8))\"" }

    @Test func notificationsArriveInOrder() async throws {
        let database = try await Database.open()
        let channel = self.channel()
        var decoding = RecordDecoding()
        decoding.format = .json
        let source = try await database.connection.armSource(
            SourceRequest(event: "notification", parameters: ["channels": [.string(channel)]], decoding: decoding))
        try await source.connect()
        for number in 1...3 {
            try await database.call(
                "notify", ["channel": .string(channel), "payload": ["n": .number(Number(Int64(number)))]])
        }
        var events: [SourceEvent] = []
        while events.count < 3 {
            let batch = try #require(try await source.read(maximum: 2, wait: .seconds(10)))
            #expect(batch.events.count <= 2)
            events += batch.events
            try await source.acknowledge(batch.id)
        }
        let values = events.map { event -> Value in
            if case .value(let value) = event.body { value } else { .null }
        }
        #expect(values == [["n": 1], ["n": 2], ["n": 3]])
        #expect(events[0].coordinates["channel"] == .string(channel))
        #expect(Set(events.map(\.id)).count == 3)
        #expect(try await source.read(maximum: 1, wait: .milliseconds(20)) == nil)
        await source.close()
        await database.close()
    }

    @Test func lostConnectionIsReportedAndMadeAgain() async throws {
        let database = try await Database.open()
        let channel = self.channel()
        let source = try await database.connection.armSource(
            SourceRequest(event: "notification", parameters: ["channels": [.string(channel)]]))
        await #expect(throws: SourceInterruption.self) { try await source.read(maximum: 1, wait: .zero) }
        try await source.connect()
        try await database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND query LIKE $1",
            [.string("%" + channel.split(separator: "\"")[1] + "%")])
        await #expect(throws: SourceInterruption.self) {
            while try await source.read(maximum: 1, wait: .seconds(10)) != nil {}
        }
        try await source.connect()
        try await database.call("notify", ["channel": .string(channel), "payload": "again"])
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(10)))
        #expect(batch.events.first?.payload == Array("again".utf8))
        await source.close()
        await source.close()
        await database.close()
    }

    @Test func closingAndCancellingEndTheWaiting() async throws {
        let database = try await Database.open()
        let request = SourceRequest(event: "notification", parameters: ["channels": [.string(self.channel())]])
        let closed = try await database.connection.armSource(request)
        try await closed.connect()
        let waiting = Task { try await closed.read(maximum: 1, wait: .seconds(60)) }
        await closed.close()
        #expect((try? await waiting.value) == nil)
        let cancelled = try await database.connection.armSource(request)
        try await cancelled.connect()
        let task = Task { try await cancelled.read(maximum: 1, wait: .seconds(60)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await cancelled.close()
        await database.close()
    }

    @Test func longPayloadIsRefused() async throws {
        let database = try await Database.open()
        let error = try await database.failure(
            "notify", ["channel": "c", "payload": .string(String(repeating: "x", count: 8_000))])
        #expect(error.kind == .validation)
        #expect(error.code == "CON-0006")
        await database.close()
    }

    @Test(arguments: [["channels": []] as Value, ["channels": [""]], [:], ["channels": ["a"], "chanel": 1]])
    func parametersAreChecked(_ parameters: Value) async throws {
        let database = try await Database.open()
        await #expect {
            _ = try await database.connection.armSource(SourceRequest(event: "notification", parameters: parameters))
        } throws: { ConnectorError(wrapping: $0).kind == .validation }
        await database.close()
    }

    private func rows(_ database: Database, memory: VolatileSourceMemory, replay: Value? = nil) async throws
        -> any EventSource
    {
        try await database.connection.armSource(
            SourceRequest(
                event: "notification",
                parameters: [
                    "channel": .string(database.schema),
                    "poll": [
                        "query": .string("SELECT id, item FROM \(database.schema).t WHERE id > $1 ORDER BY id"),
                        "cursor": "id", "initial": 0, "every": "60s",
                    ],
                ], memory: memory, replay: replay))
    }

    @Test func notificationWakesAPollWhoseRowsAreNotLost() async throws {
        let database = try await Database.open()
        let memory = VolatileSourceMemory()
        try await database.run("CREATE TABLE t (id bigserial PRIMARY KEY, item text)")
        try await database.run("INSERT INTO t (item) VALUES ('before'), ('anybody listened')")
        let source = try await self.rows(database, memory: memory)
        try await source.connect()
        let first = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        #expect(first.events.map(\.value) == [["id": 1, "item": "before"], ["id": 2, "item": "anybody listened"]])
        try await source.acknowledge(first.id)
        #expect(try await source.read(maximum: 10, wait: .milliseconds(50)) == nil)
        let waiting = Task { try await source.read(maximum: 10, wait: .seconds(20)) }
        try await database.run("INSERT INTO t (item) VALUES ('third')")
        try await database.call("notify", ["channel": .string(database.schema)])
        let second = try #require(try await waiting.value)
        #expect(second.events.map(\.id) == ["3"])
        // Not acknowledged: it comes again, also to the next source.
        try await source.reject(second.id, .redeliver(after: .zero))
        #expect(try await source.read(maximum: 10, wait: .seconds(5))?.events.map(\.id) == ["3"])
        await source.close()
        let next = try await self.rows(database, memory: memory)
        try await next.connect()
        #expect(try await next.take(1).map(\.id) == ["3"])
        await next.close()
        let replay = try await self.rows(database, memory: memory, replay: ["from": 1, "to": 2])
        try await replay.connect()
        #expect(try await replay.take(1).map(\.id) == ["2"])
        await #expect(throws: SourceInterruption.endOfInput) { try await replay.read(maximum: 1, wait: .zero) }
        await replay.close()
        await database.close()
    }

    @Test func notificationsAloneCannotBeReplayed() async throws {
        let database = try await Database.open()
        await #expect {
            _ = try await database.connection.armSource(
                SourceRequest(event: "notification", parameters: ["channels": ["a"]], replay: ["from": 1]))
        } throws: { ConnectorError(wrapping: $0).code == "CON-5114" }
        await database.close()
    }
}
