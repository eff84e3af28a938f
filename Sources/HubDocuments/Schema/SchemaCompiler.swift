import Decisions
import Values

/// Turns schema documents into a program.
final class SchemaCompiler {
    private let log: DiagnosticLog
    private let unknownKeywords: JSONSchema.UnknownKeywords
    let formats: JSONSchema.Formats
    private let resources = SchemaResources()
    private var nodes: [SchemaNode] = []
    private var indices: [String: Int] = [:]
    private var dynamicAnchors: [[String: Int]] = []

    init(log: DiagnosticLog, unknownKeywords: JSONSchema.UnknownKeywords, formats: JSONSchema.Formats) {
        self.log = log
        self.formats = formats
        self.unknownKeywords = unknownKeywords
    }

    /// The index of the root node.
    func compile(_ node: DocumentNode, path: String, documents: [String: DocumentNode]) -> Int {
        let root = self.resources.add(node, uri: "")
        for (uri, document) in documents.sorted(by: { $0.key < $1.key }) { _ = self.resources.add(document, uri: uri) }
        let index = self.node(root, path: path, depth: 0)
        // Dynamic references look for names while a value is checked, so every place with one is needed.
        self.dynamicAnchors = self.resources.resources.map { resource in
            resource.dynamicAnchors.mapValues { self.node($0, path: path, depth: 0) }
        }
        return index
    }

    func program() -> SchemaProgram { SchemaProgram(nodes: self.nodes, dynamicAnchors: self.dynamicAnchors) }

    /// The index of the node at `place`, compiled once.
    private func node(_ place: SchemaResources.Place, path: String, depth: Int) -> Int {
        if let index = self.indices[place.key] { return index }
        let index = self.nodes.count
        self.indices[place.key] = index
        self.nodes.append(SchemaNode())
        self.nodes[index] = self.compiled(place, path: path, depth: depth)
        return index
    }

    private func compiled(_ place: SchemaResources.Place, path: String, depth: Int) -> SchemaNode {
        if case .boolean(let flag) = place.node.content { return SchemaNode(constant: flag) }
        guard depth <= JSONSchema.depthMax else {
            self.log.error(.tooLarge, "\"\(path)\" is nested too deeply.", at: place.node.position)
            return SchemaNode(constant: true)
        }
        var place = place
        place.resource = self.resources.resource(at: place)
        let reader = MappingReader(place.node, path: path, log: self.log)
        var node = SchemaNode()
        node.resource = place.resource
        let part = Part(compiler: self, place: place, reader: reader, depth: depth)
        part.readValidation(into: &node)
        part.readArrays(into: &node)
        part.readObjects(into: &node)
        part.readApplicators(into: &node)
        // Names of their own, read only where they are referred to, but checked all the same.
        _ = part.named("$defs")
        self.references(reader, place, into: &node)
        for annotation in JSONSchema.annotations { _ = reader.node(annotation) }
        // Extensions say nothing about the value (draft 2020-12, 6.5).
        for entry in reader.entries where entry.key.hasPrefix("x-") || self.unknownKeywords == .ignore {
            _ = reader.node(entry.key)
        }
        reader.finish()
        return node
    }

    private func references(
        _ reader: MappingReader, _ place: SchemaResources.Place, into node: inout SchemaNode
    ) {
        for key in ["$ref", "$dynamicRef"] {
            guard let text = reader.string(key), let at = reader.node(key) else { continue }
            guard let target = self.resources.resolve(text, from: place) else {
                self.log.error(
                    .invalidValue, "\"\(reader.path(of: key))\" refers to \"\(text)\", which is not there.",
                    remedy: "Refer to a place in the same document, such as #/$defs/name.", at: at.position)
                continue
            }
            let index = self.node(target.place, path: reader.path(of: key), depth: 0)
            if key == "$ref" {
                node.reference = index
            } else {
                node.dynamicReference = (index, target.dynamicAnchor)
            }
        }
    }

    /// One schema while it is read.
    struct Part {
        let compiler: SchemaCompiler
        let place: SchemaResources.Place
        let reader: MappingReader
        let depth: Int

        private func child(_ node: DocumentNode, _ path: String, _ tokens: String...) -> Int {
            var place = self.place
            place.node = node
            for token in tokens { place.pointer += "/" + token.pointerEscaped }
            return self.compiler.node(place, path: path, depth: self.depth + 1)
        }

        func schema(_ key: String) -> Int? {
            self.reader.node(key).map { self.child($0, self.reader.path(of: key), key) }
        }

        func schemas(_ key: String) -> [Int] {
            let items = self.reader.list(key)
            if items.isEmpty, let node = self.reader.node(key), case .list = node.content {
                self.reader.reject(key, node, expected: "a list of schemas that is not empty")
            }
            return items.enumerated().map { index, node in
                self.child(node, "\(self.reader.path(of: key))[\(index)]", key, String(index))
            }
        }

        func named(_ key: String) -> [(name: String, node: Int)] {
            guard let mapping = self.reader.mapping(key) else { return [] }
            return mapping.entries.map { entry in
                (entry.key, self.child(entry.value, mapping.path(of: entry.key), key, entry.key))
            }
        }
    }
}

// MARK: - Keywords

extension SchemaCompiler.Part {
    func readValidation(into node: inout SchemaNode) {
        node.types = self.types()
        node.allowed = self.allowed()
        node.multipleOf = self.number("multipleOf")
        if let divisor = node.multipleOf, divisor <= 0, let at = self.reader.node("multipleOf") {
            self.reader.reject("multipleOf", at, expected: "a number above 0")
            node.multipleOf = nil
        }
        node.minimum = self.number("minimum")
        node.maximum = self.number("maximum")
        node.exclusiveMinimum = self.number("exclusiveMinimum")
        node.exclusiveMaximum = self.number("exclusiveMaximum")
        node.minimumLength = self.reader.integer("minLength", in: 0...Int.max)
        node.maximumLength = self.reader.integer("maxLength", in: 0...Int.max)
        if let source = self.reader.string("pattern"), let at = self.reader.node("pattern") {
            node.pattern = self.pattern(source, "pattern", at)
        }
        let format = self.reader.string("format").flatMap { SchemaFormat(rawValue: $0) }
        node.format = self.compiler.formats == .check ? format : nil
    }

    func readArrays(into node: inout SchemaNode) {
        node.prefixItems = self.schemas("prefixItems")
        node.items = self.schema("items")
        node.contains = self.schema("contains")
        node.minimumContains = self.reader.integer("minContains", in: 0...Int.max)
        node.maximumContains = self.reader.integer("maxContains", in: 0...Int.max)
        node.minimumItems = self.reader.integer("minItems", in: 0...Int.max)
        node.maximumItems = self.reader.integer("maxItems", in: 0...Int.max)
        node.hasUniqueItems = self.reader.boolean("uniqueItems") ?? false
        node.unevaluatedItems = self.schema("unevaluatedItems")
    }

    func readObjects(into node: inout SchemaNode) {
        for (name, index) in self.named("properties") { node.properties[name] = index }
        if let mapping = self.reader.mapping("patternProperties") {
            for (entry, named) in zip(mapping.entries, self.named("patternProperties")) {
                if let pattern = self.pattern(entry.key, "patternProperties", entry.value) {
                    node.patternProperties.append((pattern, named.node))
                }
            }
        }
        node.additionalProperties = self.schema("additionalProperties")
        node.propertyNames = self.schema("propertyNames")
        node.required = self.reader.strings("required")
        node.minimumProperties = self.reader.integer("minProperties", in: 0...Int.max)
        node.maximumProperties = self.reader.integer("maxProperties", in: 0...Int.max)
        if let mapping = self.reader.mapping("dependentRequired") {
            node.dependentRequired = mapping.entries.map { ($0.key, mapping.strings($0.key)) }
        }
        node.dependentSchemas = self.named("dependentSchemas")
        node.unevaluatedProperties = self.schema("unevaluatedProperties")
    }

    func readApplicators(into node: inout SchemaNode) {
        node.allOf = self.schemas("allOf")
        node.anyOf = self.schemas("anyOf")
        node.oneOf = self.schemas("oneOf")
        node.not = self.schema("not")
        node.condition = self.schema("if")
        node.then = self.schema("then")
        node.otherwise = self.schema("else")
    }

    private func types() -> Set<SchemaNode.JSONType> {
        guard let node = self.reader.node("type") else { return [] }
        if case .string = node.content { return self.reader.word("type", SchemaNode.JSONType.self).map { [$0] } ?? [] }
        let names = self.reader.strings("type")
        let types = names.compactMap { SchemaNode.JSONType(rawValue: $0) }
        if types.count < names.count {
            let words = SchemaNode.JSONType.allCases.map(\.rawValue).joined(separator: ", ")
            self.reader.reject("type", node, expected: "a list of the words \(words)")
        }
        return Set(types)
    }

    private func allowed() -> [Value]? {
        // `const: null` is a constraint, so the entry itself counts, not only a value that is not null.
        _ = self.reader.node("const")
        let constant = self.reader.entries.first { $0.key == "const" }.map { [$0.value.value] }
        guard self.reader.node("enum") != nil else { return constant }
        let values = self.reader.list("enum").map(\.value)
        return constant.map { $0.filter(values.contains) } ?? values
    }

    private func number(_ key: String) -> Number? {
        guard let node = self.reader.node(key) else { return nil }
        if case .number(let number) = node.content { return number }
        self.reader.reject(key, node, expected: "a number")
        return nil
    }

    private func pattern(_ source: String, _ key: String, _ at: DocumentNode) -> SchemaNode.Pattern? {
        let literal = JSON.string(.string(ECMAPattern.translated(source)))
        // A pattern that is none makes every match null: try it once.
        guard let expression = try? Expression.compile("matches(text, \(literal))"),
            !expression.evaluate(MapScope(["text": ""])).value.isNull
        else {
            self.reader.reject(key, at, expected: "a regular expression")
            return nil
        }
        return SchemaNode.Pattern(source: source, expression: expression)
    }
}
