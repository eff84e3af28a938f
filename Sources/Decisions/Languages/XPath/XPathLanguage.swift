/// XPath 1.0 over variables: a context is an element whose members are its children, a list is elements of one name.
///
/// `$order/item[2]/price` begins at a variable, and so does `order/item[2]/price`, as nothing but variables stands around
/// an expression. Namespaces are ignored. Three rules come from the data, which have types in Junction and none in XML: a
/// variable that holds a number, text or boolean is that value; an element that holds a boolean is converted to that
/// boolean; null is no element.
public struct XPathLanguage: ExpressionLanguage {
    /// BPMN's own name for it, the standard's, and short ones.
    public let identifiers = [
        "xpath", "xpath1.0", "application/xpath", "text/xpath", "text/x-xpath", "http://www.w3.org/1999/XPath",
        "https://www.w3.org/1999/XPath", "http://www.w3.org/TR/xpath", "https://www.w3.org/TR/xpath",
        "http://www.w3.org/TR/1999/REC-xpath-19991116", "http://www.w3.org/TR/xpath-10",
        "urn:oasis:names:tc:wsbpel:2.0:sublang:xpath1.0",
    ]

    /// Creates the language.
    public init() {}

    /// Compiles an expression.
    ///
    /// One node is its value, several are a list, none is null. As a condition the expression is converted by `boolean()`.
    ///
    /// - Parameters:
    ///   - source: Text of at most 128 KiB and 1,000 operations.
    ///   - knownNames: Not needed: a name of XPath has no blanks.
    /// - Throws: ``FEELError`` with a code that begins with `XPATH`.
    public func compile(_ source: String, knownNames: [String]) throws(FEELError) -> Expression {
        var parser = try XPathParser(source)
        let syntax = try parser.parse()
        let root = XPathNode(syntax, SourceSpan(0, source.utf8.count))
        var program = Program(root, variableNames: parser.variableNames)
        program.canGrow = true
        return Expression(source: SourceText(source), mode: .expression, program: program)
    }
}
