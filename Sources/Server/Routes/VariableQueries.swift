import Foundation
import HTTPTypes
import Storage
import Values

/// The variables of one process instance, read from the records.
enum VariableQueries {
    static let routes: [Route] = [
        Route(
            .post, "/v2/variables/search", "searchVariables",
            "Searches the variables of one process instance; `filter.processInstanceKey` is required.",
            body: .json(SearchRequest.fields, required: true), search)
    ]

    /// Longer values are cut in search results, unless `truncateValues=false`.
    private static let valueBytesMax = 8_191

    private struct Filter: RecordFilter {
        enum SortField: String, CaseIterable, Sendable {
            case name, value, variableKey, scopeKey, processInstanceKey
        }

        var name: [Comparison<String>] = []
        var value: [Comparison<String>] = []
        var key: [Comparison<UInt64>] = []
        var scopeKey: [Comparison<UInt64>] = []
        var instanceKey: UInt64?
        var isTruncated: Bool?
    }

    private struct Row: Sendable {
        var record: VariableRecord
        var text: String
        var key: UInt64
        var isTruncated: Bool
    }

    private static func search(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let truncates = try request.flag("truncateValues", default: true)
        let query: Query<Filter> = try SearchRequest.query(request.object) { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = Filter()
            filter.name = try reader.strings("name")
            filter.value = try reader.strings("value")
            filter.key = try reader.keys("variableKey")
            filter.scopeKey = try reader.keys("scopeKey")
            filter.isTruncated = try reader.boolean("isTruncated")
            if case .equal(let key)? = try reader.keys("processInstanceKey").first { filter.instanceKey = key }
            return filter
        }
        guard let instanceKey = query.filter.instanceKey else {
            throw ProblemDetails.missingField("filter.processInstanceKey", expected: "the key of one process instance")
        }
        let records = try await services.read { records throws(StoreError) in
            try records.variables(instanceKey: instanceKey)
        }
        let rows = records.map { row($0, truncates: truncates) }.filter { matches($0, query.filter) }
        return .page(try page(sorted(rows, query.sort), query.page)) { row, writer in
            writer.member("name", row.record.name)
            writer.member("value", row.text)
            writer.member("isTruncated", row.isTruncated)
            writer.member("variableKey", Key(rawValue: row.key))
            writer.member("scopeKey", Key(rawValue: row.record.scopeKey))
            writer.member("processInstanceKey", Key(rawValue: row.record.instanceKey))
            writer.member("tenantId", defaultTenant)
        }
    }

    private static func row(_ record: VariableRecord, truncates: Bool) -> Row {
        let json = record.value.json
        let isTruncated = truncates && json.count > valueBytesMax
        // A variable has no key of its own: one is made of what identifies it.
        let key = StableHash.fnv1a64("\(record.scopeKey):\(record.name)") >> 1
        return Row(
            record: record, text: String(decoding: isTruncated ? json[..<valueBytesMax] : json[...], as: UTF8.self),
            key: key, isTruncated: isTruncated)
    }

    private static func matches(_ row: Row, _ filter: Filter) -> Bool {
        filter.name.allSatisfy { $0.holds(row.record.name) } && filter.value.allSatisfy { $0.holds(row.text) }
            && filter.key.allSatisfy { $0.holds(row.key) }
            && filter.scopeKey.allSatisfy { $0.holds(row.record.scopeKey) }
            && (filter.isTruncated ?? row.isTruncated) == row.isTruncated
    }

    private static func sorted(_ rows: [Row], _ sort: [SortCriterion<Filter.SortField>]) -> [Row] {
        rows.sorted { left, right in
            for criterion in sort {
                let (first, second) = criterion.isDescending ? (right, left) : (left, right)
                let (isBefore, isAfter) =
                    switch criterion.field {
                    case .name: (first.record.name < second.record.name, second.record.name < first.record.name)
                    case .value: (first.text < second.text, second.text < first.text)
                    case .variableKey: (first.key < second.key, second.key < first.key)
                    case .scopeKey:
                        (first.record.scopeKey < second.record.scopeKey, second.record.scopeKey < first.record.scopeKey)
                    case .processInstanceKey: (false, false)
                    }
                if isBefore || isAfter { return isBefore }
            }
            return (left.record.scopeKey, left.record.name) < (right.record.scopeKey, right.record.name)
        }
    }

    /// A part of the rows; a cursor is a position, since the rows of one instance are few and read at once.
    private static func page(_ rows: [Row], _ request: PageRequest) throws(ProblemDetails) -> ResultPage<Row> {
        let start: Int
        switch request.position {
        case .from(let count): start = min(count, rows.count)
        case .after(let cursor): start = min(try position(cursor) + 1, rows.count)
        case .before(let cursor): start = max(0, min(try position(cursor), rows.count) - request.limit)
        }
        var end = min(start + request.limit, rows.count)
        if case .before(let cursor) = request.position { end = min(try position(cursor), rows.count) }
        return ResultPage(
            items: Array(rows[start..<end]), total: rows.count, hasMoreThanTotal: false,
            startCursor: start < end ? cursor(start) : nil, endCursor: start < end ? cursor(end - 1) : nil)
    }

    private static func cursor(_ position: Int) -> String {
        Data("[\(position)]".utf8).base64EncodedString()
    }

    private static func position(_ cursor: String) throws(ProblemDetails) -> Int {
        guard let data = Data(base64Encoded: cursor), let list = (try? JSON.parse(Array(data)))?.asList,
            list.count == 1, let position = list[0].asInt64, (0...Int64(Int32.max)).contains(position)
        else { throw .invalidField("page.after", expected: "a cursor of this search", found: quoted(cursor)) }
        return Int(position)
    }
}

extension Comparison where Operand: Comparable {
    /// Whether a value that is there satisfies the comparison.
    func holds(_ value: Operand) -> Bool {
        switch self {
        case .equal(let other): value == other
        case .notEqual(let other): value != other
        case .exists(let isPresent): isPresent
        case .less(let other): value < other
        case .lessOrEqual(let other): value <= other
        case .greater(let other): value > other
        case .greaterOrEqual(let other): value >= other
        case .oneOf(let others): others.contains(value)
        case .noneOf(let others): !others.contains(value)
        case .like(let pattern): LikePattern(pattern).matches("\(value)")
        }
    }
}

/// A pattern with `*` for any text, `?` for one character and `\` before either of them as itself.
struct LikePattern {
    private enum Part {
        case any
        case one
        case character(Character)
    }

    private let parts: [Part]

    init(_ pattern: String) {
        var parts: [Part] = []
        var isEscaped = false
        for character in pattern {
            switch character {
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            case "*" where !isEscaped: parts.append(.any)
            case "?" where !isEscaped: parts.append(.one)
            default: parts.append(.character(character))
            }
            isEscaped = false
        }
        self.parts = parts
    }

    /// Takes time proportional to pattern length times text length at most.
    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var (position, part) = (0, 0)
        var retry: (position: Int, part: Int)?
        while position < text.count {
            if part < self.parts.count {
                switch self.parts[part] {
                case .any:
                    retry = (position, part + 1)
                    part += 1
                    continue
                case .one:
                    (position, part) = (position + 1, part + 1)
                    continue
                case .character(let character) where character == text[position]:
                    (position, part) = (position + 1, part + 1)
                    continue
                case .character:
                    break
                }
            }
            guard let last = retry else { return false }
            retry = (last.position + 1, last.part)
            (position, part) = (last.position + 1, last.part)
        }
        return self.parts[part...].allSatisfy { if case .any = $0 { true } else { false } }
    }
}
