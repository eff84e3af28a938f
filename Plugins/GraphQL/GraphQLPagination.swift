internal import Values

/// How the pages of a connection are read one after the other (GraphQL Cursor Connections Specification).
struct GraphQLPagination: Sendable, Hashable {
    /// The names of the fields that lead from the data to the connection.
    var path: [String] = []
    /// The variable that takes the cursor.
    var variable = "after"
    var pagesMax = 100
    var itemsMax = 10_000

    init(_ reader: FieldReader) {
        reader.require("connection")
        self.path = (reader.string("connection") ?? "").split(separator: ".").map(String.init)
        if reader.has("connection"), self.path.isEmpty {
            reader.add("\(reader.path).connection: expected names with dots between.")
        }
        self.variable = reader.string("variable") ?? self.variable
        self.pagesMax = reader.integer("maxPages", in: 1...10_000) ?? self.pagesMax
        self.itemsMax = reader.integer("maxItems", in: 1...1_000_000) ?? self.itemsMax
        reader.finish()
    }

    /// What keeps an operation from being read page by page.
    func problem(with operation: GraphQLDocument.Operation) -> String? {
        if operation.kind != .query { return "only a query has pages." }
        if operation.variables.contains(where: { $0.name == self.variable }) { return nil }
        return "the document has no variable \(self.variable) for the cursor."
    }

    /// Why a page cannot be read.
    struct Malformed: Error {
        var reason: String
    }

    /// The pages read so far.
    struct Progress {
        private(set) var data: Value = .null
        private(set) var pages = 0
        private(set) var items = 0
        /// Where the next page starts; nil when there is none.
        private(set) var cursor: String?

        /// Adds the data of a page.
        mutating func add(_ page: Value, _ pagination: GraphQLPagination) throws(Malformed) {
            var connection = page
            for name in pagination.path { connection = connection[name] ?? .null }
            self.pages += 1
            guard let fields = connection.asContext else {
                guard connection.isNull else { throw Malformed(reason: "\(pagination.words) is no connection") }
                // Nothing there: what was asked for does not exist.
                self.cursor = nil
                if self.pages == 1 { self.data = page }
                return
            }
            guard let info = fields["pageInfo"], let hasNext = info["hasNextPage"]?.asBoolean else {
                throw Malformed(reason: "\(pagination.words) was not asked for pageInfo { hasNextPage endCursor }")
            }
            let last = self.cursor
            self.cursor = hasNext ? info["endCursor"]?.asString : nil
            if hasNext, self.cursor == nil || self.cursor == last {
                throw Malformed(reason: "\(pagination.words) has a next page, but no new cursor")
            }
            self.items += max(fields["nodes"]?.asList?.count ?? 0, fields["edges"]?.asList?.count ?? 0)
            self.data = self.pages == 1 ? page : Self.joined(self.data, page, pagination.path[...])
        }

        /// `data` with the items of `page` after its own, and the page's information.
        private static func joined(_ data: Value, _ page: Value, _ path: ArraySlice<String>) -> Value {
            guard var fields = data.asContext, let more = page.asContext else { return data }
            if let name = path.first {
                fields[name] = Self.joined(fields[name] ?? .null, more[name] ?? .null, path.dropFirst())
                return .context(fields)
            }
            for key in ["nodes", "edges"] {
                guard let items = fields[key]?.asList, let others = more[key]?.asList else { continue }
                fields[key] = .list(items + others)
            }
            fields["pageInfo"] = more["pageInfo"]
            return .context(fields)
        }
    }

    private var words: String { self.path.joined(separator: ".") }
}
