public import Values

/// An event after CloudEvents 1.0.2: attributes that say what happened where, and data.
public struct CloudEvent: Sendable, Hashable {
    /// What an event carries.
    public enum Data: Sendable, Hashable {
        /// Nothing.
        case none
        /// A value, where the data's type is JSON.
        case value(Value)
        /// Text of any other type.
        case text(String)
        /// Bytes.
        case bytes([UInt8])
    }

    /// What is wrong with something that was to be an event.
    public struct Problem: Error, Sendable, Hashable {
        /// The attribute, where it is one.
        public var attribute: String?
        /// What is wrong.
        public var reason: String

        /// Creates a finding.
        public init(attribute: String? = nil, reason: String) {
            self.attribute = attribute
            self.reason = reason
        }
    }

    /// With `source` it names the event: whoever sends it again uses both again.
    public var id: String
    /// Where it happened: a URI reference.
    public var source: String
    /// What kind of thing happened.
    public var type: String
    /// What it happened to, inside the source.
    public var subject: String?
    /// When it happened, as RFC 3339 writes it.
    public var time: String?
    /// The media type of the data.
    public var dataContentType: String?
    /// The schema of the data.
    public var dataSchema: String?
    /// Further attributes, in lower case: texts, whole numbers, truth values.
    public var extensions: ValueContext
    /// What it carries.
    public var data: Data

    /// The version of the specification, the only one read and written.
    public static let specificationVersion = "1.0"

    /// Creates an event.
    ///
    /// - Throws: What the specification does not allow.
    public init(
        id: String, source: String, type: String, subject: String? = nil, time: String? = nil,
        dataContentType: String? = nil, dataSchema: String? = nil, extensions: ValueContext = ValueContext(),
        data: Data = .none
    ) throws(Problem) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.dataContentType = dataContentType
        self.dataSchema = dataSchema
        self.extensions = extensions
        self.data = data
        try self.check()
    }

    /// The same for every delivery of one event and different for others: the source and the id.
    public var key: String { self.source + " " + self.id }

    /// When it happened, in Unix milliseconds.
    public var occurredAtMilliseconds: Int64? { self.time.flatMap { Timestamp.milliseconds($0) } }

    /// Every attribute that is set, under its name in the specification.
    public var attributes: ValueContext {
        var context: ValueContext = [
            "specversion": .string(Self.specificationVersion), "id": .string(self.id),
            "source": .string(self.source), "type": .string(self.type),
        ]
        if let subject = self.subject { context["subject"] = .string(subject) }
        if let time = self.time { context["time"] = .string(time) }
        if let type = self.dataContentType { context["datacontenttype"] = .string(type) }
        if let schema = self.dataSchema { context["dataschema"] = .string(schema) }
        context.merge(self.extensions)
        return context
    }

    /// The attributes and the data, as in the JSON format; bytes are in `data_base64`.
    public var value: Value {
        var context = self.attributes
        switch self.data {
        case .none: break
        case .value(let value): context["data"] = value
        case .text(let text): context["data"] = .string(text)
        case .bytes(let bytes): context["data_base64"] = .string(Base64.encode(bytes))
        }
        return .context(context)
    }

    /// The data as triggers see it; bytes as base64 text.
    public var dataValue: Value {
        switch self.data {
        case .none: .null
        case .value(let value): value
        case .text(let text): .string(text)
        case .bytes(let bytes): .string(Base64.encode(bytes))
        }
    }

    /// The event as a trigger takes it in.
    ///
    /// Its payload is the whole event in the JSON format, so that a dead letter can be corrected and replayed; its
    /// attributes are in the coordinate `cloudEvent`.
    public var sourceEvent: SourceEvent {
        SourceEvent(
            id: self.key, payload: self.json, contentType: Self.mediaType, body: .value(self.dataValue),
            coordinates: ["cloudEvent": .context(self.attributes)],
            occurredAtMilliseconds: self.occurredAtMilliseconds)
    }
}

// MARK: - What the specification allows

extension CloudEvent {
    /// Attributes with a meaning of their own; everything else is an extension.
    static let coreAttributes: Set = [
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
    ]
    /// Longer attributes and more of them are refused.
    static let attributeBytesMaximum = 8 << 10
    static let extensionsMaximum = 64

    private func check() throws(Problem) {
        try Self.check("id", self.id)
        try Self.check("source", self.source)
        try Self.check("type", self.type)
        try Self.check("subject", self.subject)
        try Self.check("dataschema", self.dataSchema)
        try Self.check("datacontenttype", self.dataContentType)
        guard !self.source.utf8.contains(0x20) else {
            throw Problem(attribute: "source", reason: "source is no URI reference: it has a blank in it.")
        }
        if let time = self.time, Timestamp.milliseconds(time) == nil {
            throw Problem(attribute: "time", reason: "time is no date and time after RFC 3339.")
        }
        if let type = self.dataContentType, !type.utf8.contains(UInt8(ascii: "/")) {
            throw Problem(attribute: "datacontenttype", reason: "datacontenttype is no media type.")
        }
        guard self.extensions.count <= Self.extensionsMaximum else {
            throw Problem(reason: "The event has more than \(Self.extensionsMaximum) extension attributes.")
        }
        for (name, value) in self.extensions { try Self.check(extension: name, value) }
    }

    private static func check(_ name: String, _ text: String?) throws(Problem) {
        guard let text else { return }
        guard !text.isEmpty else { throw Problem(attribute: name, reason: "\(name) is empty.") }
        guard text.utf8.count <= Self.attributeBytesMaximum else {
            throw Problem(
                attribute: name, reason: "\(name) is longer than \(Self.attributeBytesMaximum) bytes.")
        }
        guard text.unicodeScalars.allSatisfy(Self.isAllowed) else {
            throw Problem(attribute: name, reason: "\(name) has a control character in it.")
        }
    }

    /// A character that an attribute of type String may hold (clause 2, "Type System").
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: false
        default: scalar.value & 0xFFFE != 0xFFFE
        }
    }

    private static func check(extension name: String, _ value: Value) throws(Problem) {
        let shown = String(name.prefix(40))
        guard !name.isEmpty, name.utf8.count <= 128, name != "data", !Self.coreAttributes.contains(name),
            name.utf8.allSatisfy({ Self.isLowercaseOrDigit($0) })
        else {
            throw Problem(
                attribute: shown,
                reason: "\"\(shown)\" is no name of an attribute: only a to z and 0 to 9 are allowed.")
        }
        switch value {
        case .string(let text):
            try Self.check(name, text)
        case .boolean:
            break
        case .number(let number):
            guard let integer = number.int64, Int32(exactly: integer) != nil else {
                throw Problem(attribute: name, reason: "\(name) is no whole number of 32 bits.")
            }
        default:
            throw Problem(
                attribute: name,
                reason: "\(name) is a \(value.typeName); attributes are texts, numbers or true or false.")
        }
    }

    private static func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
