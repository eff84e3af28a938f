/// One HTTP request, as a connector means it.
///
/// `HTTPClient` adds what the connection's settings say: base address, header fields, authorisation, limits.
public struct HTTPRequest: Sendable {
    /// Where it goes.
    public enum Target: Sendable {
        /// A path below the connection's `baseUrl`: no query, no dot segments.
        case path(String)
        /// A whole URL, on a host that the connection allows.
        case url(HTTPAddress)
    }

    /// What it carries.
    public enum Body: Sendable {
        /// These bytes; the type is used unless the header fields name one.
        case bytes([UInt8], contentType: String? = nil)
        /// A file, read while it is sent.
        case file(HTTPFile, contentType: String? = nil)
        /// A form with files (`multipart/form-data`).
        case multipart([HTTPPart])
    }

    /// Why a request cannot be sent as it is.
    public struct Problem: Error, Sendable, Hashable {
        /// The part that is wrong: `url`, `path`, `headers`, `body`.
        public var field: String
        /// What is wrong with it.
        public var message: String
        /// What to do, if there is something to say.
        public var remedy: String?

        /// Creates a finding.
        public init(field: String, message: String, remedy: String? = nil) {
            self.field = field
            self.message = message
            self.remedy = remedy
        }
    }

    /// In upper case.
    public var method: String
    /// Where it goes.
    public var target: Target
    /// Added to the target's own query, percent-encoded by the client.
    public var query: [(String, String)]
    /// Header fields; one of a name the connection sets too replaces it.
    public var headers: [(name: String, value: String)]
    /// Names, in any case, of header fields of the connection that are left out.
    public var omittedHeaders: [String] = []
    /// What it carries.
    public var body: Body?
    /// How long everything may take, redirects included.
    public var timeout: Duration
    /// Whether sending it twice does no harm.
    ///
    /// Such a request is sent again at once when an open connection turns out to be dead; any other is sent once.
    public var isRepeatable: Bool
    /// Sent in the connection's `idempotencyHeader` unless the method only reads.
    public var idempotencyKey: String?
    /// W3C trace context to pass on.
    public var traceparent: String?
    /// The largest body of the response, after decompression; `nil`: as the connection says.
    public var responseBytesMaximum: Int?
    /// Takes the body of a response of status 200 to 299, which then is not in memory.
    public var sink: (any HTTPBodySink)?
    /// The largest body for `sink`, after decompression.
    public var sinkBytesMaximum: Int64 = 1 << 30

    /// Creates a request.
    ///
    /// Repeatable unless told otherwise: what the method says (RFC 9110, 9.2.2).
    public init(
        method: String = "GET", target: Target, query: [(String, String)] = [],
        headers: [(name: String, value: String)] = [], body: Body? = nil, timeout: Duration = .seconds(30),
        isRepeatable: Bool? = nil, idempotencyKey: String? = nil, traceparent: String? = nil,
        responseBytesMaximum: Int? = nil
    ) {
        self.method = method
        self.target = target
        self.query = query
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.isRepeatable = isRepeatable ?? Self.isIdempotent(method)
        self.idempotencyKey = idempotencyKey
        self.traceparent = traceparent
        self.responseBytesMaximum = responseBytesMaximum
    }

    /// Whether sending `method` twice changes nothing more than sending it once (RFC 9110, 9.2.2).
    public static func isIdempotent(_ method: String) -> Bool {
        Self.isSafe(method) || method == "PUT" || method == "DELETE"
    }

    /// Whether `method` only reads.
    public static func isSafe(_ method: String) -> Bool {
        method == "GET" || method == "HEAD" || method == "OPTIONS"
    }
}
