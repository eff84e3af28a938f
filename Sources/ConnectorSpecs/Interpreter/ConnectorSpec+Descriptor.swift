public import ConnectorKit
import Decisions
import Values

extension ConnectorSpec {
    /// What the connector says about itself.
    public var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: self.metadata.id, version: self.metadata.version, title: self.metadata.title,
            summary: self.metadata.summary, parameters: self.acceptedParameters,
            secrets: self.secretDescriptors, operations: self.operations.map(\.descriptor),
            events: self.events.filter(\.isArmed).map(\.descriptor))
    }

    /// The schema of the parameters, former names included: a connection that uses one goes on working.
    private var acceptedParameters: Value {
        let renamed = self.migrations.flatMap { $0.parameters.sorted { $0.key < $1.key } }
        guard !renamed.isEmpty, var schema = self.connection.parameters.value.asContext else {
            return self.connection.parameters.value
        }
        var properties = schema["properties"]?.asContext ?? ValueContext()
        var required = schema["required"]?.asList ?? []
        for (old, new) in renamed where properties[old] == nil {
            var property = properties[new]?.asContext ?? ValueContext()
            property["deprecated"] = true
            property["description"] = .string("Now called \(new).")
            property["default"] = nil
            properties[old] = .context(property)
            required.removeAll { $0 == .string(new) }
        }
        schema["properties"] = .context(properties)
        schema["required"] = required.isEmpty ? nil : .list(required)
        return .context(schema)
    }

    /// Fields of the credential that only the verification of webhooks reads.
    var verificationFields: [String] {
        var fields: [String] = []
        for template in self.events.compactMap({ $0.webhook?.verify.secret }) {
            for expression in template.expressions {
                fields += SpecReader.members(of: "credential", in: expression.source).filter { !fields.contains($0) }
            }
        }
        return fields.filter { !self.connection.secrets.contains($0) }
    }

    private var secretDescriptors: [SecretDescriptor] {
        let required = self.connection.parameters.value["required"]?.asList ?? []
        let names = self.connection.credentials.keys.sorted() + self.connection.secrets
        return names.map { name in
            let property = self.connection.parameters.value["properties"]?[name]
            return SecretDescriptor(
                parameter: name, title: property?["title"]?.asString ?? property?["description"]?.asString ?? name,
                isRequired: required.contains(.string(name)))
        }
    }
}

extension OperationSpec {
    var descriptor: OperationDescriptor {
        OperationDescriptor(
            id: self.id, title: self.title, summary: self.summary, effect: self.effect,
            idempotency: self.operationIdempotency, input: self.describedInput, output: self.outputSchema)
    }

    /// The schema of the input; members whose values can be listed say by which operation.
    private var describedInput: Value {
        guard !self.dynamicOptions.isEmpty, var schema = self.input.value.asContext,
            var properties = schema["properties"]?.asContext
        else { return self.input.value }
        for (name, options) in self.dynamicOptions.sorted(by: { $0.key < $1.key }) {
            var property = properties[name]?.asContext ?? ValueContext()
            property["x-options"] = ["operation": .string(options.operation)]
            properties[name] = .context(property)
        }
        schema["properties"] = .context(properties)
        return .context(schema)
    }

    /// The schema of the result; of the records and their wrapping when the operation lists some.
    private var outputSchema: Value {
        let schema = self.response.schema?.value ?? true
        guard self.response.records != nil else { return schema }
        if let pagination, pagination.kind != .none {
            return [
                "type": "object", "required": ["records", "complete"],
                "properties": [
                    "records": ["type": "array", "items": schema],
                    "complete": [
                        "type": "boolean", "description": "Whether the list was read to its end.",
                    ],
                ],
            ]
        }
        return self.response.output == nil ? ["type": "array", "items": schema] : true
    }
}

extension EventSpec {
    var descriptor: EventDescriptor {
        if self.objects != nil {
            return EventDescriptor(
                id: self.id, title: self.title, summary: self.summary,
                parameters: ObjectParameters.schema(queue: self.queue), payload: self.schema.value,
                delivery: .atLeastOnce, isOrdered: false)
        }
        if let queue = self.queue {
            return EventDescriptor(
                id: self.id, title: self.title, summary: self.summary, parameters: QueueParameters.schema(of: queue),
                payload: self.schema.value, delivery: .atLeastOnce, isOrdered: false, holdMaximum: queue.lock?.maximum)
        }
        return EventDescriptor(
            id: self.id, title: self.title, summary: self.summary,
            parameters: [
                "type": "object", "additionalProperties": false,
                "properties": [
                    "start": [
                        "type": ["string", "number"],
                        "description":
                            "Where a source begins that knows nothing yet: beginning, now, or a cursor; by default as far back as the specification says.",
                    ],
                    "input": [
                        "type": "object",
                        "description": "Further members of the input of the operation that is polled.",
                    ],
                ],
            ],
            payload: self.schema.value, delivery: .atLeastOnce, isOrdered: false)
    }
}
