package import Values

/// Reads Avro's binary encoding with the schema it was written with.
///
/// Every length is checked against what is left before anything is allocated; depth and number of values are bounded.
package struct AvroDecoder {
    package typealias Problem = AvroSchema.Problem

    private let nodes: [AvroSchema.Node]
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var valuesLeft = 1_000_000

    private static let depthMaximum = 64

    private init(_ schema: AvroSchema, _ bytes: UnsafeRawBufferPointer) {
        self.nodes = schema.nodes
        self.bytes = bytes
    }

    /// Reads the datum `bytes` begin with; says how many bytes it has.
    static func decodeFirst(
        _ bytes: ArraySlice<UInt8>, _ schema: AvroSchema
    ) throws(Problem) -> (value: Value, byteCount: Int) {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(Problem) in
                var decoder = AvroDecoder(schema, raw)
                let value = try decoder.value(schema.root, depth: 0)
                return (value, decoder.position)
            }
        }
        return try result.get()
    }

    /// Reads one datum that fills `bytes`.
    package static func decode(_ bytes: UnsafeRawBufferPointer, _ schema: AvroSchema) throws(Problem) -> Value {
        var decoder = AvroDecoder(schema, bytes)
        let value = try decoder.value(schema.root, depth: 0)
        guard decoder.position == bytes.count else {
            throw Problem(reason: "\(bytes.count - decoder.position) bytes are left after the datum")
        }
        return value
    }

    private mutating func value(_ index: Int, depth: Int) throws(Problem) -> Value {
        guard depth < Self.depthMaximum else {
            throw self.problem("values are nested more than \(Self.depthMaximum) deep")
        }
        self.valuesLeft -= 1
        guard self.valuesLeft >= 0 else { throw self.problem("there are more than 1000000 values") }
        let node = self.nodes[index]
        switch node.kind {
        case .null: return .null
        case .boolean:
            switch try self.byte() {
            case 0: return .boolean(false)
            case 1: return .boolean(true)
            case let other: throw self.problem("expected 0 or 1 for a boolean but found \(other)")
            }
        case .int:
            let number = try self.zigzag()
            guard let number = Int32(exactly: number) else { throw self.problem("\(number) is no int") }
            return try self.whole(Int64(number), node.logical)
        case .long: return try self.whole(try self.zigzag(), node.logical)
        case .float: return Self.real(Double(Float(bitPattern: UInt32(try self.fixedLittleEndian(4)))))
        case .double: return Self.real(Double(bitPattern: try self.fixedLittleEndian(8)))
        case .bytes:
            let count = try self.length()
            return try self.binary(try self.take(count), node.logical)
        case .fixed(let size): return try self.binary(try self.take(size), node.logical)
        case .string: return .string(try self.string())
        case .enumeration(let symbols):
            let number = try self.zigzag()
            guard let number = Int(exactly: number), symbols.indices.contains(number) else {
                throw self.problem("\(node.name) has no symbol \(number)")
            }
            return .string(symbols[number])
        case .record(let fields):
            var context = ValueContext()
            context.reserveCapacity(fields.count)
            for field in fields { context[field.name] = try self.value(field.type, depth: depth + 1) }
            return .context(context)
        case .union(let branches):
            let number = try self.zigzag()
            guard let number = Int(exactly: number), branches.indices.contains(number) else {
                throw self.problem("the union has no branch \(number)")
            }
            return try self.value(branches[number], depth: depth + 1)
        case .array(let items):
            var list: [Value] = []
            while let count = try self.block() {
                for _ in 0..<count { list.append(try self.value(items, depth: depth + 1)) }
            }
            return .list(list)
        case .map(let values):
            var context = ValueContext()
            while let count = try self.block() {
                for _ in 0..<count {
                    let key = try self.string()
                    context[key] = try self.value(values, depth: depth + 1)
                }
            }
            return .context(context)
        }
    }

    // MARK: - Logical types

    private func whole(_ number: Int64, _ logical: AvroSchema.Logical?) throws(Problem) -> Value {
        let value: Value?
        switch logical {
        case nil: value = .number(Number(number))
        case .date: value = CalendarDate(daysSinceEpoch: Int(number)).map { .date($0) }
        case .timeMillis: value = Self.time(number, unit: 1_000_000)
        case .timeMicros: value = Self.time(number, unit: 1_000)
        case .timestampMillis: value = Self.instant(number, perSecond: 1_000, zone: .utc)
        case .timestampMicros: value = Self.instant(number, perSecond: 1_000_000, zone: .utc)
        case .localTimestampMillis: value = Self.instant(number, perSecond: 1_000, zone: nil)
        case .localTimestampMicros: value = Self.instant(number, perSecond: 1_000_000, zone: nil)
        case .decimal, .uuid, .duration: value = .number(Number(number))
        }
        guard let value else { throw self.problem("\(number) is no date or time") }
        return value
    }

    private static func time(_ number: Int64, unit: Int64) -> Value? {
        let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow, (0..<86_400_000_000_000).contains(nanoseconds) else { return nil }
        return .time(TimeOfDay(nanosecondOfDay: nanoseconds))
    }

    private static func instant(_ number: Int64, perSecond: Int64, zone: ZoneOffset?) -> Value? {
        var seconds = number / perSecond
        var part = number % perSecond
        if part < 0 {
            part += perSecond
            seconds -= 1
        }
        let nanosecond = Int(part * (1_000_000_000 / perSecond))
        guard let moment = DateTime(epochSeconds: seconds, nanosecond: nanosecond, zone: .utc) else { return nil }
        guard zone == nil else { return .dateTime(moment) }
        return .dateTime(
            DateTime(date: moment.date, time: TimeOfDay(nanosecondOfDay: moment.time.nanosecondOfDay)))
    }

    /// Not a number and infinities have no number: they are read as text.
    private static func real(_ number: Double) -> Value {
        if let exact = Number(number) { return .number(exact) }
        return .string(number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity")
    }

    private func binary(_ bytes: UnsafeRawBufferPointer, _ logical: AvroSchema.Logical?) throws(Problem) -> Value {
        switch logical {
        case .decimal(_, let scale):
            guard let number = AvroDecimal.number(bytes, scale: scale) else {
                throw self.problem("a decimal has more than 34 digits")
            }
            return .number(number)
        case .duration:
            func part(_ offset: Int) -> Value {
                .number(
                    Number(Int64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))))
            }
            return ["months": part(0), "days": part(4), "milliseconds": part(8)]
        default:
            return .string(Base64.encode(Array(bytes)))
        }
    }

    // MARK: - Bytes

    private func problem(_ reason: String) -> Problem { Problem(reason: "at byte \(self.position), \(reason)") }

    private mutating func byte() throws(Problem) -> UInt8 {
        guard self.position < self.bytes.count else { throw self.problem("the datum ends too early") }
        defer { self.position += 1 }
        return self.bytes[self.position]
    }

    private mutating func zigzag() throws(Problem) -> Int64 {
        var bits: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try self.byte()
            guard shift < 63 || byte <= 1 else { throw self.problem("a number has more than 64 bits") }
            bits |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { break }
            shift += 7
        }
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    private mutating func fixedLittleEndian(_ count: Int) throws(Problem) -> UInt64 {
        let bytes = try self.take(count)
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) throws(Problem) -> UnsafeRawBufferPointer {
        guard count <= self.bytes.count - self.position else { throw self.problem("the datum ends too early") }
        defer { self.position += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.position..<(self.position + count)])
    }

    private mutating func length() throws(Problem) -> Int {
        let number = try self.zigzag()
        guard number >= 0, number <= Int64(self.bytes.count - self.position) else {
            throw self.problem("a length of \(number) is more than what is left")
        }
        return Int(number)
    }

    private mutating func string() throws(Problem) -> String {
        let count = try self.length()
        guard let text = String(validating: try self.take(count), as: UTF8.self) else {
            throw self.problem("a string is not valid UTF-8")
        }
        return text
    }

    /// How many items the next block has; `nil` at the end.
    private mutating func block() throws(Problem) -> Int? {
        var count = try self.zigzag()
        guard count != 0 else { return nil }
        if count < 0 {
            guard count > .min else { throw self.problem("a block has too many items") }
            count = -count
            _ = try self.length()
        }
        guard count <= Int64(self.valuesLeft) else { throw self.problem("a block has too many items") }
        return Int(count)
    }
}
