/// Conditions on versions of decision models.
public struct DecisionRequirementsFilter: RecordFilter {
    /// What they can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case decisionRequirementsKey
        case decisionRequirementsId
        case decisionRequirementsName
        case version
    }

    /// The key.
    public var key: [Comparison<UInt64>] = []
    /// The id of the definitions.
    public var requirementsID: [Comparison<String>] = []
    /// The name of the definitions.
    public var name: [Comparison<String>] = []
    /// The version.
    public var version: [Comparison<Int64>] = []
    /// The name of the file it was deployed from.
    public var resourceName: [Comparison<String>] = []

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on versions of decisions.
public struct DecisionDefinitionFilter: RecordFilter {
    /// What they can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case decisionDefinitionKey
        case decisionDefinitionId
        case name
        case version
        case decisionRequirementsKey
        case decisionRequirementsId
        case decisionRequirementsName
        case decisionRequirementsVersion
    }

    /// The key.
    public var key: [Comparison<UInt64>] = []
    /// The decision id.
    public var decisionID: [Comparison<String>] = []
    /// The name.
    public var name: [Comparison<String>] = []
    /// The version.
    public var version: [Comparison<Int64>] = []
    /// The model it belongs to.
    public var requirementsKey: [Comparison<UInt64>] = []
    /// The id of that model.
    public var requirementsID: [Comparison<String>] = []
    /// The name of that model.
    public var requirementsName: [Comparison<String>] = []
    /// The version of that model.
    public var requirementsVersion: [Comparison<Int64>] = []
    /// Whether it is the newest version of its decision.
    public var isLatest: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}

/// Conditions on evaluated decisions.
public struct DecisionInstanceFilter: RecordFilter {
    /// What they can be sorted by.
    public enum SortField: String, CaseIterable, Sendable {
        case decisionEvaluationInstanceKey
        case decisionEvaluationKey
        case decisionDefinitionId
        case decisionDefinitionKey
        case decisionDefinitionName
        case decisionDefinitionType
        case decisionDefinitionVersion
        case elementInstanceKey
        case evaluationDate
        case evaluationFailure
        case processDefinitionKey
        case processInstanceKey
        case rootDecisionDefinitionKey
        case state
    }

    /// Its key.
    public var key: [Comparison<UInt64>] = []
    /// The evaluation it is part of.
    public var evaluationKey: [Comparison<UInt64>] = []
    /// The version of the decision.
    public var decisionKey: [Comparison<UInt64>] = []
    /// The decision id.
    public var decisionID: [Comparison<String>] = []
    /// The name of the decision.
    public var decisionName: [Comparison<String>] = []
    /// The version number of the decision.
    public var decisionVersion: [Comparison<Int64>] = []
    /// What the decision is, as in `DecisionType`.
    public var decisionType: [Comparison<UInt8>] = []
    /// The version of the decision that was asked for.
    public var rootDecisionKey: [Comparison<UInt64>] = []
    /// The process instance that asked.
    public var instanceKey: [Comparison<UInt64>] = []
    /// The element instance that asked.
    public var elementInstanceKey: [Comparison<UInt64>] = []
    /// The definition of the process instance that asked.
    public var definition = ProcessDefinitionCondition()
    /// Unix milliseconds.
    public var evaluatedAt: [Comparison<Int64>] = []
    /// Why it failed.
    public var failure: [Comparison<String>] = []
    /// Whether it failed.
    public var hasFailed: Bool?

    /// Creates a filter that matches everything.
    public init() {}
}
