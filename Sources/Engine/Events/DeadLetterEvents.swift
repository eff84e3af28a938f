import Values

/// A dead letter.
public struct DeadLetterRecorded: Sendable {
    /// The key of the dead letter.
    public var key: UInt64
    /// The trigger or connector it came from.
    public var origin: String
    /// Where in the source it was, in the form of the source.
    public var coordinates: [UInt8]
    /// Makes the same input one dead letter.
    public var dedupeKey: String?
    /// How far it came, such as `decode` or `validate`.
    public var stage: String
    /// The code of the error.
    public var errorCode: String
    /// What happened and what to do.
    public var errorMessage: String
    /// The media type of `payload`.
    public var contentType: String
    /// What could not be delivered, as it was received or as it was corrected.
    public var payload: [UInt8]
    /// How often it was replayed; not negative.
    public var redriveCount: Int32
    /// What else is known about it.
    public var context: DeadLetterContext

    /// Creates a dead letter; `key` is given by the partition.
    public init(
        key: UInt64 = 0, origin: String, coordinates: [UInt8], dedupeKey: String?, stage: String, errorCode: String,
        errorMessage: String, contentType: String, payload: [UInt8], redriveCount: Int32,
        context: DeadLetterContext = DeadLetterContext()
    ) {
        self.key = key
        self.origin = origin
        self.coordinates = coordinates
        self.dedupeKey = dedupeKey
        self.stage = stage
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.contentType = contentType
        self.payload = payload
        self.redriveCount = redriveCount
        self.context = context
    }
}

/// What else is known about a dead letter.
public struct DeadLetterContext: Sendable, Hashable {
    /// 0 an event of a trigger, 1 the call of a job.
    public var kind: UInt8 = 0
    /// 0 parked, 3 queued, 4 replaying; ended ones are not kept.
    public var state: UInt8 = 0
    /// The connection it came or was to go through.
    public var connection: String?
    /// The job whose call failed; 0 for events.
    public var jobKey: UInt64 = 0
    /// The dead letter it replaces; 0 for none.
    public var parentKey: UInt64 = 0
    /// What it is ordered by.
    public var orderingKey: String?
    /// The schema its payload was to match.
    public var schemaID: String?
    /// Headers as the source gave them: a JSON object document, or empty.
    public var headers: [UInt8] = []
    /// Errors and attempts: a JSON object document, or empty.
    public var report: [UInt8] = []
    /// The payload before it was first corrected; nil when it never was.
    public var originalPayload: [UInt8]?

    /// Creates a context of which nothing is known.
    public init() {}
}

/// A change of a dead letter that has not ended.
public struct DeadLetterChanged: Sendable, Hashable {
    /// What was done.
    public enum Action: UInt8, Sendable, CaseIterable {
        /// Put back where it waits for a person.
        case park = 0
        /// Marked to be replayed.
        case queue = 1
        /// A replay began.
        case replay = 2
        /// The payload was corrected.
        case edit = 3
    }

    /// What was done.
    public var action: Action
    /// The new state; nil keeps.
    public var state: UInt8?
    /// The new payload; nil keeps.
    public var payload: [UInt8]?
    /// The new number of replays; nil keeps.
    public var redriveCount: Int32?
    /// The new report; nil keeps.
    public var report: [UInt8]?
    /// What the audit trail says about it.
    public var detail: String?

    /// Creates a change that keeps everything.
    public init(_ action: Action) {
        self.action = action
    }
}

extension DeadLetterRecorded {
    /// The letter after a change.
    func changed(by change: DeadLetterChanged) -> DeadLetterRecorded {
        var letter = self
        if let state = change.state { letter.context.state = state }
        if let payload = change.payload {
            letter.context.originalPayload = letter.context.originalPayload ?? letter.payload
            letter.payload = payload
        }
        if let count = change.redriveCount { letter.redriveCount = count }
        if let report = change.report { letter.context.report = report }
        return letter
    }

    /// Appends everything but the key and the context.
    func write(into writer: inout ByteWriter) {
        writer.string(self.origin)
        writer.bytes(self.coordinates)
        writer.optional(self.dedupeKey)
        writer.string(self.stage)
        writer.string(self.errorCode)
        writer.string(self.errorMessage)
        writer.string(self.contentType)
        writer.bytes(self.payload)
        writer.varint(UInt64(self.redriveCount))
    }

    static func read(key: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) -> DeadLetterRecorded {
        DeadLetterRecorded(
            key: key, origin: try reader.string(), coordinates: try reader.byteArray(),
            dedupeKey: try reader.optionalString(), stage: try reader.string(), errorCode: try reader.string(),
            errorMessage: try reader.string(), contentType: try reader.string(), payload: try reader.byteArray(),
            redriveCount: try reader.int32())
    }
}

extension DeadLetterContext {
    func write(into writer: inout ByteWriter) {
        writer.u8(self.kind)
        writer.u8(self.state)
        writer.optional(self.connection)
        writer.fixed64LE(self.jobKey)
        writer.fixed64LE(self.parentKey)
        writer.optional(self.orderingKey)
        writer.optional(self.schemaID)
        writer.bytes(self.headers)
        writer.bytes(self.report)
        writer.optional(bytes: self.originalPayload)
    }

    static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> DeadLetterContext {
        var context = DeadLetterContext()
        context.kind = try reader.u8()
        context.state = try reader.u8()
        context.connection = try reader.optionalString()
        context.jobKey = try reader.fixed64LE()
        context.parentKey = try reader.fixed64LE()
        context.orderingKey = try reader.optionalString()
        context.schemaID = try reader.optionalString()
        context.headers = try reader.byteArray()
        context.report = try reader.byteArray()
        context.originalPayload = try reader.optionalBytes()
        return context
    }
}

extension DeadLetterChanged {
    func write(into writer: inout ByteWriter) {
        writer.u8(self.action.rawValue)
        writer.u8(self.state ?? .max)
        writer.optional(bytes: self.payload)
        writer.zigzag(Int64(self.redriveCount ?? -1))
        writer.optional(bytes: self.report)
        writer.optional(self.detail)
    }

    static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> DeadLetterChanged {
        guard let action = Action(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
        var change = DeadLetterChanged(action)
        let state = try reader.u8()
        if state != .max { change.state = state }
        change.payload = try reader.optionalBytes()
        let count = try reader.signed32()
        if count >= 0 { change.redriveCount = count }
        change.report = try reader.optionalBytes()
        change.detail = try reader.optionalString()
        return change
    }
}

extension ByteWriter {
    fileprivate mutating func optional(bytes: [UInt8]?) {
        self.bool(bytes != nil)
        if let bytes { self.bytes(bytes) }
    }
}

extension ByteReader {
    fileprivate mutating func optionalBytes() throws(DecodingFailure) -> [UInt8]? {
        try self.bool() ? try self.byteArray() : nil
    }
}
