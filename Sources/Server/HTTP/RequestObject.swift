import Values

/// A JSON object of a request, split into its members; variables inside stay bytes.
///
/// Members nobody knows, members of a wrong type and missing ones are refused when it is made; `null` counts as
/// absent. Of two members with one name the last wins.
struct RequestObject: Sendable {
    private let bytes: ArraySlice<UInt8>
    private let fields: [RequestField]
    /// Where the value of each field stands; parallel to `fields`.
    private let ranges: [Range<Int>?]
    /// How the object is called in messages, such as `changeset.`; empty for the body itself.
    private let prefix: String

    init(_ bytes: ArraySlice<UInt8>, fields: [RequestField], prefix: String = "") throws(ProblemDetails) {
        self.bytes = bytes
        self.fields = fields
        self.prefix = prefix
        var ranges = [Range<Int>?](repeating: nil, count: fields.count)
        for member in try Self.members(of: bytes) {
            guard let index = fields.firstIndex(where: { $0.name == member.key }) else {
                throw .unknownField(prefix + member.key, known: fields.map { prefix + $0.name })
            }
            let first = bytes[member.value.lowerBound]
            if first == UInt8(ascii: "n") {
                ranges[index] = nil
                continue
            }
            guard fields[index].accepts(firstByte: first) else {
                throw .invalidField(
                    prefix + member.key, expected: fields[index].expectation, found: excerpt(bytes[member.value]))
            }
            ranges[index] = member.value
        }
        self.ranges = ranges
        for (field, range) in zip(fields, ranges) where field.isRequired && range == nil {
            throw .missingField(prefix + field.name, expected: field.expectation)
        }
    }

    private init() {
        self.bytes = []
        self.fields = []
        self.ranges = []
        self.prefix = ""
    }

    /// An object without members.
    static let empty = RequestObject()

    private static func members(
        of bytes: ArraySlice<UInt8>
    ) throws(ProblemDetails) -> [(key: String, value: Range<Int>)] {
        do throws(JSONError) {
            return try JSON.members(of: bytes)
        } catch {
            throw .malformedBody(error)
        }
    }

    private static func elements(of bytes: ArraySlice<UInt8>) throws(ProblemDetails) -> [Range<Int>] {
        do throws(JSONError) {
            return try JSON.elements(of: bytes)
        } catch {
            throw .malformedBody(error)
        }
    }

    func has(_ name: String) -> Bool {
        self.slice(name) != nil
    }

    /// The member's text as it stands, such as the variables document.
    func raw(_ name: String) -> [UInt8]? {
        self.slice(name).map { Array($0) }
    }

    func string(_ name: String) throws(ProblemDetails) -> String? {
        try self.value(name)?.asString
    }

    func boolean(_ name: String) throws(ProblemDetails) -> Bool? {
        try self.value(name)?.asBoolean
    }

    func integer(_ name: String) throws(ProblemDetails) -> Int64? {
        guard let slice = self.slice(name), case .integer(let range) = self.field(name)?.kind else { return nil }
        guard let number = try self.value(name)?.asInt64, range.contains(number) else {
            throw self.invalid(name, slice)
        }
        return number
    }

    func key(_ name: String) throws(ProblemDetails) -> Key? {
        guard let slice = self.slice(name) else { return nil }
        guard let text = try self.value(name)?.asString, let key = Key(text) else { throw self.invalid(name, slice) }
        return key
    }

    func strings(_ name: String) throws(ProblemDetails) -> [String]? {
        guard let slice = self.slice(name), let items = try self.value(name)?.asList else { return nil }
        let texts = items.compactMap(\.asString)
        guard texts.count == items.count else { throw self.invalid(name, slice) }
        return texts
    }

    func object(_ name: String, fields: [RequestField]) throws(ProblemDetails) -> RequestObject? {
        guard let slice = self.slice(name) else { return nil }
        return try RequestObject(slice, fields: fields, prefix: self.prefix + name + ".")
    }

    /// The objects of a list.
    func objects(
        _ name: String, fields: [RequestField], maximum: Int
    ) throws(ProblemDetails) -> [RequestObject] {
        guard let slice = self.slice(name) else { return [] }
        let ranges = try Self.elements(of: slice)
        guard ranges.count <= maximum else {
            throw .invalidField(self.prefix + name, expected: "at most \(maximum) items", found: "\(ranges.count)")
        }
        var objects: [RequestObject] = []
        objects.reserveCapacity(ranges.count)
        for (index, range) in ranges.enumerated() {
            guard self.bytes[range.lowerBound] == UInt8(ascii: "{") else { throw self.invalid(name, slice) }
            objects.append(
                try RequestObject(self.bytes[range], fields: fields, prefix: "\(self.prefix)\(name)[\(index)]."))
        }
        return objects
    }

    /// The member as a value; nil when absent.
    func value(_ name: String) throws(ProblemDetails) -> Value? {
        guard let slice = self.slice(name) else { return nil }
        do throws(JSONError) {
            return try JSON.parse(slice)
        } catch {
            throw .malformedBody(error)
        }
    }

    /// The failure of a member whose value is not what its field says.
    func invalid(_ name: String) -> ProblemDetails {
        self.invalid(name, self.slice(name) ?? [])
    }

    private func invalid(_ name: String, _ slice: ArraySlice<UInt8>) -> ProblemDetails {
        .invalidField(
            self.prefix + name, expected: self.field(name)?.expectation ?? "something else", found: excerpt(slice))
    }

    private func field(_ name: String) -> RequestField? {
        self.fields.first { $0.name == name }
    }

    private func slice(_ name: String) -> ArraySlice<UInt8>? {
        guard let index = self.fields.firstIndex(where: { $0.name == name }), let range = self.ranges[index] else {
            return nil
        }
        return self.bytes[range]
    }
}

/// A JSON value in a message: short simple ones as they are, others by their type.
private func excerpt(_ json: ArraySlice<UInt8>) -> String {
    switch json.first {
    case UInt8(ascii: "{"): "an object"
    case UInt8(ascii: "["): "a list"
    default: json.count <= 60 ? String(decoding: json, as: UTF8.self) : "a value of \(json.count) bytes"
    }
}
