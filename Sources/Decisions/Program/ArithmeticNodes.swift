import Values

/// `a + b` and the other arithmetic operators.
final class ArithmeticNode: Node, @unchecked Sendable {
    let arithmetic: Arithmetic
    let left: Node
    let right: Node

    init(_ arithmetic: Arithmetic, _ left: Node, _ right: Node, _ span: SourceSpan) {
        self.arithmetic = arithmetic
        self.left = left
        self.right = right
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        machine.compute(left.evaluate(&machine), arithmetic, right.evaluate(&machine), at: span)
    }
}

/// `-a`.
final class NegationNode: Node, @unchecked Sendable {
    let operand: Node

    init(_ operand: Node, _ span: SourceSpan) {
        self.operand = operand
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let value = operand.evaluate(&machine)
        switch value {
        case .number(let number): return .number(number.negated)
        case .yearMonthDuration(let duration) where duration.months != .min:
            return .yearMonthDuration(YearMonthDuration(months: -duration.months))
        case .dayTimeDuration(let duration):
            if let negated = DayTimeDuration(totalNanoseconds: -duration.totalNanoseconds) {
                return .dayTimeDuration(negated)
            }
        default: break
        }
        machine.warn(span) { "Cannot negate a \(value.typeName) in '\($0.text(span))'" }
        return .null
    }
}
