public import HubDocuments
import Values

extension ConnectorSpec {
    /// Reads a specification and checks everything that can be checked without running it.
    ///
    /// - Parameters:
    ///   - text: YAML or JSON.
    ///   - log: Takes what is wrong, with its place.
    /// - Returns: `nil` when there is nothing that could be used; a specification with errors in `log` must not be.
    public static func read(_ text: String, log: DiagnosticLog) -> ConnectorSpec? {
        guard let node = YAMLDocument.parse(text, log: log) else { return nil }
        let root = MappingReader(node, log: log)
        for (key, word) in [("apiVersion", Self.apiVersion), ("kind", Self.kind)] {
            if let node = root.requiredNode(key, example: "\(key): \(word)"), node.content != .string(word) {
                root.reject(key, node, expected: word)
            }
        }
        let reader = SpecReader(log: log)
        if let schemas = root.mapping("schemas") {
            reader.namedSchemas = schemas.entries.map { ($0.key, $0.value) }
        }
        let metadata = root.requiredMapping("metadata").flatMap { Self.metadata($0) }
        let connection = reader.connection(root)
        let spec = ConnectorSpec(
            metadata: metadata
                ?? Metadata(id: "", version: 1, title: "", summary: "", support: .experimental),
            connection: connection
                ?? ConnectionSpec(
                    parameters: SpecSchema(value: true, compiled: .constant(true)), defaults: ValueContext(),
                    credentials: [:], secrets: [], auth: [], baseURL: TextTemplate(parts: []),
                    tls: ConnectionSpec.TLSSpec(), egress: ConnectionSpec.EgressSpec(), test: nil),
            defaults: reader.defaults(root),
            schemas: reader.namedSchemas.map { ($0.name, reader.compile($0.node, path: "schemas." + $0.name)) },
            operations: reader.operations(root), events: reader.events(root),
            migrations: reader.migrations(root, version: metadata?.version ?? 1), tests: reader.tests(root))
        root.finish()
        SpecLint(spec: spec, root: root).run()
        return metadata == nil || connection == nil ? nil : spec
    }

    private static func metadata(_ reader: MappingReader) -> Metadata? {
        let id = reader.requiredName("id", example: "id: stripe")
        if let id, !id.isIdentifier || id.contains(where: \.isUppercase), let node = reader.node("id") {
            reader.reject("id", node, expected: "a name of lower case letters, digits, dots and dashes")
        }
        _ = reader.requiredNode("version", example: "version: 1")
        let version = reader.integer("version", in: 1...1_000_000)
        let title = reader.requiredString("title", example: "title: Stripe")
        let summary = reader.string("summary")
        let support = reader.word("support", Support.self) ?? .community
        let icon = reader.string("icon")
        let docs = reader.string("docs")
        let owner = reader.string("owner")
        reader.finish()
        guard let id, let version, let title else { return nil }
        return Metadata(
            id: id, version: version, title: title, summary: summary ?? "Calls \(title).", support: support,
            icon: icon, docs: docs, owner: owner)
    }
}

extension SpecReader {
    func migrations(_ root: MappingReader, version: Int) -> [MigrationSpec] {
        root.list("migrations").enumerated().compactMap { index, node in
            let reader = MappingReader(node, path: root.path(of: "migrations[\(index)]"), log: self.log)
            _ = reader.requiredNode("to", example: "to: \(version)")
            let to = reader.integer("to", in: 2...max(2, version))
            let operations = self.texts(reader, "operations")
            let parameters = self.texts(reader, "parameters")
            let note = reader.string("note")
            reader.finish()
            return to.map { MigrationSpec(to: $0, operations: operations, parameters: parameters, note: note) }
        }
    }
}
