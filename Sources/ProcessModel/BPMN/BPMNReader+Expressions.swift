import Decisions
import Values

extension BPMNReader {
    /// Compiles an expression of a vendor's vocabulary: FEEL, with or without its leading `=`, or marked JUEL.
    ///
    /// - Parameter what: What the expression is, for messages: "the condition".
    /// - Returns: nil, and a finding, when that fails.
    func expression(_ source: String, of element: XMLElement, _ what: String) -> Expression? {
        if source.hasPrefix("=") { return feel(String(source.dropFirst()), of: element, what) }
        if isMarkedJUEL(source) { return juel(source, of: element, what) }
        return feel(source, of: element, what)
    }

    /// Compiles the text of an element that BPMN defines as a formal expression.
    ///
    /// A leading `=` marks FEEL, `${` marks JUEL. Else the language is that of the element's `language`, of the
    /// document unless it names BPMN's own default, XPath, or the default of the registry.
    func formalExpression(_ element: XMLElement, _ what: String) -> Expression? {
        let source = element.text
        var own = element.attribute("language") ?? ""
        if own.isFEEL { own = "" }
        if source.isEmpty || source.hasPrefix("=") || Int(source) != nil, own.isEmpty {
            return expression(source, of: element, what)
        }
        // XPath has no braces, so an expression that says it is XPath and is marked as JUEL is JUEL.
        if own.isEmpty || own.isXPath, isMarkedJUEL(source) { return juel(source, of: element, what) }
        return compile(source, in: own.isEmpty ? documentLanguage : own, of: element, what)
    }

    /// Compiles the text of an element that may be plain: a literal, unless it is marked or its `language` says so.
    ///
    /// A time as ISO 8601 writes it is a literal in every known language.
    func formalValue(_ element: XMLElement, _ what: String) -> ExpressionOrLiteral? {
        if let language = element.attribute("language"), !language.isEmpty, !language.isFEEL {
            if languages.expressionLanguage(language) != nil, element.text.isISO8601 { return .literal(element.text) }
            return compile(element.text, in: language, of: element, what).map { .expression($0) }
        }
        return value(element.text, of: element, what)
    }

    /// The expression that gives a fixed text.
    func constant(_ text: String, of element: XMLElement) -> Expression? {
        feel(JSON.string(.string(text)), of: element, "a text")
    }

    /// The expression that reads a variable, whatever its name.
    func variable(_ name: String, of element: XMLElement) -> Expression? {
        feel(name, of: element, "the variable \(name)", knownNames: [name])
    }

    /// The expression that reads a variable, or another when that is null.
    func firstValue(_ name: String, else other: String, of element: XMLElement) -> Expression? {
        let source = "if \(name) = null then \(other) else \(name)"
        return feel(source, of: element, "the variable \(name)", knownNames: [name, other])
    }

    /// Compiles an expression that must be marked by a leading `=`.
    func markedExpression(_ text: String, of element: XMLElement, _ what: String) -> Expression? {
        let source = text.droppingBlanksBeforeEquals
        guard source.hasPrefix("=") || isMarkedJUEL(source) || source.isEmpty else {
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
            return feel(String(source.dropFirst()), of: element, what).map { .expression($0) }
        }
        if isMarkedJUEL(source) { return juel(source, of: element, what).map { .expression($0) } }
        return .literal(source)
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

    /// The name of a message, signal or resource; its id when it has none.
    func name(of element: XMLElement, _ what: String) -> ExpressionOrLiteral? {
        if let name = element.attribute("name"), !name.isEmpty { return value(name, of: element, what) }
        return element.attribute("id").map { .literal($0) }
    }

    /// Whether scripts without a format are in a language of the registry.
    var hasDefaultScripts: Bool { languages.scriptLanguage(nil) != nil }

    /// What the lenient profile takes for a name or code that a model leaves out, as other engines do.
    ///
    /// - Returns: nil in the other profiles, and when there is nothing to take.
    func implied(_ name: String?, for what: String, at element: XMLElement) -> String? {
        guard profile == .lenient, let name, !name.isEmpty else { return nil }
        report(
            .impliedName, at: element, "There is no \(what); \(name) is used.",
            remedy: "add the \(what) if another one is meant")
        return name
    }

    /// Compiles a script in the language of its format; an empty format is the default of the registry.
    func script(_ source: String, format: String, of element: XMLElement, _ what: String) -> CompiledScript? {
        guard let language = languages.scriptLanguage(format.isEmpty ? nil : format) else {
            report(
                .unsupportedScriptFormat, at: element, "Expected a known format for \(what), but it is \(format).",
                remedy:
                    "rewrite it in FEEL with scriptFormat=\"feel\", or let a job worker do it (zeebe:taskDefinition)")
            return nil
        }
        do {
            return try language.compile(source, knownNames: [])
        } catch {
            reportExpression(error, source, format.isEmpty ? "a script" : format, of: element, what)
            return nil
        }
    }

    // MARK: Languages

    private func feel(
        _ body: String, of element: XMLElement, _ what: String, knownNames: [String] = []
    ) -> Expression? {
        guard body.utf8.contains(where: { $0 > 0x20 }) else {
            report(
                .emptyExpression, at: element, "Expected a FEEL expression for \(what), but it is empty.",
                remedy: "write an expression, or remove the element")
            return nil
        }
        do {
            return try Expression.compile(body, knownNames: knownNames)
        } catch {
            reportExpression(error, body, "a FEEL expression", of: element, what)
            return nil
        }
    }

    /// Compiles JUEL where the registry knows it; elsewhere it would be read as text or fail with a puzzling message.
    private func juel(_ source: String, of element: XMLElement, _ what: String) -> Expression? {
        guard languages.expressionLanguage("juel") != nil else {
            report(
                .foreignLanguageExpression, at: element, "Expected FEEL for \(what), but found JUEL: \(source)",
                remedy: "rewrite it as a FEEL expression with a leading =, or import it in the lenient profile")
            return nil
        }
        return compile(source, in: "juel", of: element, what)
    }

    /// Compiles an expression in a registered language; an empty name is the default of the registry.
    private func compile(
        _ source: String, in language: String, of element: XMLElement, _ what: String
    ) -> Expression? {
        guard let compiler = languages.expressionLanguage(language.isEmpty ? nil : language) else {
            report(
                .unsupportedExpressionLanguage, at: element,
                "Expected a known language for \(what), but it is \(language).",
                remedy: "rewrite it in FEEL with a leading = and remove the language attribute")
            return nil
        }
        do {
            return try compiler.compile(source, knownNames: [])
        } catch {
            reportExpression(error, source, language.isEmpty ? "an expression" : "\(language)", of: element, what)
            return nil
        }
    }

    private var documentLanguage: String {
        let language = document.root.attribute("expressionLanguage") ?? ""
        return language.isXPath ? "" : language
    }

    /// Whether a text is a JUEL expression or holds one (`${…}`, `#{…}`).
    func isMarkedJUEL(_ source: String) -> Bool {
        var isMarked = false
        for byte in source.utf8 {
            if isMarked, byte == UInt8(ascii: "{") { return true }
            isMarked = byte == UInt8(ascii: "$") || byte == UInt8(ascii: "#")
        }
        return false
    }

    private func reportExpression(
        _ error: FEELError, _ source: String, _ language: String, of element: XMLElement, _ what: String
    ) {
        report(
            .badExpression, at: element,
            "Expected \(language) for \(what), but at \(error.line):\(error.column) of `\(source)`: " + error.message,
            remedy: error.remedy ?? "correct the expression; the position counts from its first character")
    }
}

extension String {
    /// Whether a language or script format of this name is FEEL, however it is written.
    var isFEEL: Bool { lowercased().contains("feel") }

    /// Whether a language of this name is XPath.
    fileprivate var isXPath: Bool { lowercased().hasSuffix("/xpath") }

    /// Whether this is a date and time, a duration or a repeating interval.
    fileprivate var isISO8601: Bool {
        DateTime(self) != nil || ISO8601Duration(self) != nil || ISO8601Repetition(self) != nil
    }

    /// The same text, without blanks before a leading `=`.
    fileprivate var droppingBlanksBeforeEquals: String {
        guard let first = utf8.first, first <= 0x20 else { return self }
        let rest = drop(while: \.isWhitespace)
        return rest.first == "=" ? String(rest) : self
    }
}
