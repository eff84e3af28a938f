import Decisions
import Values

/// A compiled JSON Schema (draft 2020-12) of the keywords listed in `keywords`; any other keyword is refused, so that
/// no constraint is silently ignored.
///
/// Immutable; validation is linear in the value for everything but `enum` and patterns, whose steps are bounded.
public indirect enum JSONSchema: Sendable {
    /// Accepts everything (`true`) or nothing (`false`).
    case constant(Bool)
    /// Accepts what meets every constraint.
    case constraints(Constraints)

    /// The JSON types a schema can ask for.
    public enum JSONType: String, Sendable, Hashable, CaseIterable {
        case null, boolean, integer, number, string, array, object
    }

    /// The formats that are checked.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        case date
        case dateTime = "date-time"
        case email
    }

    /// What one schema object asks for; empty parts ask for nothing.
    public struct Constraints: Sendable {
        var types: Set<JSONType> = []
        var required: [String] = []
        var properties: [String: JSONSchema] = [:]
        var additionalProperties: JSONSchema?
        var items: JSONSchema?
        var minimumItems: Int?
        var maximumItems: Int?
        var allowed: [Value]?
        var minimum: Number?
        var maximum: Number?
        var exclusiveMinimum: Number?
        var exclusiveMaximum: Number?
        var minimumLength: Int?
        var maximumLength: Int?
        var pattern: Pattern?
        var format: Format?
    }

    /// A regular expression, matched anywhere in a text as JSON Schema asks.
    struct Pattern: Sendable {
        let source: String
        let matches: Expression
    }

    /// The keywords that are read; `title`, `description` and the like are read as comments.
    public static let keywords = [
        "type", "required", "properties", "additionalProperties", "items", "minItems", "maxItems", "enum", "const",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "format",
    ]
    static let annotations = [
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated",
    ]
    /// The deepest nesting of schemas.
    static let depthMax = 32
}

// MARK: - Compilation

extension JSONSchema {
    /// Compiles the schema in `node`; everything wrong is noted in `log`.
    public init(_ node: DocumentNode, path: String = "schema", log: DiagnosticLog) {
        self.init(node, path: path, log: log, depth: 0)
    }

    private init(_ node: DocumentNode, path: String, log: DiagnosticLog, depth: Int) {
        self = .constant(true)
        if case .boolean(let flag) = node.content {
            self = .constant(flag)
            return
        }
        guard depth <= Self.depthMax else {
            log.error(.tooLarge, "\"\(path)\" is nested too deeply.", at: node.position)
            return
        }
        let reader = MappingReader(node, path: path, log: log)
        var constraints = Constraints()
        constraints.types = Self.types(reader)
        constraints.required = reader.strings("required")
        constraints.properties = Self.properties(reader, depth: depth)
        constraints.additionalProperties = Self.schema(reader, "additionalProperties", depth: depth)
        constraints.items = Self.schema(reader, "items", depth: depth)
        constraints.minimumItems = reader.integer("minItems", in: 0...Int.max)
        constraints.maximumItems = reader.integer("maxItems", in: 0...Int.max)
        constraints.allowed = Self.allowed(reader)
        constraints.minimum = Self.limit(reader, "minimum")
        constraints.maximum = Self.limit(reader, "maximum")
        constraints.exclusiveMinimum = Self.limit(reader, "exclusiveMinimum")
        constraints.exclusiveMaximum = Self.limit(reader, "exclusiveMaximum")
        constraints.minimumLength = reader.integer("minLength", in: 0...Int.max)
        constraints.maximumLength = reader.integer("maxLength", in: 0...Int.max)
        constraints.pattern = Self.pattern(reader)
        constraints.format = reader.word("format", Format.self)
        for annotation in Self.annotations { _ = reader.node(annotation) }
        // Extensions say nothing about the value (draft 2020-12, 6.5).
        for entry in reader.entries where entry.key.hasPrefix("x-") { _ = reader.node(entry.key) }
        reader.finish()
        self = .constraints(constraints)
    }

    private static func schema(_ reader: MappingReader, _ key: String, depth: Int) -> JSONSchema? {
        reader.node(key).map { JSONSchema($0, path: reader.path(of: key), log: reader.log, depth: depth + 1) }
    }

    private static func types(_ reader: MappingReader) -> Set<JSONType> {
        guard let node = reader.node("type") else { return [] }
        if case .string = node.content { return reader.word("type", JSONType.self).map { [$0] } ?? [] }
        let names = reader.strings("type")
        let types = names.compactMap { JSONType(rawValue: $0) }
        if types.count < names.count {
            let words = JSONType.allCases.map(\.rawValue).joined(separator: ", ")
            reader.reject("type", node, expected: "a list of the words \(words)")
        }
        return Set(types)
    }

    private static func properties(_ reader: MappingReader, depth: Int) -> [String: JSONSchema] {
        guard let mapping = reader.mapping("properties") else { return [:] }
        var properties: [String: JSONSchema] = [:]
        for entry in mapping.entries {
            properties[entry.key] = JSONSchema(
                entry.value, path: mapping.path(of: entry.key), log: reader.log, depth: depth + 1)
        }
        return properties
    }

    private static func allowed(_ reader: MappingReader) -> [Value]? {
        // `const: null` is a constraint, so the entry itself counts, not only a value that is not null.
        _ = reader.node("const")
        let constant = reader.entries.first { $0.key == "const" }.map { [$0.value.value] }
        guard reader.node("enum") != nil else { return constant }
        let values = reader.list("enum").map(\.value)
        return constant.map { $0.filter(values.contains) } ?? values
    }

    private static func limit(_ reader: MappingReader, _ key: String) -> Number? {
        guard let node = reader.node(key) else { return nil }
        if case .number(let number) = node.content { return number }
        reader.reject(key, node, expected: "a number")
        return nil
    }

    private static func pattern(_ reader: MappingReader) -> Pattern? {
        guard let source = reader.string("pattern"), let node = reader.node("pattern") else { return nil }
        let literal = JSON.string(.string(source))
        do {
            let expression = try Expression.compile("matches(text, \(literal))")
            // A pattern that is none makes every match null: try it once.
            if expression.evaluate(MapScope(["text": ""])).value.isNull {
                reader.reject("pattern", node, expected: "a regular expression")
                return nil
            }
            return Pattern(source: source, matches: expression)
        } catch {
            reader.reject("pattern", node, expected: "a regular expression")
            return nil
        }
    }
}
