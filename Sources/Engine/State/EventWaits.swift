/// A timer of an element instance: of a catch event itself, or of a boundary event attached to an activity.
struct TimerState {
    var key: UInt64
    /// The element instance that waits.
    var ordinal: UInt32
    /// The event node: the catch event, or the boundary event.
    var node: Int32
    /// Unix milliseconds.
    var dueAt: Int64
    /// How often it fires after this time; −1 without end.
    var repetitions: Int32
    /// The ISO 8601 duration between repetitions.
    var interval: String?
}

/// A message subscription of an element instance; its counterpart lives in the partition of the message.
struct SubscriptionState {
    var key: UInt64
    /// The element instance that waits.
    var ordinal: UInt32
    /// The event node: the catch event, receive task or boundary event.
    var node: Int32
    var name: String
    var correlationKey: String
}

/// A signal an element instance waits for; its partition finds it by name.
struct SignalState {
    var key: UInt64
    /// The element instance that waits.
    var ordinal: UInt32
    /// The event node.
    var node: Int32
    var name: String
}

/// A condition an element instance waits for.
///
/// It occurs when it becomes true: `holds` is what it was last.
struct ConditionState {
    var key: UInt64
    /// The element instance that waits.
    var ordinal: UInt32
    /// The event node.
    var node: Int32
    var holds: Bool
}

/// Tokens of one sequence flow that wait at a join.
struct JoinArrival {
    /// The scope the join is in.
    var scope: UInt32
    var flow: Int32
    var count: Int32
}
