import Storage
import Testing
import Values

@testable import Server

@Suite struct SearchTests {
    private static func query(_ body: String) throws -> Query<ProcessInstanceFilter> {
        let object = try RequestObject(Array(body.utf8)[...], fields: SearchRequest.fields)
        return try SearchRequest.query(object, filter: ProcessInstanceQueries.search.filter)
    }

    @Test func aSearchWithoutMembersFindsTheFirstHundred() throws {
        let query = try Self.query("{}")
        #expect(query.filter.key.isEmpty)
        #expect(query.sort.isEmpty)
        #expect(query.page == PageRequest(limit: 100))
    }

    @Test func valuesMeanEqualityAndOperatorsAllHold() throws {
        let filter = try Self.query(
            """
            {"filter": {"processInstanceKey": "7", "processDefinitionId": {"$like": "order*", "$neq": "order-2"},
             "processDefinitionVersion": {"$gt": 1, "$lte": 4}, "state": {"$in": ["ACTIVE", "COMPLETED"]},
             "startDate": {"$gte": "2026-01-31T09:05:00Z", "$lt": "2026-01-31T10:05:00.250+01:00"},
             "businessId": {"$exists": false}, "parentProcessInstanceKey": {"$notIn": ["1", "2"]},
             "hasIncident": true, "variables": [{"name": "a", "value": {"$eq": "1"}}], "tenantId": "<default>"}}
            """
        ).filter
        #expect(filter.key == [.equal(7)])
        #expect(filter.definition.processID == [.like("order*"), .notEqual("order-2")])
        #expect(filter.definition.version == [.greater(1), .lessOrEqual(4)])
        #expect(filter.state == [.oneOf([.active, .completed])])
        #expect(filter.startedAt == [.greaterOrEqual(1_769_850_300_000), .less(1_769_850_300_250)])
        #expect(filter.businessID == [.exists(false)])
        #expect(filter.parentInstanceKey == [.noneOf([1, 2])])
        #expect(filter.hasIncident == true)
        #expect(filter.variables == [VariableCondition(name: "a", value: [.equal("1")])])
    }

    @Test func wordsBecomeTheStatesTheyStandFor() throws {
        #expect(try Self.query(#"{"filter":{"state":"ACTIVE"}}"#).filter.state == [.equal(.active)])
        #expect(try Self.query(#"{"filter":{"state":{"$neq":"ACTIVE"}}}"#).filter.state == [.noneOf([.active])])
        #expect(
            try Self.query(#"{"filter":{"state":{"$notIn":["ACTIVE"],"$exists":true}}}"#).filter.state
                == [.noneOf([.active]), .exists(true)])
    }

    @Test func alternativesSortAndPageAreRead() throws {
        let query = try Self.query(
            """
            {"filter": {"$or": [{"hasIncident": true}, {"state": "TERMINATED"}]},
             "sort": [{"field": "startDate", "order": "desc"}, {"field": "tenantId"}, {"field": "state"}],
             "page": {"limit": 5, "after": "WzFd"}}
            """)
        #expect(query.anyOf.count == 2)
        #expect(query.anyOf.map(\.hasIncident) == [true, nil])
        #expect(query.sort == [SortCriterion(.startDate, isDescending: true), SortCriterion(.state)])
        #expect(query.page == PageRequest(.after("WzFd"), limit: 5))
        #expect(try Self.query(#"{"page":{"from":3}}"#).page.position == .from(3))
        #expect(try Self.query(#"{"page":{"before":"x"}}"#).page.position == .before("x"))
    }

    static let refused: [(body: String, field: String)] = [
        (#"{"filtre":{}}"#, "filtre"), (#"{"filter":{"processId":"a"}}"#, "filter.processId"),
        (#"{"filter":{"state":"RUNNING"}}"#, "filter.state"),
        (#"{"filter":{"state":{"$gt":"ACTIVE"}}}"#, "filter.state"),
        (#"{"filter":{"processInstanceKey":7}}"#, "filter.processInstanceKey"),
        (#"{"filter":{"processInstanceKey":{"$like":"1*"}}}"#, "filter.processInstanceKey.$like"),
        (#"{"filter":{"businessId":{"$regex":"x"}}}"#, "filter.businessId.$regex"),
        (#"{"filter":{"businessId":{"$in":"x"}}}"#, "filter.businessId"),
        (#"{"filter":{"businessId":{"$exists":1}}}"#, "filter.businessId.$exists"),
        (#"{"filter":{"startDate":"yesterday"}}"#, "filter.startDate"),
        (#"{"filter":{"hasIncident":"yes"}}"#, "filter.hasIncident"),
        (#"{"filter":{"tenantId":"other"}}"#, "filter.tenantId"),
        (#"{"filter":{"variables":{}}}"#, "filter.variables"), (#"{"filter":{"variables":[{}]}}"#, "filter.variables"),
        (#"{"filter":{"$or":{}}}"#, "filter.$or"), (#"{"filter":{"$or":[{"x":1}]}}"#, "filter.$or[0].x"),
        (#"{"sort":[{"field":"nope"}]}"#, "sort.nope"), (#"{"sort":[{"field":"state","order":"up"}]}"#, "sort.order"),
        (#"{"page":{"limit":0}}"#, "page.limit"), (#"{"page":{"from":1,"after":"x"}}"#, "page"),
    ]

    @Test(arguments: refused)
    func wrongSearchesAreRefusedWithTheMember(_ row: (body: String, field: String)) {
        let problem = #expect(throws: ProblemDetails.self) { _ = try Self.query(row.body) }
        #expect(problem?.field == row.field, "\(problem?.detail ?? "")")
        #expect(problem?.status == 400)
    }

    static let patterns: [(pattern: String, text: String, matches: Bool)] = [
        ("order", "order", true), ("order", "orders", false), ("order*", "orders", true), ("*", "", true),
        ("*der*", "orders", true), ("o?der", "order", true), ("o?der", "oder", false), ("?", "", false),
        (#"\*"#, "*", true), (#"\*"#, "x", false), ("a*b*c", "axxbyybzc", true), ("a*b*c", "axxbyyb", false),
        (#"a\\b"#, #"a\b"#, true),
    ]

    @Test(arguments: patterns)
    func likePatternsMatchAsTheWireContractSays(_ row: (pattern: String, text: String, matches: Bool)) {
        #expect(LikePattern(row.pattern).matches(row.text) == row.matches)
    }

    static let comparisons: [(comparison: Comparison<String>, holds: Bool)] = [
        (.equal("b"), true), (.notEqual("b"), false), (.less("c"), true), (.lessOrEqual("b"), true),
        (.greater("b"), false), (.greaterOrEqual("b"), true), (.oneOf(["a", "b"]), true), (.noneOf(["b"]), false),
        (.exists(true), true), (.exists(false), false), (.like("?"), true),
    ]

    @Test(arguments: comparisons)
    func comparisonsHoldInMemoryAsInTheStore(_ row: (comparison: Comparison<String>, holds: Bool)) {
        #expect(row.comparison.holds("b") == row.holds)
    }
}
