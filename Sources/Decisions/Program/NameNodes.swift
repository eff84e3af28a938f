import Values

/// A local variable: a parameter, an iteration variable, an entry of the surrounding context.
final class LocalNode: Node, @unchecked Sendable {
    let slot: Int

    init(_ slot: Int, _ span: SourceSpan) {
        self.slot = slot
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value { machine.stack[machine.base + slot] }
}

/// A variable of the scope, or else a built-in function of that name.
final class RootNode: Node, @unchecked Sendable {
    let name: String

    init(_ name: String, _ span: SourceSpan) {
        self.name = name
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        machine.scope.variable(name) ?? missing(&machine)
    }

    @inline(never)
    private func missing(_ machine: inout Machine) -> Value {
        if let builtin = Builtin.named(name) { return .function(builtin.function) }
        machine.warn(span) { _ in "There is no variable '\(name)'" }
        return .null
    }
}

/// A variable of the scope that a loop reads: asked for once in an evaluation.
final class CachedRootNode: Node, @unchecked Sendable {
    let root: RootNode
    let index: Int

    init(_ root: RootNode, index: Int) {
        self.root = root
        self.index = index
        super.init(root.span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        if let value = machine.roots[index] { return value }
        let value = root.evaluate(&machine)
        machine.roots[index] = value
        return value
    }
}

/// A name inside a filter: an entry of the element under test if it has one, else what the name means outside.
final class ElementNameNode: Node, @unchecked Sendable {
    let name: String
    /// The slots of the elements under test, innermost filter first.
    let slots: [Int]
    let outside: Node

    init(_ name: String, slots: [Int], outside: Node) {
        self.name = name
        self.slots = slots
        self.outside = outside
        super.init(outside.span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        for slot in slots {
            if case .context(let element) = machine.stack[machine.base + slot], let value = element[name] {
                return value
            }
        }
        return outside.evaluate(&machine)
    }
}

/// The function being defined, by the name of the context entry that defines it.
final class ItselfNode: Node, @unchecked Sendable {
    override func evaluate(_ machine: inout Machine) -> Value {
        machine.function.map { .function($0) } ?? .null
    }
}

/// `?`, the value under test.
final class InputNode: Node, @unchecked Sendable {
    override func evaluate(_ machine: inout Machine) -> Value { machine.input }
}

/// `base.name`: an entry of a context, of each context in a list, or a property of a temporal value or range.
final class PathNode: Node, @unchecked Sendable {
    let base: Node
    let name: String
    let property: Property?

    init(_ base: Node, _ name: String, _ span: SourceSpan) {
        self.base = base
        self.name = name
        self.property = Property(rawValue: name)
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let owner = base.evaluate(&machine)
        if case .context(let context) = owner, let value = context[name] { return value }
        return other(owner, &machine)
    }

    private func other(_ owner: Value, _ machine: inout Machine) -> Value {
        switch owner {
        case .context:
            machine.warn(span) { "The context '\($0.text(base.span))' has no entry '\(name)'" }
            return .null
        case .list(let elements):
            guard machine.spend(elements.count, at: span) else { return .null }
            return .list(elements.map { $0[name] ?? property?.value(of: $0) ?? .null })
        case .null:
            if machine.warnings.isEmpty {
                machine.warn(span) { "Cannot read '\(name)' because '\($0.text(base.span))' is null" }
            }
            return .null
        default:
            if let value = property?.value(of: owner) { return value }
            machine.warn(span) { "A \(owner.typeName) has no property '\(name)' in '\($0.text(span))'" }
            return .null
        }
    }
}
