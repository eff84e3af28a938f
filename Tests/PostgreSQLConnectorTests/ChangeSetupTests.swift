import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

/// What the source makes, what it finds, and what it says when that is not what it needs.
@Suite struct ChangeSetupTests {
    @Test(
        arguments: [
            ([:], "slot"), (["slot": "s"], "publication"), (["slot": "S", "publication": "p"], "lower-case"),
            (["slot": "s", "publication": "p", "tables": ["a.b.c"]], "a.b.c"),
            (["slot": "s", "publication": "p", "snapshot": "always"], "initial"),
            (["slot": "s", "publication": "p", "heartbeat": "10ms"], "heartbeat"),
            (["slot": "s", "publication": "p", "heartbeat": ["every": "5s", "statement": "COMMIT"]], "COMMIT"),
            (["slot": "s", "publication": "p", "maxLagBytes": "much"], "maxLagBytes"),
            (["slot": "s", "publication": "p", "outbox": ["mode": "poll"]], "table"),
            (["outbox": ["table": "o", "mode": "poll"], "slot": "s"], "needs no slot"),
            (["outbox": ["table": "o", "mode": "poll", "delete": false]], "mark"),
            (["outbox": ["table": "o", "mode": "poll", "delete": true, "mark": "m"]], "exclude"),
            (["slot": "s", "publication": "p", "outbox": ["table": "o", "delete": true]], "poll"),
            (["slot": "s", "publication": "p", "tables": ["x"], "outbox": ["table": "o"]], "tables"),
            (["snapshot": "only"], "tables"), (["slot": "s", "publication": "p", "slots": 1], "slots"),
        ] as [(Value, String)])
    func parametersAreChecked(_ row: (parameters: Value, words: String)) async throws {
        let database = try await Database.open()
        await #expect {
            _ = try await database.connection.armSource(SourceRequest(event: "change", parameters: row.parameters))
        } throws: { error in
            let error = ConnectorError(wrapping: error)
            return error.code == "CON-0006" && error.description.contains(row.words)
        }
        await database.close()
    }

    @Test(arguments: [["from": "0/1", "to": "0/2"], ["snapshot": false], true] as [Value])
    func slotCannotGoBack(_ replay: Value) async throws {
        let fixture = try await ChangeFixture.open()
        await #expect { _ = try await fixture.source(["t"], replay: replay) } throws: { error in
            let error = ConnectorError(wrapping: error)
            return error.kind == .unsupported && error.code == "CON-5114" && error.remedy.contains("inbox")
        }
        try await fixture.close()
    }

    /// The error of connecting a source.
    private func failure(_ source: any EventSource) async -> ConnectorError? {
        do {
            try await source.connect()
            return nil
        } catch {
            await source.close()
            return ConnectorError(wrapping: error)
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        let table = await self.failure(try await fixture.source(["absent"]))
        #expect(table?.code == "CON-5111" && table?.message.contains("absent") == true)
        let publication = await self.failure(try await fixture.source(["t"], ["createPublication": false]))
        #expect(publication?.code == "CON-5111" && publication?.remedy.contains("CREATE PUBLICATION") == true)
        try await database.run("CREATE PUBLICATION \(fixture.slot)")
        let added = await self.failure(try await fixture.source(["t"], ["createPublication": false]))
        #expect(added?.remedy.contains("ADD TABLE") == true)
        try await database.run(
            "SELECT pg_create_logical_replication_slot($1, 'test_decoding')", [.string(fixture.slot)])
        let plugin = await self.failure(try await fixture.source(["t"]))
        #expect(plugin?.code == "CON-5111" && plugin?.message.contains("test_decoding") == true)
        let outbox = await self.failure(
            try await fixture.source(["t"], ["outbox": ["table": .string("\(fixture.schema).t"), "payload": "body"]]))
        #expect(outbox?.code == "CON-5111" && outbox?.message.contains("body") == true)
        try await fixture.close()
    }

    @Test func userThatMayNotReplicateIsTold() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        let role = "role_\(fixture.slot)"
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        try await database.run("CREATE PUBLICATION \(fixture.slot) FOR TABLE t")
        try await database.run("CREATE ROLE \(role) LOGIN PASSWORD 'weak-secret'")
        try await database.run("GRANT USAGE ON SCHEMA \(fixture.schema) TO \(role)")
        try await database.run("GRANT SELECT ON t TO \(role)")
        var configuration = try Service.current().configuration(["user": .string(role), "sslmode": "disable"])
        configuration.secrets = ChangingSecrets("weak-secret")
        let weak = try await PostgreSQLModule().connect(configuration)
        let error = await self.failure(
            try await weak.armSource(SourceRequest(event: "change", parameters: fixture.parameters(["t"]))))
        #expect(error?.kind == .permission)
        #expect(error?.remedy.contains("REPLICATION") == true)
        #expect(error.map { "\($0)\($0.details)" }?.contains("weak-secret") == false)
        await weak.close()
        try await database.run("DROP OWNED BY \(role)")
        try await database.run("DROP ROLE \(role)")
        try await fixture.close()
    }

    @Test func lostSlotIsAnErrorOrANewSnapshot() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        try await database.run("INSERT INTO t VALUES (1)")
        let source = try await fixture.source(["t"])
        try await source.connect()
        let first = try await source.take(1)
        await source.close()
        try await eventually("release of the slot") {
            try await database.value(
                "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND active", [.string(fixture.slot)])
                == 0
        }
        try await database.run("SELECT pg_drop_replication_slot($1)", [.string(fixture.slot)])
        let error = await self.failure(try await fixture.source(["t"]))
        #expect(error?.code == "CON-5112")
        #expect(error?.isRetryable == false)
        #expect(error?.remedy.contains("onSlotLoss") == true)
        let again = try await fixture.source(["t"], ["onSlotLoss": "snapshot"])
        try await again.connect()
        let second = try await again.take(1)
        #expect(second[0].value["after"] == first[0].value["after"])
        #expect(second[0].id != first[0].id)
        await again.close()
        try await fixture.close()
    }

    @Test func lagRaisesTheAlarmOnce() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, x text)")
        let source = try await fixture.source(
            ["t"], ["snapshot": "never", "maxLagBytes": "1MiB", "heartbeat": "1s"])
        try await source.connect()
        #expect(try await source.read(maximum: 1, wait: .milliseconds(50)) == nil)
        try await database.run(
            """
            INSERT INTO t SELECT n, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 40))
            FROM generate_series(1, 1500) n
            """)
        var alarms: [ConnectorError] = []
        var batches: [EventBatch] = []
        try await eventually("alarm") {
            do {
                if let batch = try await source.read(maximum: 100, wait: .milliseconds(50)) { batches.append(batch) }
            } catch let error as ConnectorError {
                alarms.append(error)
            }
            return !alarms.isEmpty && batches.reduce(0) { $0 + $1.events.count } == 1_500
        }
        #expect(alarms.count == 1)
        #expect(alarms[0].code == "CON-5113" && alarms[0].isRetryable)
        #expect((alarms[0].details["lagBytes"]?.asInt64 ?? 0) > 1 << 20)
        for batch in batches { try await source.acknowledge(batch.id) }
        await source.close()
        try await fixture.close()
    }

    @Test func valuesOfRowsAndOfChangesAreTheSame() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        try await database.run(
            """
            CREATE TABLE t (id bigint PRIMARY KEY, n numeric, wide numeric, f double precision, b boolean, x bytea,
                j jsonb, d date, t time, ts timestamp, tz timestamptz, i interval, u uuid, a int[], ta timestamptz[],
                m mood, ms mood[], txt text, "odd ""name" text, twice bigint GENERATED ALWAYS AS (id * 2) STORED)
            """)
        func insert(_ id: Int) async throws {
            try await database.run(
                """
                INSERT INTO t VALUES (\(id), 12.50, 12345678901234567890123456789012345678901234567890.5, 'NaN', true,
                    '\\x00ff', '{"a": [1, null]}', '2026-11-24', '13:20:00.5', '2026-11-24 13:20:00',
                    '2026-11-24 13:20:00.25+02', '1 day 2 hours', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,NULL,3}',
                    '{"2026-11-24 13:20:00+00"}', 'ok', '{sad,ok}', E'line\\n"quote" ä', NULL)
                """)
        }
        try await insert(1)
        let source = try await fixture.source(["t"])
        try await source.connect()
        try await insert(2)
        let events = try await source.take(2)
        var expected: ValueContext = [
            "id": 1, "n": .number(try #require(Number("12.5"))),
            "wide": "12345678901234567890123456789012345678901234567890.5", "f": "NaN", "b": true, "x": "AP8=",
            "j": ["a": [1, .null]], "d": "2026-11-24", "t": "13:20:00.5", "ts": "2026-11-24T13:20:00",
            "tz": "2026-11-24T11:20:00.25Z", "i": "P1DT2H", "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a": [1, .null, 3], "ta": ["2026-11-24T13:20:00Z"], "m": "ok", "ms": ["sad", "ok"],
            "txt": "line\n\"quote\" ä", "odd \"name": .null,
        ]
        #expect(events[0].operation == "read" && events[1].operation == "insert")
        #expect(events[0].value["after"] == .context(expected))
        expected["id"] = 2
        #expect(events[1].value["after"] == .context(expected))
        #expect(events.allSatisfy { (try? JSON.parse($0.payload)) == $0.value })
        await source.close()
        try await fixture.close()
    }

    @Test func identityOfATableDecidesWhatIsKnownBefore() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE whole (a int, b text, PRIMARY KEY (b, a))")
        try await database.run("ALTER TABLE whole REPLICA IDENTITY FULL")
        try await database.run("CREATE TABLE keyless (a int)")
        try await database.run("ALTER TABLE keyless REPLICA IDENTITY FULL")
        let source = try await fixture.source(["whole", "keyless"])
        try await source.connect()
        for sql in [
            "INSERT INTO whole VALUES (1, 'x')", "UPDATE whole SET a = 2", "DELETE FROM whole",
            "INSERT INTO keyless VALUES (1)", "UPDATE keyless SET a = 2",
            "ALTER TABLE keyless ADD c text DEFAULT 'new'",
            "DELETE FROM keyless",
        ] { try await database.run(sql) }
        let events = try await source.take(6)
        #expect(events[1].value["before"] == ["a": 1, "b": "x"])
        #expect(events[1].value["key"] == ["b": "x", "a": 2])
        #expect(events[1].coordinates["key"] == .string("\(fixture.schema).whole/[\"x\",2]"))
        #expect(events[2].value["before"] == ["a": 2, "b": "x"])
        #expect(events[3].value["key"] == .null)
        #expect(events[4].value["before"] == ["a": 1])
        #expect(events[5].value["before"] == ["a": 2, "c": "new"])
        await source.close()
        try await fixture.close()
    }
}
