public import Values

/// Why a call did not succeed.
public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// The server refused or failed, and says why.
    case problem(Problem)
    /// No answer came: nobody listens, the connection broke, or the time ran out. Whether a command was carried out is
    /// not known; repeat a start with its idempotency key.
    case unreachable(endpoint: Endpoint, reason: String)
    /// The server answered with something that is not the API.
    case unexpectedAnswer(String)

    private static let unreachableCode = "JC101"
    private static let unexpectedAnswerCode = "JC102"

    /// The error code, with a page in `docs/errors/`; empty when another program answered.
    public var code: String {
        switch self {
        case .problem(let problem): problem.code
        case .unreachable: Self.unreachableCode
        case .unexpectedAnswer: Self.unexpectedAnswerCode
        }
    }

    /// What happened and what to do next.
    public var description: String {
        switch self {
        case .problem(let problem):
            problem.description
        case .unreachable(let endpoint, let reason):
            "\(Self.unreachableCode): no answer from \(endpoint): \(reason) — check that `junction serve` runs there"
        case .unexpectedAnswer(let detail):
            "\(Self.unexpectedAnswerCode): unexpected answer: \(detail) — check that the server is Junction, of a version that fits"
        }
    }

    /// The HTTP status, when the server answered.
    public var status: Int? {
        if case .problem(let problem) = self { problem.status } else { nil }
    }
}

/// Problem details (RFC 9457) as the server sent them.
public struct Problem: Sendable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    /// The error code, with a page in `docs/errors/`; empty when another program answered.
    public var code: String
    /// The kind of problem in one word.
    public var title: String
    /// What happened.
    public var detail: String
    /// What to do next.
    public var remedy: String
    /// Problems found in documents.
    public var diagnostics: [Diagnostic]
    /// When a retry makes sense.
    public var retryAfterMilliseconds: Int64?
    /// The whole object.
    public var value: Value

    init(status: Int, body: [UInt8]) {
        let value = (try? JSON.parse(body)) ?? .null
        self.status = status
        self.code = value["code"]?.asString ?? ""
        self.title = value["title"]?.asString ?? "HTTP \(status)"
        self.detail = value["detail"]?.asString ?? String(decoding: body.prefix(200), as: UTF8.self)
        self.remedy = value["remedy"]?.asString ?? ""
        self.diagnostics = (value["diagnostics"]?.asList ?? []).compactMap { Diagnostic(wire: $0) }
        self.retryAfterMilliseconds = value["retryAfterMilliseconds"]?.asInt64
        self.value = value
    }

    /// Code, message and remedy, then one line per diagnostic.
    public var description: String {
        var text = self.code.isEmpty ? self.title : self.code
        text += ": " + self.detail
        if !self.remedy.isEmpty { text += " — " + self.remedy }
        return ([text] + self.diagnostics.map { "  " + $0.description }).joined(separator: "\n")
    }
}

extension Diagnostic {
    /// Reads a diagnostic as the API writes it; nil when it has no code or message.
    init?(wire value: Value) {
        guard let code = value["code"]?.asString, let message = value["message"]?.asString else { return nil }
        self.init(
            code: code, severity: value["severity"]?.asString.flatMap { Severity(rawValue: $0) } ?? .error,
            message: message, remedy: value["remedy"]?.asString, file: value["file"]?.asString,
            line: value["line"]?.asInt64.map { Int($0) }, column: value["column"]?.asInt64.map { Int($0) },
            elementID: value["elementId"]?.asString)
    }
}
