import Values

/// Writes down the decisions of one evaluation.
final class DecisionRecorder {
    private struct Open {
        let element: DRGElement
        var inputs: [EvaluatedDecision.NamedValue] = []
        var rules: [EvaluatedDecision.MatchedRule] = []
    }

    private(set) var evaluated: [EvaluatedDecision] = []
    private var open: [Open] = []

    func begin(_ element: DRGElement) { open.append(Open(element: element)) }

    /// Ends the decision begun last.
    func end(_ value: Value, inputs: [EvaluatedDecision.NamedValue]) {
        guard let last = open.popLast(), evaluated.count < DecisionOutcome.evaluatedMax else { return }
        let kind: EvaluatedDecision.Kind
        switch last.element.kind {
        case .decision(let body) where body.isTable: kind = .decisionTable
        case .decision(let body) where body.node is FailureNode: kind = .none
        default: kind = .expression
        }
        evaluated.append(
            EvaluatedDecision(
                id: last.element.id, name: last.element.name, namespace: last.element.namespace, kind: kind,
                value: value, inputs: inputs.isEmpty ? last.inputs : inputs, matchedRules: last.rules))
    }

    /// A table was evaluated for the decision being decided.
    func record(inputs: [EvaluatedDecision.NamedValue], rules: [EvaluatedDecision.MatchedRule]) {
        guard !open.isEmpty else { return }
        let position = open.count - 1
        if open[position].inputs.isEmpty { open[position].inputs = inputs }
        let room = DecisionOutcome.evaluatedMax - open[position].rules.count
        open[position].rules += rules.prefix(max(0, room))
    }

    /// What a requirement was, if it was read and is no function.
    static func input(_ element: Int, of run: DecisionRun) -> EvaluatedDecision.NamedValue? {
        guard let value = run.values[element] else { return nil }
        if case .function = value { return nil }
        let required = run.program.elements[element]
        return EvaluatedDecision.NamedValue(id: required.id, name: required.name, value: value)
    }
}
