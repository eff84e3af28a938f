import Testing
import Values

@testable import GraphQLConnector

@Suite("Reading documents")
struct GraphQLDocumentTests {
    @Test func operationsAndTheirVariablesAreFound() throws {
        let document = try GraphQLDocument(
            ##"""
            # a comment
            query Q($a: Int! = 3, $b: [[String!]]! @deprecated(reason: "x"), $c: Thing, $d: ID! @a @b(c: [1, {d: E}])) @x {
              alias: field(a: $a, b: {c: [$b, null, TRUE, 1.5e-3, -0, """block "quoted" \""" text"""]}) @skip(if: $c) {
                ...Part, ... on User @x { id } ... { name } ... @include(if: true) { on }
              }
              second
            }
            fragment Part on User { fragment query mutation on }
            mutation M { do }
            subscription S { s }
            """##)
        #expect(document.operations.map(\.kind) == [.query, .mutation, .subscription])
        #expect(document.fragments == ["Part"])
        let query = try #require(document.operation("Q"))
        #expect(query.rootFields == ["field", "second"])
        #expect(query.variables.map(\.name) == ["a", "b", "c", "d"])
        #expect(query.variables.map { "\($0.type)" } == ["Int!", "[[String!]]!", "Thing", "ID!"])
        #expect(query.variables.map(\.isRequired) == [false, true, false, true])
        #expect(document.operation(nil) == nil)
        #expect(document.operation("X") == nil)
        #expect(try GraphQLDocument("\u{FEFF}{a}").operation(nil)?.kind == .query)
    }

    @Test(arguments: [
        "", "   # nothing", "{", "{}", "{ a", "{ a }}", "query", "query Q", "query Q(", "query Q() { a }",
        "query Q($a) { a }", "query Q($a: Int = $b) { a }", "query Q($a: Int, $a: Int) { a }",
        "query Q($a: [Int) { a }",
        "{ a(b: ) }", "{ a() }", "{ a(b: \"x) }", "{ a(b: \"\\q\") }", "{ a(b: \"\\ud800\") }", "{ a(b: \"\\u12\") }",
        "{ a(b: 01) }", "{ a(b: 1.) }", "{ a(b: 1e) }", "{ a(b: -) }", "{ a(b: 1x) }", "{ a(b: \"\"\"x) }", "{ ..a }",
        "{ a: }", "fragment on on User { a }", "fragment F { a }", "fragment F on User { a }", "type User { id: ID }",
        "extend type User { id: ID }", "schema { query: Q }", "{ a } { b }", "query A { a } { b }",
        "query A { a } query A { b }", "{ a }; ", "{ a \u{0} }", "{ é }", "{ a(b: \"\n\") }", "query Q @ { a }",
        "{ a(b: {c 1}) }", "{ a(b: [1) }", "{ ...}", "{ ... on }",
    ])
    func whatIsNoDocumentIsRefused(_ text: String) {
        #expect(throws: GraphQLSyntaxError.self) { try GraphQLDocument(text) }
    }

    @Test(arguments: [
        String(repeating: "{a", count: 100_000), "{a(b:" + String(repeating: "[", count: 100_000),
        "query Q($a: " + String(repeating: "[", count: 100_000), "{" + String(repeating: "a ", count: 200_000) + "}",
    ])
    func nestingAndLengthAreBounded(_ text: String) {
        #expect(throws: GraphQLSyntaxError.self) { try GraphQLDocument(text) }
    }

    @Test func errorsNameTheLine() {
        let error = #expect(throws: GraphQLSyntaxError.self) { try GraphQLDocument("{\n  a(\n    b: }\n}") }
        #expect(error?.description == "line 3: expected a value but found \"}\"")
    }

    @Test func randomBytesOfADocumentNeverCrash() {
        let good = Array(
            #"query Q($a: [Int!]! = [1], $b: In) @d { a: f(x: $a, y: {z: "\u00e9"}) { ...F } } fragment F on T { i }"#
                .utf8)
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var accepted = 0
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<(1 + next(3)) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(256))
                case 1 where bytes.count > 1: bytes.remove(at: next(bytes.count))
                default: bytes = Array(bytes.prefix(next(bytes.count) + 1))
                }
            }
            if (try? GraphQLDocument(String(decoding: bytes, as: UTF8.self))) != nil { accepted += 1 }
        }
        #expect(accepted > 0 && accepted < 5_000)
    }

    @Test func variablesAreCheckedAsFarAsTheDocumentTells() throws {
        let document = try GraphQLDocument(
            "query Q($i: Int!, $f: Float, $s: String, $id: ID, $b: Boolean, $l: [Int!], $o: Thing!) { a }")
        let variables = try #require(document.operation(nil)).variables
        let good: ValueContext = ["i": 1, "f": 2, "s": "x", "id": 5, "b": true, "l": [1, 2], "o": ["any": "thing"]]
        #expect(GraphQLVariables.problems(good, variables) == [])
        let rows: [(name: String, value: Value)] = [
            ("i", "1"), ("i", .null), ("i", 3_000_000_000), ("f", "x"), ("s", 1), ("id", true), ("b", 0),
            ("l", [1, .null]), ("l", ["x"]), ("o", .null), ("zz", 1),
        ]
        for row in rows {
            var values = good
            values[row.name] = row.value
            let problems = GraphQLVariables.problems(values, variables)
            #expect(problems.count == 1 && problems[0].contains(row.name), "\(row.name): \(problems)")
        }
        #expect(GraphQLVariables.problems(["o": 1], variables) == ["The variable i is missing."])
        var single = good
        single["l"] = 7
        #expect(GraphQLVariables.problems(single, variables) == [])
        let schema = GraphQLVariables.schema(variables)
        #expect(schema["required"] == ["i", "o"])
        #expect(schema["properties"]?["l"] == ["type": ["array", "null"], "items": ["type": "integer"]])
        #expect(schema["properties"]?["o"] == ["description": "Thing"])
    }

    private static let wrongParameters: [(parameters: Value, word: String)] = [
        ([:], "baseUrl"), (["baseUrl": "http://x", "documents": ["query": ["document": "{a}"]]], "query"),
        (["baseUrl": "http://x", "documents": ["a": ["document": "{a"]]], "line 1"),
        (["baseUrl": "http://x", "documents": ["a": [:]]], "document"),
        (["baseUrl": "http://x", "documents": ["a": ["document": "query A{a} query B{b}"]]], "operationName"),
        (["baseUrl": "http://x", "documents": ["a": ["document": "mutation{a}", "effect": "read"]]], "no read"),
        (["baseUrl": "http://x", "documents": ["a": ["document": "subscription{a}"]]], "subscription"),
        (
            ["baseUrl": "http://x", "documents": ["a": ["document": "{a}", "paginate": ["connection": "a"]]]],
            "no variable after"
        ),
        (["baseUrl": "http://x", "partial": "maybe"], "reject, return"),
        (["baseUrl": "http://x", "errorCodes": ["A": "nothing"]], "auth"),
    ]

    @Test(arguments: Self.wrongParameters)
    func wrongParametersAreNamed(_ row: (parameters: Value, word: String)) {
        let error = #expect(throws: (any Error).self) { try GraphQLSettings(row.parameters) }
        #expect(error.map { "\($0)".contains(row.word) } == true, "\(String(describing: error))")
    }
}
