import HubDocuments
import Values

extension SpecReader {
    func queue(_ reader: MappingReader, at position: DocumentPosition) -> QueueSpec? {
        let parameters = self.closedSchema(
            reader.node("parameters"), path: reader.path(of: "parameters"), at: position)
        self.checkNames(parameters, reader)
        let receive = reader.requiredMapping("receive", example: "receive: { operation: messages.receive }")
            .flatMap { self.receive($0) }
        let lock = reader.mapping("lock").map { fields in
            let standard = fields.duration("default", in: .seconds(1)...(.seconds(86_400))) ?? .seconds(60)
            let maximum = fields.duration("max", in: standard...(.seconds(86_400 * 7))) ?? .seconds(43_200)
            let isChosen = fields.boolean("chosen") ?? true
            fields.finish()
            return QueueSpec.Lock(standard: standard, maximum: maximum, isChosen: isChosen)
        }
        let message = reader.requiredMapping("message", example: "message: { id: \"=message.id\" }")
            .flatMap { self.message($0) }
        let acknowledge = reader.requiredMapping("acknowledge").flatMap { self.action($0) }
        let extend = reader.mapping("extend").flatMap { self.action($0) }
        let release = reader.mapping("release").flatMap { self.action($0, delays: true) }
        let setAside = reader.mapping("setAside").flatMap { self.action($0) }
        if extend != nil, lock == nil {
            self.log.error(
                .missingKey, "\"\(reader.path)\" extends locks, but \"lock\" does not say how long one is.",
                remedy: "Add lock: { default: 60s, max: 12h }.", at: position)
        }
        reader.finish()
        guard let receive, let message, let acknowledge else { return nil }
        var defaults = ValueContext()
        for (name, schema) in parameters.value["properties"]?.asContext ?? ValueContext() {
            if let value = schema["default"] { defaults[name] = value }
        }
        return QueueSpec(
            parameters: parameters, defaults: defaults, receive: receive, lock: lock, message: message,
            acknowledge: acknowledge, extend: extend, release: release, setAside: setAside)
    }

    private func checkNames(_ parameters: SpecSchema, _ reader: MappingReader) {
        for name in parameters.value["properties"]?.asContext?.keys ?? []
        where QueueParameters.names.contains(name) {
            self.log.error(
                .contradiction, "\"\(reader.path(of: "parameters"))\" declares \"\(name)\", which every queue has.",
                remedy: "Remove it.", at: reader.position)
        }
    }

    private func receive(_ reader: MappingReader) -> QueueSpec.Receive? {
        let operation = reader.requiredString("operation")
        let input = self.template(reader, "input", .queueReceiving) ?? .literal([:])
        var messages = self.expression(reader, "messages", .queueAnswer)
        if messages == nil, let output = try? SpecExpression.compile("output") { messages = .expression(output) }
        let maximum = reader.integer("max", in: 1...1_000) ?? 1
        let waitMaximum = reader.duration("maxWait", in: .zero...(.seconds(300))) ?? .seconds(20)
        let wait = reader.duration("wait", in: .zero...waitMaximum) ?? waitMaximum
        let pause = reader.duration("pause", in: .milliseconds(10)...(.seconds(3_600))) ?? .seconds(1)
        reader.finish()
        guard let operation, let messages else { return nil }
        return QueueSpec.Receive(
            operation: operation, input: input, messages: messages, maximum: maximum, wait: wait,
            waitMaximum: waitMaximum, pause: pause)
    }

    private func message(_ reader: MappingReader) -> QueueSpec.Message? {
        func required(_ key: String) -> SpecTemplate? {
            _ = reader.requiredNode(key, example: "\(key): \"=message.\(key)\"")
            return self.expression(reader, key, .queueMessage)
        }
        let (id, handle, body) = (required("id"), required("handle"), required("body"))
        let envelope = self.expression(reader, "envelope", .queueMessage)
        let encoding = reader.word("encoding", QueueSpec.Message.Encoding.self) ?? .text
        let contentType = self.template(reader, "contentType", .queueMessage)
        let headers = self.template(reader, "headers", .queueMessage)
        let coordinates = self.template(reader, "coordinates", .queueMessage)
        let occurredAt = self.expression(reader, "occurredAt", .queueMessage)
        let deliveries = self.expression(reader, "deliveries", .queueMessage)
        let orderingKey = self.expression(reader, "orderingKey", .queueMessage)
        reader.finish()
        guard let id, let handle, let body else { return nil }
        return QueueSpec.Message(
            id: id, handle: handle, envelope: envelope, body: body, encoding: encoding, contentType: contentType,
            headers: headers, coordinates: coordinates, occurredAt: occurredAt, deliveries: deliveries,
            orderingKey: orderingKey)
    }

    private func action(_ reader: MappingReader, delays: Bool = false) -> QueueSpec.Action? {
        let operation = reader.requiredString("operation")
        let input = self.template(reader, "input", .queueAction) ?? .literal([:])
        let condition = self.expression(reader, "when", .queueAction)
        let batchMaximum = reader.integer("batch", in: 1...1_000) ?? 1
        let failed = self.expression(reader, "failed", .queueFailure)
        let delay = delays ? reader.duration("maxDelay", in: .zero...(.seconds(86_400 * 7))) : nil
        reader.finish()
        guard let operation else { return nil }
        return QueueSpec.Action(
            operation: operation, input: input, condition: condition, batchMaximum: batchMaximum, failed: failed,
            delayMaximum: delay ?? .zero)
    }
}
