import Storage
import Values

/// The members of every search.
enum SearchRequest {
    static let fields = [
        RequestField("filter", .object, "What the items must satisfy: per member a value, or `$` operators."),
        RequestField("sort", .objects, "The order: `{field, order}` with order `ASC` or `DESC`."),
        RequestField("page", .object, "`limit` with `from`, `after` or `before`."),
    ]

    private static let sortFields = [
        RequestField("field", .string, required: true, "What to sort by."),
        RequestField("order", .string, "`ASC`, the default, or `DESC`."),
    ]

    private static let pageFields = [
        RequestField("limit", .integer(1...10_000), "How many items; default 100."),
        RequestField("from", .integer(0...Int64(Int32.max)), "How many items to skip."),
        RequestField("after", .string, "`endCursor` of the page before."),
        RequestField("before", .string, "`startCursor` of the page after."),
    ]

    /// Reads a search.
    ///
    /// - Parameters:
    ///   - object: The body.
    ///   - sortNames: Names of sort fields where they differ from those of the filter type.
    ///   - ignoredSortFields: Fields on which all items are equal.
    ///   - filter: Reads the filter.
    static func query<Filter: RecordFilter>(
        _ object: RequestObject, sortNames: [String: String] = [:], ignoredSortFields: Set<String> = ["tenantId"],
        filter read: (FilterReader) throws(ProblemDetails) -> Filter
    ) throws(ProblemDetails) -> Query<Filter> {
        var query = Query<Filter>()
        if let members = try object.value("filter")?.asContext {
            let (plain, alternatives) = try Self.alternatives(
                members, isAllowed: Filter.self == ProcessInstanceFilter.self)
            query.filter = try Self.filter(plain, path: "filter.", read)
            for (index, alternative) in alternatives.enumerated() {
                query.anyOf.append(try Self.filter(alternative, path: "filter.$or[\(index)].", read))
            }
        }
        for criterion in try object.objects("sort", fields: sortFields, maximum: 20) {
            let name = try criterion.string("field") ?? ""
            let isDescending = try Self.isDescending(criterion)
            if ignoredSortFields.contains(name) { continue }
            guard let field = Filter.SortField(rawValue: sortNames[name] ?? name) else {
                let known = Filter.SortField.allCases.map { field in
                    sortNames.first { $0.value == field.rawValue }?.key ?? field.rawValue
                }
                throw .unknownField("sort.\(name)", known: known.map { "sort.\($0)" })
            }
            query.sort.append(SortCriterion(field, isDescending: isDescending))
        }
        if let page = try object.object("page", fields: pageFields) { query.page = try Self.page(page) }
        return query
    }

    private static func filter<Filter: RecordFilter>(
        _ members: ValueContext, path: String, _ read: (FilterReader) throws(ProblemDetails) -> Filter
    ) throws(ProblemDetails) -> Filter {
        let reader = FilterReader(members, path: path)
        let filter = try read(reader)
        try reader.finish()
        return filter
    }

    /// Takes `$or` out of a filter.
    private static func alternatives(
        _ members: ValueContext, isAllowed: Bool
    ) throws(ProblemDetails) -> (plain: ValueContext, alternatives: [ValueContext]) {
        guard isAllowed, let value = members["$or"] else { return (members, []) }
        var plain = members
        plain.removeValue(forKey: "$or")
        let items = value.asList ?? []
        let alternatives = items.compactMap(\.asContext)
        guard value.asList != nil, alternatives.count == items.count else {
            throw .invalidField("filter.$or", expected: "a list of filters", found: "something else")
        }
        return (plain, alternatives)
    }

    private static func isDescending(_ criterion: RequestObject) throws(ProblemDetails) -> Bool {
        switch try criterion.string("order")?.uppercased() {
        case nil, "ASC": return false
        case "DESC": return true
        case let order?:
            throw .invalidField("sort.order", expected: "ASC or DESC", found: quoted(order))
        }
    }

    private static func page(_ page: RequestObject) throws(ProblemDetails) -> PageRequest {
        var request = PageRequest(limit: Int(try page.integer("limit") ?? 100))
        let from = try page.integer("from")
        let after = try page.string("after")
        let before = try page.string("before")
        guard [from != nil, after != nil, before != nil].filter({ $0 }).count <= 1 else {
            throw .conflictingFields(
                "page.from, page.after and page.before exclude each other.", remedy: "Keep one of them.", field: "page")
        }
        if let from { request.position = .from(Int(from)) }
        if let after { request.position = .after(after) }
        if let before { request.position = .before(before) }
        return request
    }
}
