public import Values

extension CloudEvent {
    /// The media type of one event in the JSON format.
    public static let mediaType = "application/cloudevents+json"
    /// The media type of a list of events in the JSON format.
    public static let batchMediaType = "application/cloudevents-batch+json"

    /// How a message carries events.
    public enum Mode: Sendable, Hashable {
        /// Attributes in header fields, data as the content.
        case binary
        /// The content is one event in the JSON format.
        case structured
        /// The content is a list of events in the JSON format.
        case batch
        /// The content is an event in a format that is not read; its media type.
        case unsupported(String)

        /// How a message of this media type carries events.
        public init(contentType: String?) {
            let type = CloudEvent.mediaTypeName(contentType ?? "")
            switch type {
            case CloudEvent.mediaType: self = .structured
            case CloudEvent.batchMediaType: self = .batch
            default: self = type.hasPrefix("application/cloudevents") ? .unsupported(type) : .binary
            }
        }
    }

    /// The header fields of a message's events in binary mode, by attribute name: those that begin with `ce_`, `ce-`,
    /// `cloudEvents:` or `cloudEvents_` (Kafka, HTTP, AMQP), in any case.
    public static func attributes(inHeaders headers: some Sequence<(key: String, value: Value)>) -> ValueContext {
        var attributes = ValueContext()
        for (name, value) in headers {
            let lower = name.lowercased()
            for prefix in ["ce_", "ce-", "cloudevents:", "cloudevents_"] where lower.hasPrefix(prefix) {
                attributes[String(lower.dropFirst(prefix.count))] = value
                break
            }
        }
        return attributes
    }

    /// Reads an event in binary mode.
    ///
    /// - Parameters:
    ///   - attributes: By name, as texts; see `attributes(inHeaders:)`.
    ///   - contentType: The media type of the content, which is the event's `datacontenttype`.
    ///   - content: The data; empty is none.
    /// - Throws: What is wrong with it.
    public static func binary(
        attributes: ValueContext, contentType: String?, content: [UInt8]
    ) throws(Problem) -> CloudEvent {
        try Self.checkVersion(attributes["specversion"])
        guard attributes["datacontenttype"] == nil else {
            throw Problem(
                attribute: "datacontenttype",
                reason: "In binary mode datacontenttype is the content type of the message, not a header field.")
        }
        var extensions = ValueContext()
        for (name, value) in attributes where !Self.coreAttributes.contains(name) { extensions[name] = value }
        return try CloudEvent(
            id: try Self.required("id", attributes), source: try Self.required("source", attributes),
            type: try Self.required("type", attributes), subject: try Self.text("subject", attributes),
            time: try Self.text("time", attributes), dataContentType: contentType,
            dataSchema: try Self.text("dataschema", attributes), extensions: extensions,
            data: try Self.data(content, contentType: contentType))
    }

    /// Reads one event in the JSON format.
    ///
    /// - Throws: What is wrong with it.
    public static func structured(_ json: [UInt8]) throws(Problem) -> CloudEvent {
        try Self.event(try Self.parsed(json[...]))
    }

    /// Reads a list of events in the JSON format, each by itself; an empty list is allowed.
    ///
    /// - Throws: What is wrong with the list.
    public static func batch(
        _ json: [UInt8], countMaximum: Int = 10_000
    ) throws(Problem) -> [(range: Range<Int>, event: Result<CloudEvent, Problem>)] {
        let ranges: [Range<Int>]
        do {
            ranges = try JSON.elements(of: json[...])
        } catch {
            throw Problem(reason: "The content is no JSON array: \(error).")
        }
        guard ranges.count <= countMaximum else {
            throw Problem(reason: "The batch has \(ranges.count) events; \(countMaximum) are allowed.")
        }
        return ranges.map { range in
            (range, Result { () throws(Problem) in try Self.event(try Self.parsed(json[range])) })
        }
    }

    /// The event in the JSON format.
    public var json: [UInt8] {
        var bytes: [UInt8] = []
        JSON.write(self.value, into: &bytes)
        return bytes
    }
}

// MARK: - Reading

extension CloudEvent {
    static func mediaTypeName(_ contentType: String) -> String {
        contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
    }

    private static func parsed(_ json: ArraySlice<UInt8>) throws(Problem) -> ValueContext {
        let value: Value
        do { value = try JSON.parse(json) } catch { throw Problem(reason: "The event is no JSON: \(error).") }
        guard let members = value.asContext else {
            throw Problem(reason: "The event is a \(value.typeName), not a JSON object.")
        }
        return members
    }

    private static func event(_ members: ValueContext) throws(Problem) -> CloudEvent {
        try Self.checkVersion(members["specversion"])
        let contentType = try Self.text("datacontenttype", members)
        var extensions = ValueContext()
        for (name, value) in members
        where !Self.coreAttributes.contains(name) && name != "data" && name != "data_base64" && !value.isNull {
            extensions[name] = value
        }
        return try CloudEvent(
            id: try Self.required("id", members), source: try Self.required("source", members),
            type: try Self.required("type", members), subject: try Self.text("subject", members),
            time: try Self.text("time", members), dataContentType: contentType,
            dataSchema: try Self.text("dataschema", members), extensions: extensions,
            data: try Self.data(members, contentType: contentType))
    }

    private static func data(_ members: ValueContext, contentType: String?) throws(Problem) -> Data {
        if let encoded = members["data_base64"], !encoded.isNull {
            guard members["data"] == nil else {
                throw Problem(reason: "The event has both data and data_base64.")
            }
            guard let bytes = encoded.asString.flatMap({ Base64.decode($0) }) else {
                throw Problem(attribute: "data_base64", reason: "data_base64 is no base64.")
            }
            guard Self.isJSON(contentType) else { return .bytes(bytes) }
            return try Self.data(bytes, contentType: contentType)
        }
        guard let data = members["data"] else { return .none }
        if Self.isJSON(contentType) { return .value(data) }
        guard let text = data.asString else { return .value(data) }
        return .text(text)
    }

    /// Without a media type, data is JSON (JSON event format, clause 3.1).
    private static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return true }
        let name = Self.mediaTypeName(contentType)
        return name.hasSuffix("/json") || name.hasSuffix("+json")
    }

    private static func data(_ content: [UInt8], contentType: String?) throws(Problem) -> Data {
        if content.isEmpty { return .none }
        guard let contentType else { return .bytes(content) }
        if Self.isJSON(contentType) {
            do { return .value(try JSON.parse(content)) } catch {
                throw Problem(reason: "The data is said to be \(contentType.prefix(60)), but it is no JSON: \(error).")
            }
        }
        let name = Self.mediaTypeName(contentType)
        if name.hasPrefix("text/") || name == "application/xml" || name.hasSuffix("+xml") {
            guard let text = String(validating: content, as: UTF8.self) else {
                throw Problem(reason: "The data is said to be \(name), but it is not valid UTF-8.")
            }
            return .text(text)
        }
        return .bytes(content)
    }

    private static func checkVersion(_ version: Value?) throws(Problem) {
        guard let version else { throw Problem(attribute: "specversion", reason: "specversion is missing.") }
        guard version.asString == Self.specificationVersion else {
            throw Problem(
                attribute: "specversion",
                reason: "specversion is not \"\(Self.specificationVersion)\", the one version that is read.")
        }
    }

    private static func required(_ name: String, _ members: ValueContext) throws(Problem) -> String {
        guard let text = try Self.text(name, members) else {
            throw Problem(attribute: name, reason: "\(name) is missing.")
        }
        return text
    }

    private static func text(_ name: String, _ members: ValueContext) throws(Problem) -> String? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let text = value.asString else {
            throw Problem(attribute: name, reason: "\(name) is a \(value.typeName), not a text.")
        }
        return text
    }
}
