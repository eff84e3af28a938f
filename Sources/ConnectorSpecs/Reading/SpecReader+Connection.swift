import ConnectorKit
import Decisions
import HubDocuments
import Values

extension SpecReader {
    func connection(_ root: MappingReader) -> ConnectionSpec? {
        guard let reader = root.requiredMapping("connection") else { return nil }
        let auth = reader.list("auth").enumerated().compactMap { index, node in
            self.auth(MappingReader(node, path: reader.path(of: "auth[\(index)]"), log: self.log))
        }
        let parameters = self.closedSchema(
            reader.node("parameters").map { Self.withSecrets($0) }, path: reader.path(of: "parameters"),
            at: reader.position)
        var spec = ConnectionSpec(
            parameters: parameters, defaults: ValueContext(), credentials: [:], secrets: [], auth: auth,
            baseURL: TextTemplate(parts: []), tls: ConnectionSpec.TLSSpec(), egress: ConnectionSpec.EgressSpec(),
            test: nil)
        self.readParameters(reader.mapping("parameters")?.mapping("properties"), auth, into: &spec)
        _ = reader.requiredNode("baseUrl", example: "baseUrl: https://api.example.com/v1")
        if let base = self.text(reader, "baseUrl", .address) { spec.baseURL = base }
        if let tls = reader.mapping("tls") {
            spec.tls.caFile = self.text(tls, "caFile", .address)
            tls.finish()
        }
        self.readEgress(reader, into: &spec)
        if let test = reader.mapping("test") {
            if let operation = test.requiredString("operation", example: "operation: account.get") {
                let input = self.template(test, "input", .options) ?? .literal([:])
                spec.test = ConnectionSpec.TestOperation(operation: operation, input: input)
            }
            test.finish()
        }
        reader.finish()
        return spec
    }

    /// The schema of parameters as a connection writes them: what is a secret stands there as a reference.
    private static func withSecrets(_ schema: DocumentNode) -> DocumentNode {
        schema.changing("properties") { properties in
            guard case .mapping(let entries) = properties.content else { return properties }
            let changed = entries.map { entry in
                var entry = entry
                let isSecret = entry.value.value["x-secret"] == true
                let isCredential = entry.value.value["x-credential"] != nil
                guard isSecret || isCredential, case .mapping(var keywords) = entry.value.content else { return entry }
                var added: ValueContext = ["type": "object"]
                if isSecret {
                    added["required"] = ["secret"]
                    added["properties"] = ["secret": ["type": "string"]]
                    added["additionalProperties"] = false
                }
                keywords.removeAll { added[$0.key] != nil }
                keywords += added.map { key, value in
                    DocumentNode.Entry(
                        key: key, position: entry.position, value: DocumentNode(value: value, at: entry.position))
                }
                entry.value.content = .mapping(keywords)
                return entry
            }
            return DocumentNode(.mapping(changed), at: properties.position)
        }
    }

    /// Credentials, secrets and defaults among the parameters.
    private func readParameters(_ properties: MappingReader?, _ auth: [AuthSpec], into spec: inout ConnectionSpec) {
        for entry in properties?.entries ?? [] {
            guard case .mapping(let keywords) = entry.value.content else { continue }
            for keyword in keywords {
                switch keyword.key {
                case "default": spec.defaults[entry.key] = keyword.value.value
                case "x-secret":
                    if keyword.value.content == .boolean(true) { spec.secrets.append(entry.key) }
                case "x-credential":
                    let value = keyword.value.value
                    let ids = (value.asList ?? [value]).compactMap(\.asString)
                    spec.credentials[entry.key] = ids
                    for id in ids where !auth.contains(where: { $0.id == id }) {
                        self.log.error(
                            .undeclaredName,
                            "The parameter \"\(entry.key)\" names the kind of credential \"\(id)\", "
                                + "which connection.auth does not have.",
                            remedy: ClosestMatch.of(id, in: auth.map(\.id)).map { "Did you mean \"\($0)\"?" },
                            at: keyword.position)
                    }
                default: break
                }
            }
        }
    }

    private func readEgress(_ reader: MappingReader, into spec: inout ConnectionSpec) {
        guard let egress = reader.mapping("egress") else { return }
        func hosts(_ key: String) -> [TextTemplate] {
            egress.list(key).enumerated().compactMap { index, node in
                guard case .string(let text) = node.content else {
                    egress.reject(key, node, expected: "a list of hosts")
                    return nil
                }
                return self.text(text, node, path: "\(egress.path(of: key))[\(index)]", .address)
            }
        }
        spec.egress.allowHosts = hosts("allowHosts")
        spec.egress.allowPrivateHosts = hosts("allowPrivateHosts")
        if let node = egress.node("allowPrivate") {
            spec.egress.allowPrivate = self.template(node, path: egress.path(of: "allowPrivate"), .address)
            if case .literal(let value) = spec.egress.allowPrivate, value.asBoolean == nil {
                egress.reject("allowPrivate", node, expected: "true, false or an expression")
            }
        }
        egress.finish()
    }

    private func auth(_ reader: MappingReader) -> AuthSpec? {
        let id = reader.requiredName("id", example: "id: example.apiKey")
        _ = reader.requiredNode("type", example: "type: bearer")
        guard let kind = reader.word("type", AuthKind.self) else { return nil }
        _ = reader.node("title")
        var fields: [String: SpecTemplate] = [:]
        for field in kind.fields {
            if field.isRequired, reader.requiredNode(field.name) == nil { continue }
            guard let node = reader.node(field.name) else { continue }
            self.check(node, field, reader)
            fields[field.name] = self.template(node, path: reader.path(of: field.name), .auth)
        }
        reader.finish()
        guard let id else { return nil }
        var credentialFields: [String] = []
        for template in fields.values {
            for expression in template.expressions {
                for name in Self.members(of: "credential", in: expression.source)
                where !credentialFields.contains(name) { credentialFields.append(name) }
            }
        }
        return AuthSpec(id: id, kind: kind, fields: fields, credentialFields: credentialFields.sorted())
    }

    private func check(_ node: DocumentNode, _ field: AuthKind.Field, _ reader: MappingReader) {
        if !field.words.isEmpty { return self.checkWord(node, field, reader) }
        switch (field.shape, node.content) {
        case (.text, .string), (.list, .list), (.list, .string), (.context, .mapping), (.context, .string),
            (.duration, .string):
            break
        case (.text, _): reader.reject(field.name, node, expected: "text or an expression")
        case (.list, _): reader.reject(field.name, node, expected: "a list of texts")
        case (.context, _): reader.reject(field.name, node, expected: "a mapping")
        case (.duration, _): reader.reject(field.name, node, expected: "a length of time such as 1h")
        }
        // A secret in the file would be everybody's.
        let secretFields: Set<String> = [
            "token", "password", "clientSecret", "refreshToken", "secretAccessKey", "sessionToken", "key", "secret",
        ]
        if secretFields.contains(field.name), case .string(let text) = node.content, !text.hasPrefix("=") {
            self.log.error(
                .secretOutsideConnection, "\"\(reader.path(of: field.name))\" is written in the file.",
                remedy: "Read it from the credential, such as \"=credential.\(field.name)\".", at: node.position)
        }
    }

    private func checkWord(_ node: DocumentNode, _ field: AuthKind.Field, _ reader: MappingReader) {
        if case .string(let text) = node.content, field.words.contains(text) { return }
        reader.reject(field.name, node, expected: "one of \(field.words.joined(separator: ", "))")
    }

    /// The names that follow `variable.` in an expression.
    static func members(of variable: String, in source: String) -> [String] {
        var names: [String] = []
        var rest = Substring(source)
        while let range = rest.firstRange(of: variable + ".") {
            let isWhole =
                range.lowerBound == rest.startIndex
                || !(rest[rest.index(before: range.lowerBound)].isLetter
                    || rest[rest.index(before: range.lowerBound)] == ".")
            let name = rest[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            if isWhole, !name.isEmpty, !names.contains(String(name)) { names.append(String(name)) }
            rest = rest[range.upperBound...]
        }
        return names
    }
}

extension DocumentNode {
    /// The mapping with the value under `key` changed; the node itself when it has no such key.
    fileprivate func changing(_ key: String, _ change: (DocumentNode) -> DocumentNode) -> DocumentNode {
        guard case .mapping(var entries) = self.content, let index = entries.firstIndex(where: { $0.key == key })
        else { return self }
        entries[index].value = change(entries[index].value)
        return DocumentNode(.mapping(entries), at: self.position)
    }
}
