/// A language in which conditions and values of a model are written.
///
/// What it compiles to is an ``Expression``, whatever the language: pure, bounded, usable by any number of threads.
public protocol ExpressionLanguage: Sendable {
    /// The names by which models declare it: URIs, MIME types and short names, compared without case.
    var identifiers: [String] { get }

    /// Compiles a source text.
    ///
    /// - Parameters:
    ///   - source: The text as it stands in the model.
    ///   - knownNames: Names of variables that the scope will offer, where they are known.
    /// - Throws: ``FEELError``, saying what was expected, where, and what to write instead.
    func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression
}

extension ExpressionLanguage {
    /// Compiles a source text whose variables are not known.
    public func compile(_ source: String) throws(FEELError) -> Expression {
        try compile(source, knownNames: [])
    }
}
