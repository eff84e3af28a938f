import HubDocuments
import Values

/// Takes the schemas of an OpenAPI document over.
///
/// Those that are referred to become schemas of the specification, under the same names as far as possible, so that
/// schemas which contain themselves stay as they are. What only OpenAPI 3.0 has is rewritten to the draft 2020-12.
struct OpenAPISchemas {
    private let document: Value
    /// What was taken over, by name.
    private(set) var taken = ValueContext()
    private var names: [String: String] = [:]
    private(set) var notes: [String] = []

    /// The most schemas taken over, and the deepest nesting.
    static let countMax = 2_000
    static let depthMax = 24

    init(_ document: Value) {
        self.document = document
    }

    /// The value a reference leads to in the document; the value itself when it is none.
    func resolved(_ value: Value) -> Value {
        var value = value
        for _ in 0..<16 {
            guard let reference = value["$ref"]?.asString, reference.hasPrefix("#/") else { return value }
            guard let target = self.target(reference) else { return .null }
            value = target
        }
        return .null
    }

    private func target(_ reference: String) -> Value? {
        var value = self.document
        for token in reference.dropFirst(2).split(separator: "/") {
            let name = URLEncoding.decode(token).replacing("~1", with: "/").replacing("~0", with: "~")
            if let items = value.asList, let index = Int(name), items.indices.contains(index) {
                value = items[index]
            } else if let member = value[name] {
                value = member
            } else {
                return nil
            }
        }
        return value
    }

    /// `schema` as the specification has it.
    mutating func converted(_ schema: Value, depth: Int = 0) -> Value {
        guard depth <= Self.depthMax else {
            self.note("Schemas nested deeper than \(Self.depthMax) levels are left open.")
            return true
        }
        guard let fields = schema.asContext else { return schema.asBoolean == nil ? true : schema }
        if let reference = fields["$ref"]?.asString { return self.reference(reference) }
        var result = ValueContext()
        for (key, value) in fields where Self.kept.contains(key) || key.hasPrefix("x-") {
            result[key] = self.converted(key, value, depth)
        }
        if let example = fields["example"], result["examples"] == nil { result["examples"] = [example] }
        self.modernise(fields, &result)
        if case .context = result["items"] ?? .null, result["type"] == nil { result["type"] = "array" }
        if result["type"] == "array", result["items"] == nil { result["items"] = true }
        self.dropWrongPattern(&result)
        return .context(result)
    }

    private static let kept: Set<String> = [
        "type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength",
        "maxLength", "pattern", "format", "prefixItems", "items", "contains", "minContains", "maxContains", "minItems",
        "maxItems", "uniqueItems", "properties", "patternProperties", "additionalProperties", "propertyNames",
        "required",
        "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "allOf", "anyOf", "oneOf", "not",
        "if",
        "then", "else", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    ]

    private mutating func converted(_ key: String, _ value: Value, _ depth: Int) -> Value? {
        switch key {
        case "properties", "patternProperties", "dependentSchemas":
            return .context(
                ValueContext(
                    (value.asContext ?? ValueContext()).map { ($0.key, self.converted($0.value, depth: depth + 1)) }))
        case "allOf", "anyOf", "oneOf", "prefixItems":
            guard let items = value.asList, !items.isEmpty else { return nil }
            return .list(items.map { self.converted($0, depth: depth + 1) })
        case "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else":
            return self.converted(value, depth: depth + 1)
        case "required":
            return value.asList == nil ? nil : value
        case "description", "title":
            return value.asString.map { .string(String($0.prefix(300))) }
        case "enum", "examples":
            return value.asList == nil ? nil : value
        default: return value
        }
    }

    /// Rewrites what OpenAPI 3.0 says in its own way.
    private func modernise(_ fields: ValueContext, _ result: inout ValueContext) {
        for (flag, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            guard let isExclusive = fields[flag]?.asBoolean else { continue }
            result[flag] = isExclusive ? fields[limit] : nil
            if isExclusive { result[limit] = nil }
        }
        guard fields["nullable"] == true else { return }
        if let type = result["type"]?.asString { result["type"] = [.string(type), "null"] }
        if let words = result["enum"]?.asList, !words.contains(.null) { result["enum"] = .list(words + [.null]) }
    }

    /// A pattern in a dialect of its own is no reason to refuse the rest.
    private mutating func dropWrongPattern(_ result: inout ValueContext) {
        guard let pattern = result["pattern"] else { return }
        let log = DiagnosticLog(file: "")
        _ = JSONSchema(
            DocumentNode(value: ["pattern": pattern], at: DocumentPosition(line: 1, column: 1)), log: log)
        guard !log.isAcceptable else { return }
        result["pattern"] = nil
        self.note("The pattern \(pattern) is left out: it is no regular expression of XML Schema.")
    }

    private mutating func reference(_ reference: String) -> Value {
        if let name = self.names[reference] { return ["$ref": .string("#/schemas/" + name)] }
        guard reference.hasPrefix("#/"), let target = self.target(reference) else {
            self.note("The reference \(reference) leads out of the document; anything is accepted there.")
            return true
        }
        guard self.names.count < Self.countMax else {
            self.note("More than \(Self.countMax) schemas; the rest accepts anything.")
            return true
        }
        let base = String(reference.split(separator: "/").last ?? "Schema").map { character in
            character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
                ? character : "_"
        }
        var name = String(base)
        while self.names.values.contains(name) { name += "_" }
        self.names[reference] = name
        self.taken[name] = true
        self.taken[name] = self.converted(target)
        return ["$ref": .string("#/schemas/" + name)]
    }

    private mutating func note(_ text: String) {
        if !self.notes.contains(text), self.notes.count < 100 { self.notes.append(text) }
    }

    /// Whether `value` matches `schema`, with what was taken over.
    func accepts(_ value: Value, _ schema: Value) -> Bool {
        guard var fields = Self.withLocalReferences(schema).asContext else { return schema != false }
        // Only what the schema leads to: documents have hundreds of schemas, and thousands of checks.
        var names: [String] = []
        Self.collect(schema, &names)
        var definitions = ValueContext()
        var index = 0
        while index < names.count {
            let target = self.taken[names[index]] ?? true
            definitions[names[index]] = Self.withLocalReferences(target)
            Self.collect(target, &names)
            index += 1
        }
        if !definitions.isEmpty { fields["$defs"] = .context(definitions) }
        let log = DiagnosticLog(file: "")
        let compiled = JSONSchema(
            DocumentNode(value: .context(fields), at: DocumentPosition(line: 1, column: 1)), log: log)
        return log.isAcceptable && compiled.accepts(value)
    }

    /// Adds the names of the schemas a schema refers to.
    private static func collect(_ value: Value, _ names: inout [String]) {
        switch value {
        case .list(let items):
            for item in items { Self.collect(item, &names) }
        case .context(let members):
            for (key, value) in members {
                if key == "$ref", let name = value.asString?.split(separator: "/").last.map({ String($0) }) {
                    if !names.contains(name) { names.append(name) }
                } else {
                    Self.collect(value, &names)
                }
            }
        default: break
        }
    }

    private static func withLocalReferences(_ value: Value) -> Value {
        switch value {
        case .list(let items): return .list(items.map { Self.withLocalReferences($0) })
        case .context(let members):
            return .context(
                ValueContext(
                    members.map { key, value in
                        guard key == "$ref", let text = value.asString else {
                            return (key, Self.withLocalReferences(value))
                        }
                        return (key, .string(text.replacing("#/schemas/", with: "#/$defs/")))
                    }))
        default: return value
        }
    }
}
