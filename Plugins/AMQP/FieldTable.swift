internal import Values

/// Field tables as they stand in AMQP 0-9-1 frames, in RabbitMQ's dialect of types.
enum FieldTable {
    /// Why a value cannot be a header.
    struct Refusal: Error {
        /// Where it stands.
        var path: String
        var reason: String
    }

    /// Nested deeper, tables and arrays are left out when read and refused when written.
    static let depthMaximum = 16

    // MARK: - Writing

    /// The table of `context`.
    ///
    /// Whole numbers become 64-bit integers, others doubles; temporal values become text. Throws for names over 128
    /// bytes (clause 4.2.5.5 of the specification) and for values that have no counterpart.
    static func encode(_ context: ValueContext) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        try Self.write(context, path: "headers", depth: 0, into: &bytes)
        return bytes
    }

    private static func write(
        _ context: ValueContext, path: String, depth: Int, into bytes: inout [UInt8]
    ) throws(Refusal) {
        guard depth < Self.depthMaximum else {
            throw Refusal(path: path, reason: "is nested more than \(Self.depthMaximum) deep")
        }
        let start = Self.reserveLength(&bytes)
        for (key, value) in context {
            guard key.utf8.count <= 128 else { throw Refusal(path: path, reason: "has a name of more than 128 bytes") }
            bytes.append(UInt8(key.utf8.count))
            bytes += key.utf8
            try Self.write(value, path: path + "." + key, depth: depth, into: &bytes)
        }
        Self.setLength(&bytes, at: start)
    }

    private static func write(_ value: Value, path: String, depth: Int, into bytes: inout [UInt8]) throws(Refusal) {
        switch value {
        case .null: bytes.append(UInt8(ascii: "V"))
        case .boolean(let flag):
            bytes.append(UInt8(ascii: "t"))
            bytes.append(flag ? 1 : 0)
        case .number(let number):
            if let whole = number.int64 {
                bytes.append(UInt8(ascii: "l"))
                Self.append(UInt64(bitPattern: whole), to: &bytes)
            } else {
                bytes.append(UInt8(ascii: "d"))
                Self.append(number.double.bitPattern, to: &bytes)
            }
        case .string(let text): Self.write(text, into: &bytes)
        case .list(let items):
            guard depth + 1 < Self.depthMaximum else {
                throw Refusal(path: path, reason: "is nested more than \(Self.depthMaximum) deep")
            }
            bytes.append(UInt8(ascii: "A"))
            let start = Self.reserveLength(&bytes)
            for (index, item) in items.enumerated() {
                try Self.write(item, path: "\(path)[\(index)]", depth: depth + 1, into: &bytes)
            }
            Self.setLength(&bytes, at: start)
        case .context(let context):
            bytes.append(UInt8(ascii: "F"))
            try Self.write(context, path: path, depth: depth + 1, into: &bytes)
        default:
            guard let text = value.temporalText else {
                throw Refusal(path: path, reason: "is a \(value.typeName), which AMQP does not know")
            }
            Self.write(text, into: &bytes)
        }
    }

    private static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "S"))
        let start = Self.reserveLength(&bytes)
        bytes += text.utf8
        Self.setLength(&bytes, at: start)
    }

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }

    private static func reserveLength(_ bytes: inout [UInt8]) -> Int {
        bytes += [0, 0, 0, 0]
        return bytes.count
    }

    private static func setLength(_ bytes: inout [UInt8], at start: Int) {
        let length = bytes.count - start
        for offset in 0..<4 { bytes[start - 4 + offset] = UInt8(truncatingIfNeeded: length >> (24 - 8 * offset)) }
    }

    // MARK: - Reading

    /// The values of a table; what follows a malformed entry is left out, since the frame was cut correctly.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> ValueContext {
        var reader = Reader(bytes: bytes, end: bytes.count)
        return reader.table(depth: 0) ?? ValueContext()
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0
        var end: Int

        private mutating func word(_ count: Int) -> UInt64? {
            guard count <= self.end - self.position else { return nil }
            var word: UInt64 = 0
            for offset in 0..<count { word = word << 8 | UInt64(self.bytes[self.position + offset]) }
            self.position += count
            return word
        }

        private mutating func slice(_ count: Int) -> Slice<UnsafeRawBufferPointer>? {
            guard count <= self.end - self.position else { return nil }
            defer { self.position += count }
            return self.bytes[self.position..<self.position + count]
        }

        private mutating func long() -> Slice<UnsafeRawBufferPointer>? {
            self.word(4).flatMap { self.slice(Int($0)) }
        }

        mutating func table(depth: Int) -> ValueContext? {
            self.nested { reader in
                var context = ValueContext()
                while reader.position < reader.end {
                    guard let count = reader.word(1), let key = reader.slice(Int(count)),
                        let value = reader.value(depth: depth)
                    else { break }
                    context[String(decoding: key, as: UTF8.self)] = value
                }
                return context
            }
        }

        private mutating func array(depth: Int) -> Value? {
            self.nested { reader in
                var items: [Value] = []
                while reader.position < reader.end, let item = reader.value(depth: depth) { items.append(item) }
                return .list(items)
            }
        }

        /// Reads something that states its length, and goes on after it whatever it holds.
        private mutating func nested<Result>(_ body: (inout Reader) -> Result) -> Result? {
            guard let count = self.word(4).map({ Int($0) }), count <= self.end - self.position else { return nil }
            var inner = Reader(bytes: self.bytes, position: self.position, end: self.position + count)
            self.position += count
            return body(&inner)
        }

        private mutating func value(depth: Int) -> Value? {
            guard let type = self.word(1) else { return nil }
            switch UInt8(type) {
            case UInt8(ascii: "t"): return self.word(1).map { .boolean($0 != 0) }
            case UInt8(ascii: "b"): return self.word(1).map { Self.whole(Int64(Int8(truncatingIfNeeded: $0))) }
            case UInt8(ascii: "B"): return self.word(1).map { Self.whole(Int64($0)) }
            case UInt8(ascii: "s"): return self.word(2).map { Self.whole(Int64(Int16(truncatingIfNeeded: $0))) }
            case UInt8(ascii: "u"): return self.word(2).map { Self.whole(Int64($0)) }
            case UInt8(ascii: "I"): return self.word(4).map { Self.whole(Int64(Int32(truncatingIfNeeded: $0))) }
            case UInt8(ascii: "i"): return self.word(4).map { Self.whole(Int64($0)) }
            case UInt8(ascii: "l"): return self.word(8).map { Self.whole(Int64(bitPattern: $0)) }
            case UInt8(ascii: "L"): return self.word(8).map { Number($0.description).map { .number($0) } ?? .null }
            case UInt8(ascii: "f"):
                return self.word(4).map { Self.floating(Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0)))) }
            case UInt8(ascii: "d"): return self.word(8).map { Self.floating(Double(bitPattern: $0)) }
            case UInt8(ascii: "D"): return self.decimal()
            case UInt8(ascii: "T"):
                return self.word(8).map { seconds in
                    let milliseconds = Int64(exactly: seconds).map { $0.multipliedReportingOverflow(by: 1_000) }
                    guard let milliseconds, !milliseconds.overflow else { return .null }
                    return .string(Timestamp.text(milliseconds.partialValue))
                }
            case UInt8(ascii: "S"), UInt8(ascii: "x"):
                return self.long().map { .string(String(decoding: $0, as: UTF8.self)) }
            case UInt8(ascii: "V"): return .null
            case UInt8(ascii: "A"):
                guard depth + 1 < FieldTable.depthMaximum else { return self.long().map { _ in .null } }
                return self.array(depth: depth + 1)
            case UInt8(ascii: "F"):
                guard depth + 1 < FieldTable.depthMaximum else { return self.long().map { _ in .null } }
                return self.table(depth: depth + 1).map { .context($0) }
            default: return nil
            }
        }

        private mutating func decimal() -> Value? {
            guard let scale = self.word(1), let digits = self.word(4) else { return nil }
            return Number("\(Int32(truncatingIfNeeded: digits))e-\(scale)").map { .number($0) } ?? .null
        }

        private static func whole(_ number: Int64) -> Value { .number(Number(number)) }

        private static func floating(_ number: Double) -> Value { Number(number).map { .number($0) } ?? .null }
    }
}
