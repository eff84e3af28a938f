/// What kind of model a document holds, by the namespace of its root element.
///
/// Looks at the first start tag alone, whatever the encoding.
public enum DocumentFormat: Sendable, Hashable {
    /// A BPMN document, or something that is neither: the BPMN importer says what is wrong with it.
    case bpmn
    /// A DMN document of any version, with the namespace of its own elements.
    case dmn(namespace: String)

    /// The format of a document.
    public init(of document: [UInt8]) {
        guard let tag = StartTag(document), let space = tag.namespace,
            ["http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/"].contains(where: space.hasPrefix)
        else {
            self = .bpmn
            return
        }
        self = .dmn(namespace: tag.attributes["namespace"] ?? "")
    }
}

/// The start tag of a document's root element.
private struct StartTag {
    private let name: Substring
    private(set) var attributes: [String: String] = [:]

    /// How far the root element may stand from the beginning.
    private static let headBytesMax = 64 * 1024

    init?(_ document: [UInt8]) {
        // In UTF-16 and UTF-32 every second byte of markup, or more, is zero.
        let head = document.prefix(Self.headBytesMax).filter { $0 != 0 }
        guard let tag = Self.find(in: head[...]) else { return nil }
        let text = String(decoding: tag, as: UTF8.self)
        name = text.prefix { !$0.isWhitespace && $0 != "/" }
        var rest = text.dropFirst(name.count)
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].filter { !$0.isWhitespace }
            guard let quote = rest[equals...].firstIndex(where: { $0 == "\"" || $0 == "'" }) else { return }
            let value = rest[rest.index(after: quote)...].prefix { $0 != rest[quote] }
            if attributes[key] == nil { attributes[key] = String(value) }
            guard value.endIndex < rest.endIndex else { return }
            rest = rest[rest.index(after: value.endIndex)...]
        }
    }

    /// The namespace the tag's own attributes give the element.
    var namespace: String? {
        attributes[name.firstIndex(of: ":").map { "xmlns:" + name[..<$0] } ?? "xmlns"]
    }

    /// What stands between the brackets of the first start tag.
    private static func find(in head: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = head
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[(open + 1)...]
            let end: Int?
            if rest.starts(with: "!--".utf8) {
                end = Self.end(of: "-->", in: rest)
            } else if rest.first == UInt8(ascii: "?") {
                end = Self.end(of: "?>", in: rest)
            } else if rest.first == UInt8(ascii: "!") {
                end = Self.end(of: ">", in: rest)
            } else {
                return closed(rest)
            }
            guard let end else { return nil }
            rest = rest[end...]
        }
        return nil
    }

    /// A tag up to its closing bracket, which may not stand in an attribute's value.
    private static func closed(_ tag: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var quote: UInt8?
        for (position, byte) in zip(tag.indices, tag) {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return tag[..<position]
            }
        }
        return nil
    }

    private static func end(of text: String, in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= text.utf8.count else { return nil }
        return bytes.indices.dropLast(text.utf8.count - 1).first { bytes[$0...].starts(with: text.utf8) }.map {
            $0 + text.utf8.count
        }
    }
}
