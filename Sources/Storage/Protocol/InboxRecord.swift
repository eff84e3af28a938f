/// An event as it came from its source, with what came of it.
public struct InboxRecord: Sendable, Hashable {
    /// Its key.
    public var key: UInt64
    /// The trigger it came through.
    public var trigger: String
    /// Its id at the source.
    public var eventID: String
    /// What makes it the same event as another one.
    public var dedupeKey: String?
    /// Unix milliseconds.
    public var receivedAt: Int64
    /// Until when it is kept at least; Unix milliseconds.
    public var keptUntil: Int64
    /// 0 nothing, 1 a process instance, 2 a message that was taken, 3 a message that waits, 4 a signal.
    public var effect: UInt8
    /// The key of that; nil for nothing.
    public var effectKey: UInt64?
    /// The media type of the payload.
    public var contentType: String
    /// Headers as the source gave them: a JSON object document, or empty.
    public var headers: [UInt8]
    /// Where the source had it: a JSON object document, or empty.
    public var coordinates: [UInt8]
    /// The bytes as received.
    public var payload: [UInt8]

    /// Creates a record.
    public init(
        key: UInt64, trigger: String, eventID: String, dedupeKey: String?, receivedAt: Int64, keptUntil: Int64,
        effect: UInt8, effectKey: UInt64?, contentType: String, headers: [UInt8], coordinates: [UInt8],
        payload: [UInt8]
    ) {
        self.key = key
        self.trigger = trigger
        self.eventID = eventID
        self.dedupeKey = dedupeKey
        self.receivedAt = receivedAt
        self.keptUntil = keptUntil
        self.effect = effect
        self.effectKey = effectKey
        self.contentType = contentType
        self.headers = headers
        self.coordinates = coordinates
        self.payload = payload
    }

    static let dayMilliseconds: Int64 = 86_400_000

    /// The last day it is kept, in days since 1970 (UTC).
    var lastDay: Int64 { Self.day(of: self.keptUntil) }

    /// The day of a moment, in days since 1970 (UTC).
    static func day(of milliseconds: Int64) -> Int64 {
        let days = milliseconds / Self.dayMilliseconds
        return milliseconds % Self.dayMilliseconds < 0 ? days - 1 : days
    }
}
