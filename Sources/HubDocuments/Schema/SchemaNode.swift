import Decisions
import Values

/// A compiled schema: its nodes, which name one another by index.
final class SchemaProgram: Sendable {
    let nodes: [SchemaNode]
    /// By resource, the nodes of its dynamic anchors.
    let dynamicAnchors: [[String: Int]]
    /// Whether some node asks for what others have not looked at.
    let tracksEvaluation: Bool

    init(nodes: [SchemaNode], dynamicAnchors: [[String: Int]] = []) {
        self.nodes = nodes
        self.dynamicAnchors = dynamicAnchors
        self.tracksEvaluation = nodes.contains { $0.unevaluatedItems != nil || $0.unevaluatedProperties != nil }
    }
}

/// What one schema asks for; empty parts ask for nothing.
struct SchemaNode: Sendable {
    /// The JSON types a schema can ask for.
    enum JSONType: String, Sendable, Hashable, CaseIterable {
        case null, boolean, integer, number, string, array, object
    }

    /// A regular expression, matched anywhere in a text as JSON Schema asks.
    struct Pattern: Sendable {
        let source: String
        let expression: Expression

        func matches(_ text: String) -> Bool {
            self.expression.evaluateValue(MapScope(["text": .string(text)])) == .boolean(true)
        }
    }

    /// Set when the schema is `true` or `false`.
    var constant: Bool?
    /// The resource it belongs to, which decides what dynamic references see.
    var resource = 0

    var reference: Int?
    /// The node a dynamic reference leads to when nothing further out is meant, and the name that is looked for there.
    var dynamicReference: (node: Int, name: String?)?

    var types: Set<JSONType> = []
    var allowed: [Value]?
    var multipleOf: Number?
    var minimum: Number?
    var maximum: Number?
    var exclusiveMinimum: Number?
    var exclusiveMaximum: Number?
    var minimumLength: Int?
    var maximumLength: Int?
    var pattern: Pattern?
    var format: SchemaFormat?

    var prefixItems: [Int] = []
    var items: Int?
    var contains: Int?
    var minimumContains: Int?
    var maximumContains: Int?
    var minimumItems: Int?
    var maximumItems: Int?
    var hasUniqueItems = false
    var unevaluatedItems: Int?

    var properties: [String: Int] = [:]
    var patternProperties: [(pattern: Pattern, node: Int)] = []
    var additionalProperties: Int?
    var propertyNames: Int?
    var required: [String] = []
    var minimumProperties: Int?
    var maximumProperties: Int?
    var dependentRequired: [(name: String, required: [String])] = []
    var dependentSchemas: [(name: String, node: Int)] = []
    var unevaluatedProperties: Int?

    var allOf: [Int] = []
    var anyOf: [Int] = []
    var oneOf: [Int] = []
    var not: Int?
    var condition: Int?
    var then: Int?
    var otherwise: Int?

    init(constant: Bool? = nil) {
        self.constant = constant
    }
}
