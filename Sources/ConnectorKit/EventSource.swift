public import Values

/// What a source is made from.
public struct SourceRequest: Sendable {
    /// The event's id.
    public var event: String
    /// Parameters after the event's schema.
    public var parameters: Value
    /// How payloads are cut into records and read.
    public var decoding: RecordDecoding
    /// Keeps the position of a source whose remote keeps none.
    public var memory: any SourceMemory
    /// A range to emit again, in the source's own words; `nil` for what is new.
    ///
    /// A source that replays gives events the ids they had, ends with `SourceInterruption.endOfInput`, and leaves the
    /// remote's positions alone. One that cannot throws `unsupported` when it is armed.
    public var replay: Value?

    /// Creates a request.
    public init(
        event: String, parameters: Value, decoding: RecordDecoding = RecordDecoding(),
        memory: any SourceMemory = VolatileSourceMemory(), replay: Value? = nil
    ) {
        self.event = event
        self.parameters = parameters
        self.decoding = decoding
        self.memory = memory
        self.replay = replay
    }
}

/// A stream of events out of a remote, read in batches and acknowledged batch by batch.
///
/// `connect` → (`read` → `acknowledge` or `reject`)* → `close`. Used by one task at a time; a batch is out until it is
/// acknowledged or rejected, and several may be out. What was not acknowledged comes again after a restart.
public protocol EventSource: Sendable {
    /// Gets ready to read. May be called again after `SourceInterruption.notConnected`.
    func connect() async throws

    /// The next events, at most `maximum`; `nil` when none came within `wait`.
    ///
    /// Throws `SourceInterruption`, or `ConnectorError` for what a person has to see.
    func read(maximum: Int, wait: Duration) async throws -> EventBatch?

    /// Everything in the batch is durable on our side: the remote may forget it. Unknown ids are ignored.
    func acknowledge(_ batch: EventBatch.ID) async throws

    /// The batch is not taken. Unknown ids are ignored.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws

    /// Stops reading and frees everything. What is out stays unacknowledged. May be called twice.
    func close() async

    /// How many things (files, messages) the source knows of that are not acknowledged yet; `nil` when it cannot tell.
    func backlog() async -> Int?
}

extension EventSource {
    /// Unknown.
    public func backlog() async -> Int? { nil }
}

/// What becomes of a rejected batch.
public enum BatchDisposition: Sendable, Hashable {
    /// Comes again, not before `after`.
    case redeliver(after: Duration)
    /// Never comes again: the remote puts it aside where it has a place for such things.
    case setAside
}

/// Why `read` gave nothing, other than silence.
public enum SourceInterruption: Error, Sendable, Hashable {
    /// The connection is gone: call `connect` again, with backoff.
    case notConnected(reason: String)
    /// There is nothing more and there never will be.
    case endOfInput
    /// The remote asks for a pause.
    case backOff(Duration)
}

/// Events read together.
public struct EventBatch: Sendable, Identifiable {
    /// Names the batch towards its source.
    public struct ID: RawRepresentable, Sendable, Hashable {
        /// A number of the source's own.
        public var rawValue: UInt64
        /// Creates an id.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    /// Names the batch towards its source.
    public var id: ID
    /// The events, oldest first; at least one.
    public var events: [SourceEvent]

    /// Creates a batch.
    public init(id: ID, events: [SourceEvent]) {
        self.id = id
        self.events = events
    }
}

/// One event.
public struct SourceEvent: Sendable {
    /// What is known about the content.
    public enum Body: Sendable {
        /// Nobody looked inside yet.
        case undecoded
        /// Read without trouble.
        case value(Value)
        /// Cannot be read. Belongs on the dead-letter list.
        case undecodable(Undecodable)
    }

    /// Why a record cannot be read, and where.
    public struct Undecodable: Error, Sendable, Hashable {
        /// Line of the trouble, from 1.
        public var line: Int
        /// Column, from 1, where known.
        public var column: Int?
        /// What is wrong.
        public var reason: String

        /// Creates a finding.
        public init(line: Int, column: Int? = nil, reason: String) {
            self.line = line
            self.column = column
            self.reason = reason
        }
    }

    /// The same event always has the same id, also after redelivery: a dedupe key of last resort.
    public var id: String
    /// The bytes as they came, for dead letters and replay.
    public var payload: [UInt8]
    /// Media type of `payload`.
    public var contentType: String
    /// What the source made of them.
    public var body: Body
    /// Where it stands at the remote: file and line, topic and offset.
    public var coordinates: ValueContext
    /// Header fields that came with it.
    public var headers: ValueContext
    /// When it happened, in Unix milliseconds, as far as the remote says.
    public var occurredAtMilliseconds: Int64?

    /// Creates an event.
    public init(
        id: String, payload: [UInt8], contentType: String, body: Body = .undecoded,
        coordinates: ValueContext = ValueContext(), headers: ValueContext = ValueContext(),
        occurredAtMilliseconds: Int64? = nil
    ) {
        self.id = id
        self.payload = payload
        self.contentType = contentType
        self.body = body
        self.coordinates = coordinates
        self.headers = headers
        self.occurredAtMilliseconds = occurredAtMilliseconds
    }
}
