import Testing
import Values

@testable import ConnectorKit
@testable import KafkaConnector

@Suite("Avro schemas and data that are wrong")
struct AvroTests {
    @Test(arguments: [
        ("a type that is not defined", "{\"type\":\"array\",\"items\":\"Nothing\"}", "does not define"),
        ("a record without fields", "{\"type\":\"record\",\"name\":\"R\"}", "no \"fields\""),
        ("a record without name", "{\"type\":\"record\",\"fields\":[]}", "without \"name\""),
        (
            "a name twice",
            "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}]", "twice"
        ),
        ("a union in a union", "[\"null\",[\"int\"]]", "inside a union"),
        ("a branch twice", "[\"int\",\"int\"]", "two branches"),
        ("an empty union", "[]", "without branches"),
        (
            "an enum with a symbol twice", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}",
            "different names"
        ),
        (
            "a default of another type",
            "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":\"x\"}]}",
            "default of R.a"
        ),
        (
            "a default that recurses",
            "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"R\",\"default\":{}}]}",
            "default"
        ),
        ("no JSON", "{\"type\":", "not valid JSON"),
        ("a number", "{\"type\":7}", "expected a type"),
        ("a name with a quote", "{\"type\":\"fixed\",\"name\":\"a\\\"b\",\"size\":1}", "no name"),
        ("a negative size", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "needs a \"size\""),
    ])
    func badSchemasAreNamed(_ row: (name: String, schema: String, expected: String)) {
        do {
            _ = try AvroSchema(.string(row.schema))
            Issue.record("\(row.name) was accepted.")
        } catch {
            #expect(error.reason.contains(row.expected), "\(row.name): \(error.reason)")
        }
    }

    @Test func deepSchemasAreRefused() {
        let text =
            String(repeating: "{\"type\":\"array\",\"items\":", count: 200) + "\"int\""
            + String(repeating: "}", count: 200)
        #expect(throws: AvroSchema.Problem.self) { try AvroSchema(.string(text)) }
    }

    private static func decode(_ bytes: [UInt8], _ schema: Value) throws -> Value {
        let schema = try AvroSchema(schema)
        return try bytes.withUnsafeBytes { try AvroDecoder.decode($0, schema) }
    }

    @Test(
        arguments: [
            ("nothing", "long", []),
            ("a number without end", "long", [0x80, 0x80]),
            ("a number of more than 64 bits", "long", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]),
            ("an int of more than 32 bits", "int", [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
            ("a string longer than the data", "string", [0x0A, 0x41]),
            ("a string of negative length", "string", [0x01]),
            ("a string that is no UTF-8", "string", [0x04, 0xC3, 0x28]),
            ("a boolean of 2", "boolean", [2]),
            ("a float cut off", "float", [0, 0, 0]),
            ("bytes left over", "int", [0, 0]),
            (
                "a block of 2^62 nothings", ["type": "array", "items": "null"],
                [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0]
            ),
            ("a branch that is not there", ["null", "int"], [0x04]),
            ("a symbol that is not there", ["type": "enum", "name": "E", "symbols": ["A"]], [0x02]),
            (
                "a decimal of 40 digits", ["type": "bytes", "logicalType": "decimal", "precision": 60],
                [0x24] + [UInt8](repeating: 0x7F, count: 18)
            ),
            (
                "a time after midnight", ["type": "long", "logicalType": "time-micros"],
                [0x80, 0xE0, 0xBA, 0x84, 0xBF, 0x0B]
            ),
        ] as [(String, Value, [UInt8])])
    func badDataIsRefused(_ row: (name: String, schema: Value, bytes: [UInt8])) {
        #expect(throws: AvroSchema.Problem.self, "\(row.name)") { try Self.decode(row.bytes, row.schema) }
    }

    @Test func aRecordThatHoldsItselfWithoutEndIsRefused() {
        let schema: Value = [
            "type": "record", "name": "R", "fields": [["name": "next", "type": ["null", "R"]]],
        ]
        #expect(throws: AvroSchema.Problem.self) {
            try Self.decode([UInt8](repeating: 2, count: 100_000), schema)
        }
    }

    /// Whatever the bytes, there is an end: a value or an error.
    @Test func randomBytesDoNoHarm() throws {
        let schema = try AvroSchema([
            "type": "record", "name": "R",
            "fields": [
                ["name": "a", "type": ["type": "array", "items": ["null", "string", "R"]]],
                ["name": "m", "type": ["type": "map", "values": "bytes"]],
                ["name": "d", "type": ["type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3]],
                ["name": "t", "type": ["type": "long", "logicalType": "timestamp-micros"]],
            ],
        ])
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in
                UInt8.random(in: 0...255) & (Bool.random() ? 0x0F : 0xFF)
            }
            _ = try? bytes.withUnsafeBytes { try AvroDecoder.decode($0, schema) }
        }
    }

    @Test(
        arguments: [
            ("a field that is missing", ["b": 1], "a is missing"),
            ("a field that is not known", ["a": 1, "c": 1], "c is no field"),
            ("another type", ["a": "x"], "a: expected a whole number of 32 bits"),
            ("a number out of range", ["a": 4_294_967_296], "a: expected a whole number of 32 bits"),
            ("something else", ["not", "a", "record"], "expected an object for R"),
        ] as [(String, Value, String)])
    func valuesThatDoNotFitAreNamed(_ row: (name: String, value: Value, expected: String)) throws {
        let schema = try AvroSchema([
            "type": "record", "name": "R",
            "fields": [["name": "a", "type": "int"], ["name": "b", "type": "int", "default": 7]],
        ])
        do {
            _ = try AvroEncoder.encode(row.value, schema)
            Issue.record("\(row.name) was accepted.")
        } catch {
            #expect(error.reason.contains(row.expected), "\(row.name): \(error.reason)")
        }
    }

    @Test func absentFieldsTakeTheirDefault() throws {
        let schema = try AvroSchema([
            "type": "record", "name": "R",
            "fields": [
                ["name": "a", "type": "int", "default": 7], ["name": "b", "type": "bytes", "default": "ÿ"],
                ["name": "c", "type": ["string", "null"], "default": "x"],
            ],
        ])
        #expect(try AvroEncoder.encode([:], schema) == [14, 2, 0xFF, 0, 2, 0x78])
    }

    @Test func aBranchMayBeNamed() throws {
        let schema = try AvroSchema(["null", "long", "string"])
        #expect(try AvroEncoder.encode(["string": "x"], schema) == [4, 2, 0x78])
        #expect(try AvroEncoder.encode("x", schema) == [4, 2, 0x78])
        #expect(try AvroEncoder.encode(5, schema) == [2, 10])
        #expect(throws: AvroSchema.Problem.self) { try AvroEncoder.encode(["other": "x"], schema) }
    }

    @Test(
        arguments: [
            ("0", 5, 2, [0]), ("1.5", 5, 2, [0, 150]), ("-1.28", 5, 2, [0x80]), ("-1", 5, 0, [0xFF]),
            ("327.68", 5, 2, [0, 0x80, 0]), ("1e3", 5, 1, [0x27, 0x10]),
        ] as [(String, Int, Int, [UInt8])])
    func decimalsTakeAsFewBytesAsPossible(_ row: (text: String, precision: Int, scale: Int, bytes: [UInt8])) throws {
        let number = try #require(Number(row.text))
        #expect(AvroDecimal.bytes(number, precision: row.precision, scale: row.scale) == row.bytes)
        let back = row.bytes.withUnsafeBytes { AvroDecimal.number($0, scale: row.scale) }
        #expect(back == number)
    }

    @Test func decimalsThatDoNotFitAreRefused() throws {
        #expect(AvroDecimal.bytes(try #require(Number("1.234")), precision: 9, scale: 2) == nil)
        #expect(AvroDecimal.bytes(try #require(Number("1000")), precision: 3, scale: 0) == nil)
    }
}
