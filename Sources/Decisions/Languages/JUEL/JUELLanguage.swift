/// The subset of JUEL, the expression language of Java servers, that models for Camunda 7, Operaton, Activiti and
/// Flowable use: data, operators and methods of strings, but no Java beans.
///
/// `${…}` and `#{…}` mean the same; text around them makes a string. Values are converted as Expression Language 2.2,
/// clause 1.18, says: null counts as 0, "" or false, text as a number where a number is needed. What has no value is null
/// with a warning, as in FEEL.
public struct JUELLanguage: ExpressionLanguage {
    /// `juel`, `el` and the names tools write for them.
    public let identifiers = [
        "juel", "el", "uel", "text/x-juel", "application/x-juel", "http://java.sun.com/products/jsp/el",
        "http://www.java.com/javaTypes", "http://juel.sf.net",
    ]

    /// Creates the language.
    public init() {}

    /// Compiles text with `${…}` in it; text without is a string.
    ///
    /// - Parameters:
    ///   - source: Text of at most 128 KiB and 1,000 operations.
    ///   - knownNames: Not needed: a name of JUEL is one word.
    /// - Throws: ``FEELError`` with a code that begins with `JUEL`.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
        var parser = try JUELParser(source)
        let root = try parser.parse()
        return Expression(
            source: SourceText(source), mode: .expression, program: Program(root, variableNames: parser.variableNames))
    }
}
