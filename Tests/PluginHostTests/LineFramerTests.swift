import Testing

@testable import PluginHost

@Suite struct LineFramerTests {
    private static func items(_ text: String, bytesMax: Int = 8, chunk: Int) -> [LineFramer.Item] {
        var framer = LineFramer(bytesMax: bytesMax)
        var items: [LineFramer.Item] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            items += framer.append(bytes[start..<min(start + chunk, bytes.count)])
        }
        if let last = framer.finish() { items.append(last) }
        return items
    }

    private static func line(_ text: String) -> LineFramer.Item { .line(Array(text.utf8)) }

    @Test(arguments: [1, 2, 3, 7, 100])
    func cutsTheSameHoweverTheBytesCome(_ chunk: Int) {
        #expect(Self.items("one\ntwo\n", chunk: chunk) == [Self.line("one"), Self.line("two")])
        #expect(Self.items("\n\r\n\nx\r\n", chunk: chunk) == [Self.line("x")])
        #expect(Self.items("12345678\n", chunk: chunk) == [Self.line("12345678")])
        #expect(Self.items("123456789\nnext\n", chunk: chunk) == [.oversized, Self.line("next")])
        #expect(Self.items("no end", chunk: chunk) == [Self.line("no end")])
        #expect(Self.items("1234567890123", chunk: chunk) == [.oversized])
    }

    @Test func keepsNoMoreThanOneLine() {
        var framer = LineFramer(bytesMax: 10)
        for _ in 0..<1_000 { _ = framer.append([UInt8](repeating: 120, count: 1_000)) }
        #expect(framer.finish() == nil)
        #expect(framer.append(Array("\nok\n".utf8)) == [.line(Array("ok".utf8))])
    }
}
