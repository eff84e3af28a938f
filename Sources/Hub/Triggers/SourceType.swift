/// A type of source: what it is called in a trigger, and what serves it.
///
/// The one place that lists them; the reader, the linter and the runner ask here.
public struct SourceType: Sendable, Hashable {
    /// What serves a type of source.
    enum Host: Sendable, Hashable {
        /// The connector of this id, by this event.
        case connector(String, event: String)
        /// Any connector; the declaration names the event.
        case anyConnector
        /// The hub itself.
        case hub
    }

    /// The word in `source.type`, and the key of the type's own parameters.
    public let name: String
    let host: Host
    /// An example of the type's own parameters.
    let example: String
    /// Whether the source repeats events under one id that says everything, so that no dedupe key has to be declared.
    let identifiesEvents: Bool
    /// How long the remote leaves an event unacknowledged before it gives it to somebody else; nil: for ever.
    let holdMax: Duration?
    /// Whether the sender waits for an answer.
    let isPushed: Bool

    private init(
        _ name: String, _ host: Host, example: String, identifiesEvents: Bool = false, holdMax: Duration? = nil,
        isPushed: Bool = false
    ) {
        self.name = name
        self.host = host
        self.example = example
        self.identifiesEvents = identifiesEvents
        self.holdMax = holdMax
        self.isPushed = isPushed
    }

    /// Whether the hub serves it, without a connection.
    public var isOwn: Bool { self.host == .hub }

    static let cron = SourceType(
        "cron", .hub, example: "cron: { schedule: \"0 6 * * MON-FRI\", timezone: Europe/Warsaw }",
        identifiesEvents: true)
    static let webhook = SourceType(
        "webhook", .hub, example: "webhook: { path: /hooks/orders, verify: { scheme: github, secret: env:HOOK } }",
        isPushed: true)
    static let api = SourceType(
        "api", .hub, example: "api: { operation: orders.submit, idempotency: required }", identifiesEvents: true,
        isPushed: true)
    static let cloudEvents = SourceType(
        "cloudevents", .hub, example: "cloudevents: { path: /events/orders, verify: { scheme: none } }",
        identifiesEvents: true, isPushed: true)
    static let capability = SourceType(
        "capability", .hub, example: "capability: { event: invoice.posted.v1 }", identifiesEvents: true, isPushed: true)
    static let file = SourceType(
        "file", .connector("files", event: "file"), example: "file: { dir: in, pattern: \"*.csv\" }")
    static let kafka = SourceType(
        "kafka", .connector("kafka", event: "record"), example: "kafka: { topics: [orders], group: intake }",
        holdMax: .seconds(300))
    static let amqp = SourceType(
        "amqp", .connector("amqp", event: "message"), example: "amqp: { queue: orders, prefetch: 50 }",
        holdMax: .seconds(1_800))
    static let redis = SourceType(
        "redis", .connector("redis", event: "stream"), example: "redis: { stream: orders, group: hub }")
    static let sqs = SourceType(
        "sqs", .connector("aws-sqs", event: "message"), example: "sqs: { queueUrl: \"=connection.queue\" }",
        holdMax: .seconds(43_200))
    static let objectStore = SourceType(
        "objectStore", .connector("aws-s3", event: "object"), example: "objectStore: { bucket: in, prefix: orders/ }")
    static let postgresCDC = SourceType(
        "postgresCdc", .connector("postgresql", event: "change"),
        example: "postgresCdc: { slot: hub_orders, publication: hub_pub, tables: [public.orders] }",
        identifiesEvents: true)
    static let postgresListen = SourceType(
        "postgresListen", .connector("postgresql", event: "notification"),
        example: "postgresListen: { channel: orders }")
    static let odbcPoll = SourceType(
        "odbcPoll", .connector("odbc", event: "row"),
        example: "odbcPoll: { query: \"select * from orders where id > ? order by id\", cursor: [id], every: 30s }",
        identifiesEvents: true)
    static let imap = SourceType(
        "imap", .connector("mail", event: "mailbox"), example: "imap: { mailbox: INBOX }")
    static let plugin = SourceType("plugin", .anyConnector, example: "plugin: {}")

    /// Every type there is, in the order of the documentation.
    public static let all = [
        cron, webhook, api, cloudEvents, capability, kafka, amqp, redis, sqs, objectStore, file, postgresCDC,
        postgresListen, odbcPoll, imap, plugin,
    ]

    /// The type of this name.
    static func named(_ name: String) -> SourceType? { self.all.first { $0.name == name } }
}
