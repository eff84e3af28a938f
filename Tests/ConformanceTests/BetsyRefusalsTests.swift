import ProcessModel
import Testing
import Values

@testable import conformance

/// The refusal half of the betsy suite, one document a case.
@Suite struct BetsyRefusalsTests {
    static let suite = Result {
        ConstraintsSuite(
            suite: try BetsySuite(root: Suites.path("betsy"), expectations: Suites.path("betsy/expectations.json")))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let test: BetsySuite.Test
        var testDescription: String { test.process }
    }

    static let cases = ((try? suite.get())?.suite.refusals ?? []).map { Case(test: $0) }

    @Test func theSuiteIsThere() throws {
        #expect(try Self.suite.get().suite.refusals.count == 147)
    }

    @Test(arguments: cases)
    func theDocumentIsRefusedByAConstraint(_ item: Case) throws {
        let verdict = try Self.suite.get().verdict(on: item.test)
        #expect(verdict.isRefused && verdict.isConstraint)
    }

    @Test func theReportCountsWhichRuleRefuses() throws {
        let report = try Self.suite.get().report()
        #expect(report.total == 147)
        #expect(report.passed == 147)
        #expect((report.counts["sameRule"] ?? 0) >= 137)
    }

    /// Documents that must run break no rule that the default profile enforces.
    @Test func behaviourDocumentsAreNotRefusedByDefault() throws {
        let suite = try Self.suite.get().suite
        for test in suite.behaviour {
            let document = try suite.document(of: test)
            let verdict = ConstraintsSuite.verdict(on: document, file: test.file, profile: .standard)
            #expect(!verdict.isConstraint, "\(test.process): \(verdict.errors)")
        }
    }
}
