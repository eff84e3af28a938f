import Values

/// A unary test about a value.
struct Test: Sendable {
    enum Kind: Sendable {
        /// `< 5`, `= 5` and so on.
        case order(Relation)
        case equality(isNegated: Bool)
        /// A value, range or list to look for.
        case membership
        /// An interval written out, which is unknown when it cannot be built.
        case interval
        /// A condition about `?`.
        case condition
    }

    let kind: Kind
    let operand: Node

    @inline(__always)
    func truth(of value: Value, _ machine: inout Machine) -> Truth {
        switch kind {
        case .order(let relation):
            return machine.compare(value, relation, operand.evaluate(&machine), at: operand.span)
        case .equality(let isNegated):
            let result = machine.equal(value, operand.evaluate(&machine), at: operand.span)
            return isNegated ? result.negated : result
        case .membership:
            return machine.belongs(value, to: operand.evaluate(&machine), at: operand.span)
        case .interval:
            let interval = operand.evaluate(&machine)
            return interval.isNull ? .unknown : machine.belongs(value, to: interval, at: operand.span)
        case .condition:
            return operand.truth(&machine)
        }
    }
}

/// `x in (test, …)`.
final class MembershipNode: ConditionNode, @unchecked Sendable {
    let operand: Node
    let tests: [Test]

    init(_ operand: Node, _ tests: [Test], _ span: SourceSpan) {
        self.operand = operand
        self.tests = tests
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let value = operand.evaluate(&machine)
        return tests.truth(of: value, &machine)
    }
}

/// The unary tests of a cell, about `?`.
final class UnaryTestsNode: ConditionNode, @unchecked Sendable {
    let tests: [Test]
    let isNegated: Bool

    init(_ tests: [Test], isNegated: Bool, _ span: SourceSpan) {
        self.tests = tests
        self.isNegated = isNegated
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        if tests.isEmpty { return .yes }
        let result = tests.truth(of: machine.input, &machine)
        return isNegated ? result.negated : result
    }
}

extension [Test] {
    /// True if one of the tests is, else unknown if one of them is.
    fileprivate func truth(of value: Value, _ machine: inout Machine) -> Truth {
        var result = Truth.no
        for test in self {
            switch test.truth(of: value, &machine) {
            case .yes: return .yes
            case .unknown: result = .unknown
            case .no: continue
            }
        }
        return result
    }
}
