/// An event for whoever waits for it, decided in one commit (ADR-0028).
public struct NewCorrelation: Sendable {
    /// What happens when nobody waits.
    public enum NoMatch: Sendable, Hashable {
        /// An instance of this process is started; of the newest version when none is named.
        ///
        /// While one runs that was started so for the same correlation key, the message waits for it instead, at most
        /// for the buffer time.
        case start(process: String, version: Int?, businessID: String?, bufferMilliseconds: Int64 = 3_600_000)
        /// The message waits.
        case buffer(milliseconds: Int64)
        /// Nothing happens, and the caller hears of it: a repeated call decides anew.
        case refuse
        /// Nothing happens, and that is what became of the event.
        case ignore
    }

    /// What happens when several instances wait.
    public enum ManyMatches: Sendable, Hashable {
        /// Nothing, and the caller hears of it: a repeated call decides anew.
        case refuse
        /// Each of them gets the message.
        case all
        /// The one that has waited longest gets it.
        case first
    }

    /// The message name.
    public var message: String
    /// Which instance it is for; when empty, every start is one of its own.
    public var correlationKey: String
    /// Handed to the instance.
    public var variables: VariableDocument
    /// Makes a repeated command answer what came of the first one; unique with message and correlation key.
    public var uniqueKey: String?
    /// How long `uniqueKey` is remembered.
    public var uniqueMilliseconds: Int64
    /// What happens when nobody waits.
    public var noMatch: NoMatch
    /// What happens when several instances wait.
    public var manyMatches: ManyMatches
    /// The event behind it, to be kept in the inbox.
    public var received: ReceivedEvent?

    /// Creates a correlation.
    public init(
        message: String, correlationKey: String, variables: VariableDocument = .empty, uniqueKey: String? = nil,
        uniqueMilliseconds: Int64 = 86_400_000, noMatch: NoMatch = .refuse, manyMatches: ManyMatches = .refuse,
        received: ReceivedEvent? = nil
    ) {
        self.message = message
        self.correlationKey = correlationKey
        self.variables = variables
        self.uniqueKey = uniqueKey
        self.uniqueMilliseconds = uniqueMilliseconds
        self.noMatch = noMatch
        self.manyMatches = manyMatches
        self.received = received
    }
}

/// What came of an event.
public enum EventEffect: UInt8, Sendable, CaseIterable {
    /// Nothing, as the declaration wants it.
    case nothing = 0
    /// A process instance was started.
    case started = 1
    /// A message is on its way to whoever waited for it.
    case correlated = 2
    /// A message waits.
    case buffered = 3
    /// A signal was broadcast.
    case signalled = 4
    /// A message was published.
    case published = 5
}

/// The answer to a correlation.
public enum CorrelationReply: Sendable, Hashable {
    /// What came of it; the key is that of the message or of the instance that was started, 0 for nothing.
    case decided(EventEffect, key: UInt64, alreadyExisted: Bool)
    /// Nobody waits.
    case refusedNoMatch
    /// Several instances wait.
    case refusedManyMatches
}

/// A signal to broadcast.
public struct NewSignal: Sendable {
    /// The name of the signal.
    public var name: String
    /// Handed to everybody who waits for it.
    public var variables: VariableDocument
    /// Makes a repeated command do nothing; unique with the name.
    public var uniqueKey: String?
    /// How long `uniqueKey` is remembered.
    public var uniqueMilliseconds: Int64
    /// The event behind it, to be kept in the inbox.
    public var received: ReceivedEvent?

    /// Creates a signal.
    public init(
        name: String, variables: VariableDocument = .empty, uniqueKey: String? = nil,
        uniqueMilliseconds: Int64 = 86_400_000, received: ReceivedEvent? = nil
    ) {
        self.name = name
        self.variables = variables
        self.uniqueKey = uniqueKey
        self.uniqueMilliseconds = uniqueMilliseconds
        self.received = received
    }
}
