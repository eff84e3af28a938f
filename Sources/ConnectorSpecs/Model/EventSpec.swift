import Values

/// One event of a specification.
struct EventSpec: Sendable {
    var id: String
    var title: String
    var summary: String
    var schema: SpecSchema
    var webhook: WebhookSpec?
    var poll: PollSpec?
    var queue: QueueSpec?
    /// Set for the objects of a store; `queue` then has its notifications.
    var objects: ObjectsSpec?

    /// Whether a source can be armed for it.
    var isArmed: Bool { self.poll != nil || self.queue != nil || self.objects != nil }
}

/// How the remote calls us.
struct WebhookSpec: Sendable {
    var subscribe: Subscription?
    var unsubscribe: Subscription?
    var verify: VerifySpec
    var ack: AckSpec
    var challenge: ChallengeSpec?
    /// The event inside the request; the decoded body unless given.
    var payload: SpecTemplate?
    /// Requests for which it does not hold are acknowledged and dropped.
    var condition: SpecTemplate?
    var dedupeKey: SpecTemplate?
    var orderingKey: SpecTemplate?
    var occurredAt: SpecTemplate?

    /// A call that tells the remote where events go, or no longer go.
    struct Subscription: Sendable {
        var operation: String
        var input: SpecTemplate
        var keep: SpecTemplate
    }
}

/// How a webhook request proves where it comes from.
struct VerifySpec: Sendable {
    enum Scheme: String, Sendable, CaseIterable {
        case none
        case token
        case hmacSHA1 = "hmac-sha1"
        case hmacSHA256 = "hmac-sha256"
        case hmacSHA512 = "hmac-sha512"
        case ed25519
        case standardWebhooks
    }

    enum Parsing: String, Sendable, CaseIterable {
        /// `a=1,b=2`; a name may come several times.
        case kv
        /// Values separated by blanks or commas.
        case list
        /// As it is.
        case raw
    }

    enum Encoding: String, Sendable, CaseIterable {
        case hex, base64, base64url
    }

    enum SecretDecoding: String, Sendable, CaseIterable {
        case text, hex, base64, whsec
    }

    var scheme: Scheme
    var header: String?
    var parsing: Parsing
    /// Stands before every signature, and is cut off.
    var prefix: String
    var signed: SpecTemplate?
    var signatures: SpecTemplate?
    var encoding: Encoding
    var secret: SpecTemplate?
    var secretDecoding: SecretDecoding
    /// When it was signed, in Unix seconds.
    var timestamp: SpecTemplate?
    var tolerance: Duration?
}

/// What the remote is answered.
struct AckSpec: Sendable {
    enum Moment: String, Sendable, CaseIterable {
        /// When the event is stored.
        case accepted
        /// When the process it started has ended.
        case completed
    }

    var status: Int
    var moment: Moment
    var within: Duration?
    var body: SpecTemplate?
}

/// How a remote that asks whether we are there is answered.
struct ChallengeSpec: Sendable {
    var condition: SpecTemplate
    /// Whether the request must be signed like an event.
    var isVerified: Bool
    var status: Int
    var headers: [(name: String, value: SpecTemplate)]
    var text: SpecTemplate?
    var json: SpecTemplate?
}

/// How events are fetched.
struct PollSpec: Sendable {
    var operation: String
    var input: SpecTemplate
    /// The member of an event that tells how far we are.
    var cursorField: SpecTemplate
    var cursorUnit: CursorUnit
    var lookback: Duration
    /// How far back a source begins that knows nothing yet.
    var catchUp: Duration
    var interval: Duration
    var dedupeKey: SpecTemplate?
    var occurredAt: SpecTemplate?

    enum CursorUnit: String, Sendable, CaseIterable {
        case seconds, milliseconds
        /// Text as in RFC 3339.
        case timestamp
        /// A number that grows.
        case number
    }
}
