import HubDocuments
import Values

extension SpecReader {
    /// The schema under `key`: written out, or the name of one under `schemas`.
    func schema(_ reader: MappingReader, _ key: String) -> SpecSchema? {
        reader.node(key).flatMap { self.schema($0, path: reader.path(of: key)) }
    }

    func schema(_ node: DocumentNode, path: String) -> SpecSchema? {
        guard case .string(let name) = node.content else { return self.compile(node, path: path) }
        guard let named = self.namedSchemas.first(where: { $0.name == name }) else {
            let names = self.namedSchemas.map(\.name)
            self.log.error(
                .undeclaredName, "\"\(path)\" names the schema \"\(name)\", which is not declared.",
                remedy: ClosestMatch.of(name, in: names).map { "Did you mean \"\($0)\"?" }
                    ?? "Declare it under schemas.", at: node.position)
            return nil
        }
        return self.compile(named.node, path: "schemas." + name, isReported: false)
    }

    /// Compiles a schema whose references lead to `schemas`.
    ///
    /// Named schemas are compiled wherever they are used, and reported once, where they stand.
    func compile(_ node: DocumentNode, path: String, isReported: Bool = true) -> SpecSchema {
        var used: [String] = []
        var root = self.rewritten(node, &used)
        var index = 0
        var definitions: [DocumentNode.Entry] = []
        while index < used.count {
            let name = used[index]
            index += 1
            guard let named = self.namedSchemas.first(where: { $0.name == name }) else {
                if isReported {
                    self.log.error(
                        .undeclaredName, "\"\(path)\" refers to the schema \"\(name)\", which is not declared.",
                        remedy: "Declare it under schemas.", at: node.position)
                }
                continue
            }
            definitions.append(
                DocumentNode.Entry(
                    key: name, position: named.node.position, value: self.rewritten(named.node, &used)))
        }
        if !definitions.isEmpty, case .mapping(var entries) = root.content {
            entries.append(
                DocumentNode.Entry(
                    key: "$defs", position: node.position,
                    value: DocumentNode(.mapping(definitions), at: node.position)))
            root.content = .mapping(entries)
        }
        let log = isReported ? self.log : DiagnosticLog(file: self.log.file)
        return SpecSchema(value: root.value, compiled: JSONSchema(root, path: path, log: log))
    }

    /// The node with `#/schemas/X` as `#/$defs/X`; the names are added to `used`.
    private func rewritten(_ node: DocumentNode, _ used: inout [String]) -> DocumentNode {
        var result = node
        switch node.content {
        case .list(let items):
            result.content = .list(items.map { self.rewritten($0, &used) })
        case .mapping(let entries):
            result.content = .mapping(
                entries.map { entry in
                    var entry = entry
                    if entry.key == "$ref", case .string(let text) = entry.value.content,
                        text.hasPrefix("#/schemas/")
                    {
                        let name = String(text.dropFirst("#/schemas/".count))
                        if !used.contains(name) { used.append(name) }
                        entry.value.content = .string("#/$defs/" + name)
                    } else {
                        entry.value = self.rewritten(entry.value, &used)
                    }
                    return entry
                })
        default: break
        }
        return result
    }

    /// A schema of an object that takes no members it does not name.
    ///
    /// A misspelt member is an error, not a member that is silently left out.
    func closedSchema(_ node: DocumentNode?, path: String, at position: DocumentPosition) -> SpecSchema {
        var node = node ?? DocumentNode(.mapping([]), at: position)
        guard case .mapping(var entries) = node.content else {
            self.log.error(
                .invalidValue, "Expected \"\(path)\" to be a schema of an object but found \(node.summary).",
                at: node.position)
            return SpecSchema(value: false, compiled: .constant(false))
        }
        func add(_ key: String, _ content: DocumentNode.Content) {
            entries.insert(
                DocumentNode.Entry(
                    key: key, position: node.position, value: DocumentNode(content, at: node.position)), at: 0)
        }
        if let type = entries.first(where: { $0.key == "type" }) {
            if type.value.content != .string("object") {
                self.log.error(
                    .invalidValue, "Expected \"\(path).type\" to be object but found \(type.value.summary).",
                    at: type.position)
            }
        } else {
            add("type", .string("object"))
        }
        if let additional = entries.first(where: { $0.key == "additionalProperties" }) {
            if additional.value.content != .boolean(false) {
                self.log.error(
                    .invalidValue, "Expected \"\(path)\" to name every member, without \"additionalProperties\".",
                    remedy: "Put free members into one of their own, such as fields: { type: object }.",
                    at: additional.position)
            }
        } else {
            entries.append(
                DocumentNode.Entry(
                    key: "additionalProperties", position: node.position,
                    value: DocumentNode(.boolean(false), at: node.position)))
        }
        node.content = .mapping(entries)
        return self.compile(node, path: path)
    }
}
