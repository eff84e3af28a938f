import ConnectorKit
import Decisions
import Values

/// One operation of a specification.
struct OperationSpec: Sendable {
    var id: String
    var title: String
    var summary: String
    var effect: Effect
    var idempotency: IdempotencySpec
    var input: SpecSchema
    var request: RequestSpec
    var response: ResponseSpec
    var pagination: PaginationSpec?
    var errors: [ErrorRule]
    var rateLimit: RateLimitRule?
    /// What differs in the resilience profile: `retry`, `timeout`.
    var resilience: ValueContext
    var dynamicOptions: [String: DynamicOptions]

    var operationIdempotency: OperationIdempotency {
        if self.effect == .read { return .natural }
        switch self.idempotency {
        case .none: return .none
        case .natural: return .natural
        case .key(_, _, let window, let isReplaySafe): return isReplaySafe ? .key(window: window) : .none
        }
    }

    var isRepeatable: Bool { self.operationIdempotency != .none }
}

/// What sending an operation twice means, and how the remote is told.
enum IdempotencySpec: Sendable {
    enum Place: Sendable, Hashable {
        case header(String)
        case query(String)
        case bodyField(String)
    }

    case none
    case natural
    case key(Place, value: SpecTemplate, window: Duration?, isReplaySafe: Bool)
}

/// What is sent.
struct RequestSpec: Sendable {
    /// One of `methods`, or an expression for one.
    var method: SpecTemplate
    /// Below the connection's base address, or a whole URL.
    var path: TextTemplate
    /// A context of parameters.
    var query: SpecTemplate
    var headers: [(name: String, value: SpecTemplate)]
    var body: BodySpec?
    /// The service the request is signed for (`awsSigV4`), when it is another than the connection's.
    var service: String?

    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
}

/// What a request carries.
struct BodySpec: Sendable {
    enum Encoding: String, Sendable, CaseIterable {
        case json, ndjson, form, formBrackets, multipart, text, xml, raw, base64
    }

    var encoding: Encoding
    var value: SpecTemplate
    var contentType: SpecTemplate?
    /// Whether members that are null are sent.
    var keepsNulls: Bool
}

/// What an answer means.
struct ResponseSpec: Sendable {
    enum Decoding: String, Sendable, CaseIterable {
        /// As the media type says.
        case auto
        case json, ndjson, xml, text, base64, none
    }

    var success: StatusSet
    var condition: SpecTemplate?
    /// An answer that says that it was done before.
    var alreadyDone: AlreadyDone?
    var decoding: Decoding
    var output: SpecTemplate?
    var schema: SpecSchema?
    var records: SpecTemplate?
    var facts: [(name: String, value: SpecTemplate)]

    struct AlreadyDone: Sendable {
        var status: StatusSet?
        var condition: SpecTemplate?
    }
}

/// How the pages of a list follow one another.
struct PaginationSpec: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case none, offset, page, cursor, link, token
    }

    enum ExpiredCursor: String, Sendable, CaseIterable {
        case fail, restart
    }

    var kind: Kind
    var size: Int?
    var sizeMaximum: Int?
    /// The first offset or page number.
    var start: Int
    /// The next cursor or token, or for links the next address.
    var next: SpecTemplate?
    var done: SpecTemplate?
    var pagesMaximum: Int
    var onExpiredCursor: ExpiredCursor
    var expired: SpecTemplate?
}

/// Where an editor finds the values a field may have.
struct DynamicOptions: Sendable {
    var operation: String
    var input: SpecTemplate
    var value: SpecTemplate
    var label: SpecTemplate
}
