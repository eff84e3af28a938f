import Values

/// An expression with a text of its own, which its messages quote.
final class TextNode: Node, @unchecked Sendable {
    let node: Node
    let source: SourceText

    init(_ node: Node, _ source: SourceText, _ span: SourceSpan) {
        self.node = node
        self.source = source
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let outer = machine.source
        defer { machine.source = outer }
        machine.source = source
        return node.evaluate(&machine)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let outer = machine.source
        defer { machine.source = outer }
        machine.source = source
        return node.truth(&machine)
    }
}

/// A value converted to the type it was declared with; null when it has no such conversion.
final class CoercionNode: Node, @unchecked Sendable {
    let node: Node
    let type: TypeSyntax
    /// What has the type, for a message.
    let what: String

    init(_ node: Node, _ type: TypeSyntax, what: String, _ span: SourceSpan) {
        self.node = node
        self.type = type
        self.what = what
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let value = node.evaluate(&machine)
        return machine.coerce(value, to: type, at: span, what: { what }) ?? .null
    }
}

/// A boxed context that ends in a result: the entries are variables of the result.
final class ResultContextNode: Node, @unchecked Sendable {
    let context: Node
    let result: Node

    init(_ context: Node, result: Node, _ span: SourceSpan) {
        self.context = context
        self.result = result
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        _ = context.evaluate(&machine)
        return result.evaluate(&machine)
    }
}
