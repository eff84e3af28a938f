import Values

extension Compiler {
    mutating func compileInvocation(
        _ callee: Syntax, _ arguments: ArgumentsSyntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        let syntaxes: [Syntax]
        var names: [String]?
        switch arguments {
        case .positional(let values): syntaxes = values
        case .named(let values):
            syntaxes = values.map(\.value)
            names = values.map(\.name)
        }
        if case .name(let name) = callee.kind, !isBound(name), !knownNames.contains(name) {
            guard let builtin = Builtin.named(name) else { throw unknownFunction(name, callee.span) }
            return try compileBuiltin(builtin, syntaxes, names, span)
        }
        let function = try compile(callee)
        var nodes: [Node] = []
        for syntax in syntaxes { nodes.append(try compile(syntax)) }
        canGrow = true
        return InvocationNode(function, nodes, names: names, span)
    }

    private mutating func compileBuiltin(
        _ builtin: Builtin, _ syntaxes: [Syntax], _ names: [String]?, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        var nodes: [Node] = []
        for syntax in syntaxes { nodes.append(try compile(syntax)) }
        if let names {
            guard let order = builtin.order(of: names) else {
                return FailureNode(builtin.mismatch(names: names), span)
            }
            let given = nodes
            nodes = order.map { $0.map { given[$0] } ?? ConstantNode(.null, span) }
        }
        canGrow = canGrow || builtin.buildsCollections
        if builtin.name == "not", nodes.count == 1 {
            let node = NotNode(nodes[0], span)
            return nodes[0].constant != nil ? folded(node) : node
        }
        let pattern = foldingBudget > 0 ? builtin.compilePattern(nodes) : nil
        foldingBudget -= pattern?.instructions.count ?? 0
        let node = BuiltinNode(builtin, nodes, compiledPattern: pattern, span)
        return builtin.isPure && nodes.allSatisfy { $0.constant != nil } ? folded(node) : node
    }

    private func unknownFunction(_ name: String, _ span: SourceSpan) -> FEELError {
        let candidates = Builtin.all.map(\.name) + knownNames.sorted()
        let remedy =
            ClosestMatch.of(name, in: candidates).map { "Did you mean '\($0)'?" }
            ?? "Define it in a context before it is used, as in {f: function(x) x + 1, y: f(2)}.y"
        return FEELError(
            .unknownFunction, "There is no function '\(name)'", at: Int(span.start), in: source.text.utf8,
            remedy: remedy)
    }
}

/// A part that was found to be wrong at compile time, where FEEL asks for null.
final class FailureNode: Node, @unchecked Sendable {
    let message: String

    init(_ message: String, _ span: SourceSpan) {
        self.message = message
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        machine.warn(span) { "\(message) in '\($0.text(span))'" }
        return .null
    }
}
