import HTTPTransport
import HubDocuments
import Values

extension OpenAPIImporter {
    /// One operation, and a test that calls it.
    struct Made {
        var id: String
        var value: Value
        var test: Value
    }

    mutating func operation(_ operation: Value, _ item: Value, path: String, method: String) -> Made {
        let id = self.operationID(operation, path: path, method: method)
        var parts = Parts(path: path)
        let own = operation["parameters"]?.asList ?? []
        let shared = item["parameters"]?.asList ?? []
        var seen: Set<String> = []
        // An operation's parameter replaces that of its path with the same name and place.
        for parameter in (own + shared).map({ self.schemas.resolved($0) }) {
            guard let name = parameter["name"]?.asString, let place = parameter["in"]?.asString,
                seen.insert(place + " " + name).inserted
            else { continue }
            self.add(parameter, name: name, place: place, to: &parts)
        }
        self.addBody(self.schemas.resolved(operation["requestBody"] ?? .null), to: &parts, of: id)
        let missing = parts.path.split(separator: "{").dropFirst().contains { !$0.hasPrefix("input") }
        if missing { parts.path = self.completed(&parts) }

        let effect = Self.effect(method)
        var made: ValueContext = [:]
        let title =
            operation["summary"]?.asString ?? operation["operationId"]?.asString ?? "\(method.uppercased()) \(path)"
        made["title"] = .string(Self.line(title, 80))
        if let text = operation["description"]?.asString { made["summary"] = .string(Self.line(text, 200)) }
        made["effect"] = .string(effect.word)
        if effect.isNatural { made["idempotency"] = "natural" }
        if !parts.properties.isEmpty {
            var input: ValueContext = ["type": "object"]
            if !parts.required.isEmpty { input["required"] = .list(parts.required.map { .string($0) }) }
            input["properties"] = .context(parts.properties)
            made["input"] = .context(input)
        }
        var request: ValueContext = ["method": .string(method.uppercased()), "path": .string(parts.path)]
        if !parts.query.isEmpty { request["query"] = .context(parts.query) }
        if !parts.headers.isEmpty { request["headers"] = .context(parts.headers) }
        request["body"] = parts.body
        made["request"] = .context(request)
        let answer = self.answer(operation["responses"] ?? .null)
        made["response"] = .context(answer.response)
        return Made(id: id, value: .context(made), test: self.test(id, title: title, parts, method: method, answer))
    }

    /// What of a request comes out of the input.
    struct Parts {
        var path: String
        var properties = ValueContext()
        var required: [String] = []
        var query = ValueContext()
        var headers = ValueContext()
        var body: Value?
        /// Members of the input that stand in the path.
        var inPath: Set<String> = []
        let original: String

        init(path: String) {
            self.path = path
            self.original = path
        }

        /// A name for a member of the input that is not taken.
        func free(_ name: String) -> String {
            var name = name
            while self.properties[name] != nil { name += "_" }
            return name
        }
    }

    private mutating func operationID(_ operation: Value, path: String, method: String) -> String {
        let words = operation["operationId"]?.asString ?? "\(method) \(path)"
        var id = Self.identifier(words)
        if let dotted = operation["operationId"]?.asString, dotted.isIdentifier { id = dotted }
        let base = String(id.prefix(100))
        id = base
        var number = 2
        while !self.usedIDs.insert(id).inserted {
            id = "\(base)\(number)"
            number += 1
        }
        return id
    }

    private static func effect(_ method: String) -> (word: String, isNatural: Bool) {
        switch method {
        case "get", "head", "options": ("read", false)
        case "post": ("create", false)
        case "put": ("update", true)
        case "delete": ("delete", true)
        default: ("update", false)
        }
    }

    // MARK: - Parameters

    private mutating func add(_ parameter: Value, name: String, place: String, to parts: inout Parts) {
        switch place {
        case "path", "query": break
        case "header":
            // These are the transport's.
            if ["accept", "content-type", "authorization"].contains(name.lowercased()) { return }
        default: return self.leaveOut("The \(place) parameter \(name) is left out.")
        }
        if place == "header", HTTPFields.problem(name: name, value: "") != nil {
            return self.leaveOut("The header \(name) is left out: it is no header name.")
        }
        var schema = self.schemas.converted(
            parameter["schema"] ?? parameter["content"]?.asContext?.values.first?["schema"] ?? ["type": "string"])
        schema = self.described(schema, parameter)
        let member = parts.free(Self.identifier(name))
        parts.properties[member] = schema
        let isRequired = parameter["required"] == true || place == "path"
        if isRequired { parts.required.append(member) }
        let expression = Value.string("=input.\(member)")
        switch place {
        case "path":
            parts.inPath.insert(member)
            parts.path = parts.path.replacing("{\(name)}", with: "{input.\(member)}")
        case "query":
            let isJoined = parameter["explode"] == false && parameter["style"]?.asString ?? "form" == "form"
            let isList = self.schemas.resolved(parameter["schema"] ?? .null)["type"] == "array"
            parts.query[name] =
                isJoined && isList
                ? .string(
                    "=if input.\(member) = null then null else "
                        + "string join(for item in input.\(member) return string(item), \",\")") : expression
        default: parts.headers[name] = expression
        }
    }

    /// The schema with what the parameter says about itself, if it is no reference.
    private func described(_ schema: Value, _ parameter: Value) -> Value {
        guard var fields = schema.asContext, fields["$ref"] == nil else { return schema }
        if fields["description"] == nil, let text = parameter["description"]?.asString {
            fields["description"] = .string(Self.line(text, 200))
        }
        let example = parameter["example"] ?? parameter["examples"]?.asContext?.values.first?["value"]
        if fields["examples"] == nil, let example { fields["examples"] = [example] }
        if let examples = fields["examples"]?.asList {
            let fitting = examples.filter { self.schemas.accepts($0, .context(fields)) }
            fields["examples"] = fitting.isEmpty ? nil : .list(fitting)
        }
        return .context(fields)
    }

    /// The path with a member for every name in it that no parameter declares.
    private func completed(_ parts: inout Parts) -> String {
        var path = ""
        var rest = Substring(parts.path)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            path += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            if name.hasPrefix("input.") {
                path += "{\(name)}"
            } else {
                let member = parts.free(Self.identifier(name))
                parts.properties[member] = ["type": "string", "minLength": 1]
                parts.required.append(member)
                parts.inPath.insert(member)
                path += "{input.\(member)}"
            }
            rest = rest[rest.index(after: close)...]
        }
        return path + rest
    }

    private mutating func addBody(_ body: Value, to parts: inout Parts, of id: String) {
        let content = body["content"]?.asContext ?? ValueContext()
        guard !content.isEmpty else { return }
        let kinds: [(encoding: String, matches: (String) -> Bool)] = [
            ("json", { $0.hasSuffix("/json") || $0.hasSuffix("+json") }),
            ("form", { $0 == "application/x-www-form-urlencoded" }), ("multipart", { $0 == "multipart/form-data" }),
            ("text", { $0 == "text/plain" }), ("xml", { $0.hasSuffix("/xml") || $0.hasSuffix("+xml") }),
            ("base64", { _ in true }),
        ]
        var found: (encoding: String, type: String, media: Value)?
        for kind in kinds where found == nil {
            for (name, media) in content {
                let type = name.prefix { $0 != ";" && $0 != " " }.lowercased()
                if kind.matches(type) {
                    found = (kind.encoding, type, media)
                    break
                }
            }
        }
        guard let found else { return }
        if content.count > 1 { self.leaveOut("\(id): of several kinds of body only \(found.type) is taken over.") }
        var schema = self.schemas.converted(found.media["schema"] ?? true)
        if ["text", "xml", "base64"].contains(found.encoding) { schema = ["type": "string"] }
        if ["form", "multipart"].contains(found.encoding),
            SchemaSample(named: self.schemas.taken).value(schema).asContext == nil
        {
            self.leaveOut("\(id): the fields of the form are left open.")
            schema = ["type": "object"]
        }
        let member = parts.free("body")
        parts.properties[member] = schema
        if body["required"] == true { parts.required.append(member) }
        var spec: ValueContext = ["encoding": .string(found.encoding), "value": .string("=input.\(member)")]
        if found.encoding == "base64" || found.encoding == "xml", !found.type.contains("*") {
            spec["contentType"] = .string(found.type)
        }
        if found.encoding == "json" { spec["nulls"] = true }
        parts.body = .context(spec)
    }

    // MARK: - Answers

    struct OpenAPIAnswer {
        var response: ValueContext
        var status: Int64
        var sample: Value?
    }

    private mutating func answer(_ responses: Value) -> OpenAPIAnswer {
        let all = responses.asContext ?? ValueContext()
        let codes = all.keys.filter { $0.hasPrefix("2") }.sorted()
        let statuses = codes.compactMap { Int64($0) }.filter { (200...299).contains($0) }
        var answer = OpenAPIAnswer(response: ValueContext(), status: statuses.first ?? 200, sample: nil)
        if !statuses.isEmpty, statuses.count == codes.count {
            answer.response["success"] = [
                "status": statuses.count == 1
                    ? .number(Number(statuses[0])) : .list(statuses.map { .number(Number($0)) })
            ]
        }
        let chosen = self.schemas.resolved(codes.first.flatMap { all[$0] } ?? all["default"] ?? .null)
        let media = (chosen["content"]?.asContext ?? ValueContext()).first { name, _ in
            let type = name.prefix { $0 != ";" && $0 != " " }.lowercased()
            return type.hasSuffix("/json") || type.hasSuffix("+json")
        }
        guard let media, let schema = media.value["schema"], answer.status != 204 else {
            answer.response["output"] = "=response.body"
            return answer
        }
        let converted = self.schemas.converted(schema)
        let maker = SchemaSample(named: self.schemas.taken)
        let example = media.value["example"] ?? media.value["examples"]?.asContext?.values.first?["value"]
        let sample = [example, maker.value(converted)].compactMap { $0 }.first { self.schemas.accepts($0, converted) }
        // Answers without a body are no answers of that schema when several statuses count.
        guard let sample, !sample.isNull, !statuses.contains(204) else {
            if sample == nil { self.leaveOut("No example could be made up for an answer; its schema is left out.") }
            answer.response["output"] = "=response.body"
            return answer
        }
        answer.sample = sample
        var output: ValueContext = ["value": "=response.body"]
        if let name = converted["$ref"]?.asString?.split(separator: "/").last {
            output["schema"] = .string(String(name))
        } else {
            output["schema"] = converted
        }
        answer.response["output"] = .context(output)
        return answer
    }

    // MARK: - Tests

    private mutating func test(
        _ id: String, title: String, _ parts: Parts, method: String, _ answer: OpenAPIAnswer
    ) -> Value {
        let maker = SchemaSample(named: self.schemas.taken)
        var input = ValueContext()
        var path = parts.path
        for name in parts.required {
            guard let schema = parts.properties[name] else { continue }
            var sample = maker.value(schema)
            if parts.inPath.contains(name), sample.asList?.isEmpty ?? (sample.plainText?.isEmpty ?? true) {
                sample = sample.asList == nil ? "text" : ["text"]
            }
            input[name] = sample
            let segments = sample.asList?.map { $0.plainText ?? "" } ?? [sample.plainText ?? ""]
            path = path.replacing(
                "{input.\(name)}", with: segments.map { URLEncoding.segment($0) }.joined(separator: "/"))
        }
        var test: ValueContext = ["name": .string("\(id) is called as described"), "operation": .string(id)]
        if !input.isEmpty { test["input"] = .context(input) }
        let isFitting = parts.required.allSatisfy { name in
            input[name].map { self.schemas.accepts($0, parts.properties[name] ?? true) } ?? false
        }
        guard isFitting else {
            // The test then shows that such an input is refused.
            self.leaveOut("No example could be made up for the input of \(id).")
            test["input"] = [1]
            test["expect"] = ["error": ["kind": "validation"], "requests": 0]
            return .context(test)
        }
        test["expectRequest"] = [
            "method": .string(method.uppercased()), "path": .string(self.basePath + path),
        ]
        var respond: ValueContext = ["status": .number(Number(answer.status))]
        respond["json"] = answer.sample
        test["respond"] = .context(respond)
        if let sample = answer.sample { test["expect"] = ["output": sample] }
        return .context(test)
    }
}
