public import ConnectorKit
internal import HTTPTransport
public import Values

/// Calls GraphQL services.
///
/// A connection may declare documents: each is an operation of the connection, whose input are the document's variables.
public struct GraphQLModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// With the documents that the parameters declare as further operations; as `descriptor` if the parameters are
    /// wrong.
    public func descriptor(for parameters: Value) -> ConnectorDescriptor {
        guard let settings = try? GraphQLSettings(parameters) else { return Self.description }
        return Self.description(settings)
    }

    private static func description(_ settings: GraphQLSettings) -> ConnectorDescriptor {
        var description = Self.description
        description.operations += settings.documents.values.sorted { $0.name < $1.name }.map(\.descriptor)
        return description
    }

    /// Checks the parameters and the declared documents, and starts the connection's thread.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let settings = try GraphQLSettings(configuration.parameters)
        return try GraphQLConnection(configuration, settings, Self.description(settings))
    }

    static let output: Value = [
        "type": "object", "required": ["data"],
        "properties": [
            "data": true,
            "errors": [
                "type": "array", "description": "Only where partial answers are returned.",
                "items": [
                    "type": "object",
                    "properties": [
                        "message": ["type": "string"], "code": ["type": "string"], "path": ["type": "string"],
                    ],
                ],
            ],
            "extensions": true,
            "pages": ["type": "integer", "description": "How many pages were read."],
            "isComplete": ["type": "boolean", "description": "Whether the last page was reached."],
        ],
    ]

    private static let paginate: Value = [
        "type": "object", "additionalProperties": false, "required": ["connection"],
        "description": "Reads the pages of a connection one after the other and joins their nodes and edges.",
        "properties": [
            "connection": ["type": "string", "description": "Where it is below data, such as repository.issues."],
            "variable": ["type": "string", "description": "The variable for the cursor.", "default": "after"],
            "maxPages": ["type": "integer", "default": 100],
            "maxItems": ["type": "integer", "default": 10_000],
        ],
    ]

    private static let partial: Value = [
        "enum": ["reject", "return"],
        "description": "Whether an answer with data and errors is a failure, or a result that holds both.",
    ]

    private static let document: Value = [
        "type": "object", "additionalProperties": false,
        "properties": [
            "document": ["type": "string"],
            "id": ["type": "string", "description": "What the service calls it; sent instead of the document."],
            "operationName": ["type": "string"],
            "description": ["type": "string"],
            "effect": [
                "enum": .list(Effect.allCases.map { .string($0.rawValue) }),
                "description": "Of a mutation. Default: other.",
            ],
            "idempotency": [
                "enum": ["none", "natural", "key"], "default": "none", "description": "Of a mutation.",
            ],
            "partial": Self.partial,
            "paginate": Self.paginate,
        ],
    ]

    private static func input(_ more: ValueContext = [:]) -> Value {
        var properties: ValueContext = [
            "document": ["type": "string"],
            "operationName": ["type": "string", "description": "Which operation, if there are several."],
            "variables": ["type": "object"],
            "partial": Self.partial,
        ]
        properties.merge(more)
        return [
            "type": "object", "additionalProperties": false, "required": ["document"],
            "properties": .context(properties),
        ]
    }

    private static var parameters: Value {
        var properties = HTTPSettings.schemaProperties
        properties.merge([
            "path": ["type": "string", "description": "Where the service is below baseUrl."],
            "documents": [
                "type": "object", "additionalProperties": Self.document,
                "description": "Documents by name: each is an operation of the connection.",
            ],
            "partial": Self.partial,
            "persisted": [
                "enum": ["none", "automatic"], "default": "none",
                "description": "automatic: a document is sent by its SHA-256 digest, and whole if that is unknown.",
            ],
            "documentIdField": ["type": "string", "default": "documentId"],
            "errorCodes": [
                "type": "object", "description": "Kinds of error for codes in extensions.code of the service's own.",
            ],
            "maxDocument": ["type": "string", "default": "256KiB"],
        ])
        return [
            "type": "object", "additionalProperties": false, "required": ["baseUrl"],
            "properties": .context(properties),
        ]
    }

    static let description = ConnectorDescriptor(
        id: "graphql", version: 1, title: "GraphQL",
        summary: "Sends queries and mutations to GraphQL services, ad hoc or declared as operations.",
        parameters: Self.parameters, secrets: HTTPSettings.secretDescriptors,
        operations: [
            OperationDescriptor(
                id: "query", title: "Query", summary: "Sends a document whose operation is a query.", effect: .read,
                idempotency: .natural, input: Self.input(["paginate": Self.paginate]), output: Self.output),
            OperationDescriptor(
                id: "mutate", title: "Mutate", summary: "Sends a document whose operation is a mutation.",
                effect: .other, idempotency: .none, input: Self.input(), output: Self.output),
        ])
}
