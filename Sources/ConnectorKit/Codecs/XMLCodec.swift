internal import CXML
public import Values

/// XML without a schema, read as values and written from them.
///
/// An element without attributes and children is its text, null when it has none. Any other element is a context: its
/// attributes as `@name`, its children by local name (a list when a name repeats), its own text as `#text` unless that is
/// blank. A document is a context with one member, its root. Namespaces and the order among children of different names
/// are not kept; texts stay texts.
public enum XMLCodec {
    /// Why bytes are no XML document, or a value cannot be written as one.
    public struct Failure: Error, Sendable, Hashable {
        /// Line of the trouble, from 1; 1 when it has no place.
        public var line: Int
        /// Column, from 1, where known.
        public var column: Int?
        /// What is wrong.
        public var reason: String
    }

    /// The deepest nesting, read or written.
    public static let depthMaximum = 256

    /// Reads a document of at most `maximum` bytes.
    ///
    /// External entities and DTDs are refused.
    public static func parse(_ bytes: [UInt8], maximum: Int = 64 << 20) throws(Failure) -> Value {
        let tree = try XMLTree(bytes, maximum: maximum)
        return .context([tree.name(of: 0): tree.value(of: 0)])
    }

    /// Writes a context with one member as a document, in UTF-8, with an XML declaration.
    public static func write(_ value: Value, into bytes: inout [UInt8]) throws(Failure) {
        guard let context = value.asContext, context.count == 1, let root = context.first(where: { _ in true }) else {
            throw Failure(line: 1, reason: "Expected a context with one member, the root element.")
        }
        bytes += Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8)
        try Self.element(root.key, root.value, depth: 1, into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }
}

// MARK: - Writing

extension XMLCodec {
    private static func element(
        _ name: String, _ value: Value, depth: Int, into bytes: inout [UInt8]
    ) throws(Failure) {
        guard Self.isName(name) else {
            throw Failure(line: 1, reason: "\"\(name.prefix(60))\" is no name of an element.")
        }
        guard depth <= Self.depthMaximum else {
            throw Failure(line: 1, reason: "More than \(Self.depthMaximum) elements are inside each other.")
        }
        if case .list(let items) = value {
            for item in items {
                if case .list = item {
                    throw Failure(line: 1, reason: "\(name): a list in a list has no form in XML.")
                }
                try Self.element(name, item, depth: depth, into: &bytes)
            }
            return
        }
        bytes.append(UInt8(ascii: "<"))
        bytes += Array(name.utf8)
        guard case .context(let members) = value else {
            let text = Self.text(of: value)
            guard !text.isEmpty else {
                bytes += Array("/>".utf8)
                return
            }
            bytes.append(UInt8(ascii: ">"))
            try Self.escape(text, isAttribute: false, into: &bytes)
            Self.end(name, into: &bytes)
            return
        }
        for (key, attribute) in members where key.hasPrefix("@") {
            let name = String(key.dropFirst())
            guard Self.isName(name), attribute.asContext == nil, attribute.asList == nil else {
                throw Failure(line: 1, reason: "\"\(key.prefix(60))\" is no attribute with a simple value.")
            }
            bytes += Array(" \(name)=\"".utf8)
            try Self.escape(Self.text(of: attribute), isAttribute: true, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        guard members.contains(where: { !$0.key.hasPrefix("@") }) else {
            bytes += Array("/>".utf8)
            return
        }
        bytes.append(UInt8(ascii: ">"))
        if let text = members["#text"] { try Self.escape(Self.text(of: text), isAttribute: false, into: &bytes) }
        for (key, child) in members where !key.hasPrefix("@") && key != "#text" {
            try Self.element(key, child, depth: depth + 1, into: &bytes)
        }
        Self.end(name, into: &bytes)
    }

    private static func end(_ name: String, into bytes: inout [UInt8]) {
        bytes += Array("</\(name)>".utf8)
    }

    /// A simple value as text: as in JSON, without the quotes.
    private static func text(of value: Value) -> String {
        value.isNull ? "" : value.asString ?? JSON.string(value)
    }

    private static func escape(_ text: String, isAttribute: Bool, into bytes: inout [UInt8]) throws(Failure) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": bytes += Array("&amp;".utf8)
            case "<": bytes += Array("&lt;".utf8)
            case ">": bytes += Array("&gt;".utf8)
            case "\"" where isAttribute: bytes += Array("&quot;".utf8)
            case "\t", "\n":
                if isAttribute { bytes += Array("&#\(scalar.value);".utf8) } else { bytes.append(UInt8(scalar.value)) }
            case "\r": bytes += Array("&#13;".utf8)
            default:
                guard scalar.value >= 0x20, scalar.value != 0xFFFE, scalar.value != 0xFFFF else {
                    let code = String(scalar.value, radix: 16)
                    throw Failure(line: 1, reason: "The character U+\(code) cannot stand in XML.")
                }
                bytes += Array(String(scalar).utf8)
            }
        }
    }

    /// Whether a name can be written, with at most one prefix.
    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count <= 2
            && parts.allSatisfy { part in
                guard let first = part.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else {
                    return false
                }
                return part.unicodeScalars.allSatisfy {
                    $0 == "_" || $0 == "-" || $0 == "." || $0.properties.isAlphabetic
                        || $0.properties.numericType != nil
                }
            }
    }
}

// MARK: - Reading

/// A parsed document; elements are numbered in document order, the root is 0.
struct XMLTree: ~Copyable {
    private let document: UnsafeMutablePointer<cxml_document>

    init(_ bytes: [UInt8], maximum: Int) throws(XMLCodec.Failure) {
        var limits = cxml_default_limits()
        limits.bytes = maximum
        limits.depth = Int32(XMLCodec.depthMaximum)
        var error = cxml_error()
        let parsed = bytes.withUnsafeBufferPointer { cxml_parse($0.baseAddress, $0.count, limits, &error) }
        guard let parsed else {
            let reason = withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw XMLCodec.Failure(
                line: max(1, Int(error.line)), column: error.column > 0 ? Int(error.column) : nil, reason: reason)
        }
        self.document = parsed
    }

    deinit { cxml_free(self.document) }

    var count: Int { Int(self.document.pointee.element_count) }

    private func element(_ index: Int) -> cxml_element { self.document.pointee.elements[index] }

    private func string(_ text: cxml_text) -> String {
        let start = self.document.pointee.bytes + Int(text.offset)
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(text.length)), as: UTF8.self)
    }

    /// The local name of an element.
    func name(of index: Int) -> String {
        self.string(self.document.pointee.names[Int(self.element(index).name)].local)
    }

    /// The line of its start tag.
    func line(of index: Int) -> Int { max(1, Int(self.element(index).line)) }

    /// The element as a value; recursion is bounded by the depth of the document.
    func value(of index: Int) -> Value {
        let element = self.element(index)
        var members = ValueContext()
        for number in Int(element.first_attribute)..<Int(element.first_attribute + element.attribute_count) {
            let attribute = self.document.pointee.attributes[number]
            members["@" + self.string(self.document.pointee.names[Int(attribute.name)].local)] = .string(
                self.string(attribute.value))
        }
        var child = element.first_child
        while child != CXML_NONE {
            let name = self.name(of: Int(child))
            let value = self.value(of: Int(child))
            switch members[name] {
            case nil: members[name] = value
            case .list(var items)?:
                // An element is never a list by itself: this one was made here.
                items.append(value)
                members[name] = .list(items)
            case let first?: members[name] = .list([first, value])
            }
            child = self.element(Int(child)).next_sibling
        }
        let text = self.text(of: element)
        if members.isEmpty { return text.isEmpty ? .null : .string(text) }
        if text.contains(where: { !$0.isWhitespace }) { members["#text"] = .string(text) }
        return .context(members)
    }

    private func text(of element: cxml_element) -> String {
        var text = ""
        var run = element.first_run
        while run != CXML_NONE {
            let piece = self.document.pointee.runs[Int(run)]
            text += self.string(piece.text)
            run = piece.next
        }
        return text
    }
}

/// Each element of one name is a record; without a name the document is.
struct XMLCutter: Sendable {
    private var records: [DecodedRecord]
    private var position = 0
    private let recordElement: String?

    init(_ bytes: [UInt8], _ decoding: RecordDecoding) {
        let whole = 0..<bytes.count
        self.recordElement = decoding.recordElement
        do {
            let tree = try XMLTree(bytes, maximum: max(bytes.count, 1))
            guard let name = decoding.recordElement else {
                self.records = [
                    DecodedRecord(
                        range: whole, line: 1, body: .value(.context([tree.name(of: 0): tree.value(of: 0)])),
                        isWholeDocument: false)
                ]
                return
            }
            self.records = []
            for index in 0..<tree.count where tree.name(of: index) == name {
                self.records.append(
                    DecodedRecord(
                        range: whole, line: tree.line(of: index), body: .value(tree.value(of: index)),
                        isWholeDocument: false))
            }
        } catch {
            self.records = [
                DecodedRecord(
                    range: whole, line: error.line,
                    body: .undecodable(.init(line: error.line, column: error.column, reason: error.reason)),
                    isWholeDocument: true)
            ]
        }
    }

    /// The record as a document of its own; nil when it is the document.
    func payload(of record: DecodedRecord) -> [UInt8]? {
        guard let name = self.recordElement, case .value(let value) = record.body else { return nil }
        var bytes: [UInt8] = []
        guard (try? XMLCodec.write(.context([name: value]), into: &bytes)) != nil else { return nil }
        return bytes
    }

    mutating func next() -> DecodedRecord? {
        guard self.position < self.records.count else { return nil }
        self.position += 1
        return self.records[self.position - 1]
    }
}
