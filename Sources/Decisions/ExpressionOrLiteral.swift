public import Values

/// A field of a model that holds plain text or, behind `=`, a FEEL expression.
public enum ExpressionOrLiteral: Sendable {
    /// The text itself.
    case literal(String)
    /// An expression to evaluate.
    case expression(Expression)

    /// Reads a field: `=a + 1` is an expression, everything else is text.
    ///
    /// White space before `=` is skipped.
    ///
    /// - Parameters:
    ///   - text: The field.
    ///   - knownNames: See ``Expression/compile(_:mode:knownNames:)``.
    /// - Throws: ``FEELError`` when the expression is wrong; its offset counts from behind the `=`.
    public static func compile(_ text: String, knownNames: [String] = []) throws(FEELError) -> ExpressionOrLiteral {
        let trimmed = text.unicodeScalars.drop { $0.isBlank }
        guard trimmed.first == "=" else { return .literal(text) }
        return .expression(try Expression.compile(String(trimmed.dropFirst()), knownNames: knownNames))
    }

    /// The value when it does not depend on variables.
    public var constant: Value? {
        switch self {
        case .literal(let text): .string(text)
        case .expression(let expression): expression.constant
        }
    }

    /// The value with warnings.
    public func evaluate(_ scope: any VariableScope) -> Evaluation {
        switch self {
        case .literal(let text): Evaluation(value: .string(text))
        case .expression(let expression): expression.evaluate(scope)
        }
    }

    /// The value without warnings, for the hot path.
    public func evaluateValue(_ scope: any VariableScope) -> Value {
        switch self {
        case .literal(let text): .string(text)
        case .expression(let expression): expression.evaluateValue(scope)
        }
    }
}
