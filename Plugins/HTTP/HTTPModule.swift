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
        let directory = reader.string("blobDirectory")
        let bytesMaximum = reader.bytes("maxFile")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        var files: BlobDirectory?
        do throws(HTTPFileError) {
            if let directory { files = try BlobDirectory(path: directory) }
        } catch {
            throw HTTPFileFailure.error(error)
        }
        return try HTTPConnection(configuration, settings, files: files, fileBytesMaximum: bytesMaximum ?? 1 << 30)
    }

    static let description = ConnectorDescriptor(
        id: "http", version: 1, title: "HTTP",
        summary: "Calls HTTP services and returns status, headers and body.",
        parameters: [
            "type": "object",
            "additionalProperties": false,
            "properties": .context(Self.parameters),
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

    private static let parameters: ValueContext = {
        var all = HTTPSettings.schemaProperties
        all["blobDirectory"] = [
            "type": "string", "description": "Directory of the files that are sent and received; no other is used.",
        ]
        all["maxFile"] = [
            "type": "string", "default": "1GiB", "description": "The largest file that is received.",
        ]
        return all
    }()

    private static let encodingText =
        "json unless the body is a text. file: the body is the name of a file in blobDirectory. "
        + "multipart: it is a list of { name, value | base64 | file, filename, contentType }."
    private static let bodyText =
        "Parsed when it is JSON, a text when it is one, else base64; null if empty. "
        + "With download: { file, bytes, sha256 }."

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
                    "description": .string(Self.encodingText),
                ],
                "download": [
                    "type": "string",
                    "description": "Writes the body to this file in blobDirectory, which appears once it is complete.",
                ],
                "paginate": Pagination.schema,
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
            "body": ["description": .string(Self.bodyText)],
            "bodyEncoding": ["enum": ["json", "text", "base64", "file"]],
            "items": ["type": "array", "description": "With paginate: the items of all pages; body is null."],
            "pages": ["type": "integer", "description": "With paginate: how many were read."],
            "isComplete": ["type": "boolean", "description": "With paginate: whether there are no more."],
            "next": ["description": "With paginate: where to go on, if there are more."],
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
