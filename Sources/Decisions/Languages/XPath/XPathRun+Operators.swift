import Values

/// Operators of XPath 1.0, clauses 3.3 to 3.5.
extension XPathRun {
    mutating func negated(_ operand: XPathSyntax, _ context: Context) -> XPathValue {
        let value = evaluate(operand, context)
        return .number(number(value)?.negated)
    }

    mutating func binary(
        _ operation: XPathOperator, _ left: XPathSyntax, _ right: XPathSyntax, _ context: Context
    ) -> XPathValue {
        if operation == .union {
            let first = nodes(left, context)
            return .nodes(ordered(first + nodes(right, context)))
        }
        let first = evaluate(left, context)
        switch operation {
        case .and: if !truth(first) { return .boolean(false) }
        case .or: if truth(first) { return .boolean(true) }
        default: break
        }
        let second = evaluate(right, context)
        switch operation {
        case .and, .or: return .boolean(truth(second))
        case .add, .subtract, .multiply, .divide, .remainder: return arithmetic(operation, first, second)
        default: return .boolean(holds(operation, first, second))
        }
    }

    private mutating func arithmetic(
        _ operation: XPathOperator, _ left: XPathValue, _ right: XPathValue
    ) -> XPathValue {
        guard let a = number(left), let b = number(right) else { return .number(nil) }
        switch operation {
        case .add: return .number(Number.adding(a, b))
        case .subtract: return .number(Number.subtracting(a, b))
        case .multiply: return .number(Number.multiplying(a, b))
        case .divide: return .number(Number.dividing(a, b))
        default:
            let remainder = a.magnitude.modulo(b.magnitude)
            return .number(a.isNegative ? remainder?.negated : remainder)
        }
    }

    // MARK: Comparisons

    /// A comparison; with nodes it holds when it does for one of them (clause 3.4).
    private mutating func holds(_ operation: XPathOperator, _ left: XPathValue, _ right: XPathValue) -> Bool {
        switch (left, right) {
        case (.boolean, _), (_, .boolean):
            return compare(operation, .boolean(truth(left)), .boolean(truth(right)))
        case (.nodes(let a), .nodes(let b)):
            guard machine.spend(a.count * min(b.count, 1 << 20), at: span) else { return false }
            for x in a {
                let x = scalar(x)
                for y in b where compare(operation, x, scalar(y)) { return true }
            }
            return false
        case (.nodes(let nodes), let other):
            guard machine.spend(nodes.count, at: span) else { return false }
            for node in nodes where compare(operation, scalar(node), other) { return true }
            return false
        case (let other, .nodes(let nodes)):
            guard machine.spend(nodes.count, at: span) else { return false }
            for node in nodes where compare(operation, other, scalar(node)) { return true }
            return false
        default: return compare(operation, left, right)
        }
    }

    /// A node as the number it holds, else as its text.
    private mutating func scalar(_ node: Int) -> XPathValue {
        if case .number(let number) = tree.items[node].value { return .number(number) }
        return .string(string(of: node))
    }

    private mutating func compare(_ operation: XPathOperator, _ left: XPathValue, _ right: XPathValue) -> Bool {
        if operation == .equal || operation == .notEqual {
            if case .string(let a) = left, case .string(let b) = right { return (a == b) == (operation == .equal) }
            guard let a = number(left), let b = number(right) else { return operation == .notEqual }
            return (a == b) == (operation == .equal)
        }
        guard let a = number(left), let b = number(right) else { return false }
        switch operation {
        case .less: return a < b
        case .lessOrEqual: return a <= b
        case .greater: return a > b
        default: return a >= b
        }
    }
}
