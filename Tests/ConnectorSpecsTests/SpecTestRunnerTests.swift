import Testing
import Values

@testable import ConnectorSpecs

/// A test that is wrong fails, for the right reason.
@Suite struct SpecTestRunnerTests {
    private static func failures(_ test: String) async throws -> [String] {
        let head = SpecLintTests.good.firstRange(of: "tests:").map { SpecLintTests.good[..<$0.lowerBound] }
        let text =
            try #require(head) + """
                tests:
                  - { name: x, \(test) }
                  - { name: a, operation: items.list, respond: { json: { items: [] } }, expect: { recordIds: [] } }
                  - { name: b, operation: items.create, respond: { json: {} }, expect: { attempts: 1 } }
                  - { name: c, event: item, webhook: {}, expect: { status: 401 } }

                """
        let spec = try specification(String(text))
        return await SpecTestRunner(spec).run(spec.tests[0]).failures
    }

    @Test(arguments: [
        ("expect: { output: { id: 2 } }", "Expected the output {\"id\":2} but found {\"id\":1,\"more\":[1,2]}."),
        ("expect: { output: { id: 1 } }", ""),
        (
            "expect: { output: { more: [1] } }",
            "Expected the output {\"more\":[1]} but found {\"id\":1,\"more\":[1,2]}."
        ),
        ("expect: { outputEquals: { id: 1 } }", "Expected the output {\"id\":1} but found {\"id\":1,\"more\":[1,2]}."),
        ("expect: { output: { none: null } }", ""),
        ("expect: { requests: 2 }", "Expected requests 2 but found 1."),
        ("expect: { error: { kind: auth } }", "Expected an error but the operation succeeded."),
        ("expect: { facts: { status: 201 } }", "Expected the facts {\"status\":201} but found {\"status\":200}."),
        ("expectRequest: { method: PUT }", "Expected the request's method \"PUT\" but found \"POST\"."),
        ("expectRequest: { path: /item }", "Expected the request's path \"/item\" but found \"/items\"."),
        (
            "expectRequest: { headers: { authorization: x } }",
            "Expected the request's header authorization \"x\" but found \"Bearer test-key\"."
        ),
        (
            "expectRequest: { headers: { Accept: null } }",
            "Expected the request's header Accept null but found \"application/json\"."
        ),
        (
            "expectRequest: { absentHeaders: [accept] }",
            "Expected no header accept in the request but found application/json."
        ),
        ("expectRequest: { json: {} }", "Expected the request's body {} but found {\"name\":\"n\"}."),
        ("expectRequest: { query: { a: 1 } }", "Expected the request's query {\"a\":\"1\"} but found {}."),
        ("expectRequests: [{}, {}]", "Expected a request 2 but there were 1."),
    ])
    func differencesAreNamed(_ row: (expectation: String, failure: String)) async throws {
        let found = try await Self.failures(
            "operation: items.create, input: { name: n }, respond: { json: { id: 1, more: [1, 2] } }, \(row.expectation)"
        )
        #expect(found.joined(separator: "|") == row.failure)
    }

    @Test func anErrorThatWasNotExpectedFails() async throws {
        let found = try await Self.failures("operation: items.create, respond: { status: 400 }, expect: { output: {} }")
        #expect(found.first?.hasPrefix("Expected success but found validation CON-6101") == true)
    }

    @Test func moreRequestsThanAnswersFail() async throws {
        let found = try await Self.failures(
            "operation: items.list, respondSequence: [{ json: { items: [], next: a } }, { json: { items: [], next: b } }], expect: { recordIds: [] }"
        )
        #expect(found.first == "There were more requests than answers: 2.")
    }
}
