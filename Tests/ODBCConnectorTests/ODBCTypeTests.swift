import ConnectorKit
import Testing
import Values

/// Values go to the database and come back as they were, through all three drivers.
@Suite struct ODBCTypeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        /// The column's type in SQLite, PostgreSQL and MariaDB; `nil` where there is none.
        var types: [Target: String] = [:]
        var sent: Value
        var received: Value

        init(
            _ name: String, _ sqlite: String?, _ postgreSQL: String?, _ mariaDB: String?, _ sent: Value,
            _ received: Value? = nil
        ) {
            self.name = name
            self.types[.sqlite] = sqlite
            self.types[.postgreSQL] = postgreSQL
            self.types[.mariaDB] = mariaDB
            self.sent = sent
            self.received = received ?? sent
        }

        var testDescription: String { self.name }
    }

    private static func number(_ text: String) -> Value { .number(Number(text) ?? .zero) }
    private static func date(_ text: String) -> Value { CalendarDate(text).map { .date($0) } ?? .null }
    private static func time(_ text: String) -> Value { TimeOfDay(text).map { .time($0) } ?? .null }
    private static func dateTime(_ text: String) -> Value { DateTime(text).map { .dateTime($0) } ?? .null }
    private static let long = String(repeating: "länger 世界🎉 ", count: 4_000)
    private static let bytes = Base64.encode((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    static let rows: [Row] = [
        Row("smallint", "smallint", "smallint", "smallint", -32_768),
        Row("integer", "integer", "integer", "integer", 2_147_483_647),
        Row("bigint", "bigint", "bigint", "bigint", 9_223_372_036_854_775_807),
        Row("negative bigint", "bigint", "bigint", "bigint", -9_223_372_036_854_775_807),
        Row("unsigned bigint", nil, nil, "bigint unsigned", number("18446744073709551615")),
        Row("decimal", nil, "numeric(30, 10)", "decimal(30, 10)", number("12345678901234567890.0123456789")),
        Row("small decimal", "numeric", "numeric(5, 2)", "decimal(5, 2)", number("-0.25")),
        Row(
            "decimal typed", nil, "numeric(40, 0)", "decimal(40, 0)",
            ["type": "decimal", "value": "1234567890123456789012345678901234567890"],
            "1234567890123456789012345678901234567890"),
        Row("double", "double", "double precision", "double", number("0.1")),
        // SQLite's driver reads fifteen digits of a double.
        Row("exact double", nil, "double precision", "double", number("0.30000000000000004")),
        Row("large double", nil, "double precision", "double", number("1.7976931348623157e308")),
        Row("text", "varchar(200)", "varchar(200)", "varchar(200)", "grüße, 世界 🎉 'quoted' \\ and\nmore"),
        Row("empty text", "varchar(200)", "varchar(200)", "varchar(200)", ""),
        Row("long text", "text", "text", "longtext", .string(long)),
        Row("binary", "blob", "bytea", "blob", ["type": "binary", "value": "AAECA/8="], "AAECA/8="),
        Row("long binary", "blob", "bytea", "longblob", ["type": "binary", "value": .string(bytes)], .string(bytes)),
        Row("boolean", nil, "boolean", "bit(1)", true),
        Row("false", nil, "boolean", "bit(1)", false),
        Row("boolean as number", "integer", nil, "tinyint(1)", true, 1),
        Row("date", "date", "date", "date", date("2026-11-24")),
        Row("old date", "date", "date", "date", date("0099-02-28")),
        Row("timestamp", "timestamp", "timestamp", "datetime(6)", dateTime("2026-11-24T13:20:05.123")),
        Row("microseconds", nil, "timestamp", "datetime(6)", dateTime("2026-11-24T13:20:05.123456")),
        Row(
            "zoned", nil, "timestamp", "datetime(6)", dateTime("2026-11-24T13:20:05+02:00"),
            dateTime("2026-11-24T11:20:05")),
        Row("time", "time", "time", "time", time("13:20:05")),
        Row("uuid", nil, "uuid", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        Row("json", nil, "jsonb", "json", ["type": "text", "value": ["a": 1]], nil),
    ]

    @Test(arguments: Target.allCases)
    func valuesComeBackAsTheyWere(_ target: Target) async throws {
        let database = try await Database.open(target)
        let rows = Self.rows.filter { $0.types[target] != nil }
        let columns = rows.enumerated().map { "c\($0.offset) \($0.element.types[target] ?? "")" }
        try await database.run("CREATE TABLE \(database.table) (id integer, \(columns.joined(separator: ", ")))")
        let places = Array(repeating: "?", count: rows.count + 1).joined(separator: ", ")
        let insert = "INSERT INTO \(database.table) VALUES (\(places))"
        let sent = rows.map(\.sent)
        try await database.run(insert, [1] + sent)
        let nulls = Array(repeating: Value.null, count: rows.count)
        let batch = try await database.call(
            "batch",
            ["sql": .string(insert), "parameters": [.list([2] + sent), .list([3] + nulls), .list([4] + sent)]])
        #expect(batch["affected"] == 3)
        let found = try await database.rows("SELECT * FROM \(database.table) ORDER BY id")
        try #require(found.count == 4)
        for (index, row) in rows.enumerated() {
            let values = found.map { $0["c\(index)"] ?? .null }
            if row.name == "json" {
                #expect(values[0].asString?.filter { $0 != " " } == "{\"a\":1}")
            } else {
                #expect(values == [row.received, row.received, .null, row.received], "\(row.name)")
            }
        }
        await database.close()
    }
}
