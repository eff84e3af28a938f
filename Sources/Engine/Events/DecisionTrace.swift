public import Values

/// What a decision saw and which of its rules matched: encoded once, in the journal and in the records alike.
public struct DecisionTrace: Sendable {
    /// An input or output and its value.
    public struct NamedValue: Sendable {
        /// The id in the document; empty when it has none.
        public var id: String
        /// The label or expression of a clause, or the name of what was required.
        public var name: String
        /// What it was.
        public var value: Value

        /// Creates a value.
        public init(id: String, name: String, value: Value) {
            self.id = id
            self.name = name
            self.value = value
        }
    }

    /// A rule that matched.
    public struct Rule: Sendable {
        /// The id in the document; empty when it has none.
        public var id: String
        /// Its place in the table, from 1.
        public var index: Int
        /// Its outputs.
        public var outputs: [NamedValue]

        /// Creates a matched rule.
        public init(id: String, index: Int, outputs: [NamedValue]) {
            self.id = id
            self.index = index
            self.outputs = outputs
        }
    }

    /// The inputs in document order.
    public var inputs: [NamedValue]
    /// The matched rules in the order of the hit policy.
    public var rules: [Rule]

    /// Creates a trace.
    public init(inputs: [NamedValue], rules: [Rule]) {
        self.inputs = inputs
        self.rules = rules
    }

    /// The trace as bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 64 * (inputs.count + rules.count + 1))
        Self.write(inputs, into: &writer)
        writer.varint(UInt64(rules.count))
        for rule in rules {
            writer.string(rule.id)
            writer.varint(UInt64(rule.index))
            Self.write(rule.outputs, into: &writer)
        }
        return writer.bytes
    }

    /// Reads a trace.
    ///
    /// - Throws: `DecodingFailure` when the bytes are damaged.
    public init(_ bytes: [UInt8]) throws(DecodingFailure) {
        var trace = DecisionTrace(inputs: [], rules: [])
        var failure: DecodingFailure?
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            do throws(DecodingFailure) {
                trace = try Self.read(&reader)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        self = trace
    }

    private static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> DecisionTrace {
        var trace = DecisionTrace(inputs: try readValues(&reader), rules: [])
        for _ in 0..<(try reader.count(minimumByteCount: 3)) {
            trace.rules.append(
                Rule(id: try reader.string(), index: Int(try reader.int32()), outputs: try readValues(&reader)))
        }
        return trace
    }

    private static func write(_ values: [NamedValue], into writer: inout ByteWriter) {
        writer.varint(UInt64(values.count))
        for value in values {
            writer.string(value.id)
            writer.string(value.name)
            ValueCodec.write(value.value, into: &writer)
        }
    }

    private static func readValues(_ reader: inout ByteReader) throws(DecodingFailure) -> [NamedValue] {
        var values: [NamedValue] = []
        for _ in 0..<(try reader.count(minimumByteCount: 3)) {
            values.append(
                NamedValue(id: try reader.string(), name: try reader.string(), value: try ValueCodec.read(&reader)))
        }
        return values
    }
}
