/// Conditions on jobs that have not ended.
public struct JobFilter: RecordFilter {
    /// What jobs can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case jobKey
        case type
        case state
        case retries
        case worker
        case deadline
        case errorMessage
        case elementId
        case elementInstanceKey
        case processDefinitionId
        case processDefinitionKey
        case processInstanceKey
        case creationTime
        case hasFailedWithRetriesLeft
    }

    /// The job's key.
    public var key: [Comparison<UInt64>] = []
    /// Which definitions.
    public var definition = ProcessDefinitionCondition()
    /// The instance it belongs to.
    public var instanceKey: [Comparison<UInt64>] = []
    /// The element instance that waits for it.
    public var elementInstanceKey: [Comparison<UInt64>] = []
    /// The id of its element in the model.
    public var elementID: [Comparison<String>] = []
    /// The job type.
    public var type: [Comparison<String>] = []
    /// As in `JobRecord.state`.
    public var state: [Comparison<UInt8>] = []
    /// Retries left.
    public var retries: [Comparison<Int64>] = []
    /// Who works on it.
    public var worker: [Comparison<String>] = []
    /// When its lock ends or its backoff is over; Unix milliseconds.
    public var deadline: [Comparison<Int64>] = []
    /// Why its newest attempt failed.
    public var errorMessage: [Comparison<String>] = []
    /// Unix milliseconds.
    public var createdAt: [Comparison<Int64>] = []
    /// Whether it failed and will be retried.
    public var hasFailedWithRetriesLeft: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on user tasks, ended ones included.
public struct UserTaskFilter: RecordFilter {
    /// What user tasks can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case userTaskKey
        case creationDate
        case completionDate
        case followUpDate
        case dueDate
        case priority
        case name
    }

    /// The task's key.
    public var key: [Comparison<UInt64>] = []
    /// Which definitions.
    public var definition = ProcessDefinitionCondition()
    /// The instance it belongs to.
    public var instanceKey: [Comparison<UInt64>] = []
    /// The element instance that waits for it.
    public var elementInstanceKey: [Comparison<UInt64>] = []
    /// The id of its element in the model.
    public var elementID: [Comparison<String>] = []
    /// Its name.
    public var name: [Comparison<String>] = []
    /// As in `UserTaskRecord.state`.
    public var state: [Comparison<UInt8>] = []
    /// Who does it.
    public var assignee: [Comparison<String>] = []
    /// One of the groups that may do it.
    public var candidateGroup: [Comparison<String>] = []
    /// One of the people who may do it.
    public var candidateUser: [Comparison<String>] = []
    /// Its priority.
    public var priority: [Comparison<Int64>] = []
    /// ISO 8601, compared as text.
    public var dueDate: [Comparison<String>] = []
    /// ISO 8601, compared as text.
    public var followUpDate: [Comparison<String>] = []
    /// Unix milliseconds.
    public var createdAt: [Comparison<Int64>] = []
    /// Unix milliseconds; missing while it is open.
    public var endedAt: [Comparison<Int64>] = []
    /// Variables that its instance must have, in any scope.
    public var instanceVariables: [VariableCondition] = []
    /// Variables that the task's own scope must have.
    public var localVariables: [VariableCondition] = []

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on incidents, resolved ones included.
public struct IncidentFilter: RecordFilter {
    /// What incidents can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case incidentKey
        case processDefinitionKey
        case processDefinitionId
        case processInstanceKey
        case errorType
        case errorMessage
        case elementId
        case elementInstanceKey
        case creationTime
        case state
        case jobKey
    }

    /// The incident's key.
    public var key: [Comparison<UInt64>] = []
    /// Which definitions.
    public var definition = ProcessDefinitionCondition()
    /// The instance that is stuck.
    public var instanceKey: [Comparison<UInt64>] = []
    /// The element instance that is stuck.
    public var elementInstanceKey: [Comparison<UInt64>] = []
    /// The id of its element in the model.
    public var elementID: [Comparison<String>] = []
    /// The job that failed.
    public var jobKey: [Comparison<UInt64>] = []
    /// The error type.
    public var type: [Comparison<String>] = []
    /// What happened.
    public var message: [Comparison<String>] = []
    /// Unix milliseconds.
    public var createdAt: [Comparison<Int64>] = []
    /// Whether it is resolved.
    public var isResolved: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on timers that have not fired.
public struct TimerFilter: RecordFilter {
    /// What timers can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case timerKey
        case dueDate
        case elementId
        case processInstanceKey
        case processDefinitionKey
    }

    /// The timer's key.
    public var key: [Comparison<UInt64>] = []
    /// Which definitions.
    public var definition = ProcessDefinitionCondition()
    /// The instance that waits for it; missing for timers that start instances.
    public var instanceKey: [Comparison<UInt64>] = []
    /// The id of its element in the model.
    public var elementID: [Comparison<String>] = []
    /// Unix milliseconds.
    public var dueAt: [Comparison<Int64>] = []

    /// Creates a filter that matches everything.
    public init() {}
}
