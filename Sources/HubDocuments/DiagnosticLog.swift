public import Values

/// Collects what is wrong with one document, so that its author sees everything at once.
///
/// Not thread-safe: one log belongs to one reading of one document.
public final class DiagnosticLog {
    /// The file, as its author named it.
    public let file: String
    /// What was found, in the order found.
    public private(set) var diagnostics: [Diagnostic] = []

    /// Creates an empty log.
    public init(file: String) {
        self.file = file
    }

    /// Whether nothing found forbids using the document.
    public var isAcceptable: Bool {
        !self.diagnostics.contains { $0.severity == .error }
    }

    /// Notes an error.
    public func error(
        _ code: HubCode, _ message: String, remedy: String? = nil, at position: DocumentPosition? = nil
    ) {
        self.add(.error, code, message, remedy, position)
    }

    /// Notes something that works, but probably not as meant.
    public func warning(
        _ code: HubCode, _ message: String, remedy: String? = nil, at position: DocumentPosition? = nil
    ) {
        self.add(.warning, code, message, remedy, position)
    }

    /// Takes what another reader found; what has no place of its own gets the file and `position`.
    public func add(_ diagnostics: [Diagnostic], at position: DocumentPosition? = nil) {
        for var diagnostic in diagnostics {
            if diagnostic.file == nil {
                diagnostic.file = self.file
                diagnostic.line = diagnostic.line ?? position?.line
                diagnostic.column = diagnostic.column ?? position?.column
            }
            self.diagnostics.append(diagnostic)
        }
    }

    private func add(
        _ severity: Diagnostic.Severity, _ code: HubCode, _ message: String, _ remedy: String?,
        _ position: DocumentPosition?
    ) {
        self.diagnostics.append(
            Diagnostic(
                code: code.rawValue, severity: severity, message: message, remedy: remedy, file: self.file,
                line: position?.line, column: position?.column))
    }
}
