/// What a process variable holds: JSON text nobody has looked into yet, or a value.
///
/// Most variables enter as JSON and leave as JSON; keeping the bytes saves parsing and writing them.
public struct VariableValue: Sendable {
    private enum Storage: Sendable {
        case json([UInt8])
        case value(Value)
    }

    private let storage: Storage

    /// Keeps JSON text, which must have passed `JSON.validate` or come from `JSON.write`.
    public init(json: [UInt8]) {
        self.storage = .json(json)
    }

    /// Keeps a value.
    public init(_ value: Value) {
        self.storage = .value(value)
    }

    /// The value.
    ///
    /// JSON text is parsed on every call: cache the result where it is asked for often.
    public var value: Value {
        switch self.storage {
        case .json(let bytes): (try? JSON.parse(bytes)) ?? .null
        case .value(let value): value
        }
    }

    /// Appends the variable as JSON.
    public func writeJSON(into bytes: inout [UInt8]) {
        switch self.storage {
        case .json(let json): bytes.append(contentsOf: json)
        case .value(let value): JSON.write(value, into: &bytes)
        }
    }

    /// The variable as JSON text.
    public var json: [UInt8] {
        switch self.storage {
        case .json(let json): return json
        case .value(let value):
            var bytes: [UInt8] = []
            JSON.write(value, into: &bytes)
            return bytes
        }
    }

    /// The size of the variable as JSON text, in bytes; a value is written to find out.
    public var byteCount: Int { self.json.count }

    /// Appends the binary form: a tag, then text or value.
    public func write(into writer: inout ByteWriter) {
        switch self.storage {
        case .json(let json):
            writer.u8(0)
            writer.bytes(json)
        case .value(let value):
            writer.u8(1)
            ValueCodec.write(value, into: &writer)
        }
    }

    /// Reads what `write(into:)` wrote.
    public static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> VariableValue {
        let tag = try reader.u8()
        switch tag {
        case 0: return VariableValue(json: try reader.byteArray())
        case 1: return VariableValue(try ValueCodec.read(&reader))
        default: throw reader.failure(.unknownTag(tag))
        }
    }
}

extension VariableValue: Hashable {
    /// Whether both hold equal values, however they are kept.
    public static func == (lhs: VariableValue, rhs: VariableValue) -> Bool {
        if case .json(let left) = lhs.storage, case .json(let right) = rhs.storage, left == right { return true }
        return lhs.value == rhs.value
    }

    /// Hashes the value.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.value)
    }
}
