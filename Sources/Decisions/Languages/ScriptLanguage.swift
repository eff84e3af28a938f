public import Values

/// A language of script tasks.
public protocol ScriptLanguage: Sendable {
    /// The names by which models declare it: MIME types and short names, compared without case.
    var formats: [String] { get }

    /// Compiles the body of a script task.
    ///
    /// - Throws: ``FEELError``, saying what was expected and where.
    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript
}

/// How a script runs.
public enum CompiledScript: Sendable {
    /// As an expression: its value goes to the result variable, or its members are merged.
    case expression(Expression)
    /// Inside the engine.
    case actions(any Script)
    /// By a worker of this job type.
    case job(type: String)
}

/// A script that runs inside the engine.
public protocol Script: Sendable {
    /// Runs once, quickly, and without any effect but its outcome.
    func run(_ scope: any VariableScope) -> ScriptOutcome
}

/// What a script did.
public enum ScriptOutcome: Sendable {
    /// New values, each written where its variable is defined.
    case assignments([(name: String, value: Value)])
    /// A BPMN error.
    case error(code: String, message: String?)
    /// Something went wrong: an incident with this message.
    case failure(String)
}

/// FEEL as a script language.
public struct FEELScripts: ScriptLanguage {
    /// The names of FEEL.
    public let formats = FEELLanguage().identifiers

    /// Creates the language.
    public init() {}

    /// Compiles a script.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript {
        .expression(try Expression.compile(source, knownNames: knownNames))
    }
}
