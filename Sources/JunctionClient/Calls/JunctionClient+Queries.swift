public import Values

extension JunctionClient {
    /// Searches.
    ///
    /// - Parameters:
    ///   - resource: What to search.
    ///   - filter: The members of the API's filter object.
    ///   - sort: Fields in order of weight; `descending` turns the order of one round.
    ///   - limit: Items of a page, 1 to 10,000.
    ///   - cursor: The `endCursor` of the page before.
    public func search(
        _ resource: SearchResource, filter: ValueContext = ValueContext(),
        sort: [(field: String, descending: Bool)] = [], limit: Int = 100, after cursor: String? = nil
    ) async throws -> SearchPage {
        var page = ValueContext([("limit", .number(Number(limit)))])
        if let cursor { page["after"] = .string(cursor) }
        var query = ValueContext([("page", .context(page))])
        if !filter.isEmpty { query["filter"] = .context(filter) }
        if !sort.isEmpty {
            query["sort"] = .list(
                sort.map {
                    .context(
                        ValueContext([
                            ("field", .string($0.field)), ("order", .string($0.descending ? "DESC" : "ASC")),
                        ]))
                })
        }
        let body = Array(JSON.string(.context(query)).utf8)
        return try SearchPage(try await self.call("POST", "\(resource.rawValue)/search", body: body).value)
    }

    /// One item by its key; throws a problem with status 404 when there is none.
    public func get(_ resource: SearchResource, _ key: Key) async throws -> Value {
        try await self.call("GET", "\(resource.rawValue)/\(key)").value
    }

    /// The document at a path, such as `/hub/v1/status`.
    public func get(_ path: String) async throws -> Value {
        try await self.call("GET", path).value
    }
}
