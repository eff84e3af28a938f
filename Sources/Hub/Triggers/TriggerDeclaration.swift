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
    /// What is started.
    public var target: StartTarget
    /// How many records are worked on at once.
    public var concurrencyMax: Int
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

/// Where a trigger's events come from.
public struct SourceDeclaration: Sendable {
    /// The source types this version reads.
    public enum Kind: String, Sendable, CaseIterable {
        case file, kafka

        /// The connector that serves the source, and the event it calls it.
        var connector: (id: String, event: String) {
            switch self {
            case .file: ("files", "file")
            case .kafka: ("kafka", "record")
            }
        }
    }

    /// The type.
    public var kind: Kind
    /// The connection it uses.
    public var connection: String
    /// The type's own parameters; expressions see the connection's parameters as `connection`.
    public var parameters: ValueTemplate
    /// Where the parameters stand in the trigger's file.
    public var position: DocumentPosition
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

/// The process an event starts.
public struct StartTarget: Sendable {
    /// The process id.
    public var workflow: String
    /// The version; nil is the newest.
    public var version: Int?
    /// Names the instance in the business.
    public var businessKey: Expression?
}
