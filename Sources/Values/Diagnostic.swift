/// One finding about a file a user wrote: a process, an expression, a trigger, a connector spec.
public struct Diagnostic: Sendable, Hashable {
    /// How serious a finding is.
    public enum Severity: String, Sendable, Hashable, Comparable {
        /// Worth knowing; nothing needs to change.
        case info
        /// Works, but probably not as meant.
        case warning
        /// The file is refused.
        case error

        /// Orders info before warning before error.
        public static func < (lhs: Severity, rhs: Severity) -> Bool {
            lhs.rank < rhs.rank
        }

        private var rank: Int {
            switch self {
            case .info: 0
            case .warning: 1
            case .error: 2
            }
        }
    }

    /// The finding's stable code, which has a page in `docs/errors`.
    public var code: String
    /// How serious it is.
    public var severity: Severity
    /// What is wrong, with the values concerned.
    public var message: String
    /// What the author can do about it.
    public var remedy: String?
    /// The file, as the author named it.
    public var file: String?
    /// The line, counted from 1.
    public var line: Int?
    /// The column, counted from 1.
    public var column: Int?
    /// The id of the model element concerned.
    public var elementID: String?

    /// Creates a finding.
    public init(
        code: String,
        severity: Severity,
        message: String,
        remedy: String? = nil,
        file: String? = nil,
        line: Int? = nil,
        column: Int? = nil,
        elementID: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.message = message
        self.remedy = remedy
        self.file = file
        self.line = line
        self.column = column
        self.elementID = elementID
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: severity CODE [element]: message — remedy`; what is unknown is left out.
    public var description: String {
        var text = ""
        var location: [String] = []
        if let file { location.append(file) }
        if let line {
            location.append(String(line))
            if let column { location.append(String(column)) }
        }
        if !location.isEmpty {
            text += location.joined(separator: ":") + ": "
        }
        text += "\(self.severity.rawValue) \(self.code)"
        if let elementID { text += " [\(elementID)]" }
        text += ": \(self.message)"
        if let remedy { text += " — \(remedy)" }
        return text
    }
}
