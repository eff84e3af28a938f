import Decisions
import Values

/// The outcome of a decision for people and programs.
struct DecisionView {
    private let outcome: DecisionOutcome
    private let explains: Bool

    init(_ outcome: DecisionOutcome, explains: Bool) {
        self.outcome = outcome
        self.explains = explains
    }

    /// `{value, warnings, evaluated?}`.
    var json: Value {
        var view: ValueContext = [
            "value": outcome.value, "warnings": .list(outcome.warnings.map { .string("\($0)") }),
        ]
        if explains { view["evaluated"] = .list(outcome.evaluated.map(Self.json)) }
        return .context(view)
    }

    /// The evaluated decisions, each with what it saw.
    var lines: [String] {
        outcome.evaluated.flatMap { decision -> [String] in
            ["\(decision.name) = \(decision.value)"]
                + decision.inputs.map { "  \($0.name) = \($0.value)" }
                + decision.matchedRules.map { rule in
                    let outputs = rule.outputs.map { output in
                        output.name.isEmpty ? "\(output.value)" : "\(output.name) = \(output.value)"
                    }
                    return "  rule \(rule.index): \(outputs.joined(separator: ", "))"
                }
        }
    }

    private static func json(_ decision: EvaluatedDecision) -> Value {
        [
            "id": .string(decision.id), "name": .string(decision.name), "kind": .string(decision.kind.rawValue),
            "value": decision.value, "inputs": .list(decision.inputs.map(json)),
            "matchedRules": .list(
                decision.matchedRules.map { rule in
                    [
                        "id": .string(rule.id), "index": .number(Number(rule.index)),
                        "outputs": .list(rule.outputs.map(json)),
                    ]
                }),
        ]
    }

    private static func json(_ value: EvaluatedDecision.NamedValue) -> Value {
        ["id": .string(value.id), "name": .string(value.name), "value": value.value]
    }
}
