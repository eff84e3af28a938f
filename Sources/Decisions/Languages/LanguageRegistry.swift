/// The expression and script languages that models may use, by the names under which they declare them.
///
/// Names are compared without case and without blanks around them.
public struct LanguageRegistry: Sendable {
    /// FEEL, for expressions and scripts.
    ///
    /// Everything else is unknown, so that an import can refuse it.
    public static let standard: LanguageRegistry = {
        var registry = LanguageRegistry(defaultExpressionLanguage: FEELLanguage())
        registry.register(script: ExpressionScripts(FEELLanguage()))
        return registry
    }()

    /// FEEL, JUEL and XPath 1.0; scripts in other languages become jobs of the type `script:<format>`.
    public static let lenient: LanguageRegistry = {
        var registry = LanguageRegistry.standard
        registry.register(JUELLanguage())
        registry.register(XPathLanguage())
        registry.register(script: ExpressionScripts(JUELLanguage()))
        registry.makesForeignScriptsJobs = true
        return registry
    }()

    /// The language of models that declare none.
    public var defaultExpressionLanguage: any ExpressionLanguage
    /// The language of scripts without a format; nil when such scripts are unknown.
    public var defaultScriptLanguage: (any ScriptLanguage)?
    /// Whether a script in an unknown format becomes a job instead of being unknown.
    public var makesForeignScriptsJobs = false

    private var expressionLanguages: [String: any ExpressionLanguage] = [:]
    private var scriptLanguages: [String: any ScriptLanguage] = [:]

    /// Creates a registry of one expression language and no script language.
    public init(defaultExpressionLanguage: any ExpressionLanguage) {
        self.defaultExpressionLanguage = defaultExpressionLanguage
        register(defaultExpressionLanguage)
    }

    /// Adds an expression language under all its identifiers; an identifier that is taken now means this one.
    public mutating func register(_ language: any ExpressionLanguage) {
        for identifier in language.identifiers { expressionLanguages[Self.key(identifier)] = language }
    }

    /// Adds a script language under all its formats; a format that is taken now means this one.
    public mutating func register(script language: any ScriptLanguage) {
        for format in language.formats { scriptLanguages[Self.key(format)] = language }
    }

    /// The expression language a model declares, or nil when it is unknown; nil and blank text mean the default.
    public func expressionLanguage(_ identifier: String?) -> (any ExpressionLanguage)? {
        let key = Self.key(identifier ?? "")
        return key.isEmpty ? defaultExpressionLanguage : expressionLanguages[key]
    }

    /// The script language of a format, or nil when it is unknown; nil and blank text mean the default.
    public func scriptLanguage(_ format: String?) -> (any ScriptLanguage)? {
        let key = Self.key(format ?? "")
        if key.isEmpty { return defaultScriptLanguage }
        return scriptLanguages[key] ?? (makesForeignScriptsJobs ? JobScripts(format: key) : nil)
    }

    /// A name as it is compared.
    static func key(_ name: String) -> String {
        let scalars = name.unicodeScalars.drop(while: \.isBlank)
        let end = scalars.lastIndex { !$0.isBlank }.map { scalars.index(after: $0) } ?? scalars.startIndex
        return String(scalars[..<end]).lowercased()
    }
}
