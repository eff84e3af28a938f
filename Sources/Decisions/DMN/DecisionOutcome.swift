public import Values

/// What evaluating a decision gave.
public struct DecisionOutcome: Sendable, Hashable {
    /// The decision's value; null when it could not be computed.
    public let value: Value
    /// What went wrong, in the order of evaluation, each message beginning with the decision concerned.
    public let warnings: [EvaluationWarning]
    /// Every decision that was evaluated, those required before those that require them, at most
    /// ``evaluatedMax``; empty when no record was asked for.
    public let evaluated: [EvaluatedDecision]

    /// The largest number of decisions, and of matched rules of one decision, that are recorded.
    public static let evaluatedMax = 1_000

    /// Whether the value is null because something went wrong.
    public var isError: Bool { value.isNull && !warnings.isEmpty }

    /// The same outcome with another value, such as one entry of this one.
    public func with(_ value: Value) -> DecisionOutcome {
        DecisionOutcome(value: value, warnings: warnings, evaluated: evaluated)
    }

    init(value: Value, warnings: [EvaluationWarning] = [], evaluated: [EvaluatedDecision] = []) {
        self.value = value
        self.warnings = warnings
        self.evaluated = evaluated
    }
}

/// The record of one decision's evaluation.
public struct EvaluatedDecision: Sendable, Hashable {
    /// A value with the id and name of what has it: an input or output clause, or a requirement.
    public struct NamedValue: Sendable, Hashable {
        /// The id of the clause or required element.
        public let id: String
        /// The label or expression of the clause, or the name of the required element.
        public let name: String
        /// The value.
        public let value: Value
    }

    /// A rule of a decision table that matched.
    public struct MatchedRule: Sendable, Hashable {
        /// The rule's id; empty when it has none.
        public let id: String
        /// The rule's position in its table, counted from 1.
        public let index: Int
        /// The values of its output entries.
        public let outputs: [NamedValue]
    }

    /// What decides.
    public enum Kind: String, Sendable, Hashable {
        /// A decision table.
        case decisionTable
        /// Any other boxed expression.
        case expression
        /// A decision without logic.
        case none
    }

    /// The decision's id.
    public let id: String
    /// The decision's name.
    public let name: String
    /// The namespace of the decision's model.
    public let namespace: String
    /// What decided.
    public let kind: Kind
    /// The decision's value.
    public let value: Value
    /// The values of the input clauses of a decision table, else those of the requirements that were read.
    public let inputs: [NamedValue]
    /// The rules that matched in the decision's tables, those of knowledge models it invoked included.
    public let matchedRules: [MatchedRule]
}
