package import Values

/// JSON Schemas that descriptions of database connectors share.
package enum SQLSchema {
    /// An object with these properties and no others.
    package static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }

    /// A text with a description.
    package static func text(_ description: String) -> Value {
        ["type": "string", "description": .string(description)]
    }

    /// A whole number with a description and a default.
    package static func integer(_ description: String, default value: Int64? = nil, minimum: Int64 = 1) -> Value {
        var schema: ValueContext = [
            "type": "integer", "minimum": .number(Number(minimum)), "description": .string(description),
        ]
        if let value { schema["default"] = .number(Number(value)) }
        return .context(schema)
    }

    /// A length of time with a description and a default.
    package static func duration(_ description: String, default value: String) -> Value {
        ["type": "string", "default": .string(value), "description": .string(description)]
    }

    /// True or false.
    package static func flag(_ description: String, default value: Bool = false) -> Value {
        ["type": "boolean", "default": .boolean(value), "description": .string(description)]
    }

    /// A secret reference.
    package static let secret: Value = [
        "type": "object", "description": "A secret reference, { secret: \"store:name\" }.",
        "properties": ["secret": ["type": "string"]], "required": ["secret"], "additionalProperties": false,
    ]

    /// Rows of a result.
    package static let rows: Value = ["type": "array", "items": ["type": "object"]]
}
