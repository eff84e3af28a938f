import Decisions
import ProcessModel
import Values

/// The refusal tests of the betsy suite: each document breaks one rule of the standard.
///
/// A case passes when the strict profile refuses the document. Conditions and scripts are read as the suite writes them,
/// so that no document is refused for its vocabulary.
struct ConstraintsSuite: Sendable {
    let suite: BetsySuite

    /// What refuses a document.
    struct Verdict: Sendable {
        /// The errors, in document order.
        let errors: [Diagnostic]

        var isRefused: Bool { !errors.isEmpty }

        /// Whether one of the errors is about this rule; told, but not decisive.
        func names(_ rule: String) -> Bool { errors.contains { $0.code == "BC" + rule } }

        /// Whether a constraint refuses it, and not only the importer.
        var isConstraint: Bool { errors.contains { $0.code.hasPrefix("BC") } }
    }

    /// Checks a document, by default as strictly as can be.
    static func verdict(on document: [UInt8], file: String, profile: ImportProfile = .strict) -> Verdict {
        var languages = LanguageRegistry.standard
        languages.defaultExpressionLanguage = BetsyConditions()
        languages.defaultScriptLanguage = BetsyScripts(trace: BetsyTrace())
        let result = BPMNImporter.read(document, file: file, profile: profile, languages: languages)
        return Verdict(errors: result.diagnostics.filter { $0.severity == .error })
    }

    /// The rule a document is about: its folder, without the letters of the suite.
    static func rule(of test: BetsySuite.Test) -> String {
        let folder = test.file.split(separator: "/").dropLast().last.map(String.init) ?? ""
        return folder.hasPrefix("EXT") ? String(folder.dropFirst(3)) : folder
    }

    /// Whether the document of a test is refused.
    func verdict(on test: BetsySuite.Test) throws -> Verdict {
        Self.verdict(on: try suite.document(of: test), file: test.file)
    }

    /// Runs every case; counts besides how many documents the rule they are about refuses.
    func report() -> SuiteReport {
        var report = SuiteReport()
        for test in suite.refusals {
            let rule = Self.rule(of: test)
            do {
                let verdict = try verdict(on: test)
                report.record(
                    test.process, in: "rule \(rule)",
                    verdict.isRefused ? .passed : .failed("Expected the document to be refused, but it is accepted"))
                if verdict.isConstraint { report.count("refusedByConstraint") }
                if verdict.names(rule) { report.count("sameRule") }
            } catch {
                report.record(test.process, in: "rule \(rule)", .failed("\(error)"))
            }
        }
        return report
    }
}
