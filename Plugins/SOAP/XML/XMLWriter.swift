/// Writes a document, tag by tag.
///
/// Namespaces get prefixes where they are first needed.
struct XMLWriter {
    /// A text that cannot stand in XML 1.0.
    struct UnwritableText: Error {}

    private struct Open {
        var name: String
        var declarations: Int
    }

    private(set) var bytes: [UInt8] = []
    /// How many elements were opened so far.
    private(set) var elementCount = 0
    private var open: [Open] = []
    private var declared: [(uri: String, prefix: String)] = []
    private var counter = 0
    private let preferred: [String: String]
    private var isTagOpen = false

    /// Starts a document; `preferred` names the prefixes of well-known namespaces.
    init(preferred: [String: String] = [:]) {
        self.preferred = preferred
    }

    /// The prefix of a namespace, declared on the element whose tag is open if need be.
    ///
    /// For names inside values too; an empty namespace has none.
    mutating func prefix(of uri: String) -> String {
        if uri.isEmpty { return "" }
        if let known = self.knownPrefix(uri) { return known }
        let chosen = self.unusedPrefix(uri)
        self.declare(chosen, uri)
        return chosen
    }

    /// Declares a prefix on the element whose tag is open.
    private mutating func declare(_ prefix: String, _ uri: String) {
        self.append(prefix.isEmpty ? " xmlns=\"" : " xmlns:\(prefix)=\"")
        self.escape(uri, inAttribute: true)
        self.append("\"")
        self.declared.append((uri, prefix))
        if !self.open.isEmpty { self.open[self.open.count - 1].declarations += 1 }
    }

    /// Opens an element, declaring prefixes on it.
    mutating func start(_ name: XMLName, declaring declarations: [(prefix: String, uri: String)] = []) {
        self.finishTag()
        let outer = self.declared.count
        self.declared += declarations.map { ($0.uri, $0.prefix) }
        let known = name.uri.isEmpty ? "" : self.knownPrefix(name.uri)
        let prefix = known ?? self.unusedPrefix(name.uri)
        let hidesDefault = name.uri.isEmpty && self.declared.last { $0.prefix.isEmpty }.map { $0.uri != "" } == true
        self.declared.removeLast(self.declared.count - outer)
        let text = prefix.isEmpty ? name.local : "\(prefix):\(name.local)"
        self.append("<\(text)")
        self.elementCount += 1
        self.open.append(Open(name: text, declarations: 0))
        self.isTagOpen = true
        for (prefix, uri) in declarations where !hidesDefault || !prefix.isEmpty { self.declare(prefix, uri) }
        if hidesDefault { self.declare("", "") }
        if known == nil { self.declare(prefix, name.uri) }
    }

    /// A prefix that stands for `uri` here and is not hidden by a later declaration.
    private func knownPrefix(_ uri: String) -> String? {
        if uri == Namespace.xml { return "xml" }
        return self.declared.last { item in
            item.uri == uri && !item.prefix.isEmpty
                && self.declared.last { $0.prefix == item.prefix }.map { $0.uri == uri } == true
        }?.prefix
    }

    private mutating func unusedPrefix(_ uri: String) -> String {
        var prefix = self.preferred[uri] ?? ""
        while prefix.isEmpty || self.declared.contains(where: { $0.prefix == prefix }) {
            prefix = "n\(self.counter)"
            self.counter += 1
        }
        return prefix
    }

    /// Adds an attribute to the element whose tag is open.
    mutating func attribute(_ name: XMLName, _ value: String) throws(UnwritableText) {
        try Self.check(value)
        let prefix = self.prefix(of: name.uri)
        self.append(prefix.isEmpty ? " \(name.local)=\"" : " \(prefix):\(name.local)=\"")
        self.escape(value, inAttribute: true)
        self.append("\"")
    }

    /// Adds text to the element that is open.
    mutating func text(_ text: String) throws(UnwritableText) {
        guard !text.isEmpty else { return }
        try Self.check(text)
        self.finishTag()
        self.escape(text, inAttribute: false)
    }

    /// Closes the element opened last.
    mutating func end() {
        guard let ended = self.open.popLast() else { return }
        if self.isTagOpen {
            self.append("/>")
            self.isTagOpen = false
        } else {
            self.append("</\(ended.name)>")
        }
        self.declared.removeLast(ended.declarations)
    }

    private mutating func finishTag() {
        if self.isTagOpen {
            self.bytes.append(UInt8(ascii: ">"))
            self.isTagOpen = false
        }
    }

    private mutating func append(_ text: String) { self.bytes.append(contentsOf: text.utf8) }

    private mutating func escape(_ text: String, inAttribute: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): self.append("&amp;")
            case UInt8(ascii: "<"): self.append("&lt;")
            case UInt8(ascii: ">"): self.append("&gt;")
            case UInt8(ascii: "\""): if inAttribute { self.append("&quot;") } else { self.bytes.append(byte) }
            case 0x0D: self.append("&#13;")
            case 0x0A, 0x09: if inAttribute { self.append("&#\(byte);") } else { self.bytes.append(byte) }
            default: self.bytes.append(byte)
            }
        }
    }

    /// XML 1.0 has no form for control characters and U+FFFE, U+FFFF.
    private static func check(_ text: String) throws(UnwritableText) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D, 0x20...0xFFFD, 0x10000...: continue
            default: throw UnwritableText()
            }
        }
    }
}

extension XMLWriter {
    /// Writes a tree that was read; elements for which `isKept` is false are left out, those that have a `text` are
    /// replaced by it.
    ///
    /// Prefixes stay as they were, and the outermost element declares every one in force, so that names inside values
    /// keep their meaning.
    mutating func copy(
        _ node: XMLNode, inside outer: XMLNode? = nil, isKept: (XMLNode) -> Bool = { _ in true },
        text: (XMLNode) -> String? = { _ in nil }
    ) throws(UnwritableText) {
        guard isKept(node) else { return }
        if let text = text(node) {
            try self.text(text)
            return
        }
        let declarations = outer == nil ? node.scope.all : node.scope === outer?.scope ? [] : node.scope.own
        self.start(node.name, declaring: declarations)
        for attribute in node.attributes { try self.attribute(attribute.name, attribute.value) }
        for item in node.content {
            switch item {
            case .text(let text): try self.text(text)
            case .element(let child): try self.copy(child, inside: node, isKept: isKept, text: text)
            }
        }
        self.end()
    }
}
