import Decisions
import Values

extension BPMNReader {
    /// Compiles a FEEL expression, with or without its leading `=`; nil and a finding when that fails.
    ///
    /// - Parameter what: What the expression is, for messages: "the condition".
    func expression(_ source: String, of element: XMLElement, _ what: String) -> Expression? {
        let body = source.hasPrefix("=") ? String(source.dropFirst()) : source
        guard body.utf8.contains(where: { $0 > 0x20 }) else {
            report(
                .emptyExpression, at: element, "Expected a FEEL expression for \(what), but it is empty.",
                remedy: "write an expression, or remove the element")
            return nil
        }
        guard !refuseForeignLanguage(source, of: element, what) else { return nil }
        do {
            return try Expression.compile(body)
        } catch {
            reportExpression(error, body, of: element, what)
            return nil
        }
    }

    /// Compiles an expression that must be marked by a leading `=`.
    func markedExpression(_ text: String, of element: XMLElement, _ what: String) -> Expression? {
        let source = text.droppingBlanksBeforeEquals
        guard source.hasPrefix("=") || isForeignLanguage(source) || source.isEmpty else {
            report(
                .expressionRequired, at: element,
                "Expected an expression for \(what), but found the literal \"\(source)\".",
                remedy: "write it as \"=\(source)\" to read the variable of that name, or as \"=\\\"\(source)\\\"\"")
            return nil
        }
        return expression(source, of: element, what)
    }

    /// Compiles text that is a FEEL expression when it begins with `=` and otherwise stands for itself.
    func value(_ text: String, of element: XMLElement, _ what: String) -> ExpressionOrLiteral? {
        let source = text.droppingBlanksBeforeEquals
        if source.hasPrefix("=") {
            return expression(source, of: element, what).map { .expression($0) }
        }
        return refuseForeignLanguage(source, of: element, what) ? nil : .literal(source)
    }

    /// Compiles an attribute, or nil when it is absent or empty.
    func attributeValue(
        _ local: String, in space: XMLName.Space = .none, of element: XMLElement, _ what: String
    ) -> ExpressionOrLiteral? {
        guard let source = element.attribute(local, in: space), !source.isEmpty else { return nil }
        return value(source, of: element, what)
    }

    /// Compiles an attribute that is a whole number within a range, or an expression.
    func integer(
        _ local: String, in space: XMLName.Space = .none, of element: XMLElement, _ range: ClosedRange<Int>,
        _ what: String
    ) -> ExpressionOrLiteral? {
        guard let value = attributeValue(local, in: space, of: element, what) else { return nil }
        if case .literal(let text) = value, !(Int(text).map(range.contains) ?? false) {
            report(
                .badLiteral, at: element,
                "Expected a whole number from \(range.lowerBound) to \(range.upperBound) for \(what), "
                    + "but found \"\(text)\".",
                remedy: "write a number, or an expression with a leading =")
            return nil
        }
        return value
    }

    /// Whether the language of an expression is FEEL; a finding when not.
    ///
    /// An expression without `language` is in that of the document, which is FEEL unless the document names another
    /// than BPMN's own default, XPath. A leading `=` marks FEEL in any document.
    ///
    /// - Parameter body: The expression, or nil for text that need not be one.
    func checkLanguage(of element: XMLElement, _ body: String?, _ what: String) -> Bool {
        var language = element.attribute("language") ?? ""
        if language.isEmpty, let body, !body.hasPrefix("=") { language = documentLanguage }
        if language.isEmpty { return true }
        if language.lowercased().contains("feel") { return true }
        report(
            .unsupportedExpressionLanguage, at: element,
            "Expected FEEL for \(what), but its language is \(language).",
            remedy: "rewrite it in FEEL with a leading = and remove the language attribute")
        return false
    }

    private var documentLanguage: String {
        let language = document.root.attribute("expressionLanguage") ?? ""
        return language.hasSuffix("/XPath") ? "" : language
    }

    private func isForeignLanguage(_ source: String) -> Bool {
        var isMarked = false
        for byte in source.utf8 {
            if isMarked, byte == UInt8(ascii: "{") { return true }
            isMarked = byte == UInt8(ascii: "$") || byte == UInt8(ascii: "#")
        }
        return false
    }

    /// Refuses JUEL, which would otherwise be read as text or fail with a puzzling message.
    private func refuseForeignLanguage(_ source: String, of element: XMLElement, _ what: String) -> Bool {
        guard !source.hasPrefix("="), isForeignLanguage(source) else { return false }
        report(
            .foreignLanguageExpression, at: element, "Expected FEEL for \(what), but found JUEL: \(source)",
            remedy: "rewrite it as a FEEL expression with a leading =")
        return true
    }

    private func reportExpression(_ error: FEELError, _ source: String, of element: XMLElement, _ what: String) {
        report(
            .badExpression, at: element,
            "Expected a FEEL expression for \(what), but at \(error.line):\(error.column) of `\(source)`: "
                + error.message,
            remedy: error.remedy ?? "correct the expression; the position counts from its first character")
    }
}

extension String {
    /// The same text, without blanks before a leading `=`.
    fileprivate var droppingBlanksBeforeEquals: String {
        guard let first = utf8.first, first <= 0x20 else { return self }
        let rest = drop(while: \.isWhitespace)
        return rest.first == "=" ? String(rest) : self
    }
}
