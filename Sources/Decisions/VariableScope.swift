public import Values

/// Where an expression finds its variables and the time.
///
/// The engine implements it over the scopes of an element instance. An evaluation runs on the caller's thread and asks
/// for the same variable more than once only outside loops, so an implementation should answer quickly and must answer
/// alike during one evaluation.
public protocol VariableScope: AnyObject {
    /// The value of the variable `name`, or nil when there is none. A variable that holds null is not nil.
    func variable(_ name: String) -> Value?
    /// What `now()` and `today()` answer.
    var now: DateTime { get }
}

/// A scope over a dictionary, for tests, the command line and triggers.
public final class MapScope: VariableScope {
    /// The variables.
    public var variables: [String: Value]
    /// What `now()` and `today()` answer.
    public var now: DateTime

    /// Creates a scope.
    ///
    /// - Parameters:
    ///   - variables: The variables by name.
    ///   - now: The time; 1970-01-01T00:00:00Z unless told.
    public init(_ variables: [String: Value] = [:], now: DateTime = .feelEpoch) {
        self.variables = variables
        self.now = now
    }

    /// Creates a scope whose variables are the entries of a context.
    public convenience init(_ context: ValueContext, now: DateTime = .feelEpoch) {
        var variables: [String: Value] = [:]
        variables.reserveCapacity(context.count)
        for (key, value) in context { variables[key] = value }
        self.init(variables, now: now)
    }

    /// The value of the variable `name`.
    public func variable(_ name: String) -> Value? { variables[name] }
}

extension DateTime {
    /// 1970-01-01T00:00:00Z, the time of a ``MapScope`` that was given none.
    public static var feelEpoch: DateTime {
        guard let epoch = DateTime(epochMilliseconds: 0) else { fatalError("1970-01-01T00:00:00Z is a date and time") }
        return epoch
    }
}
