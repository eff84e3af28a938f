import ConnectorKit
import Values

/// The records of one object, one portion after the other.
struct ObjectRecords: Sendable {
    private var decoder: RecordDecoder?
    private var ready: [SourceEvent] = []
    private let base: SourceEvent
    private(set) var isAtEnd = false

    /// The records of an object with this content.
    init(_ bytes: [UInt8], response: Value, object: ObjectReference, event: String, decoding: RecordDecoding) {
        let headers = response["headers"]
        let version = headers?["x-amz-version-id"]?.asString.flatMap { $0 == "null" ? nil : $0 } ?? object.version
        let etag = headers?["etag"]?.asString.map { ObjectReference.plain(etag: $0) } ?? object.etag
        self.base = Self.event(
            object, version: version ?? etag ?? "", etag: etag, event: event,
            contentType: headers?["content-type"]?.asString, size: bytes.count)
        self.decoder = RecordDecoder(bytes, name: object.key, decoding: decoding)
    }

    /// One event for an object that was not read.
    init(unreadable reason: String, object: ObjectReference, event: String) {
        self.base = Self.event(
            object, version: object.version ?? object.etag ?? "", etag: object.etag, event: event, contentType: nil,
            size: object.size.map { Int($0) } ?? 0)
        var event = self.base
        event.id += "/1"
        event.body = .undecodable(.init(line: 1, reason: reason))
        self.ready = [event]
    }

    private static func event(
        _ object: ObjectReference, version: String, etag: String?, event: String, contentType: String?, size: Int
    ) -> SourceEvent {
        var coordinates: ValueContext = [
            "event": .string(event), "bucket": .string(object.bucket), "key": .string(object.key),
            "version": .string(version), "size": .number(Number(size)),
        ]
        coordinates["etag"] = etag.map { .string($0) }
        coordinates["sequencer"] = object.sequencer.map { .string($0) }
        coordinates["orderingKey"] = .string(object.key)
        var headers = ValueContext()
        headers["content-type"] = contentType.map { .string($0) }
        return SourceEvent(
            id: "\(object.bucket)/\(object.key)/\(version)", payload: [],
            contentType: contentType ?? "application/octet-stream", coordinates: coordinates, headers: headers,
            occurredAtMilliseconds: object.modified)
    }

    /// The next records, at most `maximum`; fewer at the end.
    mutating func next(_ maximum: Int) -> [SourceEvent] {
        var events = Array(self.ready.prefix(maximum))
        self.ready.removeFirst(events.count)
        while events.count < maximum, let record = self.decoder?.next() {
            var event = self.base
            event.id += "/\(record.line)"
            event.coordinates["line"] = .number(Number(record.line))
            event.body = record.body
            event.payload = self.decoder?.payload(of: record) ?? []
            event.contentType = self.decoder?.contentType ?? event.contentType
            if let columns = self.decoder?.columns, !columns.isEmpty {
                event.headers["columns"] = .list(columns.map { .string($0) })
            }
            events.append(event)
        }
        if events.count < maximum { self.isAtEnd = true }
        return events
    }
}
