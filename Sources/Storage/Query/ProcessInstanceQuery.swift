/// Conditions on process instances.
public struct ProcessInstanceFilter: RecordFilter {
    /// What process instances can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case processInstanceKey
        case processDefinitionId
        case processDefinitionName
        case processDefinitionVersion
        case processDefinitionVersionTag
        case processDefinitionKey
        case parentProcessInstanceKey
        case parentElementInstanceKey
        case startDate
        case endDate
        case state
        case hasIncident
        case businessId
    }

    /// The instance's key.
    public var key: [Comparison<UInt64>] = []
    /// Which definitions.
    public var definition = ProcessDefinitionCondition()
    /// Where it is in its life.
    public var state: [Comparison<LifecycleState>] = []
    /// Whether it has open incidents.
    public var hasIncident: Bool?
    /// The client's own id of the case.
    public var businessID: [Comparison<String>] = []
    /// Unix milliseconds.
    public var startedAt: [Comparison<Int64>] = []
    /// Unix milliseconds; missing while it is active.
    public var endedAt: [Comparison<Int64>] = []
    /// The instance that called it.
    public var parentInstanceKey: [Comparison<UInt64>] = []
    /// The call activity that called it.
    public var parentElementInstanceKey: [Comparison<UInt64>] = []
    /// Variables it must have, in any of its scopes.
    public var variables: [VariableCondition] = []
    /// The message of one of its open incidents.
    public var errorMessage: [Comparison<String>] = []
    /// Whether it has failed jobs that will be retried.
    public var hasRetriesLeft: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on the definition of whatever is searched.
public struct ProcessDefinitionCondition: Sendable {
    /// The definition's key.
    public var key: [Comparison<UInt64>] = []
    /// The process id of the model.
    public var processID: [Comparison<String>] = []
    /// The name of the process.
    public var name: [Comparison<String>] = []
    /// The version.
    public var version: [Comparison<Int64>] = []
    /// The version tag.
    public var versionTag: [Comparison<String>] = []

    /// Creates a condition that every definition satisfies.
    public init() {}

    /// Whether every definition satisfies it.
    public var isEmpty: Bool {
        self.key.isEmpty && self.processID.isEmpty && self.name.isEmpty && self.version.isEmpty
            && self.versionTag.isEmpty
    }
}

/// Conditions on process definitions.
public struct ProcessDefinitionFilter: RecordFilter {
    /// What process definitions can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case processDefinitionKey
        case processDefinitionId
        case name
        case resourceName
        case version
        case versionTag
    }

    /// Key, process id, name, version and version tag.
    public var definition = ProcessDefinitionCondition()
    /// The name of the file it was deployed from.
    public var resourceName: [Comparison<String>] = []
    /// The deployment it came with.
    public var deploymentKey: [Comparison<UInt64>] = []
    /// Whether it is the newest version of its process.
    public var isLatest: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}
