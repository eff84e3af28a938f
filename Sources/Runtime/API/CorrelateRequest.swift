public import Engine
public import Values

/// Gives an event to whoever waits for its message, or starts a process (ADR-0028).
public struct CorrelateRequest: Sendable {
    /// What happens when nobody waits.
    public typealias NoMatch = NewCorrelation.NoMatch
    /// What happens when several instances wait.
    public typealias ManyMatches = NewCorrelation.ManyMatches

    /// The message name.
    public var message: String
    /// Which instance it is for; when empty, every start is one of its own.
    public var correlationKey: String
    /// A JSON object document; nil for no variables.
    public var variables: [UInt8]?
    /// Makes repeated calls answer what came of the first one; unique per message and correlation key.
    public var idempotencyKey: String?
    /// How long the idempotency key is remembered.
    public var idempotencyMilliseconds: Int64
    /// Who asks.
    public var actor: String
    /// What happens when nobody waits.
    public var noMatch: NoMatch
    /// What happens when several instances wait.
    public var manyMatches: ManyMatches
    /// The event behind it, kept in the inbox when something comes of it; nil keeps nothing.
    public var received: ReceivedEvent?

    /// Creates a request.
    public init(
        message: String, correlationKey: String, variables: [UInt8]? = nil, idempotencyKey: String? = nil,
        idempotencyMilliseconds: Int64 = 86_400_000, actor: String, noMatch: NoMatch = .refuse,
        manyMatches: ManyMatches = .refuse, received: ReceivedEvent? = nil
    ) {
        self.message = message
        self.correlationKey = correlationKey
        self.variables = variables
        self.idempotencyKey = idempotencyKey
        self.idempotencyMilliseconds = idempotencyMilliseconds
        self.actor = actor
        self.noMatch = noMatch
        self.manyMatches = manyMatches
        self.received = received
    }
}

/// What came of an event.
public struct CorrelationResult: Sendable, Hashable {
    /// What came of it.
    public enum Outcome: Sendable, Hashable {
        /// Its message is on its way to whoever waited; `key` is the message.
        case correlated
        /// It started this process instance.
        case started(Key)
        /// Its message waits; `key` is the message.
        case buffered
        /// Nothing, as asked for; `key` is 0.
        case nothing
        /// Nothing, because nobody waits; `key` is 0.
        case refusedNoMatch
        /// Nothing, because several instances wait; `key` is 0.
        case refusedManyMatches
    }

    /// What came of it.
    public var outcome: Outcome
    /// The message or the process instance; 0 when neither came to be.
    public var key: Key
    /// The idempotency key was known: this is what came of the first call.
    public var alreadyExisted: Bool

    /// Creates a result.
    public init(outcome: Outcome, key: Key, alreadyExisted: Bool) {
        self.outcome = outcome
        self.key = key
        self.alreadyExisted = alreadyExisted
    }
}
