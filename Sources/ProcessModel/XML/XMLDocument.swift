import CXML

/// A parsed XML document: a read-only tree over the flat arrays of `CXML`.
///
/// Elements are cheap handles that do not keep the document alive; whoever reads a tree holds its document until done.
final class XMLDocument {
    /// Every distinct name in the document, by its number.
    let names: [XMLName]
    fileprivate let tree: UnsafeMutablePointer<cxml_document>

    /// Parses a document.
    ///
    /// - Throws: `XMLFailure` with the first reason to refuse it.
    init(_ bytes: [UInt8], limits: cxml_limits = cxml_default_limits()) throws(XMLFailure) {
        var error = cxml_error()
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            cxml_parse(buffer.baseAddress, buffer.count, limits, &error)
        }
        guard let parsed else { throw XMLFailure(error) }
        tree = parsed
        names = (0..<Int(parsed.pointee.name_count)).map { number in
            let name = parsed.pointee.names[number]
            return XMLName(
                uri: XMLDocument.string(name.uri, in: parsed), local: XMLDocument.string(name.local, in: parsed))
        }
    }

    deinit {
        cxml_free(tree)
    }

    /// How many elements there are; their indexes are in document order.
    var elementCount: Int { Int(tree.pointee.element_count) }

    /// The outermost element.
    var root: XMLElement { element(at: 0) }

    /// The element with this index.
    func element(at index: Int) -> XMLElement {
        XMLElement(document: self, index: Int32(index))
    }

    fileprivate static func string(_ text: cxml_text, in tree: UnsafeMutablePointer<cxml_document>) -> String {
        let start = tree.pointee.bytes + Int(text.offset)
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(text.length)), as: UTF8.self)
    }
}

/// Why a document is not readable as XML, and where.
struct XMLFailure: Error {
    /// The kind of failure.
    let status: cxml_status
    /// What was found.
    let message: String
    /// The line, or nil when the failure has no place.
    let line: Int?
    /// The column, or nil when the failure has no place.
    let column: Int?

    init(_ error: cxml_error) {
        status = error.status
        line = error.line > 0 ? Int(error.line) : nil
        column = error.column > 0 ? Int(error.column) : nil
        message = withUnsafeBytes(of: error.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// One element of a document that its reader keeps alive.
struct XMLElement {
    // Safe because the reader that hands out elements owns the document; this spares two reference counts per step.
    private unowned(unsafe) let document: XMLDocument
    /// Its position in document order.
    let index: Int32

    fileprivate init(document: XMLDocument, index: Int32) {
        self.document = document
        self.index = index
    }

    private var node: cxml_element { document.tree.pointee.elements[Int(index)] }

    /// The line of the start tag.
    var line: Int { Int(node.line) }

    /// The name, resolved.
    var name: XMLName { document.names[Int(node.name)] }

    /// The BPMN element of this name, when it is one; cheaper than `name.tag`.
    var tag: BPMNTag? { document.names.withUnsafeBufferPointer { $0[Int(node.name)].tag } }

    /// The vocabulary of the name; cheaper than `name.space`.
    var space: XMLName.Space { document.names.withUnsafeBufferPointer { $0[Int(node.name)].space } }

    /// The number of its name in the document's `names`.
    var nameNumber: Int { Int(node.name) }

    /// The element around this one.
    var parent: XMLElement? {
        let parent = node.parent
        return parent == CXML_NONE ? nil : XMLElement(document: document, index: parent)
    }

    /// The elements directly inside, in document order.
    var children: Children { Children(document: document, upcoming: node.first_child) }

    /// The attributes, in document order.
    var attributes: some Collection<(name: XMLName, value: String)> {
        let document = self.document
        let first = Int(node.first_attribute)
        return (first..<first + Int(node.attribute_count)).lazy.map { position in
            let attribute = document.tree.pointee.attributes[position]
            return (document.names[Int(attribute.name)], XMLDocument.string(attribute.value, in: document.tree))
        }
    }

    /// The value of an attribute, or nil when it is absent.
    func attribute(_ local: String, in space: XMLName.Space = .none) -> String? {
        let node = self.node
        let first = Int(node.first_attribute)
        for position in first..<first + Int(node.attribute_count) {
            let attribute = document.tree.pointee.attributes[position]
            let isMatch = document.names.withUnsafeBufferPointer { names in
                names[Int(attribute.name)].space == space && names[Int(attribute.name)].local == local
            }
            if isMatch { return XMLDocument.string(attribute.value, in: document.tree) }
        }
        return nil
    }

    /// Whether an attribute of any other namespace than none is present; most elements need no closer look.
    var hasQualifiedAttributes: Bool {
        let node = self.node
        let first = Int(node.first_attribute)
        return document.names.withUnsafeBufferPointer { names in
            (first..<first + Int(node.attribute_count)).contains { position in
                names[Int(document.tree.pointee.attributes[position].name)].space != .none
            }
        }
    }

    /// The text directly inside, without white space at its ends.
    var text: String {
        var run = node.first_run
        guard run != CXML_NONE else { return "" }
        let first = document.tree.pointee.runs[Int(run)]
        if first.next == CXML_NONE {
            let start = document.tree.pointee.bytes + Int(first.text.offset)
            let bytes = UnsafeBufferPointer(start: start, count: Int(first.text.length))
            return String(decoding: bytes.trimmingXMLSpace, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        while run != CXML_NONE {
            let piece = document.tree.pointee.runs[Int(run)]
            let start = document.tree.pointee.bytes + Int(piece.text.offset)
            bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: Int(piece.text.length)))
            run = piece.next
        }
        return bytes.withUnsafeBufferPointer { String(decoding: $0.trimmingXMLSpace, as: UTF8.self) }
    }

    /// A walk over sibling elements.
    struct Children: Sequence, IteratorProtocol {
        fileprivate unowned(unsafe) let document: XMLDocument
        fileprivate var upcoming: Int32

        /// Whether there are none.
        var isEmpty: Bool { upcoming == CXML_NONE }

        mutating func next() -> XMLElement? {
            guard upcoming != CXML_NONE else { return nil }
            let element = XMLElement(document: document, index: upcoming)
            upcoming = element.node.next_sibling
            return element
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The same bytes without XML white space at either end.
    fileprivate var trimmingXMLSpace: Slice<UnsafeBufferPointer<UInt8>> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        var slice = self[...]
        while let first = slice.first, isSpace(first) { slice = slice.dropFirst() }
        while let last = slice.last, isSpace(last) { slice = slice.dropLast() }
        return slice
    }
}
