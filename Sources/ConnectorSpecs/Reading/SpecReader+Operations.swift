import ConnectorKit
import HubDocuments
import Values

extension SpecReader {
    func operations(_ root: MappingReader) -> [OperationSpec] {
        guard let reader = root.mapping("operations") else { return [] }
        return reader.entries.compactMap { entry in
            reader.mapping(entry.key).flatMap { self.operation(entry.key, $0, at: entry.position) }
        }
    }

    private func operation(_ id: String, _ reader: MappingReader, at position: DocumentPosition) -> OperationSpec? {
        if !id.isIdentifier {
            self.log.error(
                .invalidValue, "The operation id \"\(id)\" is no name.",
                remedy: "Begin with a lower case letter; use letters, digits, dots, dashes and underscores.",
                at: position)
        }
        let title = reader.string("title") ?? id
        let summary = reader.string("summary") ?? title
        _ = reader.requiredNode("effect", example: "effect: read")
        let effect = reader.word("effect", Effect.self) ?? .other
        let idempotency = self.idempotency(reader, effect)
        let input = self.closedSchema(reader.node("input"), path: reader.path(of: "input"), at: position)
        let request = reader.requiredMapping("request").flatMap { self.request($0) }
        let response = self.response(reader)
        let pagination = reader.mapping("pagination").flatMap { self.pagination($0) }
        let errors = self.errors(reader, "errors")
        let rateLimit = reader.mapping("rateLimit").flatMap { self.rateLimit($0) }
        let resilience = self.resilience(reader, keys: [("retry", "retry"), ("timeout", "timeout")], whole: nil)
        let options = self.dynamicOptions(reader, input)
        reader.finish()
        if let pagination, pagination.kind != .none {
            if response.records == nil {
                self.log.error(
                    .missingKey, "\"\(reader.path)\" has pages but \"response.records\" is missing.",
                    remedy: "Add response.records, such as \"=response.body.data\".", at: position)
            }
            if effect != .read {
                self.log.error(
                    .contradiction, "\"\(reader.path)\" has pages, but only an operation whose effect is read can.",
                    at: position)
            }
        }
        guard let request else { return nil }
        return OperationSpec(
            id: id, title: title, summary: summary, effect: effect, idempotency: idempotency, input: input,
            request: request, response: response, pagination: pagination, errors: errors, rateLimit: rateLimit,
            resilience: resilience, dynamicOptions: options)
    }

    private func idempotency(_ reader: MappingReader, _ effect: Effect) -> IdempotencySpec {
        guard let node = reader.node("idempotency") else { return .none }
        if case .string(let word) = node.content {
            switch word {
            case "none": return .none
            case "natural": return .natural
            default:
                reader.reject("idempotency", node, expected: "none, natural or a mapping with a key")
                return .none
            }
        }
        guard let mapping = reader.mapping("idempotency") else { return .none }
        let header = mapping.string("header")
        let query = mapping.string("query")
        let bodyField = mapping.string("bodyField")
        let value = self.template(mapping, "value", .request)
        let window = mapping.duration("window", in: .seconds(1)...(.seconds(86_400 * 366)))
        let isReplaySafe = mapping.boolean("replaySafe") ?? true
        mapping.finish()
        let places: [IdempotencySpec.Place] =
            [header.map { .header($0) }, query.map { .query($0) }, bodyField.map { .bodyField($0) }].compactMap { $0 }
        guard places.count == 1 else {
            self.log.error(
                .contradiction,
                "Expected \"\(mapping.path)\" to have one of header, query and bodyField but found \(places.count).",
                remedy: "Say where the key goes, such as header: Idempotency-Key.", at: mapping.position)
            return .none
        }
        if effect == .read {
            self.log.error(
                .contradiction, "\"\(mapping.path)\": an operation that only reads needs no idempotency key.",
                remedy: "Remove it.", at: mapping.position)
        }
        let key = try? SpecExpression.compile("call.idempotencyKey")
        return .key(
            places[0], value: value ?? key.map { .expression($0) } ?? .literal(.null), window: window,
            isReplaySafe: isReplaySafe)
    }

    private func request(_ reader: MappingReader) -> RequestSpec? {
        _ = reader.requiredNode("method", example: "method: GET")
        let method = self.template(reader, "method", .request)
        if case .literal(let word)? = method, let node = reader.node("method"),
            !(word.asString.map { RequestSpec.methods.contains($0) } ?? false)
        {
            reader.reject("method", node, expected: "one of \(RequestSpec.methods.joined(separator: ", "))")
        }
        _ = reader.requiredNode("path", example: "path: /customers")
        let path = self.text(reader, "path", .request)
        if let text = path?.parts.first, case .literal(let literal) = text, literal.contains("?"),
            let node = reader.node("path")
        {
            reader.reject("path", node, expected: "a path without a query", remedy: "Use request.query.")
        }
        let query = self.template(reader, "query", .request) ?? .literal([:])
        if case .literal(let value) = query, value.asContext == nil, let node = reader.node("query") {
            reader.reject("query", node, expected: "a mapping or an expression")
        }
        let headers = self.namedTemplates(reader, "headers", .request)
        let body = reader.mapping("body").flatMap { self.body($0) }
        let service = reader.string("service")
        reader.finish()
        guard let method, let path else { return nil }
        return RequestSpec(
            method: method, path: path, query: query, headers: headers, body: body, service: service)
    }

    private func body(_ reader: MappingReader) -> BodySpec? {
        let encoding = reader.word("encoding", BodySpec.Encoding.self) ?? .json
        _ = reader.requiredNode("value", example: "value: \"=input\"")
        let value = self.template(reader, "value", .request)
        let type = self.template(reader, "contentType", .request)
        let keepsNulls = reader.boolean("nulls") ?? false
        reader.finish()
        return value.map {
            BodySpec(encoding: encoding, value: $0, contentType: type, keepsNulls: keepsNulls)
        }
    }

    private func response(_ operation: MappingReader) -> ResponseSpec {
        var spec = ResponseSpec(
            success: .success, condition: nil, alreadyDone: nil, decoding: .auto, output: nil, schema: nil,
            records: nil, facts: [])
        guard let reader = operation.mapping("response") else { return spec }
        if let success = reader.mapping("success") {
            spec.success = self.statuses(success, "status") ?? .success
            spec.condition = self.expression(success, "when", .response)
            success.finish()
        }
        if let already = reader.mapping("alreadyDone") {
            spec.alreadyDone = ResponseSpec.AlreadyDone(
                status: self.statuses(already, "status"), condition: self.expression(already, "when", .response))
            already.finish()
        }
        spec.decoding = reader.word("decode", ResponseSpec.Decoding.self) ?? .auto
        if let node = reader.node("output") {
            if case .mapping(let entries) = node.content,
                entries.contains(where: { $0.key == "value" || $0.key == "schema" })
            {
                let output = MappingReader(node, path: reader.path(of: "output"), log: self.log)
                spec.schema = self.schema(output, "schema")
                spec.output = self.template(output, "value", .response)
                output.finish()
            } else {
                spec.output = self.template(node, path: reader.path(of: "output"), .response)
            }
        }
        spec.records = self.expression(reader, "records", .response)
        spec.facts = self.namedTemplates(reader, "facts", .response)
        reader.finish()
        return spec
    }

    private func pagination(_ reader: MappingReader) -> PaginationSpec? {
        _ = reader.requiredNode("kind", example: "kind: cursor")
        let kind = reader.word("kind", PaginationSpec.Kind.self)
        var spec = PaginationSpec(
            kind: kind ?? .none, size: nil, sizeMaximum: nil, start: kind == .page ? 1 : 0, next: nil, done: nil,
            pagesMaximum: 1_000, onExpiredCursor: .fail, expired: nil)
        if let size = reader.mapping("size") {
            spec.size = size.integer("default", in: 1...100_000)
            spec.sizeMaximum = size.integer("max", in: 1...100_000)
            size.finish()
        }
        spec.done = self.expression(reader, "done", .pagination)
        spec.pagesMaximum = reader.integer("maxPages", in: 1...100_000) ?? spec.pagesMaximum
        spec.onExpiredCursor = reader.word("onExpiredCursor", PaginationSpec.ExpiredCursor.self) ?? .fail
        spec.expired = self.expression(reader, "expiredWhen", .error)
        switch kind {
        case .cursor, .token:
            let key = kind == .cursor ? "cursor" : "token"
            _ = reader.requiredNode(key, example: "\(key): \"=response.body.next\"")
            spec.next = self.expression(reader, key, .pagination)
        case .link:
            spec.next = self.expression(reader, "next", .pagination)
        case .offset, .page:
            spec.start = reader.integer("start", in: 0...1_000_000) ?? spec.start
        case .some(.none), nil: break
        }
        reader.finish()
        return kind == nil ? nil : spec
    }

    private func dynamicOptions(_ operation: MappingReader, _ input: SpecSchema) -> [String: DynamicOptions] {
        guard let reader = operation.mapping("dynamicOptions") else { return [:] }
        var options: [String: DynamicOptions] = [:]
        for entry in reader.entries {
            guard let fields = reader.mapping(entry.key) else { continue }
            if input.value["properties"]?[entry.key] == nil {
                self.log.error(
                    .undeclaredName, "\"\(fields.path)\": the input has no member \"\(entry.key)\".",
                    at: entry.position)
            }
            let source = fields.requiredString("operation")
            let template = self.template(fields, "input", .options) ?? .literal([:])
            let value = self.expression(fields, "value", .option)
            let label = self.expression(fields, "label", .option)
            fields.finish()
            guard let source, let value = value ?? label else { continue }
            options[entry.key] = DynamicOptions(
                operation: source, input: template, value: value, label: label ?? value)
        }
        return options
    }
}

extension String {
    /// Whether the text can name an operation or an event.
    var isIdentifier: Bool {
        guard let first = self.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return self.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_.".utf8.contains(byte)
            }
        }
    }
}
