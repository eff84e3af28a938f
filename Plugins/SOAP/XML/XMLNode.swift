internal import CXML

/// An element of a document that was read: immutable, with its content in order and the prefixes in force.
final class XMLNode: Sendable {
    /// What stands between the tags.
    enum Content: Sendable {
        case text(String)
        case element(XMLNode)
    }

    let name: XMLName
    let attributes: [(name: XMLName, value: String)]
    let content: [Content]
    /// The elements of `content`.
    let children: [XMLNode]
    let scope: XMLScope
    /// The line of the start tag, from 1.
    let line: Int
    /// Its number in document order, from 0.
    let index: Int32

    init(
        name: XMLName, attributes: [(name: XMLName, value: String)], content: [Content], scope: XMLScope, line: Int,
        index: Int32
    ) {
        self.name = name
        self.attributes = attributes
        self.content = content
        self.children = content.compactMap { if case .element(let node) = $0 { node } else { nil } }
        self.scope = scope
        self.line = line
        self.index = index
    }

    /// The text directly inside, as it stands.
    var text: String {
        var text = ""
        for case .text(let run) in self.content { text += run }
        return text
    }

    /// The text directly inside, without white space at its ends.
    var trimmedText: String { self.text.trimmingXMLSpace }

    /// The value of an attribute.
    func attribute(_ local: String, in uri: String = "") -> String? {
        self.attributes.first { $0.name.local == local && $0.name.uri == uri }?.value
    }

    /// The first child of this name.
    func child(_ local: String, in uri: String) -> XMLNode? {
        self.children.first { $0.name.local == local && $0.name.uri == uri }
    }

    /// All children of this name.
    func children(_ local: String, in uri: String) -> [XMLNode] {
        self.children.filter { $0.name.local == local && $0.name.uri == uri }
    }

    /// Resolves `prefix:local` by the prefixes in force here; nil when the prefix is not declared.
    ///
    /// Without a prefix the default namespace counts, as in attributes that hold names.
    func resolve(_ text: some StringProtocol) -> XMLName? {
        let trimmed = String(text).trimmingXMLSpace
        guard let colon = trimmed.firstIndex(of: ":") else {
            return XMLName(self.scope.uri(of: "") ?? "", trimmed)
        }
        guard let uri = self.scope.uri(of: String(trimmed[..<colon])) else { return nil }
        return XMLName(uri, String(trimmed[trimmed.index(after: colon)...]))
    }

    /// Whether `xsi:nil` says there is no value.
    var isNil: Bool {
        let text = self.attribute("nil", in: Namespace.instance)?.trimmingXMLSpace
        return text == "true" || text == "1"
    }

    /// The type `xsi:type` names.
    var instanceType: XMLName? {
        self.attribute("type", in: Namespace.instance).flatMap { self.resolve($0) }
    }
}

/// Prefixes declared on an element, and those of the elements around it.
final class XMLScope: Sendable {
    private let declared: [(prefix: String, uri: String)]
    private let outer: XMLScope?

    init(_ declared: [(prefix: String, uri: String)] = [], outer: XMLScope? = nil) {
        self.declared = declared
        self.outer = outer
    }

    /// The namespace of a prefix; that of the empty one is the default namespace.
    func uri(of prefix: String) -> String? {
        if prefix == "xml" { return Namespace.xml }
        var scope: XMLScope? = self
        while let here = scope {
            if let found = here.declared.first(where: { $0.prefix == prefix }) {
                return found.uri.isEmpty && !prefix.isEmpty ? nil : found.uri
            }
            scope = here.outer
        }
        return nil
    }

    /// The prefixes declared on the element itself.
    var own: [(prefix: String, uri: String)] { self.declared }

    /// Every prefix in force, with its namespace.
    var all: [(prefix: String, uri: String)] {
        var found: [(prefix: String, uri: String)] = []
        var scope: XMLScope? = self
        while let here = scope {
            for item in here.declared where !found.contains(where: { $0.prefix == item.prefix }) {
                found.append(item)
            }
            scope = here.outer
        }
        return found
    }
}

extension String {
    /// Without XML white space at either end.
    var trimmingXMLSpace: String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        let bytes = self.utf8
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(self[first...last])
    }

    /// Cut at XML white space.
    var xmlTokens: [String] {
        self.utf8.split { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
