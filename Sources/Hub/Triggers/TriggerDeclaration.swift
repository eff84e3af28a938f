public import ConnectorKit
public import Decisions
public import HubDocuments
public import Resilience
import Values

/// One declared trigger: how the events of a source become process instances (`schema: triggers.md`).
///
/// Compiled: every expression and schema is ready to evaluate. Immutable.
public struct TriggerDeclaration: Sendable {
    /// Unique name of the trigger; part of every idempotency key, so renaming it forgets what it has seen.
    public var id: String
    /// Version of the declaration, chosen by its author.
    public var revision: Int
    /// Who looks after it.
    public var owner: String?
    /// Free labels.
    public var labels: [(key: String, value: String)]
    /// Whether it is armed when the hub starts.
    public var isEnabled: Bool
    /// The file it was read from, for messages.
    public var file: String
    /// Changes when the trigger comes to mean something else; not with its owner, labels, revision and tests, nor with
    /// `isEnabled`.
    public var identity: UInt64
    /// Where events come from.
    public var source: SourceDeclaration
    /// How payloads become records.
    public var decoding: RecordDecoding
    /// What happens to a record that cannot be decoded.
    public var decodeErrors: ErrorDisposition
    /// What a record must look like; nil accepts everything.
    public var schema: JSONSchema?
    /// What happens to a record that does not match the schema.
    public var schemaErrors: ErrorDisposition
    /// Which records are of interest; nil: all.
    public var filter: EventFilter?
    /// What happens to a record the filter gives no verdict on.
    public var filterErrors: FilterErrorDisposition
    /// How a repeated event is recognised.
    public var dedupe: DedupeDeclaration
    /// The start variables; nil takes the members of the record.
    public var variables: ValueTemplate?
    /// What an event does.
    public var target: TriggerTarget
    /// Which events follow each other; nil: none.
    public var ordering: OrderingDeclaration?
    /// How many records are worked on at once.
    public var concurrencyMax: Int
    /// How many records of one ordering key are worked on at once; without ordering it has no meaning.
    public var concurrencyPerKey: Int
    /// What happens to an event that finds all places taken.
    public var whenFull: WhenFull
    /// When the source may forget an event.
    public var acknowledgement: AcknowledgementDeclaration
    /// How long events are kept as they came, to be replayed from here; nil: not at all.
    public var inboxRetention: Duration?
    /// How starts that fail in passing are repeated.
    public var retry: RetryPolicy
    /// How long they are repeated at most.
    public var retryElapsedMax: Duration
    /// How often a dead letter may be replayed.
    public var redriveMax: Int
    /// How many records are begun in a period; nil: as many as come.
    public var rate: RateLimiter.Policy?
    /// What the schema is called; nil when it has no name.
    public var schemaID: String?
    /// How fast its queued dead letters are replayed; nil: as fast as the hub's are.
    public var redriveRate: RateLimiter.Policy?
    /// How long its resolved and discarded dead letters are kept; nil: as long as the hub's are.
    public var retention: Duration?
    /// The connections whose open breakers pause the source; nil: those the started process calls.
    ///
    /// The source's own connection always does.
    public var pausedBy: [String]?
    /// When somebody should look at it.
    public var observation: ObservationDeclaration
    /// Events, and what is expected to become of them.
    public var tests: [TriggerTest] = []

    /// How many records are worked on at once unless the declaration says otherwise: enough for the engine to commit them
    /// in groups.
    public static let concurrencyStandard = 256

    /// The values expressions see as `trigger`.
    var context: ValueContext {
        ValueContext([
            ("id", .string(self.id)), ("revision", .number(Number(self.revision))),
            ("owner", self.owner.map { .string($0) } ?? .null),
            ("labels", .context(ValueContext(self.labels.map { ($0.key, .string($0.value)) }))),
        ])
    }
}

/// What happens to a record that is wrong.
public enum ErrorDisposition: String, Sendable, CaseIterable {
    /// It becomes a dead letter.
    case dlq
    /// It is counted and forgotten.
    case drop
}

/// What happens to a record the filter gives no verdict on.
public enum FilterErrorDisposition: String, Sendable, CaseIterable {
    /// It becomes a dead letter.
    case dlq
    /// It is counted and forgotten.
    case drop
    /// It passes.
    case accept
}

/// How a repeated event is recognised.
public struct DedupeDeclaration: Sendable {
    /// Among which events a key is unique.
    public enum Scope: String, Sendable, CaseIterable {
        /// Those of this trigger.
        case trigger
        /// Those of every trigger of this scope that starts the same process.
        case workflow
    }

    /// What happens to an event whose key is known.
    public enum DuplicateDisposition: String, Sendable, CaseIterable {
        /// It is acknowledged and counted.
        case ack
        /// It starts another instance; only the redelivery of one and the same event is recognised.
        case reprocess
    }

    /// Gives the key.
    public var key: Expression
    /// Among which events it is unique.
    public var scope: Scope
    /// How long it is remembered.
    public var timeToLive: Duration
    /// What happens to a duplicate.
    public var onDuplicate: DuplicateDisposition
}

/// Which events follow each other, one after the other.
public struct OrderingDeclaration: Sendable {
    /// What becomes of the later events of a key when one of them is a dead letter.
    public enum OnFailure: String, Sendable, CaseIterable {
        /// They wait behind it on the dead-letter list, and follow it in their order once it is replayed or discarded.
        case parkKey
        /// They go on.
        case skip
        /// Nothing is read until a person has dealt with it.
        case block
    }

    /// Gives the key; an event without one is in no order.
    public var key: Expression
    /// What becomes of the later events of a key when one of them is a dead letter.
    public var onFailure: OnFailure
}

/// What happens to an event that finds all places taken.
public enum WhenFull: String, Sendable, CaseIterable {
    /// The source is not read until there is room.
    case pause
    /// The sender is told to come back; for sources whose senders wait for an answer.
    case reject
}

/// When the source may forget an event.
public struct AcknowledgementDeclaration: Sendable, Hashable {
    /// The moments there are, each later than the one before.
    public enum Moment: String, Sendable, CaseIterable {
        /// It was read: what happens to the hub before it is safe here loses it.
        case received
        /// What it causes is durable.
        case accepted
        /// It reached an instance: one that waited for it, or one it started.
        case correlated
        /// The instance it started has ended.
        case completed
    }

    /// The moment.
    public var moment = Moment.accepted
    /// How long an event may stay unacknowledged, for `completed`.
    public var holdMax: Duration?

    /// Creates the standard: acknowledged once what it causes is durable.
    public init() {}
}

/// When somebody should look at a trigger.
public struct ObservationDeclaration: Sendable, Hashable {
    /// An event that old when it is read makes the trigger `degraded`; nil: any age is fine.
    public var lagAlert: Duration?
    /// So long without progress, with events waiting, makes the trigger `degraded`; nil: any time is fine.
    public var stallAfter: Duration?

    /// Creates one that never alerts.
    public init() {}
}
