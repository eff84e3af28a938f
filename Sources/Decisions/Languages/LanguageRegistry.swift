/// The expression and script languages an importer knows.
public struct LanguageRegistry: Sendable {
    private var expressions: [String: any ExpressionLanguage] = [:]
    private var scripts: [String: any ScriptLanguage] = [:]
    /// The language of models that declare none.
    public var defaultExpressionLanguage: any ExpressionLanguage
    /// The language of scripts without a format; nil refuses them.
    public var defaultScriptLanguage: (any ScriptLanguage)?

    /// FEEL alone.
    public static let standard: LanguageRegistry = {
        var registry = LanguageRegistry(defaultExpressionLanguage: FEELLanguage(), defaultScriptLanguage: FEELScripts())
        registry.register(FEELLanguage())
        registry.register(FEELScripts())
        return registry
    }()

    /// Creates a registry without any language but the defaults.
    public init(
        defaultExpressionLanguage: any ExpressionLanguage, defaultScriptLanguage: (any ScriptLanguage)? = nil
    ) {
        self.defaultExpressionLanguage = defaultExpressionLanguage
        self.defaultScriptLanguage = defaultScriptLanguage
    }

    /// Adds a language; the last one registered for a name counts.
    public mutating func register(_ language: any ExpressionLanguage) {
        for identifier in language.identifiers { expressions[identifier.lowercased()] = language }
    }

    /// Adds a script language; the last one registered for a name counts.
    public mutating func register(_ language: any ScriptLanguage) {
        for format in language.formats { scripts[format.lowercased()] = language }
    }

    /// The language a model declares; the default for nil, nil when it is unknown.
    public func expressionLanguage(_ identifier: String?) -> (any ExpressionLanguage)? {
        guard let identifier else { return defaultExpressionLanguage }
        return expressions[identifier.lowercased()]
    }

    /// The language of a script's format; the default for nil, nil when it is unknown.
    public func scriptLanguage(_ format: String?) -> (any ScriptLanguage)? {
        guard let format else { return defaultScriptLanguage }
        return scripts[format.lowercased()]
    }
}
