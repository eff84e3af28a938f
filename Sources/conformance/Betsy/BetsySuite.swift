import ArgumentParser
import Foundation
import Values

/// The tests of `expectations.json`, and the folder their documents are in.
struct BetsySuite: Sendable {
    /// One document with its runs.
    struct Test: Sendable {
        /// The id of the process under test.
        let process: String
        let group: String
        /// The document, relative to the folder of the suite.
        let file: String
        let runs: [Run]
    }

    /// One start of a process and what it must leave behind.
    struct Run: Sendable {
        let name: String
        let variables: ValueContext
        /// Whether the process `ParallelProcess` of the document is started before.
        let startsParallelProcess: Bool
        /// How far the clock advances before the trace is read.
        let delayMilliseconds: Int64
        let expectedTrace: [String]
    }

    let root: URL
    let tests: [Test]

    /// The tests that expect something else than that the document is refused.
    var behaviour: [Test] {
        tests.filter { test in !test.runs.allSatisfy { $0.expectedTrace == ["ERROR_deployment"] } }
    }

    /// The tests whose documents break a rule of the standard and must be refused.
    var refusals: [Test] {
        tests.filter { test in test.runs.allSatisfy { $0.expectedTrace == ["ERROR_deployment"] } }
    }

    init(root: String, expectations: String) throws {
        self.root = URL(filePath: root, directoryHint: .isDirectory)
        let data = try Data(contentsOf: URL(filePath: expectations))
        guard let entries = try JSON.parse([UInt8](data))["tests"]?.asList else {
            throw ValidationError("Expected a member \"tests\" in \(expectations), but there is none.")
        }
        tests = entries.map { entry in
            let process = entry["test"]?.asString ?? ""
            return Test(
                process: process, group: entry["group"]?.asString ?? "", file: entry["file"]?.asString ?? "",
                runs: (entry["cases"]?.asList ?? []).map { Self.run($0, of: process) })
        }
    }

    private static func run(_ entry: Value, of process: String) -> Run {
        Run(
            name: "\(process) \(entry["case"]?.asInt64 ?? 0)",
            variables: entry["variables"]?.asContext ?? ValueContext(),
            startsParallelProcess: entry["parallelProcessFirst"]?.asBoolean ?? false,
            delayMilliseconds: entry["delayMs"]?.asInt64 ?? 0,
            expectedTrace: (entry["expectedTrace"]?.asList ?? []).compactMap(\.asString))
    }

    /// Runs every behaviour test.
    func report() -> SuiteReport {
        var report = SuiteReport()
        for test in behaviour {
            for run in test.runs { report.record(run.name, in: test.group, outcome(of: run, in: test)) }
        }
        return report
    }

    /// The bytes of a test's document.
    func document(of test: Test) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: test.file)))
    }

    /// Runs a test once and compares the traces as multisets.
    func outcome(of run: Run, in test: Test) -> SuiteReport.Outcome {
        let result: BetsyRun.Result
        do {
            result = try BetsyRun(document: document(of: test), file: test.file).result(of: test.process, run)
        } catch {
            return .failed("\(error)")
        }
        // Either error will do where the suite says no more than that there is one.
        let actual =
            run.expectedTrace.contains("ERROR")
            ? result.lines.map { $0 == "ERROR_deployment" || $0 == "ERROR_runtime" ? "ERROR" : $0 } : result.lines
        if actual.sorted() == run.expectedTrace.sorted() { return .passed }
        let notes = result.notes.map { "; \($0)" }.joined()
        return .failed("Expected \(run.expectedTrace.sorted()), but the trace is \(actual.sorted())" + notes)
    }
}
