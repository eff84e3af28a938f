public import Engine
public import Hub
import HubDocuments
public import Storage
public import Values

/// Why a request was refused or failed, as RFC 9457 problem details.
///
/// `type` is `urn:junction:error:<code>`; the page of the code is `docs/errors/<code>.md`. `title` is the status word
/// that clients of the Camunda 8 REST API know (`INVALID_ARGUMENT`, `NOT_FOUND`, `RESOURCE_EXHAUSTED`, …).
public struct ProblemDetails: Error, Sendable {
    /// The HTTP status.
    public var status: Int
    /// The error code.
    public var code: String
    /// The kind of problem in one word.
    public var title: String
    /// What happened, with values.
    public var detail: String
    /// What to do next.
    public var remedy: String
    /// The member of the request that is wrong, when it is one.
    public var field: String?
    /// Problems found in documents.
    public var diagnostics: [Diagnostic] = []
    /// When a retry makes sense.
    public var retryAfterMilliseconds: Int64?

    /// Creates problem details.
    public init(
        status: Int, code: String, title: String, detail: String, remedy: String, field: String? = nil,
        diagnostics: [Diagnostic] = [], retryAfterMilliseconds: Int64? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.field = field
        self.diagnostics = diagnostics
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// A command the engine did not carry out.
    public init(_ rejection: CommandRejection) {
        let (status, title) =
            switch rejection.code {
            case .invalidArgument: (400, "INVALID_ARGUMENT")
            case .notFound: (404, "NOT_FOUND")
            case .invalidState: (409, "INVALID_STATE")
            case .alreadyExists: (409, "ALREADY_EXISTS")
            case .resourceExhausted: (503, "RESOURCE_EXHAUSTED")
            case .storeFailed: (500, "INTERNAL")
            case .unknownOutcome: (500, "UNKNOWN")
            case .timeout: (504, "DEADLINE_EXCEEDED")
            }
        self.init(
            status: status, code: rejection.code.rawValue, title: title, detail: rejection.message,
            remedy: rejection.remedy, diagnostics: rejection.diagnostics,
            retryAfterMilliseconds: rejection.retryAfterMilliseconds
                ?? (rejection.code == .resourceExhausted ? 1_000 : nil))
    }

    /// A failure of the store while reading.
    public init(_ error: StoreError) {
        let isMisuse = error.code == .misuse
        self.init(
            status: isMisuse ? 400 : 500, code: error.code.rawValue,
            title: isMisuse ? "INVALID_ARGUMENT" : "INTERNAL", detail: error.message, remedy: error.remedy)
    }

    /// What the hub refuses.
    public init(_ error: HubError) {
        let (status, title) =
            switch error.code {
            case .unknownName: (404, "NOT_FOUND")
            case .unknownLetter: (404, "NOT_FOUND")
            case .deadLetterState, .replayCycle, .jobEnded: (409, "INVALID_STATE")
            case .invalidReplay, .invalidTriggerEvent: (400, "INVALID_ARGUMENT")
            case .replayFailed, .patchFailed: (422, "INVALID_STATE")
            default: (500, "INTERNAL")
            }
        self.init(
            status: status, code: error.code.rawValue, title: title, detail: error.message, remedy: error.remedy)
    }

    /// The body: one JSON object.
    ///
    /// `instance` is the path of the request.
    func json(instance: String) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.member("type", "urn:junction:error:\(self.code)")
        writer.member("title", self.title)
        writer.member("status", self.status)
        writer.member("detail", self.detail)
        writer.member("instance", instance)
        writer.member("code", self.code)
        writer.member("remedy", self.remedy)
        if let field { writer.member("field", field) }
        if let retryAfterMilliseconds { writer.member("retryAfterMilliseconds", Int(retryAfterMilliseconds)) }
        if !self.diagnostics.isEmpty {
            writer.key("diagnostics")
            writer.beginArray()
            for diagnostic in self.diagnostics { writer.diagnostic(diagnostic) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }
}

// MARK: - What the API itself refuses

extension ProblemDetails {
    private static func invalid(
        _ code: String, _ detail: String, remedy: String, field: String? = nil, status: Int = 400,
        title: String = "INVALID_ARGUMENT"
    ) -> ProblemDetails {
        ProblemDetails(status: status, code: code, title: title, detail: detail, remedy: remedy, field: field)
    }

    /// The body is not the JSON object that was expected.
    static func malformedBody(_ error: JSONError) -> ProblemDetails {
        .invalid("AP400", "The request body is not a JSON object: \(error).", remedy: "Send one valid JSON object.")
    }

    /// A member the request must not have.
    static func unknownField(_ name: String, known: [String]) -> ProblemDetails {
        let remedy =
            if let near = ClosestMatch.of(name, in: known) {
                "Did you mean \(near)?"
            } else if known.isEmpty {
                "Leave it out; this request takes no members."
            } else {
                "Known here: \(known.sorted().joined(separator: ", "))."
            }
        return .invalid("AP401", "Unknown member \(quoted(name)) in the request.", remedy: remedy, field: name)
    }

    /// A member with the wrong type or value.
    static func invalidField(_ name: String, expected: String, found: String) -> ProblemDetails {
        .invalid(
            "AP402", "Expected \(name) to be \(expected), but found \(found).", remedy: "Correct \(name).", field: name
        )
    }

    /// A member that must be there.
    static func missingField(_ name: String, expected: String) -> ProblemDetails {
        .invalid("AP403", "The member \(name) is missing.", remedy: "Add \(name): \(expected).", field: name)
    }

    /// Members that exclude each other, or that are not supported together.
    static func conflictingFields(_ detail: String, remedy: String, field: String? = nil) -> ProblemDetails {
        .invalid("AP406", detail, remedy: remedy, field: field)
    }

    /// Something of the wire contract that this server does not do.
    static func unsupported(_ detail: String, remedy: String, field: String? = nil) -> ProblemDetails {
        .invalid("AP407", detail, remedy: remedy, field: field)
    }

    /// A path segment that is not a key.
    static func invalidKey(_ text: String, name: String) -> ProblemDetails {
        .invalid(
            "AP402", "Expected \(name) in the path to be a key (digits), but found \(quoted(text)).",
            remedy: "Take the key from a search result or the response that created it.", field: name)
    }

    /// No route has this path.
    static func noRoute(_ path: String) -> ProblemDetails {
        .invalid(
            "AP404", "There is no resource at \(path).", remedy: "See GET /hub/v1/openapi.json for what there is.",
            status: 404, title: "NOT_FOUND")
    }

    /// The path exists, but not with this method.
    static func methodNotAllowed(_ method: String, _ path: String, allowed: [String]) -> ProblemDetails {
        .invalid(
            "AP405", "\(path) does not take \(method).", remedy: "Use \(allowed.joined(separator: " or ")).",
            status: 405, title: "METHOD_NOT_ALLOWED")
    }

    /// Nothing has this key.
    static func notFound(_ what: String, _ key: Key) -> ProblemDetails {
        .invalid(
            CommandRejection.Code.notFound.rawValue, "There is no \(what) with key \(key).",
            remedy: "Check the key with a search.", status: 404,
            title: "NOT_FOUND")
    }

    /// A page on another site, or a name that resolves here, tries to use the loopback port.
    static func foreignOrigin(_ header: String, _ value: String) -> ProblemDetails {
        .invalid(
            "AP408", "Requests with \(header) \(quoted(value)) are not accepted.",
            remedy: "Call the server as localhost or 127.0.0.1, and not from a page of another site.", status: 403,
            title: "FORBIDDEN")
    }

    /// The body is larger than allowed.
    static func tooLarge(limit: Int) -> ProblemDetails {
        .invalid(
            "AP413", "The request body is larger than \(limit) bytes.",
            remedy: "Send less, or raise the limit of the server.", status: 413, title: "PAYLOAD_TOO_LARGE")
    }

    /// The body has a media type the route does not read.
    static func mediaType(_ found: String?, expected: String) -> ProblemDetails {
        .invalid(
            "AP415", "Expected a body of type \(expected), but found \(found.map(quoted) ?? "none").",
            remedy: "Set Content-Type to \(expected).", status: 415, title: "UNSUPPORTED_MEDIA_TYPE")
    }

    /// A multipart body that breaks RFC 7578.
    static func malformedMultipart(_ detail: String) -> ProblemDetails {
        .invalid(
            "AP416", "The multipart body is malformed: \(detail)", remedy: "Send multipart/form-data as in RFC 7578.")
    }

    /// More requests at once than the server takes.
    static let overloaded = ProblemDetails(
        status: 503, code: "AP503", title: "RESOURCE_EXHAUSTED", detail: "Too many requests are under way.",
        remedy: "Repeat the request after the time in Retry-After.", retryAfterMilliseconds: 1_000)

    /// The server is going down.
    static let shuttingDown = ProblemDetails(
        status: 503, code: "AP504", title: "RESOURCE_EXHAUSTED", detail: "The server is shutting down.",
        remedy: "Repeat the request when the server is up again.", retryAfterMilliseconds: 2_000)

    /// A failure nobody foresaw; its description stays in the log.
    static let internalError = ProblemDetails(
        status: 500, code: "AP500", title: "INTERNAL", detail: "The server failed while it handled the request.",
        remedy: "Look into the server's log, and report this as a bug.")
}

/// The text in quotation marks, cut to a length that is safe to show.
func quoted(_ text: String) -> String {
    text.count <= 80 ? "\"\(text)\"" : "\"\(text.prefix(80))…\""
}
