public import Values

/// The outcome of evaluating an expression: a value, and what went wrong on the way.
///
/// FEEL has no exceptions. A part that cannot be evaluated is null, the evaluation goes on, and a warning says why.
public struct Evaluation: Sendable, Hashable {
    /// The value; null when it could not be computed.
    public let value: Value
    /// What went wrong, in the order of evaluation, at most ``warningsMax``.
    ///
    /// The first is the usual cause of the others.
    public let warnings: [EvaluationWarning]

    /// The largest number of warnings recorded.
    public static let warningsMax = 100

    /// Creates an outcome.
    public init(value: Value, warnings: [EvaluationWarning] = []) {
        self.value = value
        self.warnings = warnings
    }
}

/// Why a part of an expression is null.
public struct EvaluationWarning: Sendable, Hashable, CustomStringConvertible {
    /// What went wrong, naming the part of the expression.
    public let message: String
    /// Where that part begins, in UTF-8 bytes from the beginning of the source.
    public let offset: Int

    /// Creates a warning.
    public init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    /// The message with its place.
    public var description: String { "\(message) (at offset \(offset))" }
}
