import HTTPTypes
import Values

/// The OpenAPI 3.0 description of the API, written from the table of routes.
enum OpenAPIDocument {
    /// The document, built once.
    static let bytes: [UInt8] = {
        var bytes: [UInt8] = []
        JSON.write(Self.document(APIRoutes.all), into: &bytes)
        return bytes
    }()

    static func document(_ routes: [Route]) -> Value {
        var paths = ValueContext()
        for route in routes {
            var operations = paths[route.path]?.asContext ?? ValueContext()
            operations[route.method.rawValue.lowercased()] = Self.operation(route)
            paths[route.path] = .context(operations)
        }
        return [
            "openapi": "3.0.3",
            "info": ["title": "Junction", "version": .string(APIServer.version)],
            "paths": .context(paths),
            "components": ["schemas": ["Problem": Self.problem]],
        ]
    }

    private static func operation(_ route: Route) -> Value {
        var operation = ValueContext([
            ("operationId", .string(route.operation)), ("summary", .string(route.summary)),
        ])
        let parameters = route.parameterNames.map { name -> Value in
            [
                "name": .string(name), "in": "path", "required": true,
                "schema": ["type": "string", "pattern": "^[0-9]+$"],
            ]
        }
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        switch route.body {
        case .none:
            break
        case .multipart:
            operation["requestBody"] = [
                "required": true,
                "content": [
                    "multipart/form-data": [
                        "schema": [
                            "type": "object",
                            "properties": [
                                "resources": ["type": "array", "items": ["type": "string", "format": "binary"]],
                                "profile": ["type": "string", "enum": ["lenient", "standard", "strict"]],
                            ],
                        ]
                    ]
                ],
            ]
        case .json(let fields, let isRequired):
            operation["requestBody"] = [
                "required": .boolean(isRequired), "content": ["application/json": ["schema": Self.schema(fields)]],
            ]
        }
        let success: Value =
            route.status == 204 ? "Done." : "The result."
        operation["responses"] = .context(
            ValueContext([
                (String(route.status), ["description": success]),
                (
                    "default",
                    [
                        "description": "Refused or failed.",
                        "content": [
                            "application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]
                        ],
                    ]
                ),
            ]))
        return .context(operation)
    }

    private static func schema(_ fields: [RequestField]) -> Value {
        var properties = ValueContext()
        for field in fields { properties[field.name] = Self.property(field) }
        var schema = ValueContext([
            ("type", "object"), ("additionalProperties", false), ("properties", .context(properties)),
        ])
        let required = fields.filter(\.isRequired).map { Value.string($0.name) }
        if !required.isEmpty { schema["required"] = .list(required) }
        return .context(schema)
    }

    private static func property(_ field: RequestField) -> Value {
        var property = ValueContext()
        switch field.kind {
        case .string: property["type"] = "string"
        case .key:
            property["type"] = "string"
            property["pattern"] = "^[0-9]+$"
        case .boolean: property["type"] = "boolean"
        case .object: property["type"] = "object"
        case .strings:
            property["type"] = "array"
            property["items"] = ["type": "string"]
        case .objects:
            property["type"] = "array"
            property["items"] = ["type": "object"]
        case .integer(let range):
            property["type"] = "integer"
            if range.lowerBound != .min { property["minimum"] = .number(Number(range.lowerBound)) }
            if range.upperBound != .max { property["maximum"] = .number(Number(range.upperBound)) }
        }
        property["description"] = .string(field.summary)
        return .context(property)
    }

    private static let problem: Value = [
        "type": "object",
        "properties": [
            "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
            "detail": ["type": "string"], "instance": ["type": "string"], "code": ["type": "string"],
            "remedy": ["type": "string"], "field": ["type": "string"],
            "retryAfterMilliseconds": ["type": "integer"],
            "diagnostics": ["type": "array", "items": ["type": "object"]],
        ],
    ]
}
