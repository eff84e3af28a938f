import ConnectorKit
import Testing
import Values

@testable import MCPConnector

@Suite struct EventStreamParserTests {
    private static func events(_ text: String, chunk: Int) throws -> [String] {
        var parser = EventStreamParser(bytesMax: 100)
        var events: [[UInt8]] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            events += try parser.append(bytes[start..<min(start + chunk, bytes.count)])
        }
        return events.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [1, 2, 5, 1_000])
    func readsTheSameHoweverTheBytesCome(_ chunk: Int) throws {
        #expect(try Self.events("data: a\n\n", chunk: chunk) == ["a"])
        #expect(try Self.events("data:a\r\ndata: b\r\n\r\n", chunk: chunk) == ["a\nb"])
        #expect(try Self.events("data: a\r\rdata: b\r\r", chunk: chunk) == ["a", "b"])
        #expect(try Self.events(": comment\nevent: message\nid: 1\ndata: x\n\n", chunk: chunk) == ["x"])
        #expect(try Self.events("\u{FEFF}data: x\n\nevent: y\n\ndata\n\n", chunk: chunk) == ["x", ""])
        #expect(try Self.events("data: unfinished\n", chunk: chunk) == [])
    }

    @Test func anEventWithoutEndIsRefused() {
        #expect(throws: EventStreamParser.Oversized.self) {
            try Self.events(String(repeating: "data: 0123456789\n", count: 50), chunk: 7)
        }
        #expect(throws: EventStreamParser.Oversized.self) {
            try Self.events(String(repeating: "x", count: 200), chunk: 200)
        }
    }
}

@Suite struct MCPToolTableTests {
    @Test func namesBecomeIdsThatAreUnique() {
        var table = MCPToolTable()
        for name in ["plain", "Big", "with space", "with/space", "9lives", "", "ünïcode", "plain"] {
            table.add(["name": .string(name)])
        }
        #expect(
            table.operations.map(\.id) == [
                "plain", "big", "with_space", "with_space-2", "t9lives", "t_n_code", "plain-2",
            ])
        #expect(table.tools["with_space-2"]?.name == "with/space")
    }

    @Test(
        arguments: [
            (["a": 1], nil), (["a": 1, "b": 2], nil), ([:], "input.a is missing."),
            (["a": 1, "bb": 2], "input: unknown field bb. Did you mean b?"),
            ([1], "input: expected an object but found list."),
        ] as [(Value, String?)])
    func fieldsThatDoNotFitAreNamed(_ row: (input: Value, problem: String?)) {
        let tool = MCPToolTable.Tool(
            name: "t", input: ["type": "object", "properties": ["a": true, "b": true], "required": ["a"]])
        #expect(tool.problem(with: row.input)?.prefix(60) == row.problem?.prefix(60))
    }

    @Test func aSchemaThatAllowsOthersAllowsThem() {
        let tool = MCPToolTable.Tool(name: "t", input: ["type": "object", "additionalProperties": true])
        #expect(tool.problem(with: ["anything": 1]) == nil)
    }

    @Test(
        arguments: [
            (["content": []], true), (["content": [["type": "text", "text": "x"]], "isError": true], false),
            ([:], false), (["content": "x"], false),
        ] as [(Value, Bool)])
    func resultsAreReadOrRefused(_ row: (answer: Value, succeeds: Bool)) {
        #expect((MCPConnection.outcome(row.answer, "t").error == nil) == row.succeeds)
    }
}
