/// Scripts that are one expression, in any expression language.
public struct ExpressionScripts: ScriptLanguage {
    /// The names of the language.
    public let formats: [String]
    private let language: any ExpressionLanguage

    /// Makes an expression language a script language of the same names.
    public init(_ language: any ExpressionLanguage) {
        self.language = language
        self.formats = language.identifiers
    }

    /// Compiles the expression.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> CompiledScript {
        .expression(try language.compile(source, knownNames: knownNames))
    }
}

/// Scripts in a language Junction does not run: each becomes a job, so that a worker in that language can do it.
public struct JobScripts: ScriptLanguage {
    /// The one format it was made for.
    public let formats: [String]
    private let jobType: String

    /// Creates the language of one format, whose jobs have the type `script:` and the format in lower case.
    public init(format: String) {
        formats = [format]
        jobType = "script:" + LanguageRegistry.key(format)
    }

    /// The job; the source is not read.
    public func compile(_ source: String, knownNames: [String]) -> CompiledScript {
        .job(type: jobType)
    }
}
