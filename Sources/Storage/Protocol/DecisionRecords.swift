/// A deployed version of a decision model.
public struct DecisionRequirementsRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The id of the document's definitions.
    public var requirementsID: String
    /// Its version, counted from 1 per id.
    public var version: Int
    /// The name of the definitions.
    public var name: String
    /// The file it was deployed from.
    public var resourceName: String
    /// The deployment it came with.
    public var deploymentKey: UInt64
    /// The document as deployed.
    public var resource: [UInt8]
    /// Unix milliseconds.
    public var deployedAt: Int64

    /// Creates a record.
    public init(
        key: UInt64, requirementsID: String, version: Int, name: String, resourceName: String, deploymentKey: UInt64,
        resource: [UInt8], deployedAt: Int64
    ) {
        self.key = key
        self.requirementsID = requirementsID
        self.version = version
        self.name = name
        self.resourceName = resourceName
        self.deploymentKey = deploymentKey
        self.resource = resource
        self.deployedAt = deployedAt
    }
}

/// What a decision is; raw values are stored.
public enum DecisionType: UInt8, Sendable, CaseIterable {
    /// None of the others, such as a context or an invocation.
    case other = 0
    /// A decision table.
    case decisionTable = 1
    /// A literal expression.
    case literalExpression = 2
}

/// A version of a decision.
public struct DecisionDefinitionRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The id in the document.
    public var decisionID: String
    /// Its version, counted from 1 per decision id.
    public var version: Int
    /// The name in the document.
    public var name: String
    /// The version tag.
    public var versionTag: String?
    /// What it is.
    public var type: DecisionType
    /// The model it belongs to.
    public var requirementsKey: UInt64
    /// The id of that model.
    public var requirementsID: String
    /// The version of that model.
    public var requirementsVersion: Int
    /// The name of that model.
    public var requirementsName: String

    /// Creates a record.
    public init(
        key: UInt64, decisionID: String, version: Int, name: String, versionTag: String?, type: DecisionType,
        requirementsKey: UInt64, requirementsID: String, requirementsVersion: Int, requirementsName: String
    ) {
        self.key = key
        self.decisionID = decisionID
        self.version = version
        self.name = name
        self.versionTag = versionTag
        self.type = type
        self.requirementsKey = requirementsKey
        self.requirementsID = requirementsID
        self.requirementsVersion = requirementsVersion
        self.requirementsName = requirementsName
    }
}

/// One decision of an evaluation.
public struct DecisionInstanceRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The evaluation it is part of.
    public var evaluationKey: UInt64
    /// The version of the decision.
    public var decisionKey: UInt64
    /// The version of the decision that was asked for.
    public var rootDecisionKey: UInt64
    /// The process instance that asked; nil for an evaluation without a process.
    public var instanceKey: UInt64?
    /// The element instance that asked.
    public var elementInstanceKey: UInt64?
    /// The definition of that process instance.
    public var definitionKey: UInt64?
    /// Unix milliseconds.
    public var evaluatedAt: Int64
    /// Why it failed; nil when it did not.
    public var failure: String?
    /// The result as JSON.
    public var output: [UInt8]
    /// Inputs and matched rules, encoded by the engine (`DecisionTrace`).
    public var trace: [UInt8]

    /// Creates a record.
    public init(
        key: UInt64, evaluationKey: UInt64, decisionKey: UInt64, rootDecisionKey: UInt64, instanceKey: UInt64?,
        elementInstanceKey: UInt64?, definitionKey: UInt64?, evaluatedAt: Int64, failure: String?, output: [UInt8],
        trace: [UInt8]
    ) {
        self.key = key
        self.evaluationKey = evaluationKey
        self.decisionKey = decisionKey
        self.rootDecisionKey = rootDecisionKey
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definitionKey = definitionKey
        self.evaluatedAt = evaluatedAt
        self.failure = failure
        self.output = output
        self.trace = trace
    }
}

/// An evaluated decision with the version of the decision it was.
public struct WithDecision: Sendable {
    /// The evaluated decision.
    public var record: DecisionInstanceRecord
    /// Its decision; nil when that is not projected yet.
    public var decision: DecisionDefinitionRecord?

    /// Creates a pair.
    public init(_ record: DecisionInstanceRecord, decision: DecisionDefinitionRecord?) {
        self.record = record
        self.decision = decision
    }
}
