internal import Values

/// The variables of an operation as the fields of an input.
enum GraphQLVariables {
    /// The JSON Schema of an object that gives them.
    static func schema(_ variables: [GraphQLDocument.Variable]) -> Value {
        var properties = ValueContext()
        for variable in variables { properties[variable.name] = Self.schema(variable.type, isNullable: true) }
        return [
            "type": "object", "additionalProperties": false, "properties": .context(properties),
            "required": .list(variables.filter(\.isRequired).map { .string($0.name) }),
        ]
    }

    private static func schema(_ type: GraphQLDocument.TypeReference, isNullable: Bool) -> Value {
        func types(_ names: Value...) -> Value {
            let all = names + (isNullable ? ["null"] : [])
            return all.count == 1 ? all[0] : .list(all)
        }
        switch type {
        case .nonNull(let inner): return Self.schema(inner, isNullable: false)
        case .list(let element): return ["type": types("array"), "items": Self.schema(element, isNullable: true)]
        case .named("Int"): return ["type": types("integer")]
        case .named("Float"): return ["type": types("number")]
        case .named("String"): return ["type": types("string")]
        case .named("ID"): return ["type": types("string", "integer")]
        case .named("Boolean"): return ["type": types("boolean")]
        // An enumeration, an input object or a scalar of the service's own: only the service knows.
        case .named(let name): return ["description": .string(name)]
        }
    }

    /// What is wrong with the values given, as far as the document tells; empty when nothing is.
    static func problems(_ values: ValueContext, _ variables: [GraphQLDocument.Variable]) -> [String] {
        var problems: [String] = []
        for key in values.keys where !variables.contains(where: { $0.name == key }) {
            let hint = ClosestMatch.of(key, in: variables.map(\.name)).map { " Did you mean \($0)?" } ?? ""
            problems.append("Unknown variable \(key.prefix(80)).\(hint)")
        }
        for variable in variables {
            guard let value = values[variable.name] else {
                if variable.isRequired { problems.append("The variable \(variable.name) is missing.") }
                continue
            }
            if !Self.fits(value, variable.type) {
                problems.append("The variable \(variable.name): expected \(variable.type) but found \(value.typeName).")
            }
        }
        return problems
    }

    /// Whether a value can be coerced (section 3.5 and 3.12 of the specification).
    private static func fits(_ value: Value, _ type: GraphQLDocument.TypeReference) -> Bool {
        switch type {
        case .nonNull(let inner): !value.isNull && Self.fits(value, inner)
        case _ where value.isNull: true
        case .list(let element):
            // A single value stands for a list of one.
            value.asList.map { $0.allSatisfy { Self.fits($0, element) } } ?? Self.fits(value, element)
        case .named("Int"): value.asInt64.map { (-2_147_483_648...2_147_483_647).contains($0) } ?? false
        case .named("Float"): value.asNumber != nil
        case .named("String"): value.asString != nil
        case .named("ID"): value.asString != nil || value.asInt64 != nil
        case .named("Boolean"): value.asBoolean != nil
        case .named: true
        }
    }
}
