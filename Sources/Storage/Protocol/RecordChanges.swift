/// What changed of rows that an earlier batch wrote. Only what is not nil changes; a row that is not there stays absent.

/// A change of a job.
public struct JobChange: Sendable {
    /// The job.
    public var key: UInt64
    /// As in `JobRecord.state`; nil keeps.
    public var state: UInt8?
    /// Attempts left.
    public var retries: Int?
    /// The external worker that has it; nil clears it with a new state.
    public var worker: String?
    /// Unix milliseconds; nil clears it with a new state.
    public var deadline: Int64?
    /// The newest failure; nil keeps.
    public var errorMessage: String?

    /// Creates a change.
    public init(
        key: UInt64, state: UInt8?, retries: Int? = nil, worker: String? = nil, deadline: Int64? = nil,
        errorMessage: String? = nil
    ) {
        self.key = key
        self.state = state
        self.retries = retries
        self.worker = worker
        self.deadline = deadline
        self.errorMessage = errorMessage
    }
}

/// A change of a user task.
public struct UserTaskChange: Sendable {
    /// The task.
    public var key: UInt64
    /// As in `UserTaskRecord.state`; nil keeps.
    public var state: UInt8?
    /// The new assignee: nil keeps, an inner nil clears.
    public var assignee: String??
    /// When it ended; nil keeps.
    public var endedAt: Int64?

    /// Creates a change.
    public init(key: UInt64, state: UInt8? = nil, assignee: String?? = nil, endedAt: Int64? = nil) {
        self.key = key
        self.state = state
        self.assignee = assignee
        self.endedAt = endedAt
    }
}

/// The end of an incident.
public struct IncidentChange: Sendable {
    /// The incident.
    public var key: UInt64
    /// When it was resolved, or its element ended.
    public var resolvedAt: Int64

    /// Creates a change.
    public init(key: UInt64, resolvedAt: Int64) {
        self.key = key
        self.resolvedAt = resolvedAt
    }
}

/// A change of a message.
public struct MessageChange: Sendable {
    /// The message.
    public var key: UInt64
    /// As in `MessageRecord.state`.
    ///
    /// A correlated message stays correlated when its time is over.
    public var state: UInt8
    /// The newest instance it reached; nil keeps.
    public var instanceKey: UInt64?

    /// Creates a change.
    public init(key: UInt64, state: UInt8, instanceKey: UInt64? = nil) {
        self.key = key
        self.state = state
        self.instanceKey = instanceKey
    }
}

/// A new due time of a timer.
public struct TimerChange: Sendable {
    /// The timer.
    public var key: UInt64
    /// Unix milliseconds.
    public var dueAt: Int64

    /// Creates a change.
    public init(key: UInt64, dueAt: Int64) {
        self.key = key
        self.dueAt = dueAt
    }
}
