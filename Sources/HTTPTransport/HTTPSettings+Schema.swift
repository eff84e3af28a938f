public import ConnectorKit
public import Values

extension HTTPSettings {
    /// JSON Schema properties of the shared parameters, for the descriptor of a connector.
    public static let schemaProperties: ValueContext = [
        "baseUrl": ["type": "string", "description": "Where paths are relative to."],
        "headers": ["type": "object", "description": "Sent with every request."],
        "auth": ["type": "object", "description": "{ type: none | bearer | basic | apiKey, … }"],
        "allowHosts": ["type": "array", "description": "Other hosts that may be called."],
        "allowPrivate": [
            "type": "boolean", "default": false,
            "description": "Whether the service may have a private or loopback address.",
        ],
        "allowPrivateHosts": [
            "type": "array", "description": "Hosts that may have a private or loopback address.",
        ],
        "redirects": ["type": "integer", "default": 0, "description": "How many redirects are followed."],
        "connectTimeout": ["type": "string", "default": "5s"],
        "maxResponse": ["type": "string", "default": "8MiB", "description": "After decompression."],
        "maxConnections": ["type": "integer", "default": 64],
        "idempotencyHeader": ["type": "string", "default": "Idempotency-Key"],
        "honoursIdempotencyKey": [
            "type": "boolean", "default": false,
            "description": "Whether the service recognises a repeated request by that header.",
        ],
        "caFile": ["type": "string", "description": "PEM file of the authorities to trust."],
    ]

    /// The secrets these parameters may name.
    public static let secretDescriptors: [SecretDescriptor] = [
        SecretDescriptor(parameter: "auth.token", title: "Bearer token", isRequired: false),
        SecretDescriptor(parameter: "auth.password", title: "Password", isRequired: false),
        SecretDescriptor(parameter: "auth.value", title: "API key", isRequired: false),
    ]
}
