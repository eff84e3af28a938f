import ArgumentParser
import Values

/// What every suite's command takes.
struct SuiteOptions: ParsableArguments {
    @Option(help: "The folder of the suite.")
    var root: String

    @Flag(help: "Print the report as one JSON object.")
    var json = false

    /// Prints a report; ends the program with 1 unless every case passed.
    func finish(_ report: SuiteReport) throws {
        if json {
            print(JSON.string(report.json))
        } else {
            for failure in report.failures { print("FAILED \(failure.name): \(failure.reason)") }
            for group in report.groups { print("\(group.name): \(group.passed) passed, \(group.failed) failed") }
            for (what, count) in report.counts.sorted(by: { $0.key < $1.key }) { print("\(count) \(what)") }
            print("\(report.total) cases: \(report.passed) passed, \(report.failed) failed, \(report.skipped) skipped")
        }
        guard report.failed == 0, report.passed > 0 else { throw ExitCode.failure }
    }
}
