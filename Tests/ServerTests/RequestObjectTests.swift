import Testing
import Values

@testable import Server

@Suite struct RequestObjectTests {
    private static let fields = [
        RequestField("name", .string, required: true, ""), RequestField("count", .integer(1...10), ""),
        RequestField("key", .key, ""), RequestField("flag", .boolean, ""), RequestField("variables", .object, ""),
        RequestField("names", .strings, ""), RequestField("items", .objects, ""),
    ]

    private static func object(_ text: String) throws(ProblemDetails) -> RequestObject {
        try RequestObject(Array(text.utf8)[...], fields: fields)
    }

    @Test func membersAreReadByKindAndVariablesStayBytes() throws {
        let object = try Self.object(
            #"{"name":"a\n", "count": 3, "key":"42", "flag":true, "variables": {"x": 1.50}, "names":["a","b"]}"#)
        #expect(try object.string("name") == "a\n")
        #expect(try object.integer("count") == 3)
        #expect(try object.key("key") == Key(rawValue: 42))
        #expect(try object.boolean("flag") == true)
        #expect(object.raw("variables") == Array(#"{"x": 1.50}"#.utf8))
        #expect(try object.strings("names") == ["a", "b"])
        #expect(!object.has("items"))
    }

    @Test func nullAndAbsentAreTheSameAndTheLastOfTwoWins() throws {
        let object = try Self.object(#"{"name":"a","name":"b","count":null,"key":null}"#)
        #expect(try object.string("name") == "b")
        #expect(try object.integer("count") == nil)
        #expect(try object.key("key") == nil)
        #expect(try object.strings("names") == nil)
        #expect(try object.objects("items", fields: [], maximum: 1).isEmpty)
    }

    static let refusedAtOnce: [(body: String, code: String, field: String?, says: String)] = [
        ("[]", "AP400", nil, "not a JSON object"),
        ("{\"name\":\"a\"", "AP400", nil, "line 1"),
        (#"{"nmae":"a"}"#, "AP401", "nmae", "Did you mean name?"),
        (#"{"name":"a","extra":1}"#, "AP401", "extra", "Known here: count"),
        (#"{"count":1}"#, "AP403", "name", "Add name: a string"),
        (#"{"name":null}"#, "AP403", "name", "Add name"),
        (#"{"name":1}"#, "AP402", "name", "found 1"),
        (#"{"name":"a","key":42}"#, "AP402", "key", "a string of digits"),
        (#"{"name":"a","flag":"true"}"#, "AP402", "flag", "true or false"),
        (#"{"name":"a","variables":[]}"#, "AP402", "variables", "found a list"),
        (#"{"name":"a","names":{}}"#, "AP402", "names", "found an object"),
    ]

    @Test(arguments: refusedAtOnce)
    func wrongObjectsAreRefused(_ row: (body: String, code: String, field: String?, says: String)) {
        let problem = #expect(throws: ProblemDetails.self) { _ = try Self.object(row.body) }
        #expect(problem?.code == row.code)
        #expect(problem?.field == row.field)
        #expect(problem.map { $0.detail + $0.remedy }?.contains(row.says) == true, "\(problem?.detail ?? "")")
    }

    static let refusedWhenRead: [(body: String, field: String, says: String)] = [
        (#"{"name":"a","count":11}"#, "count", "from 1 to 10"),
        (#"{"name":"a","count":1.5}"#, "count", "found 1.5"),
        (#"{"name":"a","key":"4x"}"#, "key", "digits"),
        (#"{"name":"a","names":["a",1]}"#, "names", "list of strings"),
        (#"{"name":"a","items":[{},{},{}]}"#, "items", "at most 2"),
        (#"{"name":"a","items":[1]}"#, "items", "list of objects"),
        (#"{"name":"a","items":[{"x":1}]}"#, "items[0].x", "Unknown member"),
    ]

    @Test(arguments: refusedWhenRead)
    func wrongValuesAreRefused(_ row: (body: String, field: String, says: String)) throws {
        let object = try Self.object(row.body)
        let problem = #expect(throws: ProblemDetails.self) {
            _ = try object.integer("count")
            _ = try object.key("key")
            _ = try object.strings("names")
            _ = try object.objects("items", fields: [], maximum: 2)
        }
        #expect(problem?.field == row.field)
        #expect(problem?.detail.contains(row.says) == true, "\(problem?.detail ?? "")")
    }

    static let expectations: [(kind: RequestField.Kind, words: String)] = [
        (.integer(.any), "an integer"), (.integer(.positive), "an integer of at least 1"),
        (.integer(Int64.min...5), "an integer of at most 5"), (.integer(2...3), "an integer from 2 to 3"),
        (.objects, "a list of objects"), (.strings, "a list of strings"), (.object, "an object"),
    ]

    @Test(arguments: expectations)
    func fieldsSayWhatTheyExpect(_ row: (kind: RequestField.Kind, words: String)) {
        #expect(RequestField("x", row.kind, "").expectation == row.words)
    }
}
