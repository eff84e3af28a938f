/// FEEL as DMN 1.1 to 1.5 define it, the language Junction assumes when a model declares none.
public struct FEELLanguage: ExpressionLanguage {
    /// The namespace of FEEL in each version of DMN, its media types, and `feel`.
    public let identifiers = [
        "feel", "text/feel", "text/x-feel", "application/feel", "application/x-feel",
        "http://www.omg.org/spec/FEEL/20140401",
        "http://www.omg.org/spec/DMN/20180521/FEEL/",
        "http://www.omg.org/spec/DMN/20191111/FEEL/",
        "https://www.omg.org/spec/DMN/20191111/FEEL/",
        "http://www.omg.org/spec/DMN/20211108/FEEL/",
        "https://www.omg.org/spec/DMN/20211108/FEEL/",
        "http://www.omg.org/spec/DMN/20230324/FEEL/",
        "https://www.omg.org/spec/DMN/20230324/FEEL/",
        "https://www.omg.org/spec/DMN/20240513/FEEL/",
    ]

    /// Creates the language.
    public init() {}

    /// Compiles FEEL text, with or without a leading `=`; offsets of errors count from behind it.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
        guard case .expression(let expression) = try ExpressionOrLiteral.compile(source, knownNames: knownNames) else {
            return try Expression.compile(source, knownNames: knownNames)
        }
        return expression
    }
}
