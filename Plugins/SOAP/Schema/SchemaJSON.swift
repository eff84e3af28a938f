internal import Values

/// Writes the JSON Schema (draft 2020-12) of the values that stand for XML of a schema.
struct SchemaJSON {
    /// How many types one schema describes; further ones are left open.
    private static let definitionsMax = 500
    /// How deep types without a name are followed.
    private static let depthMax = 32

    private let set: SchemaSet
    private var definitions = ValueContext()
    private var names: [Int: String] = [:]

    /// Types that others extend or restrict.
    private let bases: Set<TypeReference>

    init(set: SchemaSet) {
        self.set = set
        self.bases = Set(set.complexTypes.compactMap(\.base))
    }

    /// The schema of an object with these entries, and of what they refer to.
    mutating func object(
        _ entries: [(key: String, schema: Value, isRequired: Bool)], description: String? = nil,
        allowsOthers: Bool = false
    ) -> Value {
        var schema: ValueContext = ["type": "object"]
        if let description { schema["description"] = .string(description) }
        if !allowsOthers { schema["additionalProperties"] = false }
        var properties = ValueContext()
        for entry in entries { properties[entry.key] = entry.schema }
        schema["properties"] = .context(properties)
        let required = entries.filter(\.isRequired).map { Value.string($0.key) }
        if !required.isEmpty { schema["required"] = .list(required) }
        return .context(schema)
    }

    /// Adds the definitions that were referred to.
    func finished(_ schema: Value) -> Value {
        guard var context = schema.asContext, !self.definitions.isEmpty else { return schema }
        context["$defs"] = .context(self.definitions)
        return .context(context)
    }

    /// The entries of a value of a complex type; those of a simple one have the key of text.
    mutating func entries(of type: TypeReference) -> (entries: [(String, Value, Bool)], allowsOthers: Bool) {
        guard case .complex(let index) = self.set.resolve(type) else {
            if case .any = self.set.resolve(type) { return ([], true) }
            return ([(ValueKey.text, self.schema(of: type, depth: 0), false)], false)
        }
        return self.entries(of: self.set.shapes[index], depth: 0)
    }

    private mutating func entries(of shape: TypeShape, depth: Int) -> (entries: [(String, Value, Bool)], Bool) {
        var entries: [(String, Value, Bool)] = []
        if let text = shape.text {
            entries.append((ValueKey.text, self.faceted(self.schema(of: text, depth: depth), shape.textFacets), false))
        } else if shape.isMixed {
            entries.append((ValueKey.text, ["type": "string"], false))
        }
        for attribute in shape.attributes {
            let schema = self.schema(of: attribute.declaration.type, depth: depth)
            let isRequired = attribute.declaration.isRequired && attribute.declaration.fixedText == nil
            entries.append((attribute.key, schema, isRequired))
        }
        for field in shape.fields {
            var schema = self.schema(of: field.declaration, depth: depth)
            if field.isList { schema = ["type": "array", "items": schema] }
            entries.append((field.key, schema, field.isRequired))
        }
        if shape.allowsAnyElement {
            entries.append(
                (
                    ValueKey.any,
                    [
                        "type": "array",
                        "items": [
                            "type": "object", "required": ["name"],
                            "properties": [
                                "name": ["type": "string", "description": "{namespace}name"], "value": true,
                            ],
                        ],
                    ], false
                ))
        }
        return (entries, shape.allowsAnyAttribute)
    }

    /// The schema of an element's value.
    mutating func schema(of element: ElementDeclaration, depth: Int = 0) -> Value {
        var schema = self.schema(of: element.type, depth: depth)
        if element.isNillable { schema = ["anyOf": [schema, ["type": "null"]]] }
        if let documentation = element.documentation, var context = schema.asContext, context["$ref"] == nil {
            context["description"] = .string(documentation)
            schema = .context(context)
        }
        return schema
    }

    /// The schema of a type's values.
    mutating func schema(of type: TypeReference, depth: Int) -> Value {
        switch self.set.resolve(type) {
        case .any: return true
        case .builtin(let builtin): return Self.schema(of: builtin)
        case .simple(let simple):
            guard depth < Self.depthMax else { return true }
            switch simple.variety {
            case .restriction(let base): return self.faceted(self.schema(of: base, depth: depth + 1), simple.facets)
            case .list(let item): return ["type": "array", "items": self.schema(of: item, depth: depth + 1)]
            case .union(let members):
                return ["anyOf": .list(members.map { self.schema(of: $0, depth: depth + 1) })]
            }
        case .complex(let index): return self.schema(ofComplex: index, depth: depth)
        }
    }

    private mutating func schema(ofComplex index: Int, depth: Int) -> Value {
        let type = self.set.complexTypes[index]
        let shape = self.set.shapes[index]
        if shape.isPlainText, let text = shape.text {
            return self.faceted(self.schema(of: text, depth: depth + 1), shape.textFacets)
        }
        guard let name = type.name else {
            guard depth < Self.depthMax else { return true }
            return self.complex(shape, type, depth: depth + 1)
        }
        if let known = self.names[index] { return ["$ref": .string("#/$defs/\(known)")] }
        guard self.names.count < Self.definitionsMax, depth < Self.depthMax else { return true }
        let taken = Set(self.names.values)
        var key = name.local
        var number = 2
        while taken.contains(key) {
            key = "\(name.local)-\(number)"
            number += 1
        }
        self.names[index] = key
        self.definitions[key] = self.complex(shape, type, depth: depth + 1)
        return ["$ref": .string("#/$defs/\(key)")]
    }

    private mutating func complex(_ shape: TypeShape, _ type: ComplexType, depth: Int) -> Value {
        if let item = shape.arrayItem {
            return ["type": "array", "items": self.schema(of: .named(item), depth: depth)]
        }
        var (entries, allowsOthers) = self.entries(of: shape, depth: depth)
        // A value of a derived type has fields of its own.
        let isBase = type.name.map { self.bases.contains(.named($0)) } == true
        if isBase {
            entries.append((ValueKey.type, ["type": "string", "description": "A type derived from this one."], false))
        }
        return self.object(
            entries.map { (key: $0.0, schema: $0.1, isRequired: $0.2) }, description: type.documentation,
            allowsOthers: allowsOthers || isBase)
    }

    // MARK: - Simple types

    private static func schema(of type: BuiltinType) -> Value {
        switch type.kind {
        case .string, .token, .qualifiedName: return ["type": "string"]
        case .boolean: return ["type": "boolean"]
        case .decimal: return ["type": "number"]
        case .float: return ["anyOf": [["type": "number"], ["enum": ["INF", "-INF", "NaN"]]]]
        case .base64: return ["type": "string", "contentEncoding": "base64"]
        case .hex: return ["type": "string", "contentEncoding": "base16"]
        case .date: return ["type": "string", "description": "A date: 2026-01-31, with or without a zone."]
        case .dateTime: return ["type": "string", "description": "2026-01-31T12:00:00, with or without a zone."]
        case .time: return ["type": "string", "description": "A time of day: 12:00:00, with or without a zone."]
        case .duration: return ["type": "string", "description": "A duration: P1DT2H."]
        case .list: return ["type": "array", "items": ["type": "string"]]
        case .integer:
            var schema: ValueContext = ["type": "integer"]
            schema["minimum"] = type.minimum.map { .number(Number($0)) }
            schema["maximum"] = type.maximum.map { .number(Number($0)) }
            return .context(schema)
        }
    }

    private func faceted(_ schema: Value, _ facets: Facets) -> Value {
        guard var context = schema.asContext, !facets.isEmpty else { return schema }
        let isNumber = context["type"] == "integer" || context["type"] == "number"
        if !facets.enumeration.isEmpty {
            context["enum"] = .list(
                facets.enumeration.map { text in
                    isNumber ? Number(text.trimmingXMLSpace).map { .number($0) } ?? .string(text) : .string(text)
                })
        }
        let numbers = [
            "minInclusive": "minimum", "maxInclusive": "maximum", "minExclusive": "exclusiveMinimum",
            "maxExclusive": "exclusiveMaximum",
        ]
        for (facet, text) in facets.bounds.sorted(by: { $0.key < $1.key }) {
            if isNumber, let key = numbers[facet], let number = Number(text.trimmingXMLSpace) {
                context[key] = .number(number)
            } else if context["type"] == "string", context["contentEncoding"] == nil,
                let count = Int64(text.trimmingXMLSpace)
            {
                if facet == "minLength" || facet == "length" { context["minLength"] = .number(Number(count)) }
                if facet == "maxLength" || facet == "length" { context["maxLength"] = .number(Number(count)) }
            }
        }
        return .context(context)
    }
}
