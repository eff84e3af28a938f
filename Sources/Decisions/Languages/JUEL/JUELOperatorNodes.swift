import Values

/// `a + b` and its kin: numbers after conversion, and FEEL's arithmetic of dates and durations.
final class JUELArithmeticNode: Node, @unchecked Sendable {
    /// The operator; nil is the remainder, which has the sign of the left operand.
    let arithmetic: Arithmetic?
    let left: Node
    let right: Node

    init(_ arithmetic: Arithmetic?, _ left: Node, _ right: Node, _ span: SourceSpan) {
        self.arithmetic = arithmetic
        self.left = left
        self.right = right
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let (a, b) = (left.evaluate(&machine), right.evaluate(&machine))
        if let arithmetic, a.isTemporal || b.isTemporal { return machine.compute(a, arithmetic, b, at: span) }
        guard let x = machine.juelNumber(a, at: left.span), let y = machine.juelNumber(b, at: right.span) else {
            return .null
        }
        guard let arithmetic else { return remainder(x, y, &machine) }
        if arithmetic == .divide, a.isNull, b.isNull { return 0 }
        return machine.compute(.number(x), arithmetic, .number(y), at: span)
    }

    private func remainder(_ dividend: Number, _ divisor: Number, _ machine: inout Machine) -> Value {
        guard let remainder = dividend.magnitude.modulo(divisor.magnitude) else {
            machine.warn(span) { [span] in "Division by zero in '\($0.text(span))'" }
            return .null
        }
        return .number(dividend.isNegative ? remainder.negated : remainder)
    }
}

/// `a == b` and `a != b` (clause 1.8.2).
final class JUELEqualityNode: ConditionNode, @unchecked Sendable {
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
        let result = machine.juelEqual(left.evaluate(&machine), right.evaluate(&machine), at: span)
        return isNegated ? result.negated : result
    }
}

/// `a < b` and its kin (clause 1.8.1).
final class JUELOrderNode: ConditionNode, @unchecked Sendable {
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
        let (a, b) = (left.evaluate(&machine), right.evaluate(&machine))
        switch (a, b) {
        case (.null, .null): return Truth(relation.holds(.equal))
        case (.null, _), (_, .null): return .no
        case (.number, _), (_, .number):
            guard let x = machine.juelNumber(a, at: left.span), let y = machine.juelNumber(b, at: right.span) else {
                return .unknown
            }
            return Truth(relation.holds(Order(x, y)))
        case (.string, _), (_, .string):
            guard let x = machine.juelString(a, at: left.span), let y = machine.juelString(b, at: right.span) else {
                return .unknown
            }
            return machine.compare(.string(x), relation, .string(y), at: span)
        default: return machine.compare(a, relation, b, at: span)
        }
    }
}

extension Machine {
    /// Equality after conversion to the type of the other operand: number before boolean before text.
    mutating func juelEqual(_ left: Value, _ right: Value, at span: SourceSpan) -> Truth {
        switch (left, right) {
        case (.null, .null): return .yes
        case (.null, _), (_, .null): return .no
        case (.string(let a), .string(let b)): return Truth(a == b)
        case (.number, _), (_, .number):
            guard let a = juelNumber(left, at: span), let b = juelNumber(right, at: span) else { return .unknown }
            return Truth(a == b)
        case (.boolean, _), (_, .boolean):
            let (a, b) = (juelTruth(left, at: span), juelTruth(right, at: span))
            return a == .unknown || b == .unknown ? .unknown : Truth(a == b)
        case (.string, _), (_, .string):
            guard let a = juelString(left, at: span), let b = juelString(right, at: span) else { return .unknown }
            return Truth(a == b)
        default: return Truth(isSame(left, right, at: span))
        }
    }
}

extension Value {
    /// Whether it is a date, time or duration.
    fileprivate var isTemporal: Bool {
        switch self {
        case .date, .time, .dateTime, .yearMonthDuration, .dayTimeDuration: true
        default: false
        }
    }
}
