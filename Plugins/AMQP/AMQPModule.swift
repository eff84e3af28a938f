public import ConnectorKit
internal import Values

/// Publishes to and consumes from RabbitMQ and other brokers that speak AMQP 0-9-1.
public struct AMQPModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters; the broker is reached by the first call.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        try AMQPConnection(AMQPSettings(configuration.parameters), configuration)
    }

    static let description = ConnectorDescriptor(
        id: "amqp", version: 1, title: "AMQP",
        summary: "Publishes to and consumes from RabbitMQ and other brokers that speak AMQP 0-9-1.",
        parameters: Self.object(
            [
                "hosts": [
                    "type": ["string", "array"], "items": ["type": "string"],
                    "description": "host or host:port; several are tried in order.",
                ],
                "vhost": ["type": "string", "default": "/"],
                "user": ["type": "string", "default": "guest"],
                "password": [
                    "type": "object", "description": "A reference to a secret: { secret: \"env:NAME\" }.",
                ],
                "tls": [
                    "type": ["boolean", "object"], "default": false,
                    "description": "TLS 1.2 or later; certificate and host name are always verified.",
                    "properties": [
                        "caFile": ["type": "string", "default": "/etc/ssl/certs/ca-certificates.crt"],
                        "certificateFile": ["type": "string", "description": "PEM; for a client certificate."],
                        "keyFile": ["type": "string", "description": "PEM."],
                    ],
                ],
                "heartbeat": ["type": "string", "default": "20s"],
                "connectTimeout": ["type": "string", "default": "10s", "description": "Per host."],
                "rpcTimeout": ["type": "string", "default": "10s"],
                "maxMessage": ["type": "string", "default": "8MiB", "description": "In either direction."],
                "maxWaiting": [
                    "type": "integer", "default": 20_000, "description": "Messages without a confirmation, at most.",
                ],
                "maxUnconfirmed": [
                    "type": "integer", "default": 2_000, "description": "Messages sent ahead of their confirmation.",
                ],
                "allowDuplicates": [
                    "type": "boolean", "default": false,
                    "description": "Publish again when it is not known whether the broker took the message.",
                ],
            ], required: ["hosts", "password"]),
        secrets: [SecretDescriptor(parameter: "password", title: "Password of the user", isRequired: true)],
        operations: [
            OperationDescriptor(
                id: "publish", title: "Publish a message",
                summary: "Publishes a message and waits until the broker has confirmed it.",
                effect: .create, idempotency: .none,
                input: Self.object(
                    [
                        "exchange": ["type": "string", "default": "", "description": "Empty: straight to a queue."],
                        "routingKey": ["type": "string", "description": "For the empty exchange: the queue."],
                        "body": true,
                        "encoding": [
                            "enum": ["text", "json", "base64"], "description": "Default: text for a text, else json.",
                        ],
                        "contentType": ["type": "string"], "contentEncoding": ["type": "string"],
                        "headers": ["type": "object"],
                        "messageId": ["type": "string", "description": "Default: the idempotency key."],
                        "persistent": ["type": "boolean", "default": true],
                        "priority": ["type": "integer", "minimum": 0, "maximum": 255],
                        "expiration": ["type": "string", "description": "Such as 30s."],
                        "correlationId": ["type": "string"], "replyTo": ["type": "string"],
                        "type": ["type": "string"], "appId": ["type": "string"],
                        "mandatory": [
                            "type": "boolean", "default": true, "description": "Fail when no queue takes the message.",
                        ],
                        "allowDuplicates": ["type": "boolean", "description": "Default: that of the connection."],
                    ], required: ["body"]),
                output: Self.object(["messageId": ["type": "string"]]), batchMaximum: 200)
        ],
        events: [
            EventDescriptor(
                id: "message", title: "Message",
                summary: "Emits each message of a queue; acknowledged once it is durable here.",
                parameters: Self.object(
                    [
                        "queue": ["type": "string"],
                        "prefetch": [
                            "type": "integer", "default": 200, "minimum": 1, "maximum": 65_535,
                            "description": "Unacknowledged messages at a time; times maxMessage, the memory needed.",
                        ],
                        "exclusive": ["type": "boolean", "default": false, "description": "The only consumer."],
                        "consumerTag": ["type": "string", "description": "Default: the broker makes one up."],
                        "arguments": ["type": "object", "description": "Of the consumer, such as x-priority."],
                        "declare": Self.object([
                            "durable": ["type": "boolean", "default": true],
                            "exclusive": ["type": "boolean", "default": false],
                            "autoDelete": ["type": "boolean", "default": false],
                            "arguments": ["type": "object", "description": "Of the queue, such as x-queue-type."],
                        ]),
                        "oversized": [
                            "enum": ["stop", "setAside"], "default": "stop",
                            "description": "setAside: dead-lettered by the queue, lost when it has nowhere to go.",
                        ],
                    ], required: ["queue"]),
                payload: true, delivery: .atLeastOnce, isOrdered: false, holdMaximum: .seconds(30 * 60))
        ])

    private static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }
}
