public import Decisions
public import Values

/// What became of a BPMN document.
public struct ImportResult: Sendable {
    /// The executable processes in document order; empty when any finding is an error.
    public let processes: [ExecutableProcess]
    /// Everything found, in document order.
    public let diagnostics: [Diagnostic]

    /// Whether the document must not be deployed.
    public var isRefused: Bool { diagnostics.contains { $0.severity == .error } }
}

/// Reads BPMN 2.0 XML into executable graphs (BPMN 2.0.2 clauses 13 and 15).
///
/// An element is executed as the standard says, kept because it has no effect at run time, or refused with an error;
/// none is read as something weaker. The vocabularies of Camunda 8 (`zeebe:`), Camunda 7 (`camunda:` and its relatives)
/// and our own (`apg:`) are understood; extensions of any other namespace are kept.
public enum BPMNImporter {
    /// Reads a document.
    ///
    /// Never throws and never stops at the first problem, except that a document that is no XML has one finding. Takes
    /// time and memory linear in the document; documents above 16 MiB or nested deeper than 256 are refused.
    ///
    /// - Parameters:
    ///   - bytes: The document in any encoding its declaration names.
    ///   - file: How findings call the document.
    ///   - profile: How strictly to read.
    ///   - languages: The languages of expressions and scripts; nil means those of the profile.
    ///   - checksConstraints: Whether to check the constraints of the standard too; a document that was accepted once
    ///     is not held to them again.
    public static func read(
        _ bytes: [UInt8], file: String?, profile: ImportProfile = .standard, languages: LanguageRegistry? = nil,
        checksConstraints: Bool = true
    ) -> ImportResult {
        switch open(bytes, file: file) {
        case .failure(let diagnostic):
            return ImportResult(processes: [], diagnostics: [diagnostic])
        case .success(let document):
            let reader = BPMNReader(
                document: document, file: file, profile: profile, languages: languages ?? profile.languages)
            let processes = reader.read()
            let findings = checksConstraints ? reader.findingsWithConstraints(mentioning: false) : reader.findings
            let diagnostics = reader.inOrder(findings)
            let isRefused = diagnostics.contains { $0.severity == .error }
            return ImportResult(processes: isRefused ? [] : processes, diagnostics: diagnostics)
        }
    }

    /// Reads a document and says for each element whether it is executed, kept or refused.
    ///
    /// Takes what ``read(_:file:profile:languages:checksConstraints:)`` takes.
    public static func report(
        _ bytes: [UInt8], file: String?, profile: ImportProfile = .standard, languages: LanguageRegistry? = nil
    ) -> ModelReport {
        switch open(bytes, file: file) {
        case .failure(let diagnostic):
            return ModelReport(rows: [], diagnostics: [diagnostic])
        case .success(let document):
            let reader = BPMNReader(
                document: document, file: file, profile: profile, languages: languages ?? profile.languages)
            _ = reader.read()
            let findings = reader.findingsWithConstraints(mentioning: true)
            return ModelReport(rows: reader.reportRows(findings), diagnostics: reader.inOrder(findings))
        }
    }

    private enum Opened {
        case success(XMLDocument)
        case failure(Diagnostic)
    }

    private static func open(_ bytes: [UInt8], file: String?) -> Opened {
        do {
            return .success(try XMLDocument(bytes))
        } catch {
            return .failure(error.diagnostic(file: file))
        }
    }
}

extension BPMNImporter {
    /// Every code a finding can have; each has a page in `docs/errors`.
    public static var diagnosticCodes: [String] {
        BPMNCode.allCases.map(\.rawValue) + Constraint.allCases.map(\.rawValue)
    }
}

extension ImportProfile {
    /// The languages of a profile: the lenient one also knows those of other engines.
    fileprivate var languages: LanguageRegistry { self == .lenient ? .lenient : .standard }
}
