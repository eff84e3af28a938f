/// `docs/conformance.md`: every suite, every group, and why what failed did.
struct ConformancePage {
    /// One suite with its outcome.
    struct Section {
        let title: String
        /// Where the suite comes from.
        let source: String
        /// How to run it, without the folder.
        let command: String
        let report: SuiteReport
    }

    let sections: [Section]

    var markdown: String {
        var lines = [
            "# Conformance", "",
            "<!-- Written by the tests (`JUNCTION_WRITE_DOCS=1 Scripts/test --filter ConformancePageTests`); do not edit. -->",
            "",
            "Suites that others wrote, run as they are. Nothing of them is part of Junction; each is read from a folder:",
            "", "| Suite | Source | Cases | Passed | Failed | Skipped | Command |", "|---|---|---|---|---|---|---|",
        ]
        for section in sections {
            let report = section.report
            lines.append(
                "| \(section.title) | \(section.source) | \(report.total) | \(report.passed) | \(report.failed) | "
                    + "\(report.skipped) | `conformance \(section.command)` |")
        }
        for section in sections { lines += groups(of: section) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func groups(of section: Section) -> [String] {
        var lines = ["", "## \(section.title)", "", "| Group | Passed | Failed | Skipped |", "|---|---|---|---|"]
        for group in section.report.groups {
            lines.append("| \(group.name) | \(group.passed) | \(group.failed) | \(group.skipped) |")
        }
        lines += list("Failed", section.report.failures)
        lines += list("Skipped", section.report.omissions)
        return lines
    }

    private func list(_ title: String, _ entries: [SuiteReport.Failure]) -> [String] {
        guard !entries.isEmpty else { return [] }
        return ["", "\(title):", ""] + entries.map { "- \($0.name): \($0.reason)" }
    }
}
