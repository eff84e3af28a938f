import Storage
import Values

/// A search over one kind of record: how its filter is read, how it is found, how an item is written.
struct SearchOperation<Filter: RecordFilter, Row: Sendable>: Sendable {
    /// Names of sort fields where they differ from those of the filter type.
    var sortNames: [String: String] = [:]
    /// Sort fields on which all items are equal.
    var ignoredSortFields: Set<String> = ["tenantId"]
    let filter: @Sendable (FilterReader) throws(ProblemDetails) -> Filter
    let find: @Sendable (any RecordReader, Query<Filter>) throws(StoreError) -> ResultPage<Row>
    let write: @Sendable (Row, inout JSONWriter) -> Void

    /// Answers a search.
    func answer(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let query = try SearchRequest.query(
            request.object, sortNames: self.sortNames, ignoredSortFields: self.ignoredSortFields, filter: self.filter)
        let page = try await services.read { [find] records throws(StoreError) in try find(records, query) }
        return .page(page, self.write)
    }

    /// The one item that satisfies a filter; nil when there is none.
    func first(_ filter: Filter, _ services: RouteServices) async throws -> Row? {
        try await services.read { [find] records throws(StoreError) in
            try find(records, Query(filter: filter, page: PageRequest(limit: 1))).items.first
        }
    }

    /// Answers with one item, or that there is none.
    func answer(
        _ filter: Filter, orNo what: String, _ request: RouteRequest, _ services: RouteServices
    ) async throws -> APIResponse {
        let key = try request.key()
        guard let row = try await self.first(filter, services) else { throw ProblemDetails.notFound(what, key) }
        return .object(capacity: 1_024) { self.write(row, &$0) }
    }
}
