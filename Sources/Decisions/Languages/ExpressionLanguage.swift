/// A language in which conditions and values of a model are written.
public protocol ExpressionLanguage: Sendable {
    /// The names by which models declare it: URIs and MIME types, compared without case.
    var identifiers: [String] { get }

    /// Compiles an expression.
    ///
    /// - Parameters:
    ///   - source: The text, without any marker of its model format.
    ///   - knownNames: See ``Expression/compile(_:mode:knownNames:)``.
    /// - Throws: ``FEELError``, saying what was expected and where.
    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression
}

/// FEEL, the language of DMN and of models that declare none.
public struct FEELLanguage: ExpressionLanguage {
    /// The URIs of DMN 1.1 to 1.5, and short names.
    public let identifiers = [
        "http://www.omg.org/spec/FEEL/20140401", "http://www.omg.org/spec/DMN/20180521/FEEL/",
        "https://www.omg.org/spec/DMN/20191111/FEEL/", "https://www.omg.org/spec/DMN/20211108/FEEL/",
        "https://www.omg.org/spec/DMN/20230324/FEEL/", "feel", "text/feel", "text/x-feel", "application/feel",
    ]

    /// Creates the language.
    public init() {}

    /// Compiles an expression.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
        try Expression.compile(source, knownNames: knownNames)
    }
}
