package import Values

/// Writes Avro's binary encoding.
///
/// A field that is absent takes its default; a field the schema does not have is an error. Of a union the first branch
/// that fits is taken; `{ "branch": value }` names one, as in Avro's JSON encoding.
package struct AvroEncoder {
    package typealias Problem = AvroSchema.Problem

    private let nodes: [AvroSchema.Node]
    private(set) var bytes: [UInt8] = []

    private static let depthMaximum = 64

    init(nodes: [AvroSchema.Node]) { self.nodes = nodes }

    /// The datum for `value`, after `prefix`.
    package static func encode(_ value: Value, _ schema: AvroSchema, prefix: [UInt8] = []) throws(Problem) -> [UInt8] {
        var encoder = AvroEncoder(nodes: schema.nodes)
        encoder.bytes = prefix
        try encoder.write(value, schema.root, depth: 0, path: "")
        return encoder.bytes
    }

    private mutating func write(_ value: Value, _ index: Int, depth: Int, path: String) throws(Problem) {
        guard depth < Self.depthMaximum else {
            throw Problem(reason: "\(path): values are nested more than \(Self.depthMaximum) deep")
        }
        let node = self.nodes[index]
        switch node.kind {
        case .null:
            guard value.isNull else { throw Self.mismatch(path, "null", value) }
        case .boolean:
            guard let flag = value.asBoolean else { throw Self.mismatch(path, "true or false", value) }
            self.bytes.append(flag ? 1 : 0)
        case .int:
            guard let number = Self.whole(value, node.logical), Int32(exactly: number) != nil else {
                throw Self.mismatch(path, node.logical == nil ? "a whole number of 32 bits" : "a date or time", value)
            }
            self.zigzag(number)
        case .long:
            guard let number = Self.whole(value, node.logical) else {
                throw Self.mismatch(path, node.logical == nil ? "a whole number of 64 bits" : "a date or time", value)
            }
            self.zigzag(number)
        case .float:
            guard let number = Self.real(value) else { throw Self.mismatch(path, "a number", value) }
            self.littleEndian(UInt64(Float(number).bitPattern), 4)
        case .double:
            guard let number = Self.real(value) else { throw Self.mismatch(path, "a number", value) }
            self.littleEndian(number.bitPattern, 8)
        case .bytes:
            guard let content = Self.binary(value, node.logical, size: nil) else {
                throw Self.mismatch(path, node.logical == nil ? "base64" : "a decimal that fits", value)
            }
            self.zigzag(Int64(content.count))
            self.bytes += content
        case .fixed(let size):
            guard let content = Self.binary(value, node.logical, size: size), content.count == size else {
                throw Self.mismatch(path, "\(size) bytes for \(node.name)", value)
            }
            self.bytes += content
        case .string:
            guard let text = value.asString ?? value.temporalText else { throw Self.mismatch(path, "a text", value) }
            self.string(text)
        case .enumeration(let symbols):
            guard let text = value.asString, let number = symbols.firstIndex(of: text) else {
                throw Self.mismatch(path, "one of \(symbols.prefix(20).joined(separator: ", "))", value)
            }
            self.zigzag(Int64(number))
        case .record(let fields): try self.record(value, fields, node.name, depth, path)
        case .union(let branches): try self.union(value, branches, depth, path)
        case .array(let items):
            guard let list = value.asList else { throw Self.mismatch(path, "a list", value) }
            if !list.isEmpty { self.zigzag(Int64(list.count)) }
            for (position, item) in list.enumerated() {
                try self.write(item, items, depth: depth + 1, path: "\(path)[\(position)]")
            }
            self.bytes.append(0)
        case .map(let values):
            guard let context = value.asContext else { throw Self.mismatch(path, "an object", value) }
            if !context.isEmpty { self.zigzag(Int64(context.count)) }
            for (key, item) in context {
                self.string(key)
                try self.write(item, values, depth: depth + 1, path: Self.join(path, key))
            }
            self.bytes.append(0)
        }
    }

    private mutating func record(
        _ value: Value, _ fields: [AvroSchema.Field], _ name: String, _ depth: Int, _ path: String
    ) throws(Problem) {
        guard let context = value.asContext else { throw Self.mismatch(path, "an object for \(name)", value) }
        var used = 0
        for field in fields {
            if let item = context[field.name] {
                used += 1
                try self.write(item, field.type, depth: depth + 1, path: Self.join(path, field.name))
            } else if let standard = field.standard {
                try self.writeDefault(standard, field.type, depth: depth + 1)
            } else {
                throw Problem(reason: "\(Self.join(path, field.name)) is missing")
            }
        }
        if used < context.count {
            let known = Set(fields.map(\.name))
            let unknown = context.keys.first { !known.contains($0) } ?? ""
            throw Problem(reason: "\(Self.join(path, unknown)) is no field of \(name)")
        }
    }

    private mutating func union(_ value: Value, _ branches: [Int], _ depth: Int, _ path: String) throws(Problem) {
        if let position = branches.firstIndex(where: { self.fits(value, $0) }) {
            self.zigzag(Int64(position))
            return try self.write(value, branches[position], depth: depth + 1, path: path)
        }
        if let context = value.asContext, context.count == 1 {
            let (key, inner) = context.entry(at: 0)
            if let position = branches.firstIndex(where: { self.nodes[$0].name == key }) {
                self.zigzag(Int64(position))
                return try self.write(inner, branches[position], depth: depth + 1, path: Self.join(path, key))
            }
        }
        let names = branches.map { self.nodes[$0].name }.joined(separator: ", ")
        throw Self.mismatch(path, "one of \(names)", value)
    }

    /// Whether a value belongs to a branch of a union, as far as its own shape tells.
    private func fits(_ value: Value, _ index: Int) -> Bool {
        let node = self.nodes[index]
        switch node.kind {
        case .null: return value.isNull
        case .boolean: return value.asBoolean != nil
        case .int: return Self.whole(value, node.logical).flatMap { Int32(exactly: $0) } != nil
        case .long: return Self.whole(value, node.logical) != nil
        case .float, .double: return value.asNumber != nil
        case .bytes: return Self.binary(value, node.logical, size: nil) != nil
        case .fixed(let size): return Self.binary(value, node.logical, size: size)?.count == size
        case .string: return value.asString != nil || value.temporalText != nil
        case .enumeration(let symbols): return value.asString.map { symbols.contains($0) } ?? false
        case .array: return value.asList != nil
        case .map: return value.asContext != nil
        case .union: return false
        case .record(let fields):
            guard let context = value.asContext else { return false }
            let names = Set(fields.map(\.name))
            return context.keys.allSatisfy { names.contains($0) }
                && fields.allSatisfy { $0.standard != nil || context[$0.name] != nil }
        }
    }

    /// Defaults are written differently from values: bytes as characters up to U+00FF, a union by its first branch.
    mutating func writeDefault(_ value: Value, _ index: Int, depth: Int) throws(Problem) {
        let node = self.nodes[index]
        switch node.kind {
        case .union(let branches):
            self.zigzag(0)
            try self.writeDefault(value, branches[0], depth: depth + 1)
        case .bytes, .fixed:
            guard let text = value.asString, text.unicodeScalars.allSatisfy({ $0.value < 256 }) else {
                throw Self.mismatch("default", "characters up to U+00FF", value)
            }
            let content = text.unicodeScalars.map { UInt8($0.value) }
            if case .fixed(let size) = node.kind {
                guard content.count == size else { throw Self.mismatch("default", "\(size) bytes", value) }
            } else {
                self.zigzag(Int64(content.count))
            }
            self.bytes += content
        case .record(let fields):
            guard depth < Self.depthMaximum, let context = value.asContext else {
                throw Self.mismatch("default", "an object for \(node.name)", value)
            }
            for field in fields {
                guard let item = context[field.name] ?? field.standard else {
                    throw Problem(reason: "\(field.name) is missing")
                }
                try self.writeDefault(item, field.type, depth: depth + 1)
            }
        default:
            try self.write(value, index, depth: depth, path: "default")
        }
    }

    // MARK: - Values

    private static func whole(_ value: Value, _ logical: AvroSchema.Logical?) -> Int64? {
        if let number = value.asInt64 { return number }
        switch logical {
        case .date:
            if case .date(let date) = value { return Int64(date.daysSinceEpoch) }
            return value.asString.flatMap { CalendarDate($0) }.map { Int64($0.daysSinceEpoch) }
        case .timeMillis: return Self.time(value).map { $0.nanosecondOfDay / 1_000_000 }
        case .timeMicros: return Self.time(value).map { $0.nanosecondOfDay / 1_000 }
        case .timestampMillis, .localTimestampMillis: return Self.instant(value, logical, perSecond: 1_000)
        case .timestampMicros, .localTimestampMicros: return Self.instant(value, logical, perSecond: 1_000_000)
        default: return nil
        }
    }

    private static func time(_ value: Value) -> TimeOfDay? {
        if case .time(let time) = value { return time }
        return value.asString.flatMap { TimeOfDay($0) }
    }

    /// An instant needs a zone; a local time must have none.
    private static func instant(_ value: Value, _ logical: AvroSchema.Logical?, perSecond: Int64) -> Int64? {
        var moment: DateTime?
        if case .dateTime(let dateTime) = value {
            moment = dateTime
        } else {
            moment = value.asString.flatMap { DateTime($0) }
        }
        guard let moment else { return nil }
        let isLocal = logical == .localTimestampMillis || logical == .localTimestampMicros
        guard let seconds = isLocal ? moment.localSeconds : moment.epochSeconds, isLocal == (moment.zone == nil) else {
            return nil
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: perSecond)
        let part = Int64(moment.time.nanosecond) / (1_000_000_000 / perSecond)
        return overflow ? nil : whole + part
    }

    private static func real(_ value: Value) -> Double? {
        if let number = value.asNumber { return number.double }
        return switch value.asString {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }

    private static func binary(_ value: Value, _ logical: AvroSchema.Logical?, size: Int?) -> [UInt8]? {
        switch logical {
        case .decimal(let precision, let scale):
            guard let number = value.asNumber ?? value.asString.flatMap({ Number($0) }),
                let bytes = AvroDecimal.bytes(number, precision: precision, scale: scale)
            else {
                return nil
            }
            guard let size else { return bytes }
            guard bytes.count <= size else { return nil }
            let filler: UInt8 = number.isNegative ? 0xFF : 0
            return [UInt8](repeating: filler, count: size - bytes.count) + bytes
        case .duration:
            guard let context = value.asContext, context.count == 3 else { return nil }
            var bytes: [UInt8] = []
            for name in ["months", "days", "milliseconds"] {
                guard let part = context[name]?.asInt64.flatMap({ UInt32(exactly: $0) }) else { return nil }
                for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: part >> UInt32(shift))) }
            }
            return bytes
        default:
            return value.asString.flatMap { Base64.decode($0) }
        }
    }

    // MARK: - Bytes

    private mutating func zigzag(_ number: Int64) {
        var bits = UInt64(bitPattern: (number << 1) ^ (number >> 63))
        while bits >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: bits) | 0x80)
            bits >>= 7
        }
        self.bytes.append(UInt8(bits))
    }

    private mutating func littleEndian(_ bits: UInt64, _ count: Int) {
        for position in 0..<count { self.bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * position))) }
    }

    private mutating func string(_ text: String) {
        self.zigzag(Int64(text.utf8.count))
        self.bytes += text.utf8
    }

    private static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? String(name.prefix(80)) : "\(path).\(name.prefix(80))"
    }

    /// Names the type found, never the value: it may be confidential.
    private static func mismatch(_ path: String, _ expected: String, _ value: Value) -> Problem {
        Problem(reason: "\(path.isEmpty ? "the value" : path): expected \(expected) but found a \(value.typeName)")
    }
}
