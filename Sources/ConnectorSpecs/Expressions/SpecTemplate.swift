import Decisions
import Values

/// A value of a specification: literal, or computed by the expressions in it.
///
/// What an expression cannot compute is null, as a missing optional input is: FEEL's way, which lets a specification
/// name fields that are not always there.
indirect enum SpecTemplate: Sendable {
    case literal(Value)
    case expression(Expression)
    case list([SpecTemplate])
    case context([(key: String, value: SpecTemplate)])

    var isLiteral: Bool {
        if case .literal = self { true } else { false }
    }

    func value(_ scope: any VariableScope) -> Value {
        switch self {
        case .literal(let value): value
        case .expression(let expression): expression.evaluateValue(scope)
        case .list(let parts): .list(parts.map { $0.value(scope) })
        case .context(let parts): .context(ValueContext(parts.map { ($0.key, $0.value.value(scope)) }))
        }
    }

    /// The value, and why parts of it are null.
    func evaluation(_ scope: any VariableScope) -> Evaluation {
        switch self {
        case .literal(let value): return Evaluation(value: value)
        case .expression(let expression): return expression.evaluate(scope)
        case .list(let parts):
            let evaluations = parts.map { $0.evaluation(scope) }
            return Evaluation(value: .list(evaluations.map(\.value)), warnings: evaluations.flatMap(\.warnings))
        case .context(let parts):
            var context = ValueContext()
            var warnings: [EvaluationWarning] = []
            for part in parts {
                let evaluation = part.value.evaluation(scope)
                context[part.key] = evaluation.value
                warnings += evaluation.warnings
            }
            return Evaluation(value: .context(context), warnings: warnings)
        }
    }

    /// The value as text: texts as they are, numbers and truth values as JSON writes them.
    ///
    /// `nil` for null; lists and contexts become JSON.
    func text(_ scope: any VariableScope) -> String? { self.value(scope).plainText }

    /// Whether a condition holds; null does not.
    func holds(_ scope: any VariableScope) -> Bool {
        switch self {
        case .literal(let value): value == .boolean(true)
        case .expression(let expression): expression.evaluateCondition(scope) ?? false
        case .list, .context: false
        }
    }

    /// Every expression in the template.
    var expressions: [Expression] {
        switch self {
        case .literal: []
        case .expression(let expression): [expression]
        case .list(let parts): parts.flatMap(\.expressions)
        case .context(let parts): parts.flatMap(\.value.expressions)
        }
    }
}

extension Value {
    /// The value as text, `nil` for null.
    var plainText: String? {
        switch self {
        case .null: nil
        case .string(let text): text
        default: self.temporalText ?? JSON.string(self)
        }
    }

    /// The value with members that are null left out, at every level of contexts.
    var withoutNulls: Value {
        switch self {
        case .context(let members):
            .context(
                ValueContext(members.compactMap { key, value in value.isNull ? nil : (key, value.withoutNulls) }))
        case .list(let items): .list(items.map(\.withoutNulls))
        default: self
        }
    }
}
