import CXML
import Values

/// Builds a `BPMNDocument` from the pieces `CXML` finds.
struct DocumentReader {
    private let tree: cxml_document
    /// The resolved names by their number, shared by all elements that have them.
    private let names: [ExpandedName]

    static func read(_ bytes: [UInt8], file: String?) throws(DocumentFailure) -> BPMNDocument {
        var error = cxml_error()
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            cxml_parse_all(buffer.baseAddress, buffer.count, limits, &error)
        }
        guard let parsed else { throw DocumentFailure(diagnostic: XMLFailure(error).diagnostic(file: file)) }
        defer { cxml_free(parsed) }
        let reader = DocumentReader(parsed.pointee)
        let document = reader.document()
        let root = document[document.root]
        guard root.name == ExpandedName(uri: DocumentNamespace.model, local: "definitions") else {
            let diagnostic = Diagnostic(
                code: BPMNCode.notBPMN.rawValue, severity: .error,
                message: "Expected <definitions> of \(DocumentNamespace.model), but found <\(root.name.local)> of "
                    + (root.name.uri.isEmpty ? "no namespace" : root.name.uri) + ".",
                remedy: "export the model as BPMN 2.0 XML", file: file, line: root.line)
            throw DocumentFailure(diagnostic: diagnostic)
        }
        return document
    }

    /// Wider than for execution: documents to keep may carry pictures and other tools' data.
    private static let limits: cxml_limits = {
        var limits = cxml_default_limits()
        limits.bytes = 64 << 20
        limits.construct_bytes = 8 << 20
        limits.elements = 2_000_000
        limits.attributes = 4_000_000
        limits.pieces = 8_000_000
        return limits
    }()

    private init(_ tree: cxml_document) {
        self.tree = tree
        names = (0..<Int(tree.name_count)).map { number in
            let name = tree.names[number]
            return ExpandedName(
                uri: DocumentReader.string(name.uri, in: tree), local: DocumentReader.string(name.local, in: tree))
        }
    }

    private static func string(_ text: cxml_text, in tree: cxml_document) -> String {
        guard text.length > 0 else { return "" }
        let start = tree.bytes + Int(text.offset)
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(text.length)), as: UTF8.self)
    }

    private func string(_ text: cxml_text) -> String {
        DocumentReader.string(text, in: tree)
    }

    private func document() -> BPMNDocument {
        let elements = (0..<Int(tree.element_count)).map { element(at: $0) }
        var document = BPMNDocument(elements: elements, root: ElementID(0))
        var isInside = false
        for number in 0..<Int(tree.piece_count) {
            let piece = tree.pieces[number]
            switch piece.kind {
            case CXML_START:
                isInside = true
                guard let parent = document.elements[Int(piece.element)].parent else { continue }
                document[parent].content.append(.element(ElementID(Int(piece.element))))
            case CXML_END:
                continue
            default:
                let content = content(of: piece)
                if piece.element != CXML_NONE {
                    document[ElementID(Int(piece.element))].content.append(content)
                } else if isInside {
                    document.epilog.append(content)
                } else {
                    document.prolog.append(content)
                }
            }
        }
        document.isStandalone = tree.standalone < 0 ? nil : tree.standalone == 1
        document.indexIDs()
        return document
    }

    private func content(of piece: cxml_piece) -> DocumentContent {
        switch piece.kind {
        case CXML_CDATA: .cdata(string(piece.text))
        case CXML_COMMENT: .comment(string(piece.text))
        case CXML_INSTRUCTION: .instruction(target: string(piece.target), data: string(piece.text))
        default: .text(string(piece.text))
        }
    }

    private func element(at index: Int) -> DocumentElement {
        let node = tree.elements[index]
        let spelling = tree.spellings[index]
        let first = Int(node.first_attribute)
        let attributes = (first..<first + Int(node.attribute_count)).map { position in
            let attribute = tree.attributes[position]
            return DocumentAttribute(
                name: names[Int(attribute.name)], prefix: string(tree.attribute_prefixes[position]),
                value: string(attribute.value))
        }
        let declared = Int(spelling.first_declaration)
        let namespaces = (declared..<declared + Int(spelling.declaration_count)).map { position in
            NamespaceDeclaration(
                prefix: string(tree.declarations[position].prefix), uri: string(tree.declarations[position].uri))
        }
        return DocumentElement(
            name: names[Int(node.name)], prefix: string(spelling.prefix), attributes: attributes,
            namespaces: namespaces, parent: node.parent == CXML_NONE ? nil : ElementID(Int(node.parent)),
            line: Int(node.line))
    }
}
