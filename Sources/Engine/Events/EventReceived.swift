internal import Values

/// An event as it came from its source, to be kept in the inbox together with what it caused.
///
/// Shared, so that commands without one carry no room for it.
public final class ReceivedEvent: Sendable {
    /// The trigger it came through.
    public let trigger: String
    /// Its id at the source.
    public let eventID: String
    /// What makes it the same event as another one.
    public let dedupeKey: String?
    /// The media type of `payload`.
    public let contentType: String
    /// The event as received.
    public let payload: [UInt8]
    /// Headers as the source gave them: a JSON object document, or empty.
    public let headers: [UInt8]
    /// Where the source had it: a JSON object document, or empty.
    public let coordinates: [UInt8]
    /// When it came, in Unix milliseconds.
    public let receivedAt: Int64
    /// How long it is kept; at least to the end of the day (UTC) on which that time is over.
    public let retainMilliseconds: Int64

    /// Creates a received event.
    public init(
        trigger: String, eventID: String, dedupeKey: String?, contentType: String, payload: [UInt8],
        headers: [UInt8] = [], coordinates: [UInt8] = [], receivedAt: Int64, retainMilliseconds: Int64
    ) {
        self.trigger = trigger
        self.eventID = eventID
        self.dedupeKey = dedupeKey
        self.contentType = contentType
        self.payload = payload
        self.headers = headers
        self.coordinates = coordinates
        self.receivedAt = receivedAt
        self.retainMilliseconds = retainMilliseconds
    }
}

/// An event and what came of it.
public struct EventReceived: Sendable {
    /// The key of the inbox entry.
    public var key: UInt64
    /// What came of it.
    public var effect: EventEffect
    /// The key of the instance, message or signal; 0 for nothing.
    public var effectKey: UInt64
    /// The event.
    public var received: ReceivedEvent

    /// Appends everything but the key.
    func write(into writer: inout ByteWriter) {
        let event = self.received
        writer.u8(self.effect.rawValue)
        writer.fixed64LE(self.effectKey)
        writer.string(event.trigger)
        writer.string(event.eventID)
        writer.optional(event.dedupeKey)
        writer.string(event.contentType)
        writer.bytes(event.payload)
        writer.bytes(event.headers)
        writer.bytes(event.coordinates)
        writer.zigzag(event.receivedAt)
        writer.zigzag(event.retainMilliseconds)
    }

    static func read(key: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) -> EventReceived {
        guard let effect = EventEffect(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
        return EventReceived(
            key: key, effect: effect, effectKey: try reader.fixed64LE(),
            received: ReceivedEvent(
                trigger: try reader.string(), eventID: try reader.string(), dedupeKey: try reader.optionalString(),
                contentType: try reader.string(), payload: try reader.byteArray(), headers: try reader.byteArray(),
                coordinates: try reader.byteArray(), receivedAt: try reader.zigzag(),
                retainMilliseconds: try reader.zigzag()))
    }
}

extension EventReceived: CustomStringConvertible {
    /// What tells it from others.
    public var description: String {
        "EventReceived(\(self.key): \(self.received.trigger) \(self.received.eventID), \(self.effect) \(self.effectKey))"
    }
}

/// A message that goes to whoever waits for it, once, and may start a process.
public struct CorrelationPlan: Sendable, Hashable {
    /// Whether it went to every instance that waited when it came, rather than to one.
    public var isForAll: Bool
    /// The process that is started when nobody takes it; nil when none is.
    public var process: String?
    /// The version of the process; 0 for the newest.
    public var version: Int32
    /// The name of the started instance in the business.
    public var businessID: String?

    func write(into writer: inout ByteWriter) {
        writer.bool(self.isForAll)
        writer.optional(self.process)
        writer.varint(UInt64(self.version))
        writer.optional(self.businessID)
    }

    static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> CorrelationPlan {
        CorrelationPlan(
            isForAll: try reader.bool(), process: try reader.optionalString(), version: try reader.int32(),
            businessID: try reader.optionalString())
    }
}
