internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// How the pages of a list follow each other.
struct Pagination: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// Each page names the address of the next: in its `Link` field (RFC 8288), or at `next` in its body.
        case link
        /// Each page names a cursor for the next, at `next` in its body or in the header field `header`.
        case cursor
        /// Like `cursor`, with the names Google uses unless told otherwise.
        case token
        /// Pages have numbers.
        case page
        /// Pages begin at a number of items.
        case offset
    }

    enum Place: String, CaseIterable, Sendable {
        case query, body
    }

    var kind: Kind
    /// Where the items are in a page; empty: the page is the list.
    var items: JSONPath
    /// Where the next address or cursor is.
    var next: JSONPath?
    /// The header field the cursor is in, instead.
    var header: String?
    /// A flag that says whether there is more.
    var more: JSONPath?
    /// Name of what carries cursor, number or offset.
    var parameter: String
    var place: Place
    var start: Int
    var size: Int?
    var sizeParameter: String
    var pagesMaximum: Int
    var itemsMaximum: Int

    init?(_ reader: FieldReader, hasObjectBody: Bool) {
        reader.require("kind")
        let kind = reader.word("kind", of: Kind.self)
        self.items = JSONPath(reader.string("items") ?? "")
        self.next = reader.string("next").map { JSONPath($0) }
        self.header = reader.string("header")?.lowercased()
        self.more = reader.string("more").map { JSONPath($0) }
        let parameter = reader.string("parameter")
        self.place = reader.word("in", of: Place.self) ?? .query
        self.size = reader.integer("size", in: 1...100_000)
        let sizeParameter = reader.string("sizeParameter")
        self.start = reader.integer("start") ?? (kind == .page ? 1 : 0)
        self.pagesMaximum = reader.integer("maxPages", in: 1...10_000) ?? 10
        self.itemsMaximum = reader.integer("maxItems", in: 1...1_000_000) ?? 100_000
        reader.finish()
        guard let kind else { return nil }
        self.kind = kind
        self.parameter = parameter ?? Self.usualParameter(kind)
        self.sizeParameter = sizeParameter ?? Self.usualSizeParameter(kind)
        if kind == .token, self.next == nil, self.header == nil { self.next = JSONPath("nextPageToken") }
        if kind == .cursor, self.next == nil, self.header == nil {
            reader.add("\(reader.path): expected next or header, which hold the cursor.")
        }
        if self.place == .body, !hasObjectBody {
            reader.add("\(reader.path).in: expected a JSON body to put \(self.parameter) into.")
        }
    }

    private static func usualParameter(_ kind: Kind) -> String {
        switch kind {
        case .link, .cursor: "cursor"
        case .token: "pageToken"
        case .page: "page"
        case .offset: "offset"
        }
    }

    private static func usualSizeParameter(_ kind: Kind) -> String {
        switch kind {
        case .token: "pageSize"
        case .page: "per_page"
        case .link, .cursor, .offset: "limit"
        }
    }

    static let schema: Value = [
        "type": "object", "required": ["kind"], "additionalProperties": false,
        "description": "Reads all pages of a list into items.",
        "properties": [
            "kind": ["enum": .list(Kind.allCases.map { .string($0.rawValue) })],
            "items": ["type": "string", "description": "Path of the items in a page, such as data.items."],
            "next": ["type": "string", "description": "Path of the next address (link) or cursor."],
            "header": ["type": "string", "description": "Header field of the cursor, instead of next."],
            "more": ["type": "string", "description": "Path of a flag that says whether there is more."],
            "parameter": ["type": "string", "description": "What carries cursor, page number or offset."],
            "in": ["enum": ["query", "body"], "default": "query"],
            "start": ["type": "integer", "description": "The first page number (default 1) or offset (default 0)."],
            "size": ["type": "integer", "minimum": 1, "description": "Items a page; sent in sizeParameter."],
            "sizeParameter": ["type": "string"],
            "maxPages": ["type": "integer", "minimum": 1, "maximum": 10_000, "default": 10],
            "maxItems": [
                "type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 100_000,
                "description": "Reading ends with the page that reaches it.",
            ],
        ],
    ]
}

/// A way into a JSON value: names and positions between dots, such as `data.items.0.id`; `-1` is the last.
struct JSONPath: Sendable {
    private let steps: [String]

    init(_ text: String) {
        self.steps = text.split(separator: ".").map(String.init)
    }

    /// What is there; `nil` when nothing is.
    func value(in value: Value) -> Value? {
        var current = value
        for step in self.steps {
            if let list = current.asList {
                guard let number = Int(step) else { return nil }
                let index = number < 0 ? list.count + number : number
                guard list.indices.contains(index) else { return nil }
                current = list[index]
            } else {
                guard let next = current[step] else { return nil }
                current = next
            }
        }
        return current.isNull ? nil : current
    }
}

/// The relations of `Link` header fields (RFC 8288).
enum LinkField {
    /// The first target of relation `next`, as it is written.
    static func next(_ fields: [String]) -> String? {
        for field in fields {
            var rest = field[...]
            while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
                let target = String(rest[rest.index(after: open)..<close])
                rest = rest[rest.index(after: close)...]
                let parameters = Self.parameters(&rest)
                if Self.isNext(parameters) { return target }
            }
        }
        return nil
    }

    /// What follows a target, up to the comma that ends it; commas in quotes end nothing.
    private static func parameters(_ rest: inout Substring) -> Substring {
        var isQuoted = false
        var index = rest.startIndex
        while index < rest.endIndex {
            if rest[index] == "\"" { isQuoted.toggle() }
            if rest[index] == ",", !isQuoted { break }
            index = rest.index(after: index)
        }
        defer { rest = rest[index...] }
        return rest[..<index]
    }

    private static func isNext(_ parameters: Substring) -> Bool {
        for parameter in parameters.split(separator: ";") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].filter({ $0 != " " }).lowercased() == "rel" else { continue }
            let relations = parts[1].filter { $0 != "\"" }.lowercased().split(separator: " ")
            return relations.contains("next")
        }
        return false
    }
}
