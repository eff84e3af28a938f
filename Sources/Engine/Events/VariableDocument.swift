public import Values

/// Variables on their way into or out of an instance: named values in document order, the values unparsed.
public struct VariableDocument: Sendable {
    /// The members; names are unique.
    public var members: [(name: String, value: VariableValue)]

    /// No variables.
    public static let empty = VariableDocument(members: [])

    /// Creates a document of named values.
    public init(members: [(name: String, value: VariableValue)]) {
        self.members = members
    }

    /// Splits a JSON object into its members, checking but not parsing their values.
    ///
    /// A name that occurs twice keeps its last value.
    /// - Throws: `JSONError` when the text is not a JSON object.
    public init(json: [UInt8]) throws(JSONError) {
        var members: [(name: String, value: VariableValue)] = []
        for (key, range) in try JSON.members(of: json) {
            let value = VariableValue(json: Array(json[range]))
            if let position = members.firstIndex(where: { $0.name == key }) {
                members[position].value = value
            } else {
                members.append((key, value))
            }
        }
        self.members = members
    }

    /// Whether there are none.
    public var isEmpty: Bool { members.isEmpty }

    /// The variables as a JSON object.
    public var json: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (position, member) in members.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            JSON.write(.string(member.name), into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            member.value.writeJSON(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    func write(into writer: inout ByteWriter) {
        writer.varint(UInt64(members.count))
        for member in members {
            writer.string(member.name)
            member.value.write(into: &writer)
        }
    }

    static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> VariableDocument {
        let count = try reader.count(minimumByteCount: 2)
        var members: [(name: String, value: VariableValue)] = []
        members.reserveCapacity(count)
        for _ in 0..<count {
            members.append((try reader.string(), try VariableValue.read(&reader)))
        }
        return VariableDocument(members: members)
    }
}
