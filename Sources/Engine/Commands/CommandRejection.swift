public import Values

/// Why a command was not carried out.
///
/// `description` is safe to show.
public struct CommandRejection: Error, Sendable, CustomStringConvertible {
    /// The kinds of rejection, with the HTTP status each maps to.
    public enum Code: String, Sendable {
        /// 400: the request can never succeed as it is.
        case invalidArgument = "EN400"
        /// 404: there is no such thing, or it has ended.
        case notFound = "EN404"
        /// 409: the thing is not in a state that allows this.
        case invalidState = "EN409"
        /// 409: the unique key is taken.
        case alreadyExists = "EN410"
        /// 503: try again after `retryAfterMilliseconds`.
        case resourceExhausted = "EN503"
        /// 500: the store failed; nothing happened.
        case storeFailed = "EN500"
        /// 500: whether it happened is not known; repeat with the same idempotency key.
        case unknownOutcome = "EN501"
        /// 504: the wait for a result timed out; the instance goes on.
        case timeout = "EN504"
    }

    /// The kind.
    public let code: Code
    /// What happened, with values.
    public let message: String
    /// What to do next.
    public let remedy: String
    /// Problems found in documents.
    public let diagnostics: [Diagnostic]
    /// When a retry makes sense.
    public let retryAfterMilliseconds: Int64?

    /// Creates a rejection.
    public init(
        _ code: Code, _ message: String, remedy: String, diagnostics: [Diagnostic] = [],
        retryAfterMilliseconds: Int64? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.diagnostics = diagnostics
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// Code, message and remedy.
    public var description: String {
        "\(code.rawValue): \(message) — \(remedy)"
    }
}
