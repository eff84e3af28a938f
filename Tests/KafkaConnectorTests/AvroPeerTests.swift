import ConnectorKit
import Foundation
import Testing
import Values

@testable import KafkaConnector

/// fastavro, in a process of its own.
final class AvroPeer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []

    init() throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let program =
            ProcessInfo.processInfo.environment["JUNCTION_PYTHON"] ?? root.appending(path: "var/python/bin/python").path
        self.process.executableURL = URL(filePath: program)
        self.process.arguments = [root.appending(path: "Tests/KafkaConnectorTests/Fixtures/avro_peer.py").path]
        self.process.standardInput = self.input
        self.process.standardOutput = self.output
        try self.process.run()
    }

    deinit { self.input.fileHandleForWriting.closeFile() }

    func ask(_ request: Value) throws -> Value {
        self.input.fileHandleForWriting.write(Data((JSON.string(request) + "\n").utf8))
        while true {
            if let end = self.rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.rest.removeFirst(end + 1) }
                return try JSON.parse(Array(self.rest[..<end]))
            }
            let more = self.output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "fastavro ended; is it installed?")
            self.rest += more
        }
    }

    func encode(_ schema: Value, _ value: Value) throws -> [UInt8] {
        let answer = try self.ask(["do": "encode", "schema": schema, "value": value])
        let text = try #require(answer["base64"]?.asString)
        return try #require(Base64.decode(text))
    }

    func decode(_ schema: Value, _ bytes: [UInt8]) throws -> Value {
        let answer = try self.ask(["do": "decode", "schema": schema, "base64": .string(Base64.encode(bytes))])
        #expect(answer["left"] == 0)
        return try #require(answer["value"])
    }
}

@Suite("Avro, against fastavro")
struct AvroPeerTests {
    private static let order: Value = [
        "type": "record", "name": "Order", "namespace": "shop.v1",
        "fields": [
            ["name": "id", "type": "string"],
            ["name": "count", "type": "int"],
            ["name": "big", "type": "long"],
            ["name": "ratio", "type": "double"],
            ["name": "half", "type": "float"],
            ["name": "paid", "type": "boolean"],
            ["name": "blob", "type": "bytes"],
            ["name": "state", "type": ["type": "enum", "name": "State", "symbols": ["OPEN", "CLOSED"]]],
            ["name": "hash", "type": ["type": "fixed", "name": "Hash", "size": 4]],
            ["name": "tags", "type": ["type": "array", "items": "string"]],
            ["name": "sizes", "type": ["type": "map", "values": "long"]],
            ["name": "note", "type": ["null", "string"], "default": .null],
            ["name": "previous", "type": ["null", "Order"], "default": .null],
        ],
    ]

    private static let logical: Value = [
        "type": "record", "name": "Times",
        "fields": [
            ["name": "price", "type": ["type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2]],
            [
                "name": "fee",
                "type": [
                    "type": "fixed", "name": "Fee", "size": 6, "logicalType": "decimal", "precision": 10, "scale": 4,
                ],
            ],
            ["name": "day", "type": ["type": "int", "logicalType": "date"]],
            ["name": "clock", "type": ["type": "long", "logicalType": "time-micros"]],
            ["name": "at", "type": ["type": "long", "logicalType": "timestamp-millis"]],
            ["name": "exactly", "type": ["type": "long", "logicalType": "timestamp-micros"]],
            ["name": "wall", "type": ["type": "long", "logicalType": "local-timestamp-millis"]],
            ["name": "key", "type": ["type": "string", "logicalType": "uuid"]],
        ],
    ]

    @Test func schemasHaveTheSameFingerprint() throws {
        let peer = try AvroPeer()
        for schema in [
            Self.order, Self.logical, "string",
            ["type": "array", "items": ["type": "map", "values": ["null", "int"]]],
        ] as [Value] {
            let answer = try peer.ask(["do": "fingerprint", "schema": schema])
            let ours = try AvroSchema(schema)
            #expect(.string(ours.canonicalForm) == answer["canonical"])
            // fastavro gives the bytes in the order they have in single-object encoding.
            let bytes = AvroFraming.singleObject(ours.fingerprint)[2...]
            let hexadecimal = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(.string(hexadecimal) == answer["fingerprint"])
        }
    }

    @Test func recordsOfEveryTypeAreReadAndWritten() throws {
        let peer = try AvroPeer()
        let schema = try AvroSchema(Self.order)
        let inner: Value = [
            "id": "ä€𝄞", "count": -2_147_483_648, "big": .number(Number(Int64.max)),
            "ratio": .number(Number(0.1) ?? .zero),
            "half": .number(Number(0.5) ?? .zero), "paid": true, "blob": "AP8=", "state": "CLOSED", "hash": "AQIDBA==",
            "tags": [], "sizes": [:], "note": .null, "previous": .null,
        ]
        var outer = try #require(inner.asContext)
        outer["tags"] = ["a", "", "c"]
        outer["sizes"] = ["x": 1, "y": -64]
        outer["note"] = "n"
        outer["big"] = .number(Number(Int64.min))
        outer["previous"] = inner
        let value = Value.context(outer)
        let bytes = try AvroEncoder.encode(value, schema)
        let theirs = try peer.decode(Self.order, bytes)
        #expect(theirs["previous"]?["id"] == "ä€𝄞")
        #expect(theirs["previous"]?["blob"]?["$bytes"] == "AP8=")
        #expect(theirs["big"] == .number(Number(Int64.min)))
        #expect(theirs["tags"] == ["a", "", "c"])
        #expect(theirs["state"] == "CLOSED")
        let theirBytes = try peer.encode(Self.order, Self.tagged(theirs))
        let ours = try theirBytes.withUnsafeBytes { try AvroDecoder.decode($0, schema) }
        #expect(ours == value)
    }

    /// fastavro's answer is its input again.
    private static func tagged(_ value: Value) -> Value { value }

    @Test func logicalTypesAreReadAndWritten() throws {
        let peer = try AvroPeer()
        let schema = try AvroSchema(Self.logical)
        let theirs: Value = [
            "price": ["$decimal": "-123456789012345678.90"], "fee": ["$decimal": "-0.0001"],
            "day": ["$date": "1969-12-31"], "clock": ["$time": "23:59:59.999999"],
            "at": ["$timestamp": "1960-02-29T12:00:00.123000+00:00"],
            "exactly": ["$timestamp": "2026-11-24T12:00:00.000001+00:00"],
            "wall": ["$timestamp": "2026-11-24T01:02:03"],
            "key": ["$uuid": "7c2d5b52-3ac5-4f9e-8e6c-0b7f4a0b1c2d"],
        ]
        let bytes = try peer.encode(Self.logical, theirs)
        let value = try bytes.withUnsafeBytes { try AvroDecoder.decode($0, schema) }
        #expect(value["price"] == Number("-123456789012345678.9").map { .number($0) })
        #expect(value["fee"] == Number("-0.0001").map { .number($0) })
        #expect(value["day"]?.temporalText == "1969-12-31")
        #expect(value["clock"]?.temporalText == "23:59:59.999999")
        #expect(value["at"]?.temporalText == "1960-02-29T12:00:00.123Z")
        #expect(value["exactly"]?.temporalText == "2026-11-24T12:00:00.000001Z")
        #expect(value["wall"]?.temporalText == "2026-11-24T01:02:03")
        #expect(value["key"] == "7c2d5b52-3ac5-4f9e-8e6c-0b7f4a0b1c2d")
        #expect(try AvroEncoder.encode(value, schema) == bytes)
        // Temporal values that went through JSON are texts.
        let texts = try JSON.parse(JSON.string(value))
        #expect(try AvroEncoder.encode(texts, schema) == bytes)
    }

    /// Random schemas and data: what one writes the other reads.
    @Test func randomDataMeansTheSameToBoth() throws {
        let peer = try AvroPeer()
        for _ in 0..<60 {
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = AvroGenerator(seed: seed)
            let schema = random.schema(depth: 0)
            let value = random.value(of: schema)
            let ours = try AvroSchema(schema)
            let bytes = try AvroEncoder.encode(value, ours)
            #expect(try peer.decode(schema, bytes) == value, "seed \(seed), schema \(schema)")
            let theirBytes = try peer.encode(schema, value)
            let back = try theirBytes.withUnsafeBytes { try AvroDecoder.decode($0, ours) }
            #expect(back == value, "seed \(seed), schema \(schema)")
            let answer = try peer.ask(["do": "fingerprint", "schema": schema])
            #expect(.string(ours.canonicalForm) == answer["canonical"], "seed \(seed)")
        }
    }
}

/// Makes schemas and data of them.
private struct AvroGenerator {
    private var random: SeededRandom
    private var names = 0

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    mutating func schema(depth: Int) -> Value {
        switch Int.random(in: 0...(depth < 4 ? 9 : 4), using: &self.random) {
        case 0: return "boolean"
        case 1: return "int"
        case 2: return "long"
        case 3: return "string"
        case 4: return "double"
        case 5: return ["type": "array", "items": self.schema(depth: depth + 1)]
        case 6: return ["type": "map", "values": self.schema(depth: depth + 1)]
        case 7:
            self.names += 1
            return ["type": "enum", "name": .string("E\(self.names)"), "symbols": ["A", "B", "C"]]
        case 8: return ["null", Bool.random(using: &self.random) ? "long" : "string"]
        default:
            self.names += 1
            let name = "R\(self.names)"
            let fields = (0..<Int.random(in: 1...4, using: &self.random)).map { index -> Value in
                ["name": .string("f\(index)"), "type": self.schema(depth: depth + 1)]
            }
            return ["type": "record", "name": .string(name), "namespace": "n.s", "fields": .list(fields)]
        }
    }

    mutating func value(of schema: Value) -> Value {
        if let branches = schema.asList {
            return Bool.random(using: &self.random) ? .null : self.value(of: branches[1])
        }
        switch schema.asString ?? schema["type"]?.asString {
        case "boolean": return .boolean(Bool.random(using: &self.random))
        case "int": return .number(Number(Int64(Int32.random(in: Int32.min...Int32.max, using: &self.random))))
        case "long": return .number(Number(Int64.random(in: Int64.min...Int64.max, using: &self.random)))
        case "string": return .string(String(UInt64.random(in: 0...UInt64.max, using: &self.random), radix: 36))
        case "double": return .number(Number(Double(Int.random(in: -999...999, using: &self.random)) / 8) ?? .zero)
        case "enum": return .string(["A", "B", "C"].randomElement(using: &self.random) ?? "A")
        case "array":
            let items = schema["items"] ?? .null
            return .list((0..<Int.random(in: 0...3, using: &self.random)).map { _ in self.value(of: items) })
        case "map":
            let values = schema["values"] ?? .null
            var context = ValueContext()
            for index in 0..<Int.random(in: 0...3, using: &self.random) {
                context["k\(index)"] = self.value(of: values)
            }
            return .context(context)
        default:
            var context = ValueContext()
            for field in schema["fields"]?.asList ?? [] {
                context[field["name"]?.asString ?? ""] = self.value(of: field["type"] ?? .null)
            }
            return .context(context)
        }
    }
}
