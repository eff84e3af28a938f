public import Decisions

/// What an event waits for or throws (BPMN 2.0.2 clause 8.4.13 and 10.5.5).
public enum EventDefinition: Sendable {
    /// Nothing: start and end points.
    case none
    /// A point in time or a repetition.
    case timer(TimerDefinition)
    /// A message by name and correlation key.
    case message(MessageDefinition)
    /// A signal, which reaches every catcher of its name.
    case signal(SignalDefinition)
    /// An error with this code; nil catches every code.
    case error(code: String?)
    /// An escalation with this code; nil catches every code.
    case escalation(code: String?)
    /// A condition that becomes true.
    case conditional(Expression)
    /// Goes on at the catch event of the same name; a flow of the graph leads there.
    case link(name: String)
    /// Undoes completed activities.
    case compensation(CompensationDefinition)
    /// Cancels the enclosing transaction.
    case cancel
    /// Ends the enclosing scope at once.
    case terminate
    /// Several definitions, each a trigger node of the event (`FlowNode.triggers`).
    ///
    /// Catching, one of them is enough, or all are needed when `isParallel`; throwing, all are thrown.
    case multiple(isParallel: Bool)
}

/// When a timer fires (BPMN 2.0.2 clause 10.5.5.11).
public enum TimerDefinition: Sendable {
    /// At an ISO 8601 date-time.
    case date(ExpressionOrLiteral)
    /// After an ISO 8601 duration.
    case duration(ExpressionOrLiteral)
    /// By an ISO 8601 repeating interval (`R3/PT10M`).
    case cycle(ExpressionOrLiteral)
}

/// A message by name, and the value by which an instance recognises its own.
public struct MessageDefinition: Sendable {
    /// The message name.
    public let name: ExpressionOrLiteral
    /// Evaluated when the wait begins or the message is thrown; nil means the empty key.
    public let correlationKey: Expression?
    /// Makes a thrown message unique per name and correlation key while it is buffered.
    public let messageID: ExpressionOrLiteral?
    /// How long a thrown message waits for its catcher (ISO 8601 duration); nil means `PT1H`.
    public let timeToLive: ExpressionOrLiteral?

    /// Creates a message definition.
    public init(
        name: ExpressionOrLiteral, correlationKey: Expression?, messageID: ExpressionOrLiteral? = nil,
        timeToLive: ExpressionOrLiteral? = nil
    ) {
        self.name = name
        self.correlationKey = correlationKey
        self.messageID = messageID
        self.timeToLive = timeToLive
    }
}

/// A signal by name.
public struct SignalDefinition: Sendable {
    /// The signal name; a literal for start events.
    public let name: ExpressionOrLiteral

    /// Creates a signal definition.
    public init(name: ExpressionOrLiteral) {
        self.name = name
    }
}

/// What a compensation event undoes (BPMN 2.0.2 clause 10.7 and 13.5.5).
public struct CompensationDefinition: Sendable {
    /// The index of the activity to compensate; nil means every completed activity of the scope.
    public let activity: Int?
    /// Whether the thrower goes on only when all handlers are done.
    public let waitsForCompletion: Bool

    /// Creates a compensation definition.
    public init(activity: Int?, waitsForCompletion: Bool) {
        self.activity = activity
        self.waitsForCompletion = waitsForCompletion
    }
}
