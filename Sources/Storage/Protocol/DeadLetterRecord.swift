/// What could not be delivered (resilience.md 2.9).
public struct DeadLetterRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The trigger or connector it came through.
    public var origin: String
    /// Where the source had it: file and line, topic and offset, …; JSON.
    public var coordinates: [UInt8]
    /// What makes it unique at its source.
    public var dedupeKey: String?
    /// `decode`, `validate`, `filter`, `transform`, `correlate`, `invoke`, `commit`.
    public var stage: String
    /// The code of its newest error.
    public var errorCode: String
    /// What its newest error says.
    public var errorMessage: String
    /// The media type of the payload.
    public var contentType: String
    /// The bytes as received, or as they were corrected.
    public var payload: [UInt8]
    /// 0 parked, 1 resolved, 2 discarded, 3 queued, 4 replaying.
    public var state: UInt8
    /// How often it was replayed.
    public var redriveCount: Int
    /// Unix milliseconds.
    public var createdAt: Int64
    /// Unix milliseconds; nil until it is resolved or discarded.
    public var endedAt: Int64?
    /// 0 an event of a trigger, 1 the call of a job.
    public var kind: UInt8 = 0
    /// The connection it came or was to go through.
    public var connection: String?
    /// The job whose call failed.
    public var jobKey: UInt64?
    /// The dead letter it replaces.
    public var parentKey: UInt64?
    /// What it is ordered by.
    public var orderingKey: String?
    /// The schema its payload was to match.
    public var schemaID: String?
    /// Headers as the source gave them: a JSON object document, or empty.
    public var headers: [UInt8] = []
    /// First and last error, history, attempts and the like: a JSON object document, or empty.
    public var report: [UInt8] = []
    /// The bytes as received, when the payload was corrected.
    public var originalPayload: [UInt8]?
    /// When it last changed; Unix milliseconds.
    public var updatedAt: Int64

    /// Creates a record of which nothing else is known.
    public init(
        key: UInt64, origin: String, coordinates: [UInt8], dedupeKey: String?, stage: String, errorCode: String,
        errorMessage: String, contentType: String, payload: [UInt8], state: UInt8, redriveCount: Int,
        createdAt: Int64, endedAt: Int64?
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
        self.state = state
        self.redriveCount = redriveCount
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.updatedAt = endedAt ?? createdAt
    }
}

/// A change of a dead letter of an earlier batch.
public struct DeadLetterChange: Sendable {
    /// The dead letter.
    public var key: UInt64
    /// As in `DeadLetterRecord.state`; nil keeps.
    public var state: UInt8?
    /// When it ended; nil while it has not.
    public var endedAt: Int64?
    /// A corrected payload; nil keeps.
    ///
    /// The first correction keeps what was there as the original.
    public var payload: [UInt8]?
    /// How often it was replayed; nil keeps.
    public var redriveCount: Int?
    /// A new report; nil keeps.
    public var report: [UInt8]?
    /// When it changed; Unix milliseconds.
    public var updatedAt: Int64

    /// Creates the end of a dead letter.
    public init(key: UInt64, state: UInt8, endedAt: Int64) {
        self.key = key
        self.state = state
        self.endedAt = endedAt
        self.updatedAt = endedAt
    }

    /// Creates a change that keeps everything.
    public init(key: UInt64, updatedAt: Int64) {
        self.key = key
        self.updatedAt = updatedAt
    }
}

extension DeadLetterRecord {
    /// Applies a change.
    public mutating func apply(_ change: DeadLetterChange) {
        self.state = change.state ?? self.state
        self.endedAt = change.endedAt ?? self.endedAt
        if let payload = change.payload {
            self.originalPayload = self.originalPayload ?? self.payload
            self.payload = payload
        }
        self.redriveCount = change.redriveCount ?? self.redriveCount
        self.report = change.report ?? self.report
        self.updatedAt = change.updatedAt
    }
}
