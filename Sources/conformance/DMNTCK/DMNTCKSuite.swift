import Decisions
import Foundation
import ProcessModel
import Runtime
import Values

/// The DMN Technology Compatibility Kit: models, and test files with inputs and expected results.
///
/// A case is one `testCase`; it passes when all its result nodes match.
struct DMNTCKSuite: Sendable {
    /// The test cases of one file.
    struct TestFile: Sendable {
        /// Its folder inside the suite.
        let folder: String
        let name: String
        let model: DecisionModel?
        /// Why there is no model.
        let refusal: String?
        let cases: [DMNTCKCase]
    }

    /// The folders with test files, sorted, as paths inside the suite.
    let folders: [String]
    private let root: URL
    private let testFiles: [String: [String]]

    init(root: String) throws {
        self.root = URL(fileURLWithPath: root)
        guard let walk = FileManager.default.enumerator(atPath: root) else {
            throw SuiteFailure("Expected the DMN TCK in \(root), but it cannot be read.")
        }
        let files = walk.compactMap { $0 as? String }.filter { $0.contains("-test-") && $0.hasSuffix(".xml") }
        testFiles = Dictionary(grouping: files.sorted()) { ($0 as NSString).deletingLastPathComponent }
        folders = testFiles.keys.sorted()
        guard !folders.isEmpty else { throw SuiteFailure("Expected *-test-*.xml below \(root), but found none.") }
    }

    /// Runs every case.
    func run() -> SuiteReport {
        var report = SuiteReport()
        for folder in folders { run(folder, into: &report) }
        return report
    }

    /// Runs the cases of one folder.
    func run(_ folder: String, into report: inout SuiteReport) {
        TimeZones.with(FoundationTimeZones()) { runInZones(folder, into: &report) }
    }

    private func runInZones(_ folder: String, into report: inout SuiteReport) {
        do {
            for file in try load(folder) {
                for testCase in file.cases {
                    let (outcome, isLenientPass) = verdict(on: testCase, of: file)
                    report.record("\(folder)/\(file.name)#\(testCase.id)", in: folder, outcome)
                    if isLenientPass { report.count("passed when errors need not be reported") }
                }
            }
        } catch {
            report.record(folder, in: folder, .failed("\(error)"))
        }
    }

    /// The test files of a folder with their models.
    func load(_ folder: String) throws -> [TestFile] {
        let directory = root.appendingPathComponent(folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
            .filter { $0.hasSuffix(".dmn") }
        let documents = try names.map { name in
            (bytes: Array(try Data(contentsOf: directory.appendingPathComponent(name))), file: Optional(name))
        }
        let results = Dictionary(uniqueKeysWithValues: zip(names, DMNImporter.read(all: documents)))
        return try (testFiles[folder] ?? []).map { path in
            let tests = try XMLTree.read(root.appendingPathComponent(path))
            let model = tests.child("modelName")?.text.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            let result = results[model] ?? (results.count == 1 ? results.first?.value : nil)
            let refusal = result.map { $0.diagnostics.map(\.description).joined(separator: "\n") }
            return TestFile(
                folder: folder, name: (path as NSString).lastPathComponent, model: result?.model,
                refusal: refusal ?? "there is no model \(model)",
                cases: try tests.children("testCase").map(DMNTCKCase.init))
        }
    }

    /// The outcome of a case, and whether it passes when a null is enough for an expected error.
    func verdict(on testCase: DMNTCKCase, of file: TestFile) -> (outcome: SuiteReport.Outcome, isLenientPass: Bool) {
        if testCase.isKnowledgeModel { return (.skipped("invokes a knowledge model from outside"), false) }
        guard let model = file.model else { return (.failed("refused: \(file.refusal ?? "")"), false) }
        var reasons: [String] = []
        var isLenientPass = true
        for result in testCase.results {
            let outcome = evaluate(result, of: testCase, in: model)
            let matches = DMNTCKCase.matches(outcome.value, result.expected)
            isLenientPass = isLenientPass && matches
            if matches, !result.isError || outcome.isError { continue }
            if outcome.warnings.contains(where: { $0.message.contains("Java functions are not executed") }) {
                return (.skipped("needs a Java runtime"), false)
            }
            let warnings = outcome.warnings.prefix(3).map { "; \($0)" }.joined()
            reasons.append(
                matches
                    ? "\(result.decision): null as expected, but no error was reported"
                    : "\(result.decision): expected \(result.expected) but found \(outcome.value)\(warnings)")
        }
        return (reasons.isEmpty ? .passed : .failed(reasons.joined(separator: " | ")), isLenientPass)
    }

    private func evaluate(
        _ result: DMNTCKCase.Result, of testCase: DMNTCKCase, in model: DecisionModel
    ) -> DecisionOutcome {
        guard let service = testCase.service else {
            return model.evaluate(decision: result.decision, inputs: testCase.inputs, now: .tckNow)
        }
        let outcome = model.evaluate(decision: service, inputs: testCase.inputs, now: .tckNow)
        // Of a service with several outputs each result names one.
        guard result.decision != service, model.outputCount(ofService: service) > 1,
            case .context(let outputs) = outcome.value
        else { return outcome }
        return outcome.with(outputs[result.decision] ?? .null)
    }
}

extension DateTime {
    /// The time of every evaluation: any will do.
    fileprivate static var tckNow: DateTime { DateTime(epochMilliseconds: 1_767_225_600_000) ?? .feelEpoch }
}
