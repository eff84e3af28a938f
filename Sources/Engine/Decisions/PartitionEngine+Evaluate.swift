import Decisions
import Values

/// Where the engine meets the decision evaluator.
extension PartitionEngine {
    /// Evaluates a decision and says what it did; pure but for the keys.
    func evaluate(_ decision: DeployedDecision, in scope: any VariableScope) -> DecisionEvaluated {
        let model = decision.requirements
        // Models made for other engines name process variables without declaring them as input data.
        let outcome = model.model.evaluate(decision: decision.id, inputs: scope, isOpen: true)
        var evaluated = DecisionEvaluated(
            key: newKey(), decisionKey: decision.key.rawValue, output: VariableValue(outcome.value),
            failure: outcome.isError ? outcome.warnings.first?.message : nil, decisions: [])
        for part in outcome.evaluated {
            guard let version = model.version(of: part) else { continue }
            evaluated.decisions.append(
                DecisionEvaluated.Decision(
                    key: newKey(), decisionKey: version.key, output: VariableValue(part.value),
                    failure: version.key == evaluated.decisionKey ? evaluated.failure : nil,
                    trace: DecisionTrace(part).bytes))
        }
        return evaluated
    }
}

extension DeployedDecisions {
    /// The version of a decision that was evaluated, here or in a model it imports.
    fileprivate func version(of part: EvaluatedDecision) -> DecisionsDeployed.DecisionVersion? {
        let owner = part.namespace == model.namespace ? self : imports.first { $0.model.namespace == part.namespace }
        return owner?.versions.first { $0.id == (part.id.isEmpty ? part.name : part.id) }
    }
}

extension DecisionTrace {
    fileprivate init(_ part: EvaluatedDecision) {
        func values(_ values: [EvaluatedDecision.NamedValue]) -> [NamedValue] {
            values.map { NamedValue(id: $0.id, name: $0.name, value: $0.value) }
        }
        self.init(
            inputs: values(part.inputs),
            rules: part.matchedRules.map { Rule(id: $0.id, index: $0.index, outputs: values($0.outputs)) })
    }
}
