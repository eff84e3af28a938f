import ConnectorKit
import Testing
import Values

/// Values go to the database and come back as they were.
@Suite struct PostgresTypeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var type: String
        var sent: Value
        var received: Value

        init(_ type: String, _ sent: Value, _ received: Value? = nil) {
            self.type = type
            self.sent = sent
            self.received = received ?? sent
        }

        var testDescription: String { "\(self.type) \(self.sent)" }
    }

    private static func number(_ text: String) -> Value { .number(Number(text) ?? .zero) }
    private static func date(_ text: String) -> Value { CalendarDate(text).map { .date($0) } ?? .null }
    private static func time(_ text: String) -> Value { TimeOfDay(text).map { .time($0) } ?? .null }
    private static func dateTime(_ text: String) -> Value { DateTime(text).map { .dateTime($0) } ?? .null }
    private static func days(_ text: String) -> Value { DayTimeDuration(text).map { .dayTimeDuration($0) } ?? .null }
    private static func months(_ text: String) -> Value {
        YearMonthDuration(text).map { .yearMonthDuration($0) } ?? .null
    }

    static let numbers: [Row] = [
        Row("int2", -32_768), Row("int4", 2_147_483_647), Row("int8", 9_223_372_036_854_775_807),
        Row("int8", -9_223_372_036_854_775_807), Row("numeric", number("0.1")),
        Row("numeric", number("1234567890123456789012345678901234")),
        Row("numeric", number("-0.00000000000000000000000000000001")),
        Row("numeric", "12345678901234567890123456789012345678901234567890.5"),
        Row("numeric", "NaN"), Row("numeric", "Infinity"), Row("numeric", "-Infinity"),
        Row("float8", number("0.1")), Row("float8", number("1.7976931348623157e308")), Row("float8", number("5e-324")),
        Row("float8", "NaN"), Row("float8", "Infinity"), Row("float8", "-Infinity"), Row("float4", number("1.1")),
        Row("oid", 4_294_967_295),
    ]

    static let texts: [Row] = [
        Row("text", "grüße, 世界 🎉"), Row("text", ""), Row("text", "it's \"quoted\" \\ and\nmore"),
        Row("varchar", "abc"), Row("char(4)", "ab  "), Row("text", number("1.5"), "1.5"), Row("text", true, "true"),
        Row("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Row("bool", true), Row("bool", false),
        Row("bytea", "AAECA/8="), Row("bytea", ""), Row("inet", "10.1.2.3"), Row("int4range", "[1,5)"),
        Row("xml", "<a>1</a>"), Row("point", "(1,2)"),
    ]

    static let times: [Row] = [
        Row("date", date("2026-11-24")), Row("date", date("-0043-03-15")), Row("date", date("12026-01-01")),
        Row("date", "infinity"), Row("time", time("13:20:00.123456")), Row("time", "24:00:00"),
        Row("timetz", time("13:20:00+05:30")), Row("timetz", time("13:20:00Z")),
        Row("timestamp", dateTime("2026-11-24T13:20:00.000001")), Row("timestamp", dateTime("0001-01-01T00:00:00")),
        Row("timestamp", dateTime("-0043-03-15T01:02:03")), Row("timestamp", "-infinity"),
        Row("timestamptz", dateTime("2026-11-24T13:20:00.5Z")),
        Row("timestamptz", dateTime("2026-11-24T13:20:00+02:00"), dateTime("2026-11-24T11:20:00Z")),
        Row("timestamptz", dateTime("2026-07-01T12:00:00@Europe/Paris"), dateTime("2026-07-01T10:00:00Z")),
        Row("timestamptz", "infinity"), Row("interval", months("P1Y2M")), Row("interval", months("-P3M")),
        Row("interval", days("P3DT4H5M6.789012S")), Row("interval", days("-PT1.5S")), Row("interval", days("-P1DT1H")),
        Row("interval", "P1Y2M3DT4H5M6.7S"), Row("interval", days("PT0S")),
    ]

    static let structures: [Row] = [
        Row("jsonb", ["a": [1, true, .null, "x"], "b": ["c": "d"]]), Row("json", [1, 2, 3]), Row("jsonb", "text"),
        Row("jsonb", number("0.10")), Row("jsonb", true), Row("int4[]", [1, .null, 3]), Row("int4[]", []),
        Row("text[]", ["a,b", "c\"d", "e\\f", "NULL", "", "{x}", .null]), Row("int4[]", [[1, 2], [3, 4]]),
        Row("numeric[]", [number("0.1"), "NaN"]), Row("bytea[]", ["AAE=", ""]), Row("bool[]", [true, false]),
        Row("jsonb[]", [["a": 1], [1, 2]]), Row("date[]", [date("2026-11-24")]),
        Row("timestamptz[]", [dateTime("2026-11-24T13:20:00Z")]),
        Row("uuid[]", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        Row("box[]", ["(1,1),(0,0)", "(2,2),(1,1)"]),
    ]

    @Test(arguments: [numbers, texts, times, structures])
    func valuesComeBackAsTheyWere(_ rows: [Row]) async throws {
        let database = try await Database.open()
        for row in rows {
            let sql = "SELECT $1::\(row.type)"
            let value = await database.connection.call("query", ["sql": .string(sql), "parameters": [row.sent]])
            #expect(value.value?["rows"]?.asList?.first?.asContext?.values == [row.received], "\(row) \(value)")
            #expect(try await database.value(sql, [.null]) == .null)
        }
        await database.close()
    }

    @Test func valuesComeBackAsTheyWereFromATable() async throws {
        let database = try await Database.open()
        let rows = (Self.numbers + Self.texts + Self.times + Self.structures)
        let columns = rows.enumerated().map { "c\($0.offset) \($0.element.type)" }
        try await database.run("CREATE TABLE t (\(columns.joined(separator: ", ")))")
        let places = rows.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        try await database.run("INSERT INTO t VALUES (\(places))", rows.map(\.sent))
        let copy = try await database.call("copyIn", ["table": "t", "rows": [.list(rows.map(\.sent))]])
        #expect(copy["affected"] == 1)
        let found = try await database.rows("SELECT * FROM t")
        #expect(found.count == 2)
        for row in found {
            for (index, expected) in rows.enumerated() {
                #expect(row["c\(index)"] == expected.received, "\(expected.type)")
            }
        }
        await database.close()
    }

    @Test func typesOfTheDatabasesOwnAreKnown() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        try await database.run("CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0)")
        try await database.run("CREATE TYPE pair AS (a int, b text)")
        try await database.run("CREATE TABLE t (m mood, ms mood[], a amount, as_ amount[], p pair)")
        try await database.run(
            "INSERT INTO t VALUES ($1, $2, $3, $4, $5)",
            ["ok", ["sad", "ok"], Self.number("1.25"), [Self.number("2.5")], "(1,x)"])
        let row = try await database.rows("SELECT * FROM t").first
        #expect(
            row == [
                "m": "ok", "ms": ["sad", "ok"], "a": Self.number("1.25"), "as_": [Self.number("2.5")], "p": "(1,x)",
            ])
        await database.close()
    }

    @Test func jsonWithNumbersBeyondOursStaysText() async throws {
        let database = try await Database.open()
        let text = "{\"n\": 1234567890123456789012345678901234567890}"
        #expect(try await database.value("SELECT '\(text)'::jsonb") == .string(text))
        await database.close()
    }

    @Test(
        arguments: [
            ("bytea", "not base64!", "base64"), ("int4[]", 5, "a list"), ("int4", [1], "a single value"),
            ("text", ["a": 1], "a single value"), ("text", "a\u{0}b", "zero"),
        ] as [(String, Value, String)])
    func valuesOfAnotherTypeAreRefusedBeforeAnythingIsSent(_ row: (type: String, value: Value, words: String))
        async throws
    {
        let database = try await Database.open()
        let error = try await database.failure(
            "execute", ["sql": .string("SELECT :value::\(row.type)"), "parameters": ["value": row.value]])
        #expect(error.kind == .validation)
        #expect(error.code == "CON-5108")
        #expect(error.message.contains(":value"))
        #expect(error.message.contains(row.words))
        #expect(!error.mayHaveExecuted)
        await database.close()
    }
}
