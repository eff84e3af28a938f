import Values

/// An expression of a vocabulary defined outside of this module.
final class ForeignNode: Node, @unchecked Sendable {
    let body: @Sendable (any VariableScope) -> Evaluation

    init(_ body: @escaping @Sendable (any VariableScope) -> Evaluation, _ span: SourceSpan) {
        self.body = body
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let evaluation = body(machine.scope)
        if machine.collects {
            machine.warnings += evaluation.warnings.prefix(Evaluation.warningsMax - machine.warnings.count)
        }
        return evaluation.value
    }
}
