extension BPMNDocument {
    /// Writes the document as XML in UTF-8.
    ///
    /// What was read and not changed is written in the same order with the same prefixes, text and white space; a
    /// namespace that a change needs is declared where it is needed. The same document always gives the same bytes.
    public func export() -> [UInt8] {
        var writer = DocumentWriter(document: self)
        return writer.write()
    }
}

/// Writes a `BPMNDocument`; well-formed whatever the document holds.
private struct DocumentWriter {
    let document: BPMNDocument
    private var bytes: [UInt8] = []
    /// The namespaces in scope, innermost last.
    private var scope: [NamespaceDeclaration] = [NamespaceDeclaration(prefix: "xml", uri: DocumentNamespace.xml)]

    init(document: BPMNDocument) {
        self.document = document
        bytes.reserveCapacity(document.elements.count * 96)
    }

    mutating func write() -> [UInt8] {
        put("<?xml version=\"1.0\" encoding=\"UTF-8\"")
        if let isStandalone = document.isStandalone { put(" standalone=\"\(isStandalone ? "yes" : "no")\"") }
        put("?>\n")
        for piece in document.prolog {
            write(piece)
            put("\n")
        }
        write(document.root)
        put("\n")
        for piece in document.epilog {
            write(piece)
            put("\n")
        }
        return bytes
    }

    private mutating func put(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func write(_ piece: DocumentContent) {
        switch piece {
        case .element(let element):
            write(element)
        case .text(let text):
            putEscaped(text, isAttribute: false)
        case .cdata(let text):
            put("<![CDATA[" + text.replacing("]]>", with: "]]]]><![CDATA[>") + "]]>")
        case .comment(let text):
            put("<!--" + text + "-->")
        case .instruction(let target, let data):
            put(data.isEmpty ? "<?\(target)?>" : "<?\(target) \(data)?>")
        }
    }

    /// Recursive: documents are nested at most 256 deep.
    private mutating func write(_ id: ElementID) {
        let element = document[id]
        let outerScope = scope.count
        var declarations = element.namespaces
        scope.append(contentsOf: declarations)
        let prefix = self.prefix(for: element.name.uri, preferred: element.prefix, adding: &declarations)
        let attributePrefixes = element.attributes.map { attribute in
            attribute.name.uri.isEmpty
                ? "" : self.prefix(for: attribute.name.uri, preferred: attribute.prefix, adding: &declarations)
        }
        put("<")
        putName(element.name.local, prefix)
        for declaration in declarations {
            put(declaration.prefix.isEmpty ? " xmlns=\"" : " xmlns:\(declaration.prefix)=\"")
            putEscaped(declaration.uri, isAttribute: true)
            put("\"")
        }
        for (attribute, prefix) in zip(element.attributes, attributePrefixes) {
            put(" ")
            putName(attribute.name.local, prefix)
            put("=\"")
            putEscaped(attribute.value, isAttribute: true)
            put("\"")
        }
        if element.content.isEmpty {
            put("/>")
        } else {
            put(">")
            for piece in element.content { write(piece) }
            put("</")
            putName(element.name.local, prefix)
            put(">")
        }
        scope.removeLast(scope.count - outerScope)
    }

    private mutating func putName(_ local: String, _ prefix: String) {
        if !prefix.isEmpty {
            put(prefix)
            put(":")
        }
        put(local)
    }

    /// The namespace a prefix means here; empty when there is none.
    private func uri(of prefix: String) -> String {
        scope.last { $0.prefix == prefix }?.uri ?? ""
    }

    /// A prefix that means this namespace here, declaring one when there is none.
    ///
    /// Only elements may be without prefix in a namespace, so an attribute's preferred prefix is never empty.
    private mutating func prefix(
        for namespace: String, preferred: String, adding declarations: inout [NamespaceDeclaration]
    ) -> String {
        if uri(of: preferred) == namespace { return preferred }
        for candidate in scope.reversed()
        where candidate.uri == namespace && !candidate.prefix.isEmpty && uri(of: candidate.prefix) == namespace {
            return candidate.prefix
        }
        let chosen = namespace.isEmpty ? "" : freePrefix(preferred, declarations)
        let declaration = NamespaceDeclaration(prefix: chosen, uri: namespace)
        declarations.append(declaration)
        scope.append(declaration)
        return chosen
    }

    /// The preferred prefix or one like it; a prefix may be declared once on one element.
    private func freePrefix(_ preferred: String, _ declarations: [NamespaceDeclaration]) -> String {
        var chosen = preferred.isEmpty ? "ns" : preferred
        var number = 0
        while chosen == "xml" || declarations.contains(where: { $0.prefix == chosen }) {
            number += 1
            chosen = "ns\(number)"
        }
        return chosen
    }

    /// Writes text so that a parser gives back the same, line ends included.
    private mutating func putEscaped(_ text: String, isAttribute: Bool) {
        var previous: (UInt8, UInt8) = (0, 0)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): put("&amp;")
            case UInt8(ascii: "<"): put("&lt;")
            case UInt8(ascii: ">") where !isAttribute && previous == (UInt8(ascii: "]"), UInt8(ascii: "]")): put("&gt;")
            case UInt8(ascii: "\r"): put("&#13;")
            case UInt8(ascii: "\"") where isAttribute: put("&quot;")
            case UInt8(ascii: "\n") where isAttribute: put("&#10;")
            case UInt8(ascii: "\t") where isAttribute: put("&#9;")
            default: bytes.append(byte)
            }
            previous = (previous.1, byte)
        }
    }
}
