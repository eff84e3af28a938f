/// What to look for, in which order, and which part of the result.
public struct Query<Filter: RecordFilter>: Sendable {
    /// What every row must satisfy.
    public var filter: Filter
    /// When not empty, every row must also satisfy one of these (`$or`).
    public var anyOf: [Filter]
    /// The order; ties, and everything when empty, go by key in the direction of the last criterion.
    public var sort: [SortCriterion<Filter.SortField>]
    /// Which rows of the result.
    public var page: PageRequest

    /// Creates a query; without arguments it finds the first 100 rows by key.
    public init(
        filter: Filter = Filter(), anyOf: [Filter] = [], sort: [SortCriterion<Filter.SortField>] = [],
        page: PageRequest = PageRequest()
    ) {
        self.filter = filter
        self.anyOf = anyOf
        self.sort = sort
        self.page = page
    }
}

/// Conditions on one kind of record; created without arguments it matches everything.
public protocol RecordFilter: Sendable {
    /// What results can be sorted by; raw values are the field names of the Camunda API.
    associatedtype SortField: RawRepresentable<String> & CaseIterable & Sendable & Hashable

    /// A filter that matches everything.
    init()
}

/// A field to sort by.
public struct SortCriterion<Field: Sendable & Hashable>: Sendable, Hashable {
    /// The field.
    ///
    /// Long texts are compared by their first 64 characters.
    public var field: Field
    /// Largest first.
    ///
    /// A missing value counts as the smallest.
    public var isDescending: Bool

    /// Creates a criterion.
    public init(_ field: Field, isDescending: Bool = false) {
        self.field = field
        self.isDescending = isDescending
    }
}

/// Which rows of a result.
public struct PageRequest: Sendable, Hashable {
    /// Where the page lies.
    public enum Position: Sendable, Hashable {
        /// After that many rows; slow far into a result.
        case from(Int)
        /// After the row with this cursor, `endCursor` of the page before.
        case after(String)
        /// Before the row with this cursor, `startCursor` of the page after.
        case before(String)
    }

    /// Where the page lies.
    public var position: Position
    /// Most rows to return, 1 … 10,000.
    public var limit: Int

    /// Creates a request; without arguments it is the first 100 rows.
    public init(_ position: Position = .from(0), limit: Int = 100) {
        self.position = position
        self.limit = limit
    }
}

/// Some rows of a result.
public struct ResultPage<Row: Sendable>: Sendable {
    /// The rows.
    public var items: [Row]
    /// How many rows match, at most `ResultPage.countedMaximum` unless the exact number is at hand.
    public var total: Int
    /// Whether more than `total` rows match.
    public var hasMoreThanTotal: Bool
    /// Names the first row, for the page before; nil when there are no rows.
    public var startCursor: String?
    /// Names the last row, for the page after; nil when there are no rows.
    public var endCursor: String?

    /// Rows that are counted before counting stops.
    public static var countedMaximum: Int { 10_000 }

    /// Creates a page.
    public init(items: [Row], total: Int, hasMoreThanTotal: Bool, startCursor: String?, endCursor: String?) {
        self.items = items
        self.total = total
        self.hasMoreThanTotal = hasMoreThanTotal
        self.startCursor = startCursor
        self.endCursor = endCursor
    }

    /// The same page with its rows changed.
    public func map<Other: Sendable, Failure: Error>(
        _ transform: (Row) throws(Failure) -> Other
    ) throws(Failure) -> ResultPage<Other> {
        ResultPage<Other>(
            items: try self.items.map(transform), total: self.total, hasMoreThanTotal: self.hasMoreThanTotal,
            startCursor: self.startCursor, endCursor: self.endCursor)
    }
}
