import Values

/// `[a, b]`.
final class ListNode: Node, @unchecked Sendable {
    let elements: [Node]

    init(_ elements: [Node], _ span: SourceSpan) {
        self.elements = elements
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        guard machine.spend(elements.count, at: span) else { return .null }
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for element in elements { values.append(element.evaluate(&machine)) }
        return .list(values)
    }
}

/// `{key: value}`; an entry sees those before it.
final class ContextNode: Node, @unchecked Sendable {
    struct Entry: Sendable {
        let key: String
        /// Where later entries find the value; nil when none reads it.
        let slot: Int?
        let value: Node
    }

    let entries: [Entry]

    init(_ entries: [Entry], _ span: SourceSpan) {
        self.entries = entries
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        guard machine.spend(entries.count, at: span) else { return .null }
        var context = ValueContext()
        context.reserveCapacity(entries.count)
        for entry in entries {
            let value = entry.value.evaluate(&machine)
            if let slot = entry.slot { machine.stack[machine.base + slot] = value }
            context[entry.key] = value
        }
        return .context(context)
    }
}

/// `[low..high]`, `(< 5)`; a missing end is unbounded.
final class RangeNode: Node, @unchecked Sendable {
    let includesLower: Bool
    let lower: Node?
    let upper: Node?
    let includesUpper: Bool

    init(includesLower: Bool, lower: Node?, upper: Node?, includesUpper: Bool, _ span: SourceSpan) {
        self.includesLower = includesLower
        self.lower = lower
        self.upper = upper
        self.includesUpper = includesUpper
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let low = lower?.evaluate(&machine)
        let high = upper?.evaluate(&machine)
        if let low, let high, Order.between(low, high) == nil {
            machine.warn(span) {
                "A \(low.typeName) and a \(high.typeName) cannot bound a range in '\($0.text(span))'"
            }
            return .null
        }
        if let end = low ?? high, Order.between(end, end) == nil {
            machine.warn(span) { "A \(end.typeName) cannot bound a range in '\($0.text(span))'" }
            return .null
        }
        return .range(
            ValueRange(lower: low, includesLower: includesLower, upper: high, includesUpper: includesUpper))
    }
}

/// `list[condition]` or `list[position]`.
final class FilterNode: Node, @unchecked Sendable {
    let base: Node
    let condition: Node
    /// The slot of the element under test.
    let slot: Int

    init(_ base: Node, _ condition: Node, slot: Int, _ span: SourceSpan) {
        self.base = base
        self.condition = condition
        self.slot = slot
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let elements: [Value]
        switch base.evaluate(&machine) {
        case .list(let list): elements = list
        case .null:
            if machine.warnings.isEmpty {
                machine.warn(span) { "Cannot filter because '\($0.text(base.span))' is null" }
            }
            return .null
        case let value: elements = [value]
        }
        if let position = condition.constant {
            if case .number(let number) = position { return element(at: number, of: elements, &machine) }
        }
        return select(elements, &machine)
    }

    private func select(_ elements: [Value], _ machine: inout Machine) -> Value {
        var selected: [Value] = []
        for (index, element) in elements.enumerated() {
            guard machine.spend(1, at: span) else { return .null }
            machine.stack[machine.base + slot] = element
            let result = condition.evaluate(&machine)
            if index == 0, case .number(let number) = result {
                return self.element(at: number, of: elements, &machine)
            }
            if machine.truth(of: result, condition.span) == .yes { selected.append(element) }
        }
        return elements.isEmpty ? none(&machine) : .list(selected)
    }

    /// What an empty list gives: null when asked for a position, else an empty list.
    private func none(_ machine: inout Machine) -> Value {
        if condition is ConditionNode { return .list([]) }
        machine.stack[machine.base + slot] = .null
        let warningCount = machine.warnings.count
        let result = condition.evaluate(&machine)
        machine.warnings.removeLast(machine.warnings.count - warningCount)
        if case .number(let number) = result { return element(at: number, of: [], &machine) }
        return .list([])
    }

    private func element(at position: Number, of elements: [Value], _ machine: inout Machine) -> Value {
        if let position = position.int64 {
            if position >= 1, position <= elements.count { return elements[Int(position) - 1] }
            if position <= -1, position >= -elements.count { return elements[elements.count + Int(position)] }
        }
        machine.warn(span) {
            "There is no position \(position) in the list of \(elements.count) in '\($0.text(span))'"
        }
        return .null
    }
}
