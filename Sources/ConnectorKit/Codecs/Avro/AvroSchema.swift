package import Values

/// An Avro schema (Avro 1.11): types by index, so that a type may hold itself.
package struct AvroSchema: Sendable, Hashable {
    /// Why a schema, or a datum of one, is not as Avro has it.
    package struct Problem: Error, Sendable, Hashable {
        /// A sentence without the full stop, with the place.
        package var reason: String
    }

    /// What a value of a primitive or fixed type stands for.
    enum Logical: Sendable, Hashable {
        case decimal(precision: Int, scale: Int)
        case date
        case timeMillis, timeMicros
        case timestampMillis, timestampMicros
        case localTimestampMillis, localTimestampMicros
        case uuid
        case duration
    }

    struct Field: Sendable {
        var name: String
        /// Index of the type.
        var type: Int
        var standard: Value?
    }

    indirect enum Kind: Sendable {
        case null, boolean, int, long, float, double, bytes, string
        case record([Field])
        case enumeration([String])
        case array(Int)
        case map(Int)
        case union([Int])
        case fixed(Int)
    }

    struct Node: Sendable {
        var kind: Kind
        var logical: Logical?
        /// The full name of a named type; the word of any other.
        var name: String
    }

    /// All types; those of a schema refer to each other by index.
    let nodes: [Node]
    /// Index of the schema's own type.
    let root: Int
    /// The Parsing Canonical Form.
    package let canonicalForm: String
    /// The 64-bit Rabin fingerprint of the canonical form.
    package let fingerprint: UInt64
    /// The schema as it was written, as JSON.
    package let text: String
    /// What an event's headers say about reading its payload again: without framing, or in a registry's.
    let header: Value
    let registeredHeader: Value

    /// Reads a schema: a JSON value, or a text that holds one.
    package init(_ document: Value) throws(Problem) {
        var document = document
        if let text = document.asString, let first = text.utf8.first(where: { $0 > 0x20 }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\"")
        {
            do {
                document = try JSON.parse(text)
            } catch {
                throw Problem(reason: "the schema is not valid JSON: \(error)")
            }
        }
        var parser = AvroSchemaParser()
        self.root = try parser.parse(document, namespace: "", depth: 0)
        self.nodes = parser.nodes
        try parser.checkDefaults()
        self.canonicalForm = AvroCanonicalForm(nodes: parser.nodes).text(of: self.root)
        self.fingerprint = AvroFingerprint.of(self.canonicalForm.utf8)
        self.text = JSON.string(document)
        self.header = ["schema": .string(self.text)]
        self.registeredHeader = ["framing": "registry", "schema": .string(self.text)]
    }

    /// Whether both were written alike: what is compared is the text, since logical types and defaults are no part of
    /// the canonical form.
    package static func == (left: AvroSchema, right: AvroSchema) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
}

/// CRC-64-AVRO (Avro 1.11, "Schema Fingerprints").
enum AvroFingerprint {
    private static let empty: UInt64 = 0xC15D_213A_A4D7_A795

    private static let table: [UInt64] = (0..<256).map { index in
        var value = UInt64(index)
        for _ in 0..<8 { value = (value >> 1) ^ (Self.empty & (0 &- (value & 1))) }
        return value
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(Self.empty) { ($0 >> 8) ^ Self.table[Int(($0 ^ UInt64($1)) & 0xFF)] }
    }
}

/// Writes the Parsing Canonical Form (Avro 1.11, "Transforming into Parsing Canonical Form").
struct AvroCanonicalForm {
    let nodes: [AvroSchema.Node]
    private var written: Set<Int> = []

    init(nodes: [AvroSchema.Node]) { self.nodes = nodes }

    func text(of root: Int) -> String {
        var copy = self
        var text = ""
        copy.write(root, &text)
        return text
    }

    private mutating func write(_ index: Int, _ text: inout String) {
        let node = self.nodes[index]
        switch node.kind {
        case .null, .boolean, .int, .long, .float, .double, .bytes, .string:
            text += Self.quoted(node.name)
        case .array(let items):
            text += "{\"type\":\"array\",\"items\":"
            self.write(items, &text)
            text += "}"
        case .map(let values):
            text += "{\"type\":\"map\",\"values\":"
            self.write(values, &text)
            text += "}"
        case .union(let branches):
            text += "["
            for (position, branch) in branches.enumerated() {
                if position > 0 { text += "," }
                self.write(branch, &text)
            }
            text += "]"
        case .record, .enumeration, .fixed:
            guard self.written.insert(index).inserted else {
                text += Self.quoted(node.name)
                return
            }
            text += "{\"name\":\(Self.quoted(node.name)),\"type\":"
            self.writeNamed(node.kind, &text)
            text += "}"
        }
    }

    private mutating func writeNamed(_ kind: AvroSchema.Kind, _ text: inout String) {
        switch kind {
        case .record(let fields):
            text += "\"record\",\"fields\":["
            for (position, field) in fields.enumerated() {
                if position > 0 { text += "," }
                text += "{\"name\":\(Self.quoted(field.name)),\"type\":"
                self.write(field.type, &text)
                text += "}"
            }
            text += "]"
        case .enumeration(let symbols):
            text += "\"enum\",\"symbols\":[\(symbols.map(Self.quoted).joined(separator: ","))]"
        case .fixed(let size):
            text += "\"fixed\",\"size\":\(size)"
        default: break
        }
    }

    /// Names hold only letters, digits, `_` and `.`: nothing to escape.
    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
