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

/// A FEEL script.
public struct ScriptDefinition: Sendable {
    /// What is evaluated.
    public let expression: Expression
    /// The variable that receives the value; nil merges the members of a context result.
    public let resultVariable: String?

    /// Creates a script.
    public init(expression: Expression, resultVariable: String?) {
        self.expression = expression
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

    /// Creates loop characteristics.
    public init(
        isSequential: Bool, collection: Expression?, cardinality: Expression?, inputElement: String?,
        outputCollection: String?, outputElement: Expression?, completionCondition: Expression?
    ) {
        self.isSequential = isSequential
        self.collection = collection
        self.cardinality = cardinality
        self.inputElement = inputElement
        self.outputCollection = outputCollection
        self.outputElement = outputElement
        self.completionCondition = completionCondition
    }
}

/// One input or output mapping: evaluates `source`, writes it to `target`.
public struct VariableMapping: Sendable {
    /// What is read.
    public let source: ExpressionOrLiteral
    /// Where it goes: a variable name followed by member names (`order.total` is `["order", "total"]`).
    public let target: [String]

    /// Creates a mapping.
    public init(source: ExpressionOrLiteral, target: [String]) {
        self.source = source
        self.target = target
    }
}
