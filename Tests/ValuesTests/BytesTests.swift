import Testing
import Values

@Suite struct BytesTests {
    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), UInt64.max - 1, .max])
    func integersRoundTrip(_ value: UInt64) throws {
        var writer = ByteWriter()
        writer.varint(value)
        writer.zigzag(Int64(bitPattern: value))
        writer.fixed32LE(UInt32(truncatingIfNeeded: value))
        writer.fixed64LE(value)
        try ByteReader.reading(writer.bytes) { reader in
            let (varint, zigzag) = (try reader.varint(), try reader.zigzag())
            let (fixed32, fixed64) = (try reader.fixed32LE(), try reader.fixed64LE())
            #expect(varint == value)
            #expect(zigzag == Int64(bitPattern: value))
            #expect(fixed32 == UInt32(truncatingIfNeeded: value))
            #expect(fixed64 == value)
            #expect(reader.isAtEnd)
        }
    }

    @Test func integersHaveTheirKnownForm() {
        var writer = ByteWriter(capacity: 16)
        writer.varint(300)
        writer.zigzag(-1)
        writer.zigzag(1)
        writer.fixed32LE(1)
        writer.bool(true)
        #expect(writer.bytes == [0xAC, 0x02, 0x01, 0x02, 1, 0, 0, 0, 1])
        #expect(writer.count == 9)
        writer.removeAll()
        #expect(writer.bytes.isEmpty)
    }

    @Test func otherFieldsRoundTrip() throws {
        var writer = ByteWriter([0xEE])
        writer.u8(7)
        writer.bool(false)
        writer.string("grüße 𝄞 and more")
        writer.bytes([1, 2, 3])
        writer.raw([9, 9])
        writer.key(Key(rawValue: 77))
        try ByteReader.reading(writer.bytes) { reader in
            let (first, second, flag) = (try reader.u8(), try reader.u8(), try reader.bool())
            let (text, bytes, raw) = (try reader.string(), try reader.byteArray(), Array(try reader.raw(2)))
            #expect(first == 0xEE && second == 7 && !flag)
            #expect(text == "grüße 𝄞 and more")
            #expect(bytes == [1, 2, 3] && raw == [9, 9])
            #expect(reader.remaining == 8)
            let key = try reader.key()
            #expect(key == Key(rawValue: 77))
        }
    }

    /// A read that must fail, by name.
    static let failures: [(name: String, bytes: [UInt8], reason: DecodingFailure.Reason)] = [
        ("u8", [], .truncated), ("bool", [2], .invalidValue), ("varint", [0x80], .truncated),
        ("varint", [UInt8](repeating: 0xFF, count: 9) + [0x02], .oversizedInteger),
        ("varint", [UInt8](repeating: 0x80, count: 10) + [0x01], .oversizedInteger),
        ("fixed32LE", [1, 2, 3], .truncated), ("fixed64LE", [1, 2, 3, 4, 5, 6, 7], .truncated),
        ("string", [5, 0x61], .length(5)), ("string", [2, 0xC3, 0x28], .invalidText),
        ("string", [9, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0xE2], .invalidText),
        ("bytes", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .length(.max)),
        ("key", [0, 0, 0, 0, 0, 0, 0, 0x80], .invalidValue), ("raw", [1], .truncated), ("negative", [1], .truncated),
        ("count", [3, 0, 0, 0, 0], .length(3)),
    ]

    @Test(arguments: Self.failures)
    func damagedBytesAreRefused(_ row: (name: String, bytes: [UInt8], reason: DecodingFailure.Reason)) {
        let failure = #expect(throws: DecodingFailure.self) {
            try ByteReader.reading(row.bytes) { reader in
                switch row.name {
                case "u8": _ = try reader.u8()
                case "bool": _ = try reader.bool()
                case "varint": _ = try reader.varint()
                case "fixed32LE": _ = try reader.fixed32LE()
                case "fixed64LE": _ = try reader.fixed64LE()
                case "string": _ = try reader.string()
                case "bytes": _ = try reader.byteArray()
                case "key": _ = try reader.key()
                case "raw": _ = try reader.raw(2)
                case "negative": _ = try reader.raw(-1)
                default: _ = try reader.count(minimumByteCount: 2)
                }
            }
        }
        #expect(failure?.reason == row.reason)
    }

    @Test func failuresSayWhatAndWhere() {
        let reasons: [DecodingFailure.Reason] = [
            .truncated, .length(9), .oversizedInteger, .invalidText, .unknownTag(99), .tooDeep, .invalidValue,
        ]
        let texts = reasons.map { DecodingFailure($0, offset: 12).description }
        #expect(Set(texts).count == reasons.count)
        for text in texts { #expect(text.hasPrefix("cannot decode at byte 12: ")) }
    }
}
