import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct ChangeSnapshotTests {
    private func prepare(_ fixture: ChangeFixture, rows: Int) async throws {
        try await fixture.database.run("CREATE TABLE t (a text, b int, x int, PRIMARY KEY (a, b))")
        try await fixture.database.run(
            "INSERT INTO t SELECT 'it''s ' || n % 7, n, 0 FROM generate_series(1, \(rows)) n")
        try await fixture.database.run("CREATE TABLE keyless (x int)")
        try await fixture.database.run("INSERT INTO keyless SELECT generate_series(1, 20)")
    }

    @Test func interruptedSnapshotGoesOnWithoutAGap() async throws {
        let fixture = try await ChangeFixture.open()
        try await self.prepare(fixture, rows: 1_000)
        var source = try await fixture.source(["t", "keyless"])
        try await source.connect()
        // Meanwhile the rows change: what a later page shows, the stream tells again.
        try await fixture.database.run("UPDATE t SET x = 1 WHERE b % 2 = 0")
        try await fixture.database.run("DELETE FROM t WHERE b % 10 = 5")
        var rows: [Value: ValueContext] = [:]
        var ids: [String: Int] = [:]
        var reads = 0
        var changes = 0
        try await eventually("end of snapshot and stream") {
            guard let batch = try await source.read(maximum: 70, wait: .milliseconds(100)) else {
                return changes >= 600
            }
            reads += 1
            for event in batch.events {
                ids[event.id, default: 0] += 1
                if event.operation != "read" { changes += 1 }
                guard event.value["table"] == "t" else { continue }
                let key = event.value["key"] ?? .null
                // A reader that keeps the first of an id, as a hub does.
                if ids[event.id] == 1 { rows[key] = event.value["after"]?.asContext }
            }
            if changes == 0, reads % 4 == 3 {
                await source.close()
                source = try await fixture.source(["t", "keyless"])
                try await source.connectEventually()
            } else {
                try await source.acknowledge(batch.id)
            }
            return false
        }
        #expect(ids.values.contains { $0 > 1 })
        let found = try await fixture.database.rows("SELECT a, b, x FROM t", [])
        #expect(rows.count == 900 && found.count == 900)
        for row in found {
            let key: Value = ["a": row["a"] ?? .null, "b": row["b"] ?? .null]
            #expect(rows[key].map { .context($0) } == row)
        }
        #expect(ids.keys.filter { $0.contains("keyless") }.count == 20)
        await source.close()
        try await fixture.close()
    }

    @Test func rowsAloneEndAndAreReadAgainUnderTheirIDs() async throws {
        let fixture = try await ChangeFixture.open()
        try await self.prepare(fixture, rows: 250)
        let source = try await fixture.source(["t"], ["snapshot": "only"])
        try await source.connect()
        let events = try await source.take(250)
        #expect(Set(events.map(\.id)).count == 250)
        await #expect(throws: SourceInterruption.endOfInput) { try await source.read(maximum: 1, wait: .zero) }
        await source.close()
        let memory = fixture.memory.load()
        let next = try await fixture.source(["t"], ["snapshot": "only"])
        try await next.connect()
        await #expect(throws: SourceInterruption.endOfInput) { try await next.read(maximum: 1, wait: .zero) }
        await next.close()
        let replay = try await fixture.source(["t"], ["snapshot": "only"], replay: ["snapshot": true])
        try await replay.connect()
        #expect(try await replay.take(250).map(\.id) == events.map(\.id))
        await #expect(throws: SourceInterruption.endOfInput) { try await replay.read(maximum: 1, wait: .zero) }
        await replay.close()
        #expect(fixture.memory.load() == memory)
        #expect(
            try await fixture.database.value(
                "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", [.string(fixture.slot)]) == 0)
        try await fixture.close()
    }

    @Test func replayBesideAStreamLeavesItsSlotAlone() async throws {
        let fixture = try await ChangeFixture.open()
        try await self.prepare(fixture, rows: 30)
        let source = try await fixture.source(["t"])
        try await source.connect()
        let rows = try await source.take(30)
        let replay = try await fixture.source(["t"], replay: ["snapshot": true])
        try await replay.connect()
        #expect(try await replay.take(30).map(\.id) == rows.map(\.id))
        await replay.close()
        try await fixture.database.run("UPDATE t SET x = 5 WHERE b = 1")
        #expect(try await source.take(1).map(\.operation) == ["update"])
        await source.close()
        try await fixture.close()
    }

    @Test func rowsAndColumnsThatAreNotPublishedStayInside() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, region text, secret text)")
        try await database.run("ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey")
        try await database.run("INSERT INTO t VALUES (1, 'a', 'x'), (20, 'b', 'y')")
        try await database.run("CREATE PUBLICATION \(fixture.slot) FOR TABLE t (id, region) WHERE (id > 10)")
        let source = try await fixture.source(["t"])
        try await source.connect()
        try await database.run("INSERT INTO t VALUES (2, 'a', 'x'), (30, 'c', 'z')")
        let events = try await source.take(2)
        #expect(events.map { $0.value["after"] } == [["id": 20, "region": "b"], ["id": 30, "region": "c"]])
        await source.close()
        try await fixture.close()
    }

    @Test func partitionsPublishedByThemselvesAreNamed() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)")
        try await database.run("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)")
        try await database.run("CREATE PUBLICATION \(fixture.slot) FOR TABLE t")
        let source = try await fixture.source(["t"])
        await #expect { try await source.connect() } throws: { error in
            let error = ConnectorError(wrapping: error)
            return error.code == "CON-5111" && error.remedy.contains("publish_via_partition_root")
        }
        await source.close()
        try await fixture.close()
    }

    @Test func partitionsAreOneTable() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)")
        try await database.run("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)")
        try await database.run("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)")
        try await database.run("INSERT INTO t VALUES (1), (11)")
        let source = try await fixture.source(["t"])
        try await source.connect()
        try await database.run("INSERT INTO t VALUES (2), (12)")
        let events = try await source.take(4)
        #expect(events.allSatisfy { $0.value["table"] == "t" })
        #expect(events.map { $0.value["key"]?["id"] } == [1, 11, 2, 12])
        await source.close()
        try await fixture.close()
    }
}
