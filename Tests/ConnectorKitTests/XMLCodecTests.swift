import ConnectorKit
import Testing
import Values

/// XML without a schema.
struct XMLCodecTests {
    /// Anything that can be written is read back as the same value.
    @Test(arguments: (0..<20).map { 0x584D_4C00 + UInt64($0) })
    func whatIsWrittenIsReadBack(seed: UInt64) throws {
        var random = seed
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let texts = ["x", "a & b", "<tag>", "\"quoted\" 'so'", "grüße", "]]>", "a\tb\nc", "0"]
        func element(_ depth: Int) -> Value {
            switch next(depth > 4 ? 2 : 4) {
            case 0: return .null
            case 1: return .string(texts[next(texts.count)])
            default:
                var members = ValueContext()
                for _ in 0...next(3) {
                    let name = ["a", "b", "c-d", "_e"][next(4)]
                    switch next(3) {
                    case 0: members["@" + name] = .string(texts[next(texts.count)])
                    case 1: members[name] = element(depth + 1)
                    default: members[name] = .list([element(depth + 1), element(depth + 1)])
                    }
                }
                return .context(members)
            }
        }
        for _ in 0..<200 {
            let value: Value = .context(["root": element(0)])
            var bytes: [UInt8] = []
            try XMLCodec.write(value, into: &bytes)
            #expect(Self.sorted(try XMLCodec.parse(bytes)) == Self.sorted(value), "seed \(seed)")
        }
    }

    /// Attributes come first in a document, whatever their place in the value.
    private static func sorted(_ value: Value) -> Value {
        switch value {
        case .list(let items): return .list(items.map(Self.sorted))
        case .context(let context):
            var result = ValueContext()
            for key in context.map(\.key).sorted() { result[key] = context[key].map(Self.sorted) }
            return .context(result)
        default: return value
        }
    }

    @Test(arguments: [
        "", "<a>", "<a></b>", "x", "<a/><b/>", "<a b=1/>", "<a>\u{1}</a>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        String(repeating: "<a>", count: 300) + String(repeating: "</a>", count: 300),
    ])
    func whatIsNoDocumentIsRefused(_ text: String) {
        #expect(throws: XMLCodec.Failure.self) { try XMLCodec.parse(Array(text.utf8)) }
    }

    @Test func aDocumentOverTheLimitIsRefused() {
        #expect(throws: XMLCodec.Failure.self) { try XMLCodec.parse(Array("<a>12345</a>".utf8), maximum: 8) }
    }

    @Test func csvIsReadBack() {
        let records: [Value] = [["a": "1", "b": "x\"y"], ["a": "\r\n", "b": ""], ["a": ";", "b": " "]]
        var bytes: [UInt8] = []
        let writer = CSVWriter(columns: CSVWriter.columns(of: records))
        writer.writeHeader(into: &bytes)
        for record in records { writer.write(record, into: &bytes) }
        var decoder = RecordDecoder(bytes, name: "x.csv", decoding: RecordDecoding())
        var read: [Value] = []
        while let record = decoder.next() {
            if case .value(let value) = record.body { read.append(value) }
        }
        #expect(read == records)
    }
}
