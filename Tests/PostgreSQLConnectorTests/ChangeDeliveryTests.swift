import ConnectorKit
import Foundation
import PostgreSQLConnector
import Synchronization
import Testing
import Values

/// A table as the events tell it.
struct Mirror {
    var rows: [Value: ValueContext] = [:]
    var counts: [String: Int] = [:]
    /// Every event by its id: one that comes again says the same.
    var seen: [String: Value] = [:]
    var order: [String] = []

    mutating func take(_ event: SourceEvent) {
        if let before = self.seen[event.id] {
            #expect(before == event.value, "\(event.id) came again with other content")
            return
        }
        self.seen[event.id] = event.value
        self.order.append(event.id)
        self.counts[event.operation, default: 0] += 1
        let key = event.value["key"]?["id"] ?? .null
        let old = event.value["before"]?["id"] ?? key
        switch event.operation {
        case "delete": self.rows[key] = nil
        case "truncate": self.rows = [:]
        default:
            var row = event.value["after"]?.asContext ?? ValueContext()
            for name in event.value["unchanged"]?.asList ?? [] {
                row[name.asString ?? ""] = self.rows[old]?[name.asString ?? ""]
            }
            if old != key { self.rows[old] = nil }
            self.rows[key] = row
        }
    }
}

@Suite struct ChangeDeliveryTests {
    /// Random transactions, some rolled back, some large, with values that are stored apart.
    private static func traffic(_ schema: String, transactions: Int) -> String {
        """
        DO $$
        DECLARE n int; k int; op float; large text;
        BEGIN
            FOR n IN 1..\(transactions) LOOP
                FOR k IN 1..(1 + floor(random() * 8))::int LOOP
                    op := random();
                    IF op < 0.4 THEN
                        SELECT string_agg(md5(random()::text), '') INTO large FROM generate_series(1, 120);
                        INSERT INTO \(schema).t VALUES ((random() * 300)::int, 1, large, now())
                            ON CONFLICT (id) DO UPDATE SET v = t.v + 1;
                    ELSIF op < 0.7 THEN
                        UPDATE \(schema).t SET v = v + 1, at = clock_timestamp() WHERE id = (random() * 300)::int;
                    ELSIF op < 0.75 THEN
                        UPDATE \(schema).t SET id = id + 1000 WHERE id = (random() * 300)::int AND id < 1000
                            AND NOT EXISTS (SELECT 1 FROM \(schema).t e WHERE e.id = t.id + 1000);
                    ELSE
                        DELETE FROM \(schema).t WHERE id = (random() * 1300)::int OR id = (random() * 300)::int;
                    END IF;
                END LOOP;
                IF random() < 0.15 THEN ROLLBACK; ELSE COMMIT; END IF;
            END LOOP;
        END $$
        """
    }

    private func prepare(_ database: Database) async throws {
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, v int, large text, at timestamptz)")
        try await database.run("ALTER TABLE t ALTER large SET STORAGE EXTERNAL")
        try await database.run("CREATE TABLE audit (id bigserial PRIMARY KEY, op text)")
        try await database.run(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                + "INSERT INTO \(database.schema).audit (op) VALUES (lower(TG_OP)); RETURN NULL; END $$")
        try await database.run(
            "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note()")
    }

    @Test func everyCommittedChangeComesWhateverIsKilled() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await self.prepare(database)
        try await database.run(Self.traffic(fixture.schema, transactions: 60))
        try await database.run("TRUNCATE audit")
        var source = try await fixture.source(["t"])
        try await source.connect()
        let isWritten = Mutex(false)
        let schema = fixture.schema
        let connection = database.connection
        let writer = Task {
            for _ in 0..<8 {
                let sql = Self.traffic(schema, transactions: 130)
                let outcome = await connection.call("execute", ["sql": .string(sql)])
                #expect(outcome.error == nil)
            }
            isWritten.withLock { $0 = true }
        }
        var mirror = Mirror()
        var reads = 0
        var isComplete = false
        let deadline = ContinuousClock.now + .seconds(40)
        while !isComplete {
            try #require(ContinuousClock.now < deadline, "\(mirror.counts)")
            reads += 1
            do {
                let batch = try await source.read(maximum: Int.random(in: 1...200), wait: .milliseconds(50))
                for event in batch?.events ?? [] { mirror.take(event) }
                if reads % 23 == 7 {
                    // The server's side of the stream dies.
                    try await database.run(
                        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1",
                        [.string(fixture.slot)])
                } else if reads % 23 == 13 {
                    // Our side dies, with what it has not acknowledged.
                    await source.close()
                    source = try await fixture.source(["t"])
                    try await source.connectEventually()
                } else if let batch {
                    try await source.acknowledge(batch.id)
                } else if isWritten.withLock({ $0 }) {
                    let changes = mirror.counts.filter { $0.key != "read" }.values.reduce(0, +)
                    isComplete = try await database.value("SELECT count(*) FROM audit") == .number(Number(changes))
                }
            } catch is SourceInterruption {
                try await source.connectEventually()
            }
        }
        await writer.value
        let rows = try await database.rows("SELECT id, v, large, at FROM t")
        #expect(mirror.rows.count == rows.count)
        for row in rows {
            let told = try #require(mirror.rows[row["id"] ?? .null])
            #expect(told["v"] == row["v"] && told["large"] == row["large"])
            #expect(told["at"]?.asString?.prefix(19) == row["at"].map { "\($0.asText)".prefix(19) })
        }
        let audit = try await database.rows("SELECT op, count(*) AS n FROM audit GROUP BY op")
        for row in audit {
            #expect(mirror.counts[row["op"]?.asString ?? ""].map { .number(Number($0)) } == row["n"])
        }
        #expect(mirror.counts.values.reduce(0, +) >= 2_000)
        await source.close()
        try await fixture.close()
    }

    @Test func secondNodeStandsByAndTakesOver() async throws {
        let fixture = try await ChangeFixture.open()
        try await fixture.database.run("CREATE TABLE t (id int PRIMARY KEY)")
        let first = try await fixture.source(["t"])
        try await first.connect()
        let second = try await fixture.source(["t"])
        await #expect { try await second.connect() } throws: { error in
            guard case SourceInterruption.notConnected(let reason) = error else { return false }
            return reason.contains("stands by")
        }
        try await fixture.database.run("INSERT INTO t SELECT generate_series(1, 3)")
        let batch = try #require(try await first.read(maximum: 10, wait: .seconds(5)))
        #expect(batch.events.count == 3)
        await first.close()
        try await second.connectEventually()
        // The first never acknowledged them.
        let events = try await second.take(3)
        #expect(events.map(\.id) == batch.events.map(\.id))
        await second.close()
        try await fixture.close()
    }

    @Test func slowConsumerIsNotCutAndGetsEverything() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        let role = "role_\(fixture.slot)"
        try await database.run("CREATE ROLE \(role) SUPERUSER LOGIN PASSWORD 'slow'")
        try await database.run("ALTER ROLE \(role) SET wal_sender_timeout = '500ms'")
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, x text)")
        var configuration = try Service.current().configuration(["user": .string(role), "sslmode": "disable"])
        configuration.secrets = ChangingSecrets("slow")
        let slow = try await PostgreSQLModule().connect(configuration)
        let source = try await slow.armSource(
            SourceRequest(event: "change", parameters: fixture.parameters(["t"]), memory: fixture.memory))
        try await source.connect()
        try await database.run(
            "INSERT INTO t SELECT n, repeat('x', CASE WHEN n < 2500 THEN 4000 ELSE 1 END) FROM generate_series(1, 12000) n"
        )
        let first = try #require(try await source.read(maximum: 10, wait: .seconds(10)))
        let query = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1"
        let sender = try await database.value(query, [.string(fixture.slot)])
        // Three times the server's patience, without a read.
        try await eventually("sign of life") {
            try await database.value(
                """
                SELECT count(*) FROM pg_stat_replication r JOIN pg_stat_activity a USING (pid)
                WHERE r.pid = $1 AND r.reply_time > a.query_start + interval '1.5 seconds'
                """, [sender]) == 1
        }
        #expect(try await database.value(query, [.string(fixture.slot)]) == sender)
        // More than may be out: reading pauses, and goes on with the acknowledgement.
        var out = [first]
        while let batch = try await source.read(maximum: 1_000, wait: .milliseconds(100)) { out.append(batch) }
        let before = out.reduce(0) { $0 + $1.events.count }
        #expect((10_000..<12_000).contains(before))
        #expect(await source.backlog() == before)
        for batch in out { try await source.acknowledge(batch.id) }
        let rest = try await source.take(12_000 - before, maximum: 10_000)
        #expect((out.flatMap(\.events) + rest).map { $0.value["after"]?["id"]?.asInt64 } == (1...12_000).map { $0 })
        await source.close()
        await slow.close()
        try await fixture.close()
        let clean = try await Database.open()
        try await clean.run("DROP ROLE \(role)")
        await clean.close()
    }

    @Test func positionMovesWithWholeTransactionsAndWhenNothingHappens() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id int PRIMARY KEY)")
        try await database.run("CREATE TABLE unrelated (id int)")
        let source = try await fixture.source(["t"], ["snapshot": "never", "heartbeat": "1s"])
        try await source.connect()
        func confirmed() async throws -> LogText {
            LogText(
                try await database.value(
                    "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1",
                    [.string(fixture.slot)]
                ).asString ?? "")
        }
        try await database.run("INSERT INTO t SELECT generate_series(1, 10)")
        let first = try #require(try await source.read(maximum: 4, wait: .seconds(5)))
        let second = try #require(try await source.read(maximum: 100, wait: .seconds(5)))
        let position = LogText(first.events[0].value["lsn"]?.asString ?? "")
        try await source.acknowledge(second.id)
        #expect(try await source.read(maximum: 1, wait: .milliseconds(150)) == nil)
        #expect(try await confirmed() <= position)
        try await source.acknowledge(first.id)
        try await eventually("confirmation") {
            _ = try await source.read(maximum: 1, wait: .milliseconds(20))
            return try await confirmed() > position
        }
        // What is not for us, and no reads.
        try await database.run("INSERT INTO unrelated SELECT generate_series(1, 1000)")
        let now = LogText(try await database.value("SELECT pg_current_wal_lsn()::text").asString ?? "")
        try await eventually("confirmation of what is not for us") {
            _ = try await source.read(maximum: 1, wait: .milliseconds(20))
            return try await confirmed() >= now
        }
        await source.close()
        try await fixture.close()
    }

    @Test func rejectedBatchComesAgainBeforeWhatFollows() async throws {
        let fixture = try await ChangeFixture.open()
        try await fixture.database.run("CREATE TABLE t (id int PRIMARY KEY)")
        let source = try await fixture.source(["t"], ["snapshot": "never"])
        try await source.connect()
        try await fixture.database.run("INSERT INTO t SELECT generate_series(1, 4)")
        let first = try #require(try await source.read(maximum: 2, wait: .seconds(5)))
        try await source.reject(first.id, .redeliver(after: .milliseconds(50)))
        #expect(try await source.read(maximum: 10, wait: .zero) == nil)
        let again = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        #expect(again.events.map(\.id) == first.events.map(\.id))
        try await source.reject(again.id, .setAside)
        #expect(try await source.take(2).map { $0.value["after"]?["id"] } == [3, 4])
        await source.close()
        try await fixture.close()
    }
}

/// A position of the log, to compare.
struct LogText: Comparable {
    var parts: [UInt32]

    init(_ text: String) { self.parts = text.split(separator: "/").compactMap { UInt32($0, radix: 16) } }

    static func < (lhs: LogText, rhs: LogText) -> Bool { lhs.parts.lexicographicallyPrecedes(rhs.parts) }
}

extension Value {
    /// The text of a time or a string.
    var asText: String {
        switch self {
        case .string(let text): text
        case .dateTime(let time): time.description
        default: ""
        }
    }
}
