import Values

/// A variable of the scope, or another name it has here.
final class JUELNameNode: Node, @unchecked Sendable {
    let name: String
    let alias: String?

    /// What Camunda 7 calls the variables of a multi-instance body, and what Junction calls them.
    static let aliases = [
        "nrOfInstances": "numberOfInstances", "nrOfActiveInstances": "numberOfActiveInstances",
        "nrOfCompletedInstances": "numberOfCompletedInstances",
    ]

    init(_ name: String, alias: String?, _ span: SourceSpan) {
        self.name = name
        self.alias = alias
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        if let value = machine.scope.variable(name) { return value }
        if let alias, let value = machine.scope.variable(alias) { return value }
        machine.warn(span) { [name] _ in "There is no variable '\(name)'" }
        return .null
    }
}

/// `loopCounter`, which counts from 0 where JUEL comes from and from 1 in Junction.
final class JUELLoopCounterNode: Node, @unchecked Sendable {
    let counter: JUELNameNode

    init(_ counter: JUELNameNode) {
        self.counter = counter
        super.init(counter.span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let value = counter.evaluate(&machine)
        guard case .number(let number) = value else { return value }
        return Number.subtracting(number, .one).map(Value.number) ?? value
    }
}

/// `execution.hasVariable('x')`.
final class JUELHasVariableNode: ConditionNode, @unchecked Sendable {
    let name: String

    init(_ name: String, _ span: SourceSpan) {
        self.name = name
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth { Truth(machine.scope.variable(name) != nil) }
}

/// `now()`.
final class JUELNowNode: Node, @unchecked Sendable {
    override func evaluate(_ machine: inout Machine) -> Value { .dateTime(machine.scope.now) }
}

/// Text outside of `${…}`.
final class JUELTextNode: Node, @unchecked Sendable {
    let text: String

    init(_ text: String, _ span: SourceSpan) {
        self.text = text
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value { .string(text) }
}

/// Texts and expressions joined to one string.
final class JUELCompositeNode: Node, @unchecked Sendable {
    let parts: [Node]

    init(_ parts: [Node], _ span: SourceSpan) {
        self.parts = parts
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        var text = ""
        for part in parts {
            guard let next = machine.juelString(part.evaluate(&machine), at: part.span),
                machine.admitsString(text.utf8.count + next.utf8.count, at: span)
            else { return .null }
            text += next
        }
        return .string(text)
    }
}

/// A value where a boolean is needed.
final class JUELTruthNode: ConditionNode, @unchecked Sendable {
    let operand: Node

    private init(_ operand: Node) {
        self.operand = operand
        super.init(operand.span)
    }

    /// The node itself when it is a condition already.
    static func of(_ node: Node) -> Node { node is ConditionNode ? node : JUELTruthNode(node) }

    override func truth(_ machine: inout Machine) -> Truth {
        machine.juelTruth(operand.evaluate(&machine), at: span)
    }
}

/// `empty x`: null, "", or a list or context without elements.
final class JUELEmptyNode: ConditionNode, @unchecked Sendable {
    let operand: Node

    init(_ operand: Node, _ span: SourceSpan) {
        self.operand = operand
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        switch operand.evaluate(&machine) {
        case .null: .yes
        case .string(let text): Truth(text.isEmpty)
        case .list(let elements): Truth(elements.isEmpty)
        case .context(let context): Truth(context.isEmpty)
        default: .no
        }
    }
}

/// `a.b` and `a[b]`: an entry of a context, an element of a list counted from 0, or a part of a temporal value.
///
/// What is not there is null.
final class JUELPropertyNode: Node, @unchecked Sendable {
    let base: Node
    let key: Node

    init(_ base: Node, _ key: Node, _ span: SourceSpan) {
        self.base = base
        self.key = key
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let owner = base.evaluate(&machine)
        return machine.juelProperty(key.evaluate(&machine), of: owner, at: span)
    }
}

extension Machine {
    /// The entry `key` of a context or list (Expression Language 2.2, clause 1.6).
    mutating func juelProperty(_ key: Value, of owner: Value, at span: SourceSpan) -> Value {
        switch owner {
        case .null: return .null
        case .context(let context): return juelString(key, at: span).flatMap { context[$0] } ?? .null
        case .list(let elements):
            guard let index = juelNumber(key, at: span)?.rounded(scale: 0, mode: .down).int64, index >= 0,
                index < elements.count
            else { return .null }
            return elements[Int(index)]
        default:
            if case .string(let name) = key, let value = Property(rawValue: name)?.value(of: owner) { return value }
            warn(span) { "A \(owner.typeName) has no property '\(key)' in '\($0.text(span))'" }
            return .null
        }
    }
}
