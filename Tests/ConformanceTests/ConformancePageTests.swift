import Foundation
import Testing

@testable import conformance

/// `docs/conformance.md` says what the suites say now.
@Suite struct ConformancePageTests {
    @Test func thePageIsUpToDate() throws {
        let betsy = try BetsySuite(root: Suites.path("betsy"), expectations: Suites.path("betsy/expectations.json"))
        let miwg = try MIWGSuite(root: Suites.path("bpmn-miwg"), inventory: Suites.path("bpmn-miwg/inventory.json"))
        let page = ConformancePage(sections: [
            ConformancePage.Section(
                title: "BPMN execution", source: "betsy, University of Bamberg, open half",
                command: "betsy --root DIR --expectations FILE", report: betsy.report()),
            ConformancePage.Section(
                title: "BPMN constraints", source: "betsy, University of Bamberg, open half",
                command: "betsy-refusals --root DIR --expectations FILE",
                report: ConstraintsSuite(suite: betsy).report()),
            ConformancePage.Section(
                title: "BPMN interchange", source: "BPMN MIWG, open half",
                command: "miwg --root DIR --inventory FILE", report: miwg.run()),
            ConformancePage.Section(
                title: "DMN and FEEL", source: "DMN TCK, open half", command: "dmn-tck --root DIR",
                report: try DMNTCKSuite(root: Suites.path("dmn-tck")).run()),
        ])
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/conformance.md")
        if ProcessInfo.processInfo.environment["JUNCTION_WRITE_DOCS"] == "1" {
            try Data(page.markdown.utf8).write(to: file)
        }
        let written = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(
            written == page.markdown, "write it again: JUNCTION_WRITE_DOCS=1 Scripts/test --filter ConformancePageTests"
        )
    }

    @Test func thePageNamesWhatFailedAndWhatWasNotRun() {
        var report = SuiteReport()
        report.record("a", in: "one", .passed)
        report.record("b", in: "one", .failed("no such thing"))
        report.record("c", in: "two", .skipped("needs Java"))
        let page = ConformancePage(sections: [
            ConformancePage.Section(title: "Suite", source: "somebody", command: "suite --root DIR", report: report)
        ])
        #expect(page.markdown.contains("| Suite | somebody | 3 | 1 | 1 | 1 | `conformance suite --root DIR` |"))
        #expect(page.markdown.contains("- b: no such thing"))
        #expect(page.markdown.contains("- c: needs Java"))
    }
}
