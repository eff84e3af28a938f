import HubDocuments
import Values

extension SpecReader {
    func events(_ root: MappingReader) -> [EventSpec] {
        guard let reader = root.mapping("events") else { return [] }
        return reader.entries.compactMap { entry in
            reader.mapping(entry.key).map { self.event(entry.key, $0, at: entry.position) }
        }
    }

    private func event(_ id: String, _ reader: MappingReader, at position: DocumentPosition) -> EventSpec {
        if !id.isIdentifier {
            self.log.error(
                .invalidValue, "The event id \"\(id)\" is no name.",
                remedy: "Begin with a lower case letter; use letters, digits, dots, dashes and underscores.",
                at: position)
        }
        let title = reader.string("title") ?? id
        let summary = reader.string("summary") ?? title
        let schema = self.schema(reader, "schema") ?? SpecSchema(value: true, compiled: .constant(true))
        let webhook = reader.mapping("webhook").map { self.webhook($0) }
        let poll = reader.mapping("poll").flatMap { self.poll($0) }
        let queue = reader.mapping("queue").flatMap { self.queue($0, at: position) }
        let objects = reader.mapping("objects").flatMap { self.objects($0) }
        if ["webhook", "poll", "queue", "objects"].allSatisfy({ reader.node($0) == nil }) {
            self.log.error(
                .missingKey, "\"\(reader.path)\" has none of \"webhook\", \"poll\", \"queue\" and \"objects\".",
                remedy: "Say how the event arrives.", at: position)
        }
        if poll != nil, queue != nil || objects != nil {
            self.log.error(
                .contradiction, "\"\(reader.path)\" is polled, and more than that.",
                remedy: "Make two events of it.", at: position)
        }
        reader.finish()
        return EventSpec(
            id: id, title: title, summary: summary, schema: schema, webhook: webhook, poll: poll, queue: queue,
            objects: objects)
    }

    private func objects(_ reader: MappingReader) -> ObjectsSpec? {
        let (list, get) = (reader.requiredString("list"), reader.requiredString("get"))
        let (copy, delete, tag) = (reader.string("copy"), reader.string("delete"), reader.string("tag"))
        reader.finish()
        guard let list, let get else { return nil }
        return ObjectsSpec(list: list, get: get, copy: copy, delete: delete, tag: tag)
    }

    private func webhook(_ reader: MappingReader) -> WebhookSpec {
        let subscribe = self.subscription(reader, "subscribe", .subscription)
        let unsubscribe = self.subscription(reader, "unsubscribe", .unsubscription)
        let verify =
            reader.requiredMapping("verify", example: "verify: { scheme: none }").map { self.verify($0) }
            ?? VerifySpec(
                scheme: .none, header: nil, parsing: .raw, prefix: "", signed: nil, signatures: nil, encoding: .hex,
                secret: nil, secretDecoding: .text, timestamp: nil, tolerance: nil)
        var ack = AckSpec(status: 200, moment: .accepted, within: nil, body: nil)
        if let fields = reader.mapping("ack") {
            ack.status = fields.integer("status", in: 200...299) ?? 200
            ack.moment = fields.word("when", AckSpec.Moment.self) ?? .accepted
            ack.within = fields.duration("within", in: .milliseconds(100)...(.seconds(300)))
            ack.body = self.template(fields, "body", .webhookEvent)
            fields.finish()
        }
        let spec = WebhookSpec(
            subscribe: subscribe, unsubscribe: unsubscribe, verify: verify, ack: ack,
            challenge: reader.mapping("challenge").flatMap { self.challenge($0) },
            payload: self.expression(reader, "payload", .webhookEvent),
            condition: self.expression(reader, "when", .webhookEvent),
            dedupeKey: self.expression(reader, "dedupeKey", .webhookEvent),
            orderingKey: self.expression(reader, "orderingKey", .webhookEvent),
            occurredAt: self.expression(reader, "occurredAt", .webhookEvent))
        reader.finish()
        return spec
    }

    private func subscription(
        _ webhook: MappingReader, _ key: String, _ place: ExpressionPlace
    ) -> WebhookSpec.Subscription? {
        guard let reader = webhook.mapping(key) else { return nil }
        let operation = reader.requiredString("operation")
        let input = self.template(reader, "input", place) ?? .literal([:])
        let keep = key == "subscribe" ? self.template(reader, "keep", .keeping) ?? .literal([:]) : .literal([:])
        reader.finish()
        return operation.map { WebhookSpec.Subscription(operation: $0, input: input, keep: keep) }
    }

    private func verify(_ reader: MappingReader) -> VerifySpec {
        _ = reader.requiredNode("scheme", example: "scheme: hmac-sha256")
        let scheme = reader.word("scheme", VerifySpec.Scheme.self) ?? .none
        var spec = VerifySpec(
            scheme: scheme, header: reader.string("header"),
            parsing: reader.word("parse", VerifySpec.Parsing.self) ?? .raw, prefix: reader.string("prefix") ?? "",
            signed: self.expression(reader, "signed", .verification),
            signatures: self.expression(reader, "signatures", .verification),
            encoding: reader.word("encoding", VerifySpec.Encoding.self) ?? .hex, secret: nil, secretDecoding: .text,
            timestamp: self.expression(reader, "timestamp", .verification),
            tolerance: reader.duration("tolerance", in: .seconds(1)...(.seconds(86_400))))
        if let secret = reader.mapping("secret") {
            spec.secret = self.expression(secret, "value", .verificationSecret)
            spec.secretDecoding = secret.word("decode", VerifySpec.SecretDecoding.self) ?? .text
            if secret.node("value") == nil { _ = secret.requiredNode("value", example: "value: \"=kept.secret\"") }
            secret.finish()
        }
        reader.finish()
        self.complete(&spec, reader)
        return spec
    }

    /// Checks that a scheme has what it needs, and fills in what follows from it.
    private func complete(_ spec: inout VerifySpec, _ reader: MappingReader) {
        func need(_ key: String, _ isThere: Bool) {
            guard !isThere else { return }
            self.log.error(
                .missingKey, "\"\(reader.path(of: key))\" is missing; the scheme \(spec.scheme.rawValue) needs it.",
                remedy: "Add it.", at: reader.position)
        }
        guard spec.scheme != .none else { return }
        need("secret", spec.secret != nil)
        switch spec.scheme {
        case .none, .standardWebhooks: break
        case .token: need("header", spec.header != nil || spec.signatures != nil)
        case .hmacSHA1, .hmacSHA256, .hmacSHA512, .ed25519:
            need("header", spec.header != nil || spec.signatures != nil)
            if spec.signed == nil, let body = try? SpecExpression.compile("rawBody") {
                spec.signed = .expression(body)
            }
            if spec.tolerance != nil, spec.timestamp == nil, spec.parsing == .kv,
                let time = try? SpecExpression.compile("sig.t")
            {
                spec.timestamp = .expression(time)
            }
            if spec.tolerance != nil { need("timestamp", spec.timestamp != nil) }
        }
    }

    private func challenge(_ reader: MappingReader) -> ChallengeSpec? {
        _ = reader.requiredNode("when", example: "when: \"=body.type = 'url_verification'\"")
        let condition = self.expression(reader, "when", .webhookEvent)
        var spec = ChallengeSpec(
            condition: condition ?? .literal(false), isVerified: reader.boolean("verified") ?? false, status: 200,
            headers: [], text: nil, json: nil)
        if let respond = reader.requiredMapping("respond") {
            spec.status = respond.integer("status", in: 200...299) ?? 200
            spec.headers = self.namedTemplates(respond, "headers", .webhookEvent)
            spec.text = self.template(respond, "text", .webhookEvent)
            spec.json = self.template(respond, "json", .webhookEvent)
            respond.finish()
        }
        reader.finish()
        return condition == nil ? nil : spec
    }

    private func poll(_ reader: MappingReader) -> PollSpec? {
        let operation = reader.requiredString("operation")
        let input = self.template(reader, "input", .polling) ?? .literal([:])
        var field: SpecTemplate?
        var unit = PollSpec.CursorUnit.seconds
        var lookback = Duration.zero
        if let cursor = reader.requiredMapping("cursor", example: "cursor: { field: created, lookback: 60s }") {
            if let node = cursor.requiredNode("field"), case .string(let text) = node.content {
                let source = text.hasPrefix("=") ? String(text.dropFirst()) : "event." + text
                field = self.expression(source, node, path: cursor.path(of: "field"), .polledEvent)
                    .map { .expression($0) }
            }
            unit = cursor.word("unit", PollSpec.CursorUnit.self) ?? .seconds
            lookback = cursor.duration("lookback", in: .zero...(.seconds(86_400 * 7))) ?? .zero
            cursor.finish()
        }
        let catchUp = reader.duration("catchUp", in: .zero...(.seconds(86_400 * 90))) ?? .seconds(86_400)
        let interval = reader.duration("interval", in: .seconds(1)...(.seconds(86_400 * 7))) ?? .seconds(300)
        let dedupeKey = self.expression(reader, "dedupeKey", .polledEvent)
        let occurredAt = self.expression(reader, "occurredAt", .polledEvent)
        reader.finish()
        guard let operation, let field else { return nil }
        return PollSpec(
            operation: operation, input: input, cursorField: field, cursorUnit: unit, lookback: lookback,
            catchUp: catchUp, interval: interval, dedupeKey: dedupeKey, occurredAt: occurredAt)
    }
}
