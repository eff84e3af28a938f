import ConnectorKit
import ODBCConnector
import Testing
import Values

/// Rows of a table as events: nothing is lost, nothing stands for something else, and what comes again has its id.
@Suite struct ODBCPollTests {
    // MARK: - Kinds of cursors

    /// A type of a cursor's first column, with values that grow.
    struct Kind: Sendable, CustomTestStringConvertible {
        var name: String
        var type: [Target: String]
        var literals: [String]
        var testDescription: String { self.name }

        init(_ name: String, _ all: String? = nil, _ type: [Target: String] = [:], of literals: [String]) {
            self.name = name
            self.type = type
            for target in Target.allCases where type[target] == nil { self.type[target] = all }
            self.literals = literals
        }
    }

    static let kinds: [Kind] = [
        Kind("integer", "integer", of: ["-2147483648", "-5", "0", "7", "2147483647"]),
        Kind(
            "long", "bigint", of: ["-9007199254740993", "9007199254740992", "9007199254740993", "9223372036854775807"]),
        Kind(
            "decimal", "numeric(30,10)", [.sqlite: "integer"],
            of: ["-12", "3", "12345678901234567", "12345678901234568"]),
        Kind("double", "double precision", of: ["-1.5e300", "0.1", "0.300000000000001", "1e300"]),
        Kind("float", "float", [.postgreSQL: "real", .sqlite: "real"], of: ["0.1", "0.2", "16777217"]),
        Kind("text", "varchar(40)", of: ["'a'", "'a b'", "'a''b'", "'z'"]),
        Kind("date", "date", of: ["'1999-12-31'", "'2000-01-01'", "'2026-11-24'"]),
        Kind(
            "timestamp", "timestamp", [.mariaDB: "datetime(6)"],
            of: [
                "'2026-11-24 10:00:00'", "'2026-11-24 10:00:00.000001'", "'2026-11-24 10:00:00.1'",
                "'2026-11-24 23:59:59'",
            ]
        ),
        Kind("time", "time", [.mariaDB: "time(6)"], of: ["'00:00:01'", "'10:00:00'", "'10:00:00.5'", "'23:59:59'"]),
        Kind(
            "zoned", "varchar(40)", [.postgreSQL: "timestamptz", .mariaDB: "timestamp(6)"],
            of: ["'2026-11-24 10:00:00'", "'2026-11-24 10:00:00.000001'", "'2026-11-24 10:30:00'"]),
    ]

    @Test(arguments: Target.allCases, Self.kinds)
    func everyTypeIsPassedExactlyOnceAlsoFromOneLifeToTheNext(_ target: Target, _ kind: Kind) async throws {
        let type = try #require(kind.type[target])
        let table = try await Table.make(target, "(at \(type) not null, id integer not null)")
        for literal in kind.literals {
            for id in 1...2 { try await table.insert("\(literal), \(id)") }
        }
        let memory = VolatileSourceMemory()
        var ids: [String] = []
        // Each life takes one row, so that each position goes through the memory.
        while ids.count <= kind.literals.count * 2 {
            let source = try await table.armed(["fetch": 1], memory: memory)
            guard let batch = try await source.read(maximum: 1, wait: .zero) else { break }
            ids += batch.events.map(\.id)
            try await source.acknowledge(batch.id)
            await source.close()
        }
        #expect(ids.count == kind.literals.count * 2, "\(ids)")
        #expect(Set(ids).count == ids.count, "\(ids)")
        await table.close()
    }

    // MARK: - Pages

    @Test(arguments: Target.allCases)
    func rowsWithTheSameTimeAreNotCutApart(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        for id in 0..<25 { try await table.insert("\(id / 10), \(id)") }
        let source = try await table.armed(
            [
                "query": .string("SELECT at, id FROM \(table.name) WHERE at > ? ORDER BY at"), "cursor": ["at"],
                "identity": ["id"], "fetch": 3,
            ])
        let events = try await source.all()
        #expect(events.compactMap { $0.data?["id"]?.asInt64 }.sorted() == Array(0..<25))
        #expect(events.count == 25)
        await source.close()
        await table.close()
    }

    @Test func rowsThatNothingTellsApartAreRefused() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        for id in 0..<2 { try await table.insert("1, \(id)") }
        let source = try await table.armed(
            ["query": .string("SELECT at, id FROM \(table.name) WHERE at > ? ORDER BY at"), "cursor": ["at"]])
        let error = try await source.failure()
        #expect(error.code == "CON-5213", "\(error)")
        #expect(error.kind == .validation)
        await table.close()
    }

    @Test(arguments: [
        ("SELECT id FROM TABLE WHERE id >= ? ORDER BY id", "CON-5212"),
        ("SELECT id FROM TABLE WHERE id > ? ORDER BY id DESC", "CON-5212"),
        ("SELECT at FROM TABLE WHERE id > ? ORDER BY id", "CON-5211"),
        ("SELECT NULL AS id FROM TABLE WHERE id > ? OR 1 = 1", "CON-5211"),
        ("SELECT id FROM TABLE WHERE id > ? AND at > ? ORDER BY id", "CON-5207"),
        ("SELECT id FROM TABLE WHERE id > :other ORDER BY id", "CON-5207"),
        ("DELETE FROM TABLE WHERE id > ?", "CON-5209"),
        ("SELECT id FROM nowhere WHERE id > ?", "CON-5201"),
    ])
    func queryThatCannotBeFollowedIsRefused(_ sql: String, _ code: String) async throws {
        let table = try await Table.make(.sqlite, "(at integer, id integer)")
        for id in 1...3 { try await table.insert("1, \(id)") }
        let memory = VolatileSourceMemory()
        memory.save(["version": 1, "columns": ["id"], "cursor": [["type": "integer", "value": "1"]]])
        let source = try await table.armed(
            ["query": .string(sql.replacing("TABLE", with: table.name)), "cursor": ["id"]], memory: memory)
        #expect(try await source.failure().code == code)
        #expect(try await table.database.value("SELECT count(*) FROM \(table.name)") == 3)
        await table.close()
    }

    @Test(arguments: Target.allCases)
    func otherValuesOfTheQueryComeByPlaceOrByName(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        for id in 0..<6 { try await table.insert("\(id % 2), \(id)") }
        let forms: [(String, Value)] = [
            ("at = ? AND id > ?", [1]), ("(id > :id OR id > :id + 1) AND at = :region", ["region": 1]),
        ]
        for (condition, parameters) in forms {
            let source = try await table.armed(
                [
                    "query": .string("SELECT id FROM \(table.name) WHERE \(condition) ORDER BY id"), "cursor": ["id"],
                    "parameters": parameters,
                ])
            #expect(try await source.all().map(\.id) == ["1", "3", "5"])
            await source.close()
        }
        await table.close()
    }

    // MARK: - Beginnings

    @Test(arguments: Target.allCases)
    func latestBeginsAfterWhatThereIsAlsoWhenItDiesBeforeTheFirstEvent(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        for id in 1...5 { try await table.insert("1, \(id)") }
        let memory = VolatileSourceMemory()
        let first = try await table.armed(["start": "latest"], memory: memory)
        await first.close()
        try await table.insert("1, 6")
        let second = try await table.armed(["start": "latest"], memory: memory)
        #expect(try await second.all().map(\.id) == ["1|6"])
        await second.close()
        await table.close()
    }

    @Test func startMayBeGiven() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        for id in 1...5 { try await table.insert("1, \(id)") }
        let source = try await table.armed(["start": ["at": 1, "id": 3], "every": "10ms"])
        #expect(try await source.all().map(\.id) == ["1|4", "1|5"])
        await source.close()
        await table.close()
    }

    @Test func savedPositionOfOtherColumnsIsNotMisread() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        let memory = VolatileSourceMemory()
        for saved in [["version": 1, "columns": ["id"], "cursor": [1]], ["lsn": "0/1"], ["version": 2]] as [Value] {
            memory.save(saved)
            let source = try await table.source(table.parameters, memory: memory)
            let error = await #expect(throws: ConnectorError.self) { try await source.connect() }
            #expect(error?.code == "CON-5214")
        }
        await table.close()
    }

    // MARK: - Acknowledging

    @Test(arguments: Target.allCases)
    func positionMovesOnlyOverWhatIsAcknowledgedWithoutAGap(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        for id in 1...6 { try await table.insert("1, \(id)") }
        let memory = VolatileSourceMemory()
        let first = try await table.armed([:], memory: memory)
        var batches: [EventBatch] = []
        for _ in 0..<3 { batches.append(try #require(try await first.read(maximum: 2, wait: .zero))) }
        try await first.acknowledge(batches[2].id)
        #expect(memory.load() == nil)
        try await first.acknowledge(batches[0].id)
        #expect(memory.load()?["cursor"]?.asList?.last?["value"] == "2")
        await first.close()
        let second = try await table.armed([:], memory: memory)
        #expect(try await second.all().map(\.id) == ["1|3", "1|4", "1|5", "1|6"])
        await second.close()
        await table.close()
    }

    @Test func rejectedRowsComeAgainAndHoldThePosition() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        for id in 1...4 { try await table.insert("1, \(id)") }
        let memory = VolatileSourceMemory()
        let source = try await table.armed(["every": "10ms"], memory: memory)
        let first = try #require(try await source.read(maximum: 2, wait: .zero))
        let second = try #require(try await source.read(maximum: 2, wait: .zero))
        try await source.reject(first.id, .redeliver(after: .milliseconds(30)))
        try await source.acknowledge(second.id)
        #expect(memory.load() == nil)
        let again = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        #expect(again.events.map(\.id) == first.events.map(\.id))
        #expect(again.id != first.id)
        try await source.acknowledge(first.id)
        #expect(memory.load() == nil)
        try await source.reject(again.id, .setAside)
        #expect(memory.load()?["cursor"]?.asList?.last?["value"] == "4")
        #expect(await source.backlog() == 0)
        await source.close()
        await table.close()
    }

    @Test func readerThatAcknowledgesNothingIsGivenNoMoreThanABoundedNumberOfRows() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        try await table.database.run(
            """
            INSERT INTO \(table.name) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
            SELECT 1, i FROM n
            """)
        let source = try await table.armed(["fetch": 5_000])
        var held: [EventBatch] = []
        while let batch = try await source.read(maximum: 1_000, wait: .milliseconds(50)) { held.append(batch) }
        #expect(held.reduce(0) { $0 + $1.events.count } == 20_000)
        for batch in held { try await source.acknowledge(batch.id) }
        #expect(try await source.all().count == 10_000)
        await source.close()
        await table.close()
    }

    @Test func twoNodesGiveTheSameRowsTheSameIds() async throws {
        let table = try await Table.make(.sqlite, "(at integer not null, id integer not null)")
        for id in 1...20 { try await table.insert("1, \(id)") }
        let one = try await table.armed(["fetch": 3, "identity": ["id"]])
        let two = try await table.armed(["fetch": 7, "identity": ["id"]])
        let ids = try await one.all().map(\.id)
        #expect(try await two.all().map(\.id) == ids)
        #expect(ids.first == "1|1|1")
        await one.close()
        await two.close()
        await table.close()
    }

    // MARK: - Look-back

    @Test(arguments: Target.allCases)
    func rowsCommittedLateAreFoundAndOthersDoNotComeAgain(_ target: Target) async throws {
        let type = target == .mariaDB ? "datetime(6)" : "timestamp"
        let table = try await Table.make(target, "(at \(type) not null, id integer not null)")
        try await table.insert("'2026-11-24 10:00:00', 1")
        try await table.insert("'2026-11-24 10:05:00.25', 3")
        let memory = VolatileSourceMemory()
        let changes: ValueContext = ["lookback": "2m", "every": "10ms", "fetch": 2]
        let source = try await table.armed(changes, memory: memory)
        #expect(try await source.all().compactMap { $0.data?["id"] } == [1, 3])
        let saved = memory.load()?["cursor"]
        try await table.insert("'2026-11-24 10:04:00', 2")
        try await table.insert("'2026-11-24 10:01:00', 4")
        #expect(try await source.all().compactMap { $0.data?["id"] } == [2])
        #expect(memory.load()?["cursor"] == saved)
        try await table.insert("'2026-11-24 10:06:00', 5")
        #expect(try await source.all().compactMap { $0.data?["id"] } == [5])
        await source.close()
        // What was acknowledged is known in the next life, too.
        try await table.insert("'2026-11-24 10:05:30', 6")
        let next = try await table.armed(changes, memory: memory)
        #expect(try await next.all().compactMap { $0.data?["id"] } == [6])
        await next.close()
        await table.close()
    }

    @Test func lookbackMayBeANumber() async throws {
        let table = try await Table.make(.postgreSQL, "(at integer not null, id integer not null)")
        for id in [10, 20, 30] { try await table.insert("\(id), \(id)") }
        let source = try await table.armed(["lookback": 15, "every": "10ms"])
        #expect(try await source.all().count == 3)
        try await table.insert("25, 25")
        try await table.insert("12, 12")
        #expect(try await source.all().map(\.id) == ["25|25"])
        await source.close()
        await table.close()
    }

    @Test(arguments: Target.allCases)
    func deletedAndChangedRowsDoNotHoldItUp(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        for id in 1...3 { try await table.insert("\(id), \(id)") }
        let source = try await table.armed(["every": "10ms", "identity": ["id"]])
        #expect(try await source.all().count == 3)
        try await table.database.run("DELETE FROM \(table.name) WHERE id = 3")
        try await table.database.run("UPDATE \(table.name) SET at = 9 WHERE id = 1")
        #expect(try await source.all().map(\.id) == ["1|9|1"])
        await source.close()
        await table.close()
    }

    // MARK: - Trouble

    @Test(arguments: [Target.postgreSQL, .mariaDB])
    func killedConnectionEndsTheLifeAndNothingIsLost(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)", ["maxConnections": 1])
        for id in 1...4 { try await table.insert("1, \(id)") }
        let memory = VolatileSourceMemory()
        let source = try await table.armed(["every": "10ms", "fetch": 2], memory: memory)
        let first = try #require(try await source.read(maximum: 2, wait: .zero))
        let killer = try await Database.open(target)
        let me = try await table.database.value(
            target == .mariaDB ? "SELECT CONNECTION_ID()" : "SELECT pg_backend_pid()")
        try await killer.run(target == .mariaDB ? "KILL \(me)" : "SELECT pg_terminate_backend(\(me))")
        await killer.close()
        var ids = Set(first.events.map(\.id))
        // Whether the connection is found dead before it is used is up to the driver.
        do {
            ids.formUnion(try await source.all().map(\.id))
        } catch let interruption as SourceInterruption {
            guard case .notConnected = interruption else { throw interruption }
            try await source.connect()
            ids.formUnion(try await source.all().map(\.id))
        }
        #expect(ids == ["1|1", "1|2", "1|3", "1|4"])
        await source.close()
        await table.close()
    }

    @Test(arguments: Target.allCases)
    func slowQueryIsEndedByItsTimeoutAndByCancelling(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        try await table.insert("1, 1")
        let wait =
            switch target {
            case .sqlite:
                """
                (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000)
                SELECT count(*) FROM n) > 0
                """
            case .postgreSQL: "(SELECT count(*) FROM pg_sleep(60)) > 0"
            case .mariaDB: "SLEEP(60) = 0"
            }
        let query = Value.string("SELECT id FROM \(table.name) WHERE id > ? AND \(wait) ORDER BY id")
        let changes: ValueContext = ["query": query, "cursor": ["id"], "start": ["id": 0]]
        let impatient = try await table.armed(changes.merging(["timeout": "300ms"]))
        let interruption = await #expect(throws: SourceInterruption.self) {
            _ = try await impatient.read(maximum: 1, wait: .zero)
        }
        guard case .notConnected(let reason)? = interruption else { throw WrongEnd() }
        #expect(reason.contains("CON-5203"), "\(reason)")
        let patient = try await table.armed(changes)
        let task = Task { try await patient.read(maximum: 1, wait: .zero) }
        task.cancel()
        let error = await #expect(throws: ConnectorError.self) { _ = try await task.value }
        #expect(error?.code == "CON-0001")
        await table.close()
    }

    private struct WrongEnd: Error {}

    @Test func changedSchemaIsSeenAtTheNextLook() async throws {
        let table = try await Table.make(.postgreSQL, "(at integer not null, id integer not null)")
        try await table.insert("1, 1")
        let memory = VolatileSourceMemory()
        let source = try await table.armed(["every": "10ms"], memory: memory)
        #expect(try await source.all().count == 1)
        try await table.database.run("ALTER TABLE \(table.name) ADD COLUMN more varchar(10) DEFAULT 'x'")
        try await table.insert("1, 2, 'new'")
        // PostgreSQL's driver prepares anew when the plan's type changed, or says that it has to.
        let event = try await source.allOrReconnected().last
        #expect(event?.data?["more"] == "new")
        try await table.database.run("ALTER TABLE \(table.name) RENAME COLUMN id TO number")
        let error = try await source.failure()
        #expect(error.kind == .notFound || error.kind == .validation, "\(error)")
        await table.close()
    }

    @Test func rowThatIsTooLargeIsOnePoisonousEvent() async throws {
        let table = try await Table.make(.sqlite, "(at integer, v varchar(10), id integer)", ["maxResult": "2KiB"])
        try await table.insert("1, 'a', 1")
        try await table.insert("1, '\(String(repeating: "x", count: 3_000))', 2")
        try await table.insert("1, 'c', 3")
        let events = try await table.armed([:]).all()
        #expect(events.map(\.id) == ["1|1", "1|2", "1|3"])
        guard case .undecodable(let reason)? = events.dropFirst().first?.body else { throw WrongEnd() }
        #expect(reason.reason.contains("2048"))
        #expect(events.last?.data?["v"] == "c")
        await table.close()
    }

    // MARK: - Replay

    @Test(arguments: Target.allCases)
    func replayEmitsTheRangeUnderTheSameIdsAndMovesNothing(_ target: Target) async throws {
        let type = target == .mariaDB ? "datetime(6)" : "timestamp"
        let table = try await Table.make(target, "(at \(type) not null, id integer not null)")
        for id in 1...9 { try await table.insert("'2026-11-24 10:0\(id):00', \(id)") }
        let memory = VolatileSourceMemory()
        let source = try await table.armed(["every": "10ms"], memory: memory)
        let ids = try await source.all().map(\.id)
        let saved = memory.load()
        let ranges: [(Value, ArraySlice<String>)] = [
            (["from": "earliest"], ids[...]),
            (
                [
                    "from": ["at": "2026-11-24 10:02:00", "id": 2], "to": ["at": "2026-11-24 10:05:00", "id": 5],
                ], ids[2..<5]
            ),
            (["from": ["at": "2027-01-01 00:00:00", "id": 0]], []),
        ]
        for (range, expected) in ranges {
            let replay = try await table.armed(["fetch": 2], memory: memory, replay: range)
            var seen: [String] = []
            await #expect(throws: SourceInterruption.endOfInput) {
                while true {
                    guard let batch = try await replay.read(maximum: 2, wait: .seconds(5)) else { continue }
                    seen += batch.events.map(\.id)
                    try await replay.acknowledge(batch.id)
                }
            }
            #expect(seen == Array(expected), "\(range)")
            await replay.close()
        }
        #expect(memory.load() == saved)
        await source.close()
        await table.close()
    }

    @Test func parametersAreChecked() async throws {
        let table = try await Table.make(.sqlite, "(at integer, id integer)")
        let wrong: [ValueContext] = [
            ["cursor": []], ["cursor": ["at", "at"]], ["every": "0s"], ["fetch": 0], ["lookback": "soon"],
            ["lookback": -1], ["start": "tomorrow"], ["start": ["at": 1]], ["identity": [1]], ["query": " "],
            ["evry": "3s"], ["parameters": ["id": 1]],
        ]
        for changes in wrong {
            let error = await #expect(throws: ConnectorError.self, "\(changes)") { _ = try await table.armed(changes) }
            #expect(error?.kind == .validation, "\(changes)")
        }
        for replay in [[:], ["from": 1], ["from": ["at": 1]], ["from": "earliest", "two": 2]] as [Value] {
            let error = await #expect(throws: ConnectorError.self) { _ = try await table.armed([:], replay: replay) }
            #expect(error?.kind == .validation, "\(replay)")
        }
        await table.close()
    }

    @Test(arguments: Target.allCases)
    func sourceKeepsTheContractOfSources(_ target: Target) async throws {
        let table = try await Table.make(target, "(at integer not null, id integer not null)")
        let counter = Counter()
        let suite = ConnectorConformance(
            module: ODBCModule(), configuration: table.database.configuration, calls: [],
            sources: [
                ConnectorConformance.Source(
                    SourceRequest(
                        event: "row",
                        parameters: .context(table.parameters.merging(["every": "10ms"])),
                        memory: VolatileSourceMemory()),
                    eventsMinimum: 15, silence: .milliseconds(300)
                ) {
                    for _ in 0..<15 { try await table.insert("1, \(await counter.next())") }
                }
            ])
        for finding in await suite.run() { Issue.record("\(finding)") }
        await table.close()
    }
}

private actor Counter {
    private var count = 0

    func next() -> Int {
        self.count += 1
        return self.count
    }
}

/// A table that is polled.
private struct Table {
    let database: Database
    var name: String { self.database.table }

    static func make(_ target: Target, _ columns: String, _ more: ValueContext = [:]) async throws -> Table {
        let database = try await Database.open(target, more)
        try await database.run("CREATE TABLE \(database.table) \(columns)")
        return Table(database: database)
    }

    var parameters: ValueContext {
        [
            "query": .string("SELECT * FROM \(self.name) WHERE (at, id) > (?, ?) ORDER BY at, id"),
            "cursor": ["at", "id"], "every": "1h",
        ]
    }

    func insert(_ values: String) async throws {
        try await self.database.run("INSERT INTO \(self.name) VALUES (\(values))")
    }

    func source(
        _ parameters: ValueContext, memory: any SourceMemory, replay: Value? = nil
    ) async throws -> any EventSource {
        try await self.database.connection.armSource(
            SourceRequest(event: "row", parameters: .context(parameters), memory: memory, replay: replay))
    }

    func armed(
        _ changes: ValueContext, memory: any SourceMemory = VolatileSourceMemory(), replay: Value? = nil
    ) async throws -> any EventSource {
        let source = try await self.source(self.parameters.merging(changes), memory: memory, replay: replay)
        try await source.connect()
        return source
    }

    func close() async { await self.database.close() }
}

extension ValueContext {
    fileprivate func merging(_ other: ValueContext) -> ValueContext {
        var merged = self
        merged.merge(other)
        return merged
    }
}

extension SourceEvent {
    fileprivate var data: Value? { if case .value(let value) = self.body { value } else { nil } }
}

extension EventSource {
    /// Everything there is now, acknowledged.
    fileprivate func all() async throws -> [SourceEvent] {
        var events: [SourceEvent] = []
        while let batch = try await self.read(maximum: 100, wait: .milliseconds(60)) {
            events += batch.events
            try await self.acknowledge(batch.id)
        }
        return events
    }

    fileprivate func allOrReconnected() async throws -> [SourceEvent] {
        do {
            return try await self.all()
        } catch is SourceInterruption {
            try await self.connect()
            return try await self.all()
        }
    }

    /// The error of the next read, which must fail.
    fileprivate func failure() async throws -> ConnectorError {
        try #require(
            await #expect(throws: ConnectorError.self) { _ = try await self.read(maximum: 10, wait: .milliseconds(50)) }
        )
    }
}
