internal import CXML

/// Why a document is not readable as XML, and where.
struct XMLFailure: Error, CustomStringConvertible {
    let message: String
    /// From 1; 0 when unknown.
    let line: Int
    let column: Int

    init(_ error: cxml_error) {
        self.line = Int(error.line)
        self.column = Int(error.column)
        self.message = withUnsafeBytes(of: error.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    var description: String {
        self.line > 0 ? "line \(self.line), column \(self.column): \(self.message)" : self.message
    }
}

/// Reads documents into trees, within limits.
enum XMLParser {
    /// The limits for a document of at most `bytes` bytes.
    static func limits(bytes: Int) -> cxml_limits {
        var limits = cxml_default_limits()
        limits.bytes = bytes
        return limits
    }

    /// The root of a document.
    static func parse(_ bytes: [UInt8], bytesMax: Int) throws(XMLFailure) -> XMLNode {
        var error = cxml_error()
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            cxml_parse_all(buffer.baseAddress, buffer.count, Self.limits(bytes: bytesMax), &error)
        }
        guard let parsed else { throw XMLFailure(error) }
        defer { cxml_free(parsed) }
        guard let root = XMLTreeBuilder(parsed.pointee).build() else { throw XMLFailure(error) }
        return root
    }
}

/// Makes a tree of a parsed document.
private struct XMLTreeBuilder {
    private struct Open {
        var element: Int32
        var scope: XMLScope
        var content: [XMLNode.Content] = []
    }

    private let document: cxml_document
    private let names: [XMLName]

    init(_ document: cxml_document) {
        self.document = document
        self.names = (0..<Int(document.name_count)).map { number in
            let name = document.names[number]
            return XMLName(Self.string(name.uri, document), Self.string(name.local, document))
        }
    }

    private static func string(_ text: cxml_text, _ document: cxml_document) -> String {
        let start = document.bytes + Int(text.offset)
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(text.length)), as: UTF8.self)
    }

    /// The root; nil only for a document without one, which the parser refuses.
    func build() -> XMLNode? {
        var open: [Open] = []
        for position in 0..<Int(self.document.piece_count) {
            let piece = self.document.pieces[position]
            switch piece.kind {
            case CXML_START:
                let scope = self.scope(piece.element, outer: open.last?.scope)
                open.append(Open(element: piece.element, scope: scope))
            case CXML_END:
                guard let ended = open.popLast() else { return nil }
                let node = self.node(ended)
                if open.isEmpty { return node }
                open[open.count - 1].content.append(.element(node))
            case CXML_CHARACTERS, CXML_CDATA:
                guard !open.isEmpty else { continue }
                open[open.count - 1].content.append(.text(Self.string(piece.text, self.document)))
            default:
                continue
            }
        }
        return nil
    }

    private func scope(_ element: Int32, outer: XMLScope?) -> XMLScope {
        let spelling = self.document.spellings[Int(element)]
        guard spelling.declaration_count > 0 || outer == nil else { return outer ?? XMLScope() }
        let first = Int(spelling.first_declaration)
        let declared = (first..<first + Int(spelling.declaration_count)).map { position in
            let declaration = self.document.declarations[position]
            return (
                prefix: Self.string(declaration.prefix, self.document), uri: Self.string(declaration.uri, self.document)
            )
        }
        return XMLScope(declared, outer: outer)
    }

    private func node(_ open: Open) -> XMLNode {
        let element = self.document.elements[Int(open.element)]
        let first = Int(element.first_attribute)
        let attributes = (first..<first + Int(element.attribute_count)).map { position in
            let attribute = self.document.attributes[position]
            return (name: self.names[Int(attribute.name)], value: Self.string(attribute.value, self.document))
        }
        return XMLNode(
            name: self.names[Int(element.name)], attributes: attributes, content: open.content, scope: open.scope,
            line: Int(element.line), index: open.element)
    }
}
