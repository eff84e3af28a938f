/// Checks UTF-8 as the Unicode standard defines it (Unicode 16, table 3-7), eight ASCII bytes at a time.
@usableFromInline
enum UTF8Validation {
    /// The length of the scalar of two to four bytes at `position`, or nil when it is malformed or cut short.
    static func scalarLength(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int? {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[position] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { return nil }
        for index in 2..<Swift.max(2, length) where bytes[position + index] & 0xC0 != 0x80 { return nil }
        return length
    }

    /// Whether all of `bytes` is UTF-8.
    @usableFromInline
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            if position &+ 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                position &+= 8
            } else if bytes[position] < 0x80 {
                position &+= 1
            } else if let length = Self.scalarLength(bytes, at: position) {
                position &+= length
            } else {
                return false
            }
        }
        return true
    }
}
