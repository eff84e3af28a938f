public import ConnectorKit
internal import HTTPTransport
internal import Values

/// Calls HTTP services, over libcurl.
///
/// A connection keeps its own pool of open connections and one thread that polls them. Requests go to the connection's
/// `baseUrl`, or to hosts it allows; the resolved address must be public unless the connection says otherwise.
public struct HTTPModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters and starts the connection's thread.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let reader = FieldReader(
            configuration.parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        let settings = HTTPSettings(reader)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        return try HTTPConnection(configuration, settings)
    }

    static let description = ConnectorDescriptor(
        id: "http", version: 1, title: "HTTP",
        summary: "Calls HTTP services and returns status, headers and body.",
        parameters: [
            "type": "object",
            "additionalProperties": false,
            "properties": .context(HTTPSettings.schemaProperties),
        ],
        secrets: HTTPSettings.secretDescriptors,
        operations: [
            OperationDescriptor(
                id: "request", title: "Send a request", summary: "Sends any request and returns the response.",
                effect: .other, idempotency: .none, input: Self.input(methods: HTTPMethod.allCases),
                output: Self.response),
            OperationDescriptor(
                id: "get", title: "Get", summary: "Reads a resource.", effect: .read, idempotency: .natural,
                input: Self.input(methods: [.get]), output: Self.response),
        ])

    private static func input(methods: [HTTPMethod]) -> Value {
        [
            "type": "object",
            "additionalProperties": false,
            "properties": [
                "method": ["enum": .list(methods.map { .string($0.rawValue) }), "default": "GET"],
                "path": ["type": "string", "description": "Added to baseUrl; no query, no dot segments."],
                "url": ["type": "string", "description": "Instead of path: a whole URL on an allowed host."],
                "query": ["type": "object", "description": "A list repeats the name; null leaves it out."],
                "headers": ["type": "object", "description": "Null leaves one out."],
                "body": ["description": "Anything; how it is written depends on bodyEncoding."],
                "bodyEncoding": [
                    "enum": .list(HTTPBodyEncoding.allCases.map { .string($0.rawValue) }),
                    "description": "json unless the body is a text.",
                ],
                "expect": ["type": "array", "description": "Statuses that count as success. Default: 200 to 299."],
            ],
        ]
    }

    private static let response: Value = [
        "type": "object",
        "required": ["status", "headers", "body"],
        "properties": [
            "status": ["type": "integer"],
            "headers": ["type": "object", "description": "Names in lower case; repeated ones joined by commas."],
            "body": ["description": "Parsed when it is JSON, a text when it is one, else base64; null if empty."],
            "bodyEncoding": ["enum": ["json", "text", "base64"]],
        ],
    ]
}

/// Methods that can be asked for.
enum HTTPMethod: String, CaseIterable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
}

/// How a body is written.
enum HTTPBodyEncoding: String, CaseIterable, Sendable {
    case json, text, form, base64
}
