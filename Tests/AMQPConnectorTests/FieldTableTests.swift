import Testing
import Values

@testable import AMQPConnector

@Suite struct FieldTableTests {
    @Test func whatIsWrittenIsRead() throws {
        let context: ValueContext = [
            "text": "grün", "empty": "", "flag": true, "whole": -7, "half": .number(try #require(Number("2.5"))),
            "nothing": .null, "list": [1, "two", [3]], "nested": ["a": ["b": ["c": 1]]],
        ]
        let bytes = try FieldTable.encode(context)
        #expect(bytes.withUnsafeBytes { FieldTable.decode($0) } == context)
    }

    @Test(
        arguments: [
            (name: "octets", entry: [0x42, 0xFF], value: 255),
            (name: "negative octet", entry: [0x62, 0xFF], value: -1),
            (name: "short", entry: [0x73, 0xFF, 0xFE], value: -2),
            (name: "unsigned short", entry: [0x75, 0xFF, 0xFE], value: 65_534),
            (name: "int", entry: [0x49, 0, 0, 1, 0], value: 256),
            (name: "unsigned int", entry: [0x69, 0xFF, 0xFF, 0xFF, 0xFF], value: 4_294_967_295),
            (name: "decimal", entry: [0x44, 2, 0, 0, 0, 200], value: 2),
        ] as [(name: String, entry: [UInt8], value: Int64)])
    func everyNumberTypeIsRead(_ row: (name: String, entry: [UInt8], value: Int64)) {
        let table = Self.table([1, UInt8(ascii: "k")] + row.entry)
        let read = table.withUnsafeBytes { FieldTable.decode($0) }
        #expect(read["k"]?.asNumber?.double == Double(row.value))
    }

    @Test func timestampsAreText() {
        let table = Self.table([1, UInt8(ascii: "t"), UInt8(ascii: "T"), 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(table.withUnsafeBytes { FieldTable.decode($0) }["t"] == "1970-01-01T00:00:01.000Z")
    }

    /// Every prefix of a table, and every table with one byte changed, is read without trouble.
    @Test func malformedTablesAreReadAsFarAsTheyGo() throws {
        let bytes = try FieldTable.encode(["a": ["b": [1, "x", ["c": true]]], "d": "text", "e": 5])
        for count in 0..<bytes.count {
            let read = bytes[..<count].withUnsafeBytes { FieldTable.decode($0) }
            #expect(read.count <= 3)
        }
        for index in bytes.indices {
            for value in [0, 0x41, 0x46, 0x53, 0x7F, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] = value
                _ = changed.withUnsafeBytes { FieldTable.decode($0) }
            }
        }
    }

    @Test func deepNestingIsRefusedWhenWritten() {
        var value: Value = 1
        for _ in 0..<20 { value = ["x": value] }
        #expect(throws: FieldTable.Refusal.self) { try FieldTable.encode(["deep": value]) }
        var list: Value = 1
        for _ in 0..<20 { list = [list] }
        #expect(throws: FieldTable.Refusal.self) { try FieldTable.encode(["deep": list]) }
    }

    @Test func deepNestingIsCutWhenRead() {
        var table = Self.table([])
        for _ in 0..<10_000 { table = Self.table([1, UInt8(ascii: "x"), UInt8(ascii: "F")] + table) }
        var value = table.withUnsafeBytes { FieldTable.decode($0) }
        var depth = 0
        while let inner = value["x"]?.asContext {
            value = inner
            depth += 1
        }
        #expect(depth == FieldTable.depthMaximum - 1)
    }

    private static func table(_ entries: [UInt8]) -> [UInt8] {
        let count = entries.count
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + entries
    }
}
