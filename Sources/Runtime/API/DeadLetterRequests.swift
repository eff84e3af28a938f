public import Values

/// What could not be delivered.
public struct NewDeadLetter: Sendable {
    /// What a dead letter is about.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// An event of a trigger.
        case trigger = 0
        /// The call of a job.
        case job = 1
    }

    /// The trigger or connector it came through.
    public var origin: String
    /// Where the source had it, as a JSON object document.
    public var coordinates: [UInt8]
    /// Identifies the event at its source.
    public var dedupeKey: String?
    /// `decode`, `validate`, `filter`, `transform`, `correlate`, `invoke` or `commit`.
    public var stage: String
    /// The error code.
    public var errorCode: String
    /// What happened.
    public var errorMessage: String
    /// The media type of `payload`.
    public var contentType: String
    /// The event as received.
    public var payload: [UInt8]
    /// How often it was replayed before.
    public var redriveCount: Int
    /// What it is about.
    public var kind = Kind.trigger
    /// The connection it came or was to go through.
    public var connection: String?
    /// The job whose call failed.
    public var jobKey: Key?
    /// The dead letter it replaces.
    public var parent: Key?
    /// What it is ordered by.
    public var orderingKey: String?
    /// The schema its payload was to match.
    public var schemaID: String?
    /// Headers as the source gave them: a JSON object document, or empty.
    public var headers: [UInt8] = []
    /// Errors and attempts: a JSON object document, or empty.
    public var report: [UInt8] = []

    /// Creates a dead letter about an event of which nothing else is known.
    public init(
        origin: String, coordinates: [UInt8], dedupeKey: String?, stage: String, errorCode: String,
        errorMessage: String, contentType: String, payload: [UInt8], redriveCount: Int = 0
    ) {
        self.origin = origin
        self.coordinates = coordinates
        self.dedupeKey = dedupeKey
        self.stage = stage
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.contentType = contentType
        self.payload = payload
        self.redriveCount = redriveCount
    }
}

/// What is done to a dead letter that has not ended.
public struct DeadLetterUpdate: Sendable, Hashable {
    /// What is done.
    public enum Action: String, Sendable, CaseIterable {
        /// It waits for a person again.
        case park
        /// It is to be replayed.
        case queue
        /// Its replay begins.
        case replay
        /// Its payload is corrected; its state stays.
        case edit
    }

    /// What is done.
    public var action: Action
    /// The corrected payload; nil keeps.
    public var payload: [UInt8]?
    /// How often it was replayed, this time included; nil keeps.
    public var redriveCount: Int?
    /// A new report; nil keeps.
    public var report: [UInt8]?
    /// What the audit trail says about it.
    public var detail: String?

    /// Creates an update that keeps everything but the state.
    public init(_ action: Action, detail: String? = nil) {
        self.action = action
        self.detail = detail
    }
}

/// How a dead letter ended.
public enum DeadLetterOutcome: UInt8, Sendable {
    /// What it is about was delivered, or is not to be delivered any more.
    case resolved = 1
    /// Nothing is to be done about it.
    case discarded = 2
}
