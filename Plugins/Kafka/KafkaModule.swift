public import ConnectorKit
internal import HTTPTransport
internal import Values

/// Sends messages to Kafka topics, alone or in transactions, and emits the records of topics as a member of a group.
public struct KafkaModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters; the brokers are reached when something is sent or read.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        try KafkaConnection(configuration, try KafkaSettings(configuration.parameters))
    }

    static let description = ConnectorDescriptor(
        id: "kafka", version: 1, title: "Kafka",
        summary: "Sends messages to Kafka topics and emits the records of topics as a member of a consumer group.",
        parameters: Self.parameters,
        secrets: [
            SecretDescriptor(parameter: "sasl.password", title: "Password", isRequired: false),
            SecretDescriptor(parameter: "tls.key", title: "Private key (PEM)", isRequired: false),
        ]
            + HTTPSettings.secretDescriptors.map {
                SecretDescriptor(
                    parameter: "schemaRegistry.\($0.parameter)", title: "Schema registry: \($0.title)",
                    isRequired: false)
            },
        operations: [
            OperationDescriptor(
                id: "produce", title: "Send a message",
                summary: "Sends a message and waits until all in-sync replicas have it.", effect: .create,
                idempotency: .none, input: Self.message, output: Self.delivery, batchMaximum: 500),
            OperationDescriptor(
                id: "produceTransaction", title: "Send messages in a transaction",
                summary: "Sends several messages, of which readers of committed records see all or none.",
                effect: .create, idempotency: .none,
                input: Self.object(
                    ["messages": ["type": "array", "minItems": 1, "items": Self.message]], required: ["messages"]),
                output: Self.object(["messages": ["type": "array", "items": Self.delivery]])),
        ],
        events: [
            EventDescriptor(
                id: "record", title: "Record",
                summary: "Emits each record of the topics, in order within a partition; its offset is committed after"
                    + " everything before it was acknowledged.",
                parameters: Self.record, payload: true, delivery: .atLeastOnce, isOrdered: false)
        ])

    private static let formats: Value = .list(PayloadFormat.allCases.map { .string($0.rawValue) })

    private static let parameters = Self.object(
        [
            "brokers": [
                "type": ["array", "string"], "items": ["type": "string"],
                "description": "Some of the cluster's, host:port.",
            ],
            "clientId": ["type": "string", "default": "junction"],
            "connectTimeout": ["type": "string", "default": "10s"],
            "tls": Self.object([
                "caFile": [
                    "type": "string", "description": "PEM file of the authorities to trust; the system's if absent.",
                ],
                "certificateFile": ["type": "string", "description": "PEM file of the client's certificate."],
                "key": ["type": "object", "description": "Reference to the client's private key, PEM."],
                "verifyHostname": ["type": "boolean", "default": true],
            ]),
            "sasl": Self.object(
                [
                    "mechanism": [
                        "enum": .list(KafkaSettings.Mechanism.allCases.map { .string($0.rawValue) }),
                        "default": "SCRAM-SHA-256",
                    ],
                    "username": ["type": "string"],
                    "password": ["type": "object", "description": "Reference to the password."],
                ], required: ["username", "password"]),
            "producer": Self.object([
                "idempotence": [
                    "type": "boolean", "default": true,
                    "description": "Whether the library's own retries cannot write a message twice.",
                ],
                "compression": [
                    "enum": .list(KafkaSettings.Compression.allCases.map { .string($0.rawValue) }), "default": "none",
                ],
                "partitioner": [
                    "enum": .list(KafkaSettings.Partitioner.allCases.map { .string($0.rawValue) }),
                    "default": "murmur2Random", "description": "The default is that of the Java client.",
                ],
                "linger": ["type": "string", "default": "5ms", "description": "How long messages wait for company."],
                "messageTimeout": [
                    "type": "string", "default": "30s",
                    "description": "How long the library tries to deliver a message, whatever the call's timeout.",
                ],
                "maxMessageBytes": ["type": ["string", "integer"], "default": 1_000_000],
                "queueMessages": ["type": "integer", "default": 100_000],
                "queueBytes": ["type": ["string", "integer"], "default": "64MiB"],
                "idempotencyHeader": [
                    "type": "string",
                    "description": "Header that carries the idempotency key, for consumers that look.",
                ],
            ]),
            "transactionalId": ["type": "string", "description": "A name no other user of these brokers has."],
            "transactionTimeout": ["type": "string", "default": "60s"],
            "schemas": ["type": "object", "description": "Avro schemas by name."],
            "schemaRegistry": .context([
                "type": "object", "additionalProperties": false, "required": ["baseUrl"],
                "properties": .context(HTTPSettings.schemaProperties),
            ]),
        ], required: ["brokers"])

    private static let message = Self.object(
        [
            "topic": ["type": "string"],
            "key": true,
            "value": ["description": "Null or absent: a tombstone, which deletes the key in a compacted topic."],
            "keyFormat": ["enum": Self.formats, "default": "text"],
            "valueFormat": ["enum": Self.formats, "default": "json"],
            "schema": ["type": "string", "description": "For Avro: name of one of the connection's schemas."],
            "subject": [
                "type": "string", "description": "For Avro: subject of the registry, whose latest schema is used.",
            ],
            "keySchema": ["type": "string"],
            "keySubject": ["type": "string"],
            "headers": ["type": "object", "description": "Texts; a list repeats the name."],
            "partition": ["type": "integer", "minimum": 0, "description": "The partitioner chooses if absent."],
            "timestamp": ["type": "integer", "description": "Unix milliseconds; now if absent."],
        ], required: ["topic"])

    private static let delivery = Self.object([
        "topic": ["type": "string"], "partition": ["type": "integer"], "offset": ["type": "integer"],
        "timestamp": ["type": ["integer", "null"]],
    ])

    private static let record = Self.object(
        [
            "topics": ["type": ["array", "string"], "description": "Names, or patterns that begin with ^."],
            "group": ["type": "string"],
            "instanceId": ["type": "string", "description": "Makes the member static: a restart causes no rebalance."],
            "start": [
                "enum": .list(RecordSourceSettings.Start.allCases.map { .string($0.rawValue) }), "default": "earliest",
                "description": "Where a group begins that has committed nothing.",
            ],
            "isolation": [
                "enum": .list(RecordSourceSettings.Isolation.allCases.map { .string($0.rawValue) }),
                "default": "committed",
            ],
            "assignor": [
                "enum": .list(RecordSourceSettings.Assignor.allCases.map { .string($0.rawValue) }),
                "default": "cooperativeSticky",
            ],
            "prefetch": Self.object([
                "messages": ["type": "integer", "default": 5_000],
                "bytes": ["type": ["string", "integer"], "default": "8MiB"],
            ]),
            "maxUnacknowledged": ["type": "integer", "default": 50_000],
            "commitInterval": ["type": "string", "default": "200ms"],
            "sessionTimeout": ["type": "string", "default": "45s"],
            "maxPollInterval": ["type": "string", "default": "5m"],
            "outageTolerance": [
                "type": "string", "default": "10s",
                "description": "How long no broker may answer before the source says that it is not connected.",
            ],
            "value": ["enum": Self.formats, "default": "json", "description": "Format of values."],
            "key": ["enum": Self.formats, "default": "text", "description": "Format of keys."],
            "schema": ["type": "string", "description": "Schema of Avro values that name none."],
            "keySchema": ["type": "string", "description": "Schema of Avro keys that name none."],
        ], required: ["topics", "group"])

    private static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }
}
