public import Values

/// A language of script tasks.
public protocol ScriptLanguage: Sendable {
    /// The names by which models declare it: MIME types or short names, compared without case.
    var formats: [String] { get }

    /// Compiles a script; see ``ExpressionLanguage/compile(_:knownNames:)``.
    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript
}

extension ScriptLanguage {
    /// Compiles a script whose variables are not known.
    public func compile(_ source: String) throws(FEELError) -> CompiledScript {
        try compile(source, knownNames: [])
    }
}

/// What becomes of a script when a process is deployed.
public enum CompiledScript: Sendable {
    /// An expression: its value goes to the result variable or, where there is none, its members to variables.
    case expression(Expression)
    /// Statements that run inside the engine.
    case actions(any Script)
    /// The script is not run here; a worker of this job type does it.
    case job(type: String)
}

/// A compiled script of statements.
///
/// It runs on a partition's thread, perhaps again after a failure, so it must be pure, quick and bounded: its only
/// effect is what it returns.
public protocol Script: Sendable {
    /// Runs the script over the variables of its task.
    func run(_ scope: any VariableScope) -> ScriptOutcome
}

/// What a script did.
public enum ScriptOutcome: Sendable {
    /// Variables it wrote, in order, each where it is defined.
    case assignments([(name: String, value: Value)])
    /// It threw a BPMN error.
    case error(code: String, message: String?)
    /// It cannot go on: an incident with this message.
    case failure(String)
}
