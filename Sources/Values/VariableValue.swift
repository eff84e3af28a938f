/// What a process variable holds: JSON text nobody has looked into yet, a value, or the name of a large text kept elsewhere.
///
/// Most variables enter as JSON and leave as JSON; keeping the bytes saves parsing and writing them.
public struct VariableValue: Sendable {
    private enum Storage: Sendable {
        case json([UInt8])
        case value(Value)
        case reference(BlobReference)
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

    /// Keeps the name of JSON text that lies elsewhere.
    public init(_ reference: BlobReference) {
        self.storage = .reference(reference)
    }

    /// Where the text lies, when it lies elsewhere: put the text in its place before looking inside.
    public var reference: BlobReference? {
        switch self.storage {
        case .reference(let reference): reference
        case .json, .value: nil
        }
    }

    /// The value; null for a reference.
    ///
    /// JSON text is parsed on every call: cache the result where it is asked for often.
    public var value: Value {
        switch self.storage {
        case .json(let bytes): (try? JSON.parse(bytes)) ?? .null
        case .value(let value): value
        case .reference: .null
        }
    }

    /// Appends the variable as JSON; a reference as null.
    public func writeJSON(into bytes: inout [UInt8]) {
        switch self.storage {
        case .json(let json): bytes.append(contentsOf: json)
        case .value(let value): JSON.write(value, into: &bytes)
        case .reference: JSON.write(.null, into: &bytes)
        }
    }

    /// The variable as JSON text; a reference as null.
    public var json: [UInt8] {
        switch self.storage {
        case .json(let json): return json
        case .value, .reference:
            var bytes: [UInt8] = []
            self.writeJSON(into: &bytes)
            return bytes
        }
    }

    /// The size of the variable as JSON text, in bytes; a value is written to find out.
    public var byteCount: Int {
        switch self.storage {
        case .json(let json): json.count
        case .value: self.json.count
        case .reference(let reference): reference.byteCount
        }
    }

    /// Whether text or value take more than `limit` bytes as JSON; false for a reference.
    ///
    /// A value is written only when it could.
    public func isLarge(over limit: Int) -> Bool {
        switch self.storage {
        case .json(let json): return json.count > limit
        case .reference: return false
        case .value(.string(let text)):
            // An escaped byte takes at most six.
            return text.utf8.count * 6 > limit && self.byteCount > limit
        case .value(.list), .value(.context): return self.byteCount > limit
        case .value: return false
        }
    }

    /// Appends the binary form: a tag, then text, value or reference.
    public func write(into writer: inout ByteWriter) {
        switch self.storage {
        case .json(let json):
            writer.u8(0)
            writer.bytes(json)
        case .value(let value):
            writer.u8(1)
            ValueCodec.write(value, into: &writer)
        case .reference(let reference):
            writer.u8(2)
            writer.bytes(reference.hash)
            writer.varint(UInt64(reference.byteCount))
        }
    }

    /// Reads what `write(into:)` wrote.
    public static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> VariableValue {
        let tag = try reader.u8()
        switch tag {
        case 0: return VariableValue(json: try reader.byteArray())
        case 1: return VariableValue(try ValueCodec.read(&reader))
        case 2:
            let hash = try reader.byteArray()
            guard let count = Int(exactly: try reader.varint()) else { throw reader.failure(.invalidValue) }
            return VariableValue(BlobReference(hash: hash, byteCount: count))
        default: throw reader.failure(.unknownTag(tag))
        }
    }
}

extension VariableValue: Hashable {
    /// Whether both hold equal values, however they are kept; references are equal when their texts are.
    public static func == (lhs: VariableValue, rhs: VariableValue) -> Bool {
        if case .json(let left) = lhs.storage, case .json(let right) = rhs.storage, left == right { return true }
        if lhs.reference != nil || rhs.reference != nil { return lhs.reference == rhs.reference }
        return lhs.value == rhs.value
    }

    /// Hashes the value.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.reference)
        hasher.combine(self.value)
    }
}
