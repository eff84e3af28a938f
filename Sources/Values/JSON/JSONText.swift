/// The pieces JSON text is written from.
enum JSONText {
    static let null = Array("null".utf8)
    static let `true` = Array("true".utf8)
    static let `false` = Array("false".utf8)
    private static let hexadecimal = Array("0123456789abcdef".utf8)

    /// The top bit of every byte.
    static let topBits: UInt64 = 0x8080_8080_8080_8080

    /// Finds quotation marks, backslashes and control characters among the bytes of a word, the first one lowest.
    ///
    /// Of the result's `topBits` the lowest set one belongs to the first such byte; those above it may be wrong. Bytes
    /// above 0x7F may or may not be reported.
    @inline(__always)
    static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        return quotes | backslashes | controls
    }

    /// Appends a string in quotation marks; only what RFC 8259 demands is escaped.
    @inline(__always)
    static func write(_ text: String, into bytes: inout [UInt8]) {
        var copy = text
        copy.withUTF8 { Self.write($0, into: &bytes) }
    }

    private static func write(_ utf8: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        let raw = UnsafeRawBufferPointer(utf8)
        bytes.append(0x22)
        var runStart = 0
        var position = 0
        while position < utf8.count {
            if position &+ 8 <= utf8.count,
                Self.specialBytes(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
                    & Self.topBits == 0
            {
                position &+= 8
                continue
            }
            let byte = utf8[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[runStart..<position]))
                Self.writeEscape(byte, into: &bytes)
                runStart = position + 1
            }
            position += 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[runStart...]))
        bytes.append(0x22)
    }

    private static func writeEscape(_ byte: UInt8, into bytes: inout [UInt8]) {
        bytes.append(0x5C)
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x08: bytes.append(0x62)
        case 0x0C: bytes.append(0x66)
        case 0x0A: bytes.append(0x6E)
        case 0x0D: bytes.append(0x72)
        case 0x09: bytes.append(0x74)
        default:
            bytes.append(contentsOf: [0x75, 0x30, 0x30])
            bytes.append(Self.hexadecimal[Int(byte >> 4)])
            bytes.append(Self.hexadecimal[Int(byte & 0xF)])
        }
    }

    /// Appends a line feed and two spaces for each level.
    static func writeNewline(indentation: Int, into bytes: inout [UInt8]) {
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indentation * 2))
    }
}
