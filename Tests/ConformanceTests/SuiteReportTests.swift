import Testing
import Values

@testable import conformance

@Suite struct SuiteReportTests {
    @Test func countsEachOutcomeOnceAndKeepsTheReasons() {
        var report = SuiteReport()
        report.record("a", in: "one", .passed)
        report.record("b", in: "one", .failed("no such thing"))
        report.record("c", in: "two", .skipped("needs Java"))
        #expect(report.groups.map(\.name) == ["one", "two"])
        #expect(
            report.json == [
                "total": 3, "passed": 1, "failed": 1, "skipped": 1,
                "failures": [["case": "b", "reason": "no such thing"]],
            ])
    }
}
