public import Values

/// One request to a webhook, as it came.
public struct WebhookRequest: Sendable {
    /// In upper case.
    public var method: String
    /// The whole address it was sent to, as the remote knows it.
    public var url: String
    /// Names in any case.
    public var headers: [(name: String, value: String)]
    /// The body, byte for byte.
    public var body: [UInt8]

    /// Creates a request.
    public init(method: String = "POST", url: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The largest body that is looked at.
    public static let bodyBytesMaximum = 8 << 20
}

/// What is to be done about a webhook request.
public enum WebhookVerdict: Sendable {
    /// It is an event: store it, then answer with `reply`.
    case event(WebhookEvent, reply: WebhookReply)
    /// It is genuine, but nothing to store: answer with `reply`.
    case ignored(reply: WebhookReply)
    /// It asks whether we are there: answer with `reply`.
    case challenge(reply: WebhookReply)
    /// It is refused, for the reason given; the reason is for us, not for the sender.
    case refused(reply: WebhookReply, reason: String)

    /// The answer.
    public var reply: WebhookReply {
        switch self {
        case .event(_, let reply), .ignored(let reply), .challenge(let reply), .refused(let reply, _): reply
        }
    }
}

/// An answer to a webhook request.
public struct WebhookReply: Sendable {
    /// The status.
    public var status: Int
    /// Header fields.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Creates an answer.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What a webhook request says.
public struct WebhookEvent: Sendable {
    /// The event.
    public var payload: Value
    /// The same for every delivery of one event.
    public var dedupeKey: String?
    /// Events with one key are to be handled in order.
    public var orderingKey: String?
    /// When it happened, in Unix milliseconds.
    public var occurredAtMilliseconds: Int64?
}
