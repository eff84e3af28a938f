/// Ids, references and the form of text (BPMN 2.0.2 clauses 8.3 and 8.4.6).
extension ConstraintChecker {
    func checkDuplicate(_ duplicate: Int32) {
        let element = document.element(at: Int(duplicate))
        let id = element.attribute("id") ?? ""
        let first = resolve(id)?.line ?? 0
        report(.duplicateID, at: element, "Expected ids to be unique, but \(id) also stands in line \(first).")
    }

    func checkIdentity(_ element: XMLElement, _ kind: ElementKind) {
        guard value("id", of: element) == nil else { return }
        report(.missingID, at: element, "Expected an id on this \(kind.noun), but it has none.")
    }

    // MARK: References

    func checkReferences(_ element: XMLElement, _ kind: ElementKind) {
        if let reference = ModelReference.inText[Int(kind.rawValue)] {
            guard parentKind(element) != .relationship else { return }
            checkReference(element.text, reference, "<\(kind)>", at: element)
        }
        for reference in ModelReference.inAttributes[Int(kind.rawValue)] {
            guard let text = value(reference.attribute, of: element) else { continue }
            checkReference(text, reference, reference.attribute, at: element)
        }
    }

    private func checkReference(
        _ text: String, _ reference: ModelReference, _ place: @autoclosure () -> String, at element: XMLElement
    ) {
        guard let target = resolve(text) else {
            if index.hasImports && text.utf8.contains(UInt8(ascii: ":")) { return }
            report(
                .reference, at: element,
                "Expected \(place()) to name \(reference.noun), but there is no element \"\(text)\".",
                weight: reference.weight)
            return
        }
        guard !reference.target.allows(kind(target)) else { return }
        report(
            .reference, at: element,
            "Expected \(place()) to name \(reference.noun), but \(text) is a \(kind(target).noun).",
            weight: reference.weight)
    }

    // MARK: Text

    func checkTextFormat(_ element: XMLElement) {
        guard let format = element.attribute("textFormat"), !FormalText.isMIMEType(format) else { return }
        report(.textFormat, at: element, "Expected textFormat to be a MIME type, but found \"\(format)\".")
    }

    func checkExpression(_ element: XMLElement, _ kind: ElementKind) {
        let isFormal = isFormal(element, kind)
        if isFormal, let language = element.attribute("language"), !FormalText.isURI(language) {
            report(
                .expressionLanguage, at: element,
                "Expected the language of <\(kind)> to be a URI, but found \"\(language)\".")
        }
        guard isExecutable(element) else { return }
        if !isFormal {
            report(
                .informalExpression, at: element,
                "Expected a formal expression in <\(kind)>, but it is a natural-language one.")
        } else if element.text.isEmpty, element.children.first(where: { _ in true }) == nil {
            report(.emptyExpression, at: element, "Expected an expression in <\(kind)>, but it is empty.")
        }
    }

    /// Whether an expression is formal: by its declared type, or by the schema.
    func isFormal(_ element: XMLElement, _ kind: ElementKind) -> Bool {
        if let type = element.attribute("type", in: .schemaInstance) { return type.hasSuffix("tFormalExpression") }
        switch kind {
        case .messagePath, .dataPath, .transformation, .formalExpression: return true
        case .condition: return parentKind(element) == .complexBehaviorDefinition
        default: return false
        }
    }
}

/// The forms of text that the standard prescribes.
enum FormalText {
    /// Whether text is a MIME type: `type/subtype`, with parameters or without (RFC 2045).
    static func isMIMEType(_ text: String) -> Bool {
        let essence = text.prefix { $0 != ";" }.trimmingBlanks
        let parts = essence.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy(isToken)
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Whether text is an absolute URI (RFC 3986).
    static func isURI(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text.utf8[..<colon]
        guard let first = scheme.first, isLetter(first),
            scheme.allSatisfy({ isAlphanumeric($0) || "+-.".utf8.contains($0) })
        else { return false }
        let rest = Array(text.utf8[text.utf8.index(after: colon)...])
        guard !rest.isEmpty else { return false }
        for (position, byte) in rest.enumerated() {
            if byte == UInt8(ascii: "%") {
                guard position + 2 < rest.count, isHex(rest[position + 1]), isHex(rest[position + 2]) else {
                    return false
                }
            } else if !isAlphanumeric(byte), !"-._~:/?#[]@!$&'()*+,;=".utf8.contains(byte) {
                return false
            }
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: false
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

extension StringProtocol {
    /// The same text without white space at its ends.
    fileprivate var trimmingBlanks: SubSequence {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text
    }
}
