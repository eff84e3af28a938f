public import Decisions

/// Work for a job worker or a connector.
public struct JobDefinition: Sendable {
    /// The job type; connector calls use `connector:<connector id>`.
    public let type: ExpressionOrLiteral
    /// How many attempts a job starts with; nil means 3.
    public let retries: ExpressionOrLiteral?
    /// Static key-value pairs handed to the worker.
    public let headers: [(key: String, value: String)]
    /// Higher runs first; nil means 0 (`zeebe:priorityDefinition`, `apg:priority`).
    public let priority: ExpressionOrLiteral?
    /// The input of a connector call (`apg:with`): when not nil, the job sees exactly these values instead of the
    /// visible variables.
    public let callInput: [VariableMapping]?
    /// The variable that receives the whole result document (`apg:result`); nil merges the result's members.
    public let resultVariable: String?
    /// Tested in order against `result` on completion; the first that holds throws its BPMN error (`apg:errors`).
    public let errors: [ResultError]

    /// Creates a job definition.
    public init(
        type: ExpressionOrLiteral, retries: ExpressionOrLiteral? = nil, headers: [(key: String, value: String)] = [],
        priority: ExpressionOrLiteral? = nil, callInput: [VariableMapping]? = nil, resultVariable: String? = nil,
        errors: [ResultError] = []
    ) {
        self.type = type
        self.retries = retries
        self.headers = headers
        self.priority = priority
        self.callInput = callInput
        self.resultVariable = resultVariable
        self.errors = errors
    }
}

/// Turns a completed call into a BPMN error when its condition holds (`apg:error`).
public struct ResultError: Sendable {
    /// A condition over `result` and the visible variables.
    public let condition: Expression
    /// The error code thrown.
    public let code: String

    /// Creates a rule.
    public init(condition: Expression, code: String) {
        self.condition = condition
        self.code = code
    }
}

/// Work for a person (BPMN 2.0.2 clause 10.3.4).
public struct UserTaskDefinition: Sendable {
    /// Who has it; nil when nobody yet.
    public let assignee: ExpressionOrLiteral?
    /// Groups that may claim it: an expression giving a list, or a comma-separated literal.
    public let candidateGroups: ExpressionOrLiteral?
    /// Users that may claim it: an expression giving a list, or a comma-separated literal.
    public let candidateUsers: ExpressionOrLiteral?
    /// When it should be done (ISO 8601 date-time).
    public let dueDate: ExpressionOrLiteral?
    /// When to look at it again (ISO 8601 date-time).
    public let followUpDate: ExpressionOrLiteral?
    /// 0–100, default 50.
    public let priority: ExpressionOrLiteral?
    /// A form id, key or external reference.
    public let formKey: String?

    /// Creates a user task definition.
    public init(
        assignee: ExpressionOrLiteral? = nil, candidateGroups: ExpressionOrLiteral? = nil,
        candidateUsers: ExpressionOrLiteral? = nil, dueDate: ExpressionOrLiteral? = nil,
        followUpDate: ExpressionOrLiteral? = nil, priority: ExpressionOrLiteral? = nil, formKey: String? = nil
    ) {
        self.assignee = assignee
        self.candidateGroups = candidateGroups
        self.candidateUsers = candidateUsers
        self.dueDate = dueDate
        self.followUpDate = followUpDate
        self.priority = priority
        self.formKey = formKey
    }
}

/// A script that runs inside the engine.
public struct ScriptDefinition: Sendable {
    /// What runs.
    public enum Work: Sendable {
        /// An expression whose value is the result.
        case expression(Expression)
        /// A script of a registered language, with assignments of its own.
        case actions(any Script)
    }

    /// What runs.
    public let work: Work
    /// The variable that receives the value of an expression; nil merges the members of a context result.
    public let resultVariable: String?

    /// Creates a script.
    public init(work: Work, resultVariable: String?) {
        self.work = work
        self.resultVariable = resultVariable
    }
}

/// The decision a business rule task evaluates (BPMN 2.0.2 clause 10.3.3, DMN).
public struct CalledDecision: Sendable {
    /// The decision id, or an expression that gives it.
    public let decisionID: ExpressionOrLiteral
    /// Which version.
    public let binding: CalledElement.Binding
    /// The variable that receives the result.
    public let resultVariable: String

    /// Creates a called decision.
    public init(decisionID: ExpressionOrLiteral, binding: CalledElement.Binding, resultVariable: String) {
        self.decisionID = decisionID
        self.binding = binding
        self.resultVariable = resultVariable
    }
}

/// The process a call activity starts (BPMN 2.0.2 clause 10.3.6).
public struct CalledElement: Sendable {
    /// Which version of the called process runs.
    public enum Binding: Sendable, Hashable {
        /// The newest when the call is made.
        case latest
        /// The one deployed together with the caller.
        case deployment
        /// The newest with this version tag.
        case versionTag(String)
        /// Exactly this version.
        case version(Int)
    }

    /// The process id, or an expression that gives it.
    public let processID: ExpressionOrLiteral
    /// Which version.
    public let binding: Binding
    /// Whether the child sees all variables visible to the call, not only mapped inputs.
    public let propagatesAllParentVariables: Bool
    /// Whether all root variables of the child are merged back, when there are no output mappings.
    public let propagatesAllChildVariables: Bool

    /// Creates a called element.
    public init(
        processID: ExpressionOrLiteral, binding: Binding, propagatesAllParentVariables: Bool,
        propagatesAllChildVariables: Bool
    ) {
        self.processID = processID
        self.binding = binding
        self.propagatesAllParentVariables = propagatesAllParentVariables
        self.propagatesAllChildVariables = propagatesAllChildVariables
    }
}

/// Multi-instance loop characteristics (BPMN 2.0.2 clause 13.3.7, WCP-13 and WCP-14).
public struct MultiInstanceDefinition: Sendable {
    /// One after the other instead of all at once.
    public let isSequential: Bool
    /// The list whose items give the instances; nil when `cardinality` counts them.
    public let collection: Expression?
    /// How many instances; nil when `collection` gives them.
    public let cardinality: Expression?
    /// The local variable that holds the item.
    public let inputElement: String?
    /// The variable of the enclosing scope that collects the outputs, in item order.
    public let outputCollection: String?
    /// What each instance contributes to the output collection.
    public let outputElement: Expression?
    /// Checked after each instance; true ends the rest.
    public let completionCondition: Expression?
    /// The events thrown while instances complete.
    public let behavior: MultiInstanceBehavior

    /// Creates loop characteristics.
    public init(
        isSequential: Bool, collection: Expression?, cardinality: Expression?, inputElement: String?,
        outputCollection: String?, outputElement: Expression?, completionCondition: Expression?,
        behavior: MultiInstanceBehavior = .all
    ) {
        self.isSequential = isSequential
        self.collection = collection
        self.cardinality = cardinality
        self.inputElement = inputElement
        self.outputCollection = outputCollection
        self.outputElement = outputElement
        self.completionCondition = completionCondition
        self.behavior = behavior
    }
}

/// The events a multi-instance activity throws for its boundary events (BPMN 2.0.2 clause 10.3.8, `behavior`).
public enum MultiInstanceBehavior: Sendable {
    /// None: the activity ends when all instances have.
    case all
    /// At the first instance that completes.
    case one(EventDefinition)
    /// At every instance that completes.
    case none(EventDefinition)
    /// Whenever an instance completes and a condition holds.
    case complex([ComplexBehavior])
}

/// An event thrown under a condition while instances complete.
public struct ComplexBehavior: Sendable {
    /// Evaluated when an instance completes.
    public let condition: Expression
    /// What is thrown; nil only ends the remaining instances.
    public let event: EventDefinition?

    /// Creates a behaviour.
    public init(condition: Expression, event: EventDefinition?) {
        self.condition = condition
        self.event = event
    }
}

/// Standard loop characteristics (BPMN 2.0.2 clause 13.3.6, WCP-21).
public struct StandardLoopDefinition: Sendable {
    /// Whether the condition is tested before the first round.
    public let testsBefore: Bool
    /// The most rounds; nil sets no limit.
    public let maximum: Expression?
    /// Whether there is another round; nil is always true.
    public let condition: Expression?

    /// Creates loop characteristics.
    public init(testsBefore: Bool, maximum: Expression?, condition: Expression?) {
        self.testsBefore = testsBefore
        self.maximum = maximum
        self.condition = condition
    }
}

/// How an ad-hoc sub-process chooses and ends its activities (BPMN 2.0.2 clause 13.3.5).
public struct AdHocDefinition: Sendable {
    /// One activity at a time instead of all at once.
    public let isSequential: Bool
    /// Checked after each inner activity; true completes the sub-process; nil waits until nothing is left to do.
    public let completionCondition: Expression?
    /// Whether completion ends the inner activities that still run, or waits for them.
    public let cancelsRemainingInstances: Bool
    /// The inner activities without incoming flow, in document order: what can be performed.
    public let activities: [Int]
    /// A list of ids of the activities to perform; nil performs all.
    public let activeElements: Expression?

    /// Creates the characteristics of an ad-hoc sub-process.
    public init(
        isSequential: Bool, completionCondition: Expression?, cancelsRemainingInstances: Bool, activities: [Int],
        activeElements: Expression?
    ) {
        self.isSequential = isSequential
        self.completionCondition = completionCondition
        self.cancelsRemainingInstances = cancelsRemainingInstances
        self.activities = activities
        self.activeElements = activeElements
    }
}

/// One input or output mapping: evaluates `source`, writes it to `target`.
public struct VariableMapping: Sendable {
    /// What is read.
    public let source: ExpressionOrLiteral
    /// Where it goes: a variable name followed by member names (`order.total` is `["order", "total"]`).
    public let target: [String]
    /// Whether the first name of `target` is a data store of the process instead of a variable.
    public let isDataStore: Bool

    /// Creates a mapping.
    public init(source: ExpressionOrLiteral, target: [String], isDataStore: Bool = false) {
        self.source = source
        self.target = target
        self.isDataStore = isDataStore
    }
}
