import ConnectorKit
public import HubDocuments
public import Values

/// An event somebody makes up, to see what a trigger would do with it.
public struct TriggerEventInput: Sendable {
    /// What it holds.
    public enum Content: Sendable, Hashable {
        /// Bytes, which are decoded as the trigger says.
        case bytes([UInt8])
        /// The record as it is after decoding.
        case record(Value)
    }

    /// What it holds.
    public var content: Content
    /// Media type of the bytes; nil for what the trigger's source would say.
    public var contentType: String?
    /// Name of the file the bytes are in, for sources that read files; nil for one of the trigger's format.
    public var fileName: String?
    /// Header fields that come with it.
    public var headers = ValueContext()
    /// Where it stands at the remote.
    public var coordinates = ValueContext()
    /// When it happened, in Unix milliseconds; nil when nobody says.
    public var occurredAtMilliseconds: Int64?
    /// Names it at its source.
    public var id = "test-event"

    /// Creates an event.
    public init(_ content: Content) {
        self.content = content
    }

    /// Reads the members `payload` or `payloadBase64`, `contentType`, `fileName`, `headers`, `coordinates`, `time`, `id`.
    ///
    /// Throws `HubError` (`HB652`) for what is no event.
    public init(_ fields: ValueContext) throws(HubError) {
        let text = fields["payload"]?.asString
        let encoded = fields["payloadBase64"]?.asString
        switch (text, encoded) {
        case (let text?, nil): self.init(.bytes(Array(text.utf8)))
        case (nil, let encoded?):
            guard let bytes = Base64.decode(encoded) else { throw Self.invalid("payloadBase64 is no base64.") }
            self.init(.bytes(bytes))
        default:
            let found = text == nil ? "neither" : "both"
            throw Self.invalid("Expected payload or payloadBase64 but found \(found).")
        }
        self.contentType = fields["contentType"]?.asString
        self.fileName = fields["fileName"]?.asString
        self.headers = fields["headers"]?.asContext ?? self.headers
        self.coordinates = fields["coordinates"]?.asContext ?? self.coordinates
        if let time = fields["time"]?.asString {
            guard let milliseconds = Timestamp.milliseconds(time) else {
                throw Self.invalid("Expected time to be a date and time such as 2026-01-31T12:00:00Z.")
            }
            self.occurredAtMilliseconds = milliseconds
        }
        self.id = fields["id"]?.asString ?? self.id
    }

    private static func invalid(_ message: String) -> HubError {
        HubError(.invalidTriggerEvent, message, remedy: "Correct the event, and send it again.")
    }

    /// The events the source of `trigger` would make of it: one for a message, one a record for a file.
    func events(for trigger: TriggerDeclaration) -> [SourceEvent] {
        let decoding = trigger.decoding
        switch self.content {
        case .record(let value):
            let bytes = Array(JSON.string(value).utf8)
            return [decoding.opened(self.event(bytes, self.contentType ?? "application/json", .value(value)))]
        case .bytes(let bytes) where trigger.source.type == .file:
            return self.fileEvents(bytes, decoding)
        case .bytes(let bytes):
            let (type, body) = decoding.message(
                bytes, contentType: self.contentType ?? Self.contentType(of: trigger.source), headers: self.headers)
            return [decoding.opened(self.event(bytes, type, body))]
        }
    }

    private func event(_ payload: [UInt8], _ contentType: String, _ body: SourceEvent.Body) -> SourceEvent {
        SourceEvent(
            id: self.id, payload: payload, contentType: contentType, body: body, coordinates: self.coordinates,
            headers: self.headers, occurredAtMilliseconds: self.occurredAtMilliseconds)
    }

    private func fileEvents(_ bytes: [UInt8], _ decoding: RecordDecoding) -> [SourceEvent] {
        let name = self.coordinates["file"]?.asString ?? self.fileName ?? self.standardName(decoding.format)
        var decoder = RecordDecoder(bytes, name: name, decoding: decoding)
        var events: [SourceEvent] = []
        while let record = decoder.next() {
            var event = self.event(decoder.payload(of: record), decoder.contentType, record.body)
            event.id = "\(self.id)#\(events.count + 1)"
            for (key, value) in decoder.headers { event.headers[key] = value }
            if event.coordinates["file"] == nil { event.coordinates["file"] = .string(name) }
            event.coordinates["line"] = .number(Number(Int64(record.line)))
            event.coordinates["record"] = .number(Number(Int64(events.count + 1)))
            events.append(decoding.opened(event))
        }
        return events
    }

    /// A name whose ending says the format, where the trigger's decoding goes by names.
    private func standardName(_ format: RecordDecoding.Format) -> String {
        guard format == .auto else { return "event" }
        let ending =
            switch self.contentType?.prefix(while: { $0 != ";" }) {
            case "text/csv": "csv"
            case "application/xml", "text/xml": "xml"
            case "text/plain": "txt"
            case "application/avro": "avro"
            case "application/x-ndjson": "ndjson"
            default: "json"
            }
        return "event." + ending
    }

    /// What sources say of messages that say nothing of themselves.
    private static func contentType(of source: SourceDeclaration) -> String? {
        guard source.type == .kafka else { return source.type.isOwn ? "application/json" : nil }
        var format: String?
        switch source.parameters {
        case .literal(let value): format = value["value"]?.asString
        case .context(let parts):
            if case .literal(let value)? = parts.first(where: { $0.key == "value" })?.value { format = value.asString }
        default: break
        }
        return switch format {
        case "text": "text/plain; charset=utf-8"
        case "base64": "application/octet-stream"
        case "avro": "application/avro"
        default: "application/json"
        }
    }
}

extension HubCode {
    /// An event made up for a dry run is none.
    public static let invalidTriggerEvent = HubCode(rawValue: "HB652")
}
