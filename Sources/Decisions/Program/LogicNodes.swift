import Values

/// `a and b` with three-valued logic: false if one is false, else null if one is unknown, else true.
final class AndNode: ConditionNode, @unchecked Sendable {
    let left: Node
    let right: Node

    init(_ left: Node, _ right: Node, _ span: SourceSpan) {
        self.left = left
        self.right = right
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        switch left.truth(&machine) {
        case .no: .no
        case .yes: right.truth(&machine)
        case .unknown: right.truth(&machine) == .no ? .no : .unknown
        }
    }
}

/// `a or b` with three-valued logic: true if one is true, else null if one is unknown, else false.
final class OrNode: ConditionNode, @unchecked Sendable {
    let left: Node
    let right: Node

    init(_ left: Node, _ right: Node, _ span: SourceSpan) {
        self.left = left
        self.right = right
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        switch left.truth(&machine) {
        case .yes: .yes
        case .no: right.truth(&machine)
        case .unknown: right.truth(&machine) == .yes ? .yes : .unknown
        }
    }
}

/// `not(x)`.
final class NotNode: ConditionNode, @unchecked Sendable {
    let operand: Node

    init(_ operand: Node, _ span: SourceSpan) {
        self.operand = operand
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth { operand.truth(&machine).negated }
}

/// `if c then a else b`; an unknown condition takes the `else` part.
final class ConditionalNode: Node, @unchecked Sendable {
    let condition: Node
    let consequence: Node
    let alternative: Node

    init(_ condition: Node, _ consequence: Node, _ alternative: Node, _ span: SourceSpan) {
        self.condition = condition
        self.consequence = consequence
        self.alternative = alternative
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        condition.truth(&machine) == .yes ? consequence.evaluate(&machine) : alternative.evaluate(&machine)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        condition.truth(&machine) == .yes ? consequence.truth(&machine) : alternative.truth(&machine)
    }
}

/// `a = b` and `a != b`.
final class EqualityNode: ConditionNode, @unchecked Sendable {
    let left: Node
    let right: Node
    let isNegated: Bool

    init(_ left: Node, _ right: Node, isNegated: Bool, _ span: SourceSpan) {
        self.left = left
        self.right = right
        self.isNegated = isNegated
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let result = machine.equal(left.evaluate(&machine), right.evaluate(&machine), at: span)
        return isNegated ? result.negated : result
    }
}

/// `a < b` and its kin.
final class OrderNode: ConditionNode, @unchecked Sendable {
    let relation: Relation
    let left: Node
    let right: Node

    init(_ relation: Relation, _ left: Node, _ right: Node, _ span: SourceSpan) {
        self.relation = relation
        self.left = left
        self.right = right
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        machine.compare(left.evaluate(&machine), relation, right.evaluate(&machine), at: span)
    }
}

/// `x between low and high`, ends included.
final class BetweenNode: ConditionNode, @unchecked Sendable {
    let operand: Node
    let low: Node
    let high: Node

    init(_ operand: Node, low: Node, high: Node, _ span: SourceSpan) {
        self.operand = operand
        self.low = low
        self.high = high
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let value = operand.evaluate(&machine)
        let above = machine.compare(value, .greaterOrEqual, low.evaluate(&machine), at: span)
        let below = machine.compare(value, .lessOrEqual, high.evaluate(&machine), at: span)
        if above == .no || below == .no { return .no }
        return above == .yes && below == .yes ? .yes : .unknown
    }
}

/// `x instance of type`.
final class InstanceNode: ConditionNode, @unchecked Sendable {
    let operand: Node
    let type: TypeSyntax

    init(_ operand: Node, _ type: TypeSyntax, _ span: SourceSpan) {
        self.operand = operand
        self.type = type
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let value = operand.evaluate(&machine)
        if case .named(let name) = type {
            machine.warn(span) { _ in "There is no type '\(name)'" }
            return .unknown
        }
        return Truth(type.describes(value))
    }
}
