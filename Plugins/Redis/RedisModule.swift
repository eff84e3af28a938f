public import ConnectorKit
internal import Values

/// Keys, hashes, lists, streams and channels of a Redis server.
public struct RedisModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters; the server is reached by the first call.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        try RedisConnection(RedisSettings(configuration.parameters), configuration)
    }

    static let description = ConnectorDescriptor(
        id: "redis", version: 1, title: "Redis",
        summary: "Reads and writes keys, hashes, lists, streams and channels of a Redis server (6.2 or later).",
        parameters: Self.object(
            [
                "host": ["type": "string", "description": "host or host:port; the port is 6379 by default."],
                "user": ["type": "string", "description": "Of the ACL; default: the default user."],
                "password": [
                    "type": "object", "description": "A reference to a secret: { secret: \"env:NAME\" }.",
                ],
                "database": ["type": "integer", "default": 0],
                "tls": ["const": false, "description": "Not supported by this version of the library."],
                "connectTimeout": ["type": "string", "default": "5s"],
                "maxRequest": ["type": "string", "default": "16MiB"],
                "maxReply": ["type": "string", "default": "64MiB"],
                "maxWaiting": ["type": "integer", "default": 10_000, "description": "Commands without an answer."],
                "dedupeWindow": [
                    "type": "string", "default": "24h",
                    "description": "How long the server remembers idempotency keys; 0: not at all.",
                ],
                "allowCommands": [
                    "type": ["string", "array"], "items": ["type": "string"],
                    "description": "What the operation command takes besides harmless commands, such as EVAL.",
                ],
            ], required: ["host"]),
        secrets: [SecretDescriptor(parameter: "password", title: "Password of the user", isRequired: false)],
        operations: Self.keyOperations + Self.hashOperations + Self.queueOperations, events: Self.events)

    static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }
}
