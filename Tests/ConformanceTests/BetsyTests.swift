import Testing

@testable import conformance

/// The behaviour half of the betsy suite, one run of one document a case.
@Suite struct BetsyTests {
    static let suite = Result {
        try BetsySuite(root: Suites.path("betsy"), expectations: Suites.path("betsy/expectations.json"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let test: BetsySuite.Test
        let run: BetsySuite.Run
        var testDescription: String { run.name }
    }

    static let cases: [Case] =
        ((try? suite.get())?.behaviour ?? []).flatMap { test in test.runs.map { Case(test: test, run: $0) } }

    @Test func theSuiteIsThere() throws {
        #expect(try Self.suite.get().behaviour.count == 70)
        #expect(Self.cases.count == 118)
    }

    @Test(arguments: cases)
    func theTraceIsAsExpected(_ item: Case) throws {
        if case .failed(let reason) = try Self.suite.get().outcome(of: item.run, in: item.test) {
            Issue.record("\(reason)")
        }
    }
}
