/// A FEEL function as a value: its signature, and a payload that only the evaluator understands.
///
/// Two functions are equal when they are the same object.
public final class FunctionValue: Sendable, Hashable {
    /// The function's name, or an empty string for a literal `function(…)`.
    public let name: String
    /// The names of the formal parameters, in order.
    public let parameterNames: [String]
    /// What the evaluator needs to call the function.
    public let payload: any Sendable & AnyObject

    /// Creates a function value.
    public init(name: String, parameterNames: [String], payload: any Sendable & AnyObject) {
        self.name = name
        self.parameterNames = parameterNames
        self.payload = payload
    }

    /// Whether both are the same object.
    public static func == (lhs: FunctionValue, rhs: FunctionValue) -> Bool {
        lhs === rhs
    }

    /// Hashes the object's identity.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
