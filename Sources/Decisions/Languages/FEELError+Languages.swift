/// The codes of the languages beside FEEL.
extension FEELError.Code {
    /// The text does not follow the grammar of JUEL.
    public static let juelSyntax = Self(rawValue: "JUEL-SYNTAX")
    /// The text is JUEL that Junction does not run, such as a call of a Java bean.
    public static let juelUnsupported = Self(rawValue: "JUEL-UNSUPPORTED")
    /// The JUEL text is longer, deeper or has more operations than ``JUELLanguage`` accepts.
    public static let juelTooComplex = Self(rawValue: "JUEL-TOO-COMPLEX")
    /// The text does not follow the grammar of XPath 1.0.
    public static let xpathSyntax = Self(rawValue: "XPATH-SYNTAX")
    /// The text is XPath that Junction does not run, such as an axis that needs a document.
    public static let xpathUnsupported = Self(rawValue: "XPATH-UNSUPPORTED")
    /// The XPath expression is longer, deeper or has more operations than ``XPathLanguage`` accepts.
    public static let xpathTooComplex = Self(rawValue: "XPATH-TOO-COMPLEX")
}
