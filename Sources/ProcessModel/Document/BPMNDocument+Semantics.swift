import Values

extension BPMNDocument {
    /// Whether two documents say the same: elements, ids, names, references, expressions, documentation, text,
    /// extension elements and diagrams.
    ///
    /// What does not count: prefixes, the order of attributes, white space between elements of BPMN and of diagrams,
    /// comments, instructions, and whether text is a CDATA section. Inside `extensionElements` and other foreign
    /// elements, text counts verbatim.
    public func isSemanticallyEqual(to other: BPMNDocument) -> Bool {
        semanticLines() == other.semanticLines()
    }

    /// A number that is equal for documents that say the same; see `isSemanticallyEqual(to:)`.
    ///
    /// Stable over runs and versions: FNV-1a, 64 bits, of the canonical form.
    public var semanticDigest: UInt64 {
        StableHash.fnv1a64(Array(semanticLines().joined(separator: "\n").utf8))
    }

    /// The first place where two documents say different things, or nil when they say the same.
    public func firstDifference(from other: BPMNDocument) -> String? {
        let mine = semanticLines()
        let others = other.semanticLines()
        for (line, otherLine) in zip(mine, others) where line != otherLine {
            return "\(line) instead of \(otherLine)"
        }
        guard mine.count != others.count else { return nil }
        return mine.count > others.count ? "added \(mine[others.count])" : "missing \(others[mine.count])"
    }

    /// The canonical form: for each element its path and name, its attributes by name, its text.
    private func semanticLines() -> [String] {
        var lines: [String] = []
        appendLines(of: root, depth: 0, isVerbatim: false, to: &lines)
        return lines
    }

    /// Recursive: documents are nested at most 256 deep.
    private func appendLines(of id: ElementID, depth: Int, isVerbatim: Bool, to lines: inout [String]) {
        let element = self[id]
        let isVerbatim = isVerbatim || element.kind == .foreign || element.name.local == "extensionElements"
        var line = "\(depth) {\(element.name.uri)}\(element.name.local)"
        let attributes = element.attributes.sorted { ($0.name.uri, $0.name.local) < ($1.name.uri, $1.name.local) }
        for attribute in attributes {
            line += " {\(attribute.name.uri)}\(attribute.name.local)=\(quoted(value(of: attribute, at: id)))"
        }
        lines.append(line)
        if isReference(id) {
            lines.append("\(depth) \(quoted(expanded(text(of: id), at: id)))")
            return
        }
        var text = ""
        for piece in element.content {
            switch piece {
            case .text(let more), .cdata(let more):
                text += more
            case .element(let child):
                appendText(&text, depth: depth, isVerbatim: isVerbatim, to: &lines)
                appendLines(of: child, depth: depth + 1, isVerbatim: isVerbatim, to: &lines)
            case .comment, .instruction:
                continue
            }
        }
        appendText(&text, depth: depth, isVerbatim: isVerbatim, to: &lines)
    }

    private func appendText(_ text: inout String, depth: Int, isVerbatim: Bool, to lines: inout [String]) {
        if isVerbatim ? !text.isEmpty : !text.utf8.allSatisfy(\.isXMLSpace) {
            lines.append("\(depth) \(quoted(text))")
        }
        text = ""
    }

    /// An attribute's value, with the namespace in place of a prefix where it is a reference.
    private func value(of attribute: DocumentAttribute, at element: ElementID) -> String {
        let isReference =
            attribute.name.uri.isEmpty
            ? self[element].isIdentified && ReferenceNames.attributes.contains(attribute.name.local)
            : attribute.name == ExpandedName(uri: DocumentNamespace.schemaInstance, local: "type")
        return isReference ? expanded(attribute.value, at: element) : attribute.value
    }

    /// Text on one line, so that it cannot look like structure.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"") + "\""
    }
}
