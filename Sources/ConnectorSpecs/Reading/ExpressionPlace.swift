/// Where an expression stands, which decides what it can see.
enum ExpressionPlace: Sendable {
    /// Addresses: `connection.baseUrl`, `egress`.
    case address
    /// `connection.auth`: the only place that sees a credential.
    case auth
    case request
    case response
    case pagination
    case error
    /// `verify` of a webhook.
    case verification
    /// The secret of `verify`.
    case verificationSecret
    /// Keys and conditions over an event that came by webhook.
    case webhookEvent
    /// The input of the operation that subscribes.
    case subscription
    /// What is kept of the answer to it.
    case keeping
    /// The input of the operation that unsubscribes.
    case unsubscription
    /// The input of the operation that is polled.
    case polling
    /// Keys of an event that was polled.
    case polledEvent
    /// The input of the operation that takes messages from a queue.
    case queueReceiving
    /// Where the messages are in what it gives.
    case queueAnswer
    /// What a message of a queue says.
    case queueMessage
    /// The input of an operation on messages that were taken.
    case queueAction
    /// What the answer of such an operation says about failures.
    case queueFailure
    /// The input of the operation that lists options.
    case options
    /// What an option is made of.
    case option

    var variables: [String] {
        switch self {
        case .address: ["connection"]
        case .auth: ["connection", "credential", "response"]
        case .request: ["input", "connection", "call", "page"]
        case .response: ["input", "connection", "call", "page", "response"]
        case .pagination: ["input", "connection", "page", "response", "records"]
        case .error: ["input", "connection", "call", "page", "response"]
        case .verification: Self.webhookRequest + ["sig", "kept", "connection"]
        case .verificationSecret: ["kept", "connection", "credential"]
        case .webhookEvent: Self.webhookRequest + ["event", "kept", "connection"]
        case .subscription: ["connection", "webhook", "source"]
        case .keeping: ["connection", "webhook", "source", "response"]
        case .unsubscription: ["connection", "kept"]
        case .polling: ["connection", "cursor", "source"]
        case .polledEvent: ["event", "connection", "source"]
        case .queueReceiving: ["connection", "source", "queue"]
        case .queueAnswer: ["connection", "source", "output"]
        case .queueMessage: ["message", "content", "connection", "source"]
        case .queueAction: ["messages", "message", "connection", "source", "queue"]
        case .queueFailure: ["messages", "message", "connection", "source", "output"]
        case .options: ["input", "connection"]
        case .option: ["record", "input", "connection"]
        }
    }

    private static let webhookRequest = [
        "rawBody", "body", "headers", "url", "method", "query", "form", "sortedForm",
    ]

    /// Whether a credential may be read here.
    var seesCredential: Bool { self.variables.contains("credential") }
}
