public import Decisions

/// What an event waits for or throws (BPMN 2.0.2 clause 8.4.13 and 10.5.5).
public enum EventDefinition: Sendable {
    /// Nothing: start and end points.
    case none
    /// A point in time or a repetition.
    case timer(TimerDefinition)
    /// A message by name and correlation key.
    case message(MessageDefinition)
    /// An error with this code; nil catches every code.
    case error(code: String?)
    /// Ends the enclosing scope at once.
    case terminate
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
    /// Evaluated when the wait begins; nil for a message start event.
    public let correlationKey: Expression?

    /// Creates a message definition.
    public init(name: ExpressionOrLiteral, correlationKey: Expression?) {
        self.name = name
        self.correlationKey = correlationKey
    }
}
