import Values

/// The places of schema documents that references can lead to.
final class SchemaResources {
    /// A schema in its document.
    struct Place {
        var node: DocumentNode
        /// The document, and the pointer from its root: what tells one place from another.
        var document: Int
        var pointer: String
        var resource: Int

        var key: String { "\(self.document)#\(self.pointer)" }

        func child(_ node: DocumentNode, _ tokens: String...) -> Place {
            var place = self
            place.node = node
            for token in tokens { place.pointer += "/" + token.pointerEscaped }
            return place
        }
    }

    /// A schema with an identifier of its own.
    struct Resource {
        var uri: String
        var root: Place
        var anchors: [String: Place] = [:]
        var dynamicAnchors: [String: Place] = [:]
    }

    private(set) var resources: [Resource] = []
    /// The resources of documents that call themselves something else than what they were given as.
    private var aliases: [String: Int] = [:]
    private var documents = 0

    /// Takes a document in and finds the schemas with identifiers in it.
    func add(_ node: DocumentNode, uri: String) -> Place {
        let place = Place(node: node, document: self.documents, pointer: "", resource: self.resources.count)
        self.documents += 1
        let given = Self.withoutFragment(uri)
        self.resources.append(Resource(uri: given, root: place))
        if !given.isEmpty { self.aliases[given] = place.resource }
        return self.scan(place, isRoot: true)
    }

    /// The place a reference from `place` leads to, and the dynamic anchor it names, if it names one.
    func resolve(_ reference: String, from place: Place) -> (place: Place, dynamicAnchor: String?)? {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let base = self.resources[place.resource].uri
        let uri = parts[0].isEmpty ? base : SchemaURI.resolve(String(parts[0]), against: base)
        let isHere = parts[0].isEmpty
        let named = self.resources.firstIndex { $0.uri == uri } ?? self.aliases[uri]
        guard let index = isHere ? place.resource : named else { return nil }
        let resource = self.resources[index]
        let fragment = parts.count > 1 ? SchemaURI.decoded(parts[1]) : ""
        if fragment.isEmpty { return (resource.root, nil) }
        if fragment.hasPrefix("/") { return self.navigate(resource.root, fragment).map { ($0, nil) } }
        if let dynamic = resource.dynamicAnchors[fragment] { return (dynamic, fragment) }
        return resource.anchors[fragment].map { ($0, nil) }
    }

    private func navigate(_ root: Place, _ pointer: String) -> Place? {
        var place = root
        for part in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            switch place.node.content {
            case .mapping(let entries):
                guard let entry = entries.first(where: { $0.key == name }) else { return nil }
                place = place.child(entry.value, name)
            case .list(let items):
                guard let index = Int(name), items.indices.contains(index) else { return nil }
                place = place.child(items[index], name)
            default: return nil
            }
            if let inner = self.resources.firstIndex(where: { $0.root.key == place.key }) { place.resource = inner }
        }
        return place
    }

    // MARK: - Scanning

    /// Finds identifiers and anchors in a schema and those below it; returns it with the resource it belongs to.
    @discardableResult
    private func scan(_ place: Place, isRoot: Bool = false, depth: Int = 0) -> Place {
        guard case .mapping(let entries) = place.node.content, depth <= 4 * JSONSchema.depthMax else { return place }
        var place = place
        func text(_ key: String) -> String? {
            guard let entry = entries.first(where: { $0.key == key }), case .string(let text) = entry.value.content
            else { return nil }
            return text
        }
        if let id = text("$id") {
            let uri = SchemaURI.resolve(Self.withoutFragment(id), against: self.resources[place.resource].uri)
            if isRoot {
                self.resources[place.resource].uri = uri
            } else {
                place.resource = self.resources.count
                self.resources.append(Resource(uri: uri, root: place))
            }
        }
        if let anchor = text("$anchor") { self.resources[place.resource].anchors[anchor] = place }
        if let anchor = text("$dynamicAnchor") { self.resources[place.resource].dynamicAnchors[anchor] = place }
        for entry in entries {
            for child in SchemaKeywords.subschemas(entry.key, entry.value) {
                var inner = place
                inner.node = child.node
                inner.pointer += child.pointer
                self.scan(inner, depth: depth + 1)
            }
        }
        return place
    }

    private static func withoutFragment(_ uri: String) -> String { String(uri.prefix { $0 != "#" }) }

    /// The resource that begins at `place`, or the one it is in.
    func resource(at place: Place) -> Int {
        self.resources.firstIndex { $0.root.key == place.key } ?? place.resource
    }
}

/// Where schemas stand inside schemas.
enum SchemaKeywords {
    static let single: Set<String> = [
        "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else", "unevaluatedItems",
        "unevaluatedProperties", "contentSchema",
    ]
    static let list: Set<String> = ["prefixItems", "allOf", "anyOf", "oneOf"]
    static let named: Set<String> = ["$defs", "properties", "patternProperties", "dependentSchemas"]

    static func subschemas(_ key: String, _ value: DocumentNode) -> [(pointer: String, node: DocumentNode)] {
        let token = "/" + key.pointerEscaped
        if Self.single.contains(key) { return [(token, value)] }
        if Self.list.contains(key), case .list(let items) = value.content {
            return items.enumerated().map { ("\(token)/\($0)", $1) }
        }
        if Self.named.contains(key), case .mapping(let entries) = value.content {
            return entries.map { (token + "/" + $0.key.pointerEscaped, $0.value) }
        }
        return []
    }
}

/// URIs as far as references need them (RFC 3986).
enum SchemaURI {
    /// `reference` as seen from `base` (clause 5.2); neither has a fragment.
    static func resolve(_ reference: String, against base: String) -> String {
        if reference.isEmpty { return base }
        if Self.hasScheme(reference) || base.isEmpty { return reference }
        let schemeEnd = base.firstIndex(of: ":").map { base.index(after: $0) } ?? base.startIndex
        if reference.hasPrefix("//") { return base[..<schemeEnd] + reference }
        var pathStart = schemeEnd
        if base[schemeEnd...].hasPrefix("//") {
            let authority = base.index(schemeEnd, offsetBy: 2)
            pathStart = base[authority...].firstIndex { $0 == "/" || $0 == "?" } ?? base.endIndex
        }
        let head = base[..<pathStart]
        let basePath = base[pathStart...].prefix { $0 != "?" }
        if reference.hasPrefix("?") { return head + basePath + reference }
        let query = reference.drop { $0 != "?" }
        let path = reference.prefix { $0 != "?" }
        let merged = path.hasPrefix("/") ? String(path) : Self.folder(basePath) + path
        return head + Self.withoutDots(merged) + query
    }

    private static func folder(_ path: Substring) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? (path.isEmpty ? "/" : "")
    }

    private static func hasScheme(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let scheme = text[..<colon]
        return (scheme.first?.isLetter ?? false)
            && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }

    /// A path without `.` and `..` segments (clause 5.2.4).
    private static func withoutDots(_ path: String) -> String {
        var result: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { result.append("") }
            case "..":
                if result.count > 1 { result.removeLast() }
                if isLast { result.append("") }
            default: result.append(segment)
            }
        }
        return result.joined(separator: "/")
    }

    /// The text with `%XX` read.
    static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                rest.count >= 2
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// The text as a token of a JSON pointer (RFC 6901).
    var pointerEscaped: String {
        guard self.contains(where: { $0 == "~" || $0 == "/" }) else { return self }
        return self.reduce(into: "") { result, character in
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.append(character)
            }
        }
    }
}
