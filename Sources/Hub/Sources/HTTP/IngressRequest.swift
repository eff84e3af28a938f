import HubDocuments
import Values

/// A request to a trigger, as it came over HTTP.
public struct IngressRequest: Sendable {
    /// In upper case.
    public var method: String
    /// The path, without the query.
    public var path: String
    /// The text after `?`.
    public var query: String?
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    /// The body, byte for byte.
    public var body: [UInt8]
    /// The address at the other end, without a port; `unix` for a Unix socket.
    public var peer: String
    /// Who asks, for sources that are part of the API.
    public var actor: String

    /// Creates a request.
    public init(
        method: String, path: String, query: String? = nil, headers: [(name: String, value: String)],
        body: [UInt8], peer: String, actor: String = "anonymous"
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        self.actor = actor
    }

    /// The first header field of a name, given in lower case.
    func header(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }

    /// The pairs of the query, decoded.
    var queryPairs: [(name: String, value: String)] { self.query.map { FormText.pairs($0) } ?? [] }
}

/// The answer to a request.
public struct IngressReply: Sendable {
    /// Its status.
    public var status: Int
    /// Further header fields.
    public var headers: [(name: String, value: String)] = []
    /// The type of its body.
    public var contentType: String?
    /// Its body.
    public var body: [UInt8] = []
    /// Why the request is not accepted; then the body is for whoever writes problem details.
    public var problem: IngressProblem?

    static func json(_ status: Int, _ value: Value) -> IngressReply {
        // A 204 has no body (RFC 9110, 15.3.5).
        guard status != 204 else { return IngressReply(status: status) }
        var bytes: [UInt8] = []
        JSON.write(value, into: &bytes)
        return IngressReply(status: status, contentType: "application/json", body: bytes)
    }

    init(
        status: Int, headers: [(name: String, value: String)] = [], contentType: String? = nil, body: [UInt8] = [],
        problem: IngressProblem? = nil
    ) {
        self.status = status
        self.headers = headers
        self.contentType = contentType
        self.body = body
        self.problem = problem
    }

    /// A refusal.
    init(_ status: Int, _ code: HubCode, _ detail: String, remedy: String, retryAfter: Duration? = nil) {
        self.init(
            status: status,
            problem: IngressProblem(
                code: code.rawValue, title: IngressProblem.title(of: status), detail: detail, remedy: remedy,
                retryAfterMilliseconds: retryAfter.map { max(1, $0.wholeMilliseconds) }))
    }
}

/// Why a request to a trigger is not accepted.
public struct IngressProblem: Sendable, Hashable {
    /// The error code.
    public var code: String
    /// The kind of problem in one word.
    public var title: String
    /// What happened.
    public var detail: String
    /// What to do next.
    public var remedy: String
    /// When a retry makes sense.
    public var retryAfterMilliseconds: Int64?

    static func title(of status: Int) -> String {
        switch status {
        case 401: "UNAUTHENTICATED"
        case 403: "FORBIDDEN"
        case 404: "NOT_FOUND"
        case 405: "METHOD_NOT_ALLOWED"
        case 409: "INVALID_STATE"
        case 413: "PAYLOAD_TOO_LARGE"
        case 415: "UNSUPPORTED_MEDIA_TYPE"
        case 422: "UNPROCESSABLE_CONTENT"
        case 503: "RESOURCE_EXHAUSTED"
        case 500...: "INTERNAL"
        default: "INVALID_ARGUMENT"
        }
    }
}
