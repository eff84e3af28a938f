internal import Values

/// A position in a sorted result: the sort values of a row and its key, as Base64 of a JSON list.
enum Cursor {
    /// Writes a cursor.
    static func encode(_ values: [SQLParameter]) -> String {
        let list = values.map { value in
            switch value {
            case .integer(let number): Value.number(Number(number))
            case .text(let text): Value.string(text)
            case .null: Value.null
            }
        }
        return Base64.encode(Array(JSON.string(.list(list)).utf8))
    }

    /// Reads a cursor that must have `count` values.
    ///
    /// - Throws: `StoreError.misuse` when it is not one, or one of another query.
    static func decode(_ cursor: String, count: Int) throws(StoreError) -> [SQLParameter] {
        guard let bytes = Base64.decode(cursor), let list = (try? JSON.parse(bytes))?.asList, list.count == count else {
            throw Self.invalid(cursor)
        }
        var values: [SQLParameter] = []
        for value in list {
            switch value {
            case .null: values.append(.null)
            case .string(let text): values.append(.text(text))
            default:
                guard let number = value.asInt64 else { throw Self.invalid(cursor) }
                values.append(.integer(number))
            }
        }
        return values
    }

    private static func invalid(_ cursor: String) -> StoreError {
        StoreError(
            .misuse, "\"\(cursor.prefix(80))\" is not a cursor of this search.",
            remedy: "Pass startCursor or endCursor of a page of the same search, with the same sort.")
    }
}

/// Base64 as in RFC 4648 §4.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text for bytes, padded.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for digit in 0..<4 {
                let isPadding = digit > group.count
                text.append(
                    isPadding ? UInt8(ascii: "=") : self.alphabet[Int(bits >> UInt32(18 - 6 * digit)) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text; nil when it is not Base64.
    package static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        let significant = digits.prefix { $0 != UInt8(ascii: "=") }
        let padding = digits.count - significant.count
        guard padding <= 2, digits.suffix(padding).allSatisfy({ $0 == UInt8(ascii: "=") }) else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for digit in significant {
            guard let value = self.alphabet.firstIndex(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
        }
        return bytes
    }
}
