internal import ConnectorKit
internal import Values

extension PluginCoding {
    static func json(_ descriptor: ConnectorDescriptor) -> Value {
        [
            "id": .string(descriptor.id), "version": Self.number(descriptor.version),
            "title": .string(descriptor.title), "summary": .string(descriptor.summary),
            "parameters": descriptor.parameters,
            "secrets": .list(
                descriptor.secrets.map {
                    [
                        "parameter": .string($0.parameter), "title": .string($0.title),
                        "required": .boolean($0.isRequired),
                    ]
                }),
            "operations": .list(descriptor.operations.map(Self.json)),
            "events": .list(descriptor.events.map(Self.json)),
        ]
    }

    private static func json(_ operation: OperationDescriptor) -> Value {
        let idempotency: Value
        switch operation.idempotency {
        case .none: idempotency = "none"
        case .natural: idempotency = "natural"
        case .key(nil): idempotency = "key"
        case .key(let window?): idempotency = ["key": ["windowMilliseconds": Self.milliseconds(window)]]
        }
        return [
            "id": .string(operation.id), "title": .string(operation.title), "summary": .string(operation.summary),
            "effect": .string(operation.effect.rawValue), "idempotency": idempotency, "input": operation.input,
            "output": operation.output,
        ]
    }

    private static func json(_ event: EventDescriptor) -> Value {
        var fields: ValueContext = [
            "id": .string(event.id), "title": .string(event.title), "summary": .string(event.summary),
            "parameters": event.parameters, "payload": event.payload, "delivery": .string(event.delivery.rawValue),
            "ordered": .boolean(event.isOrdered),
        ]
        fields["holdMaximumMilliseconds"] = event.holdMaximum.map(Self.milliseconds)
        return .context(fields)
    }

    static func descriptor(_ value: Value) throws(PluginCodingError) -> ConnectorDescriptor {
        let fields = try Fields(value, "descriptor")
        return ConnectorDescriptor(
            id: try fields.string("id"), version: Int(clamping: try fields.optionalInteger("version") ?? 1),
            title: try fields.string("title"), summary: try fields.string("summary"),
            parameters: fields.value("parameters") ?? true,
            secrets: try fields.list("secrets") { (value, path) throws(PluginCodingError) in
                let fields = try Fields(value, path)
                return SecretDescriptor(
                    parameter: try fields.string("parameter"), title: try fields.string("title"),
                    isRequired: try fields.boolean("required", default: false))
            },
            operations: try fields.list("operations", Self.operation), events: try fields.list("events", Self.event))
    }

    private static func operation(_ value: Value, _ path: String) throws(PluginCodingError) -> OperationDescriptor {
        let fields = try Fields(value, path)
        return OperationDescriptor(
            id: try fields.string("id"), title: try fields.string("title"), summary: try fields.string("summary"),
            effect: try fields.word("effect", Effect.self), idempotency: try Self.idempotency(fields),
            input: fields.value("input") ?? true, output: fields.value("output") ?? true)
    }

    private static func idempotency(_ fields: Fields) throws(PluginCodingError) -> OperationIdempotency {
        switch fields.value("idempotency") {
        case nil, .null?, "none"?: return .none
        case "natural"?: return .natural
        case "key"?: return .key(window: nil)
        case let value?:
            let path = "\(fields.path).idempotency"
            let key = try Fields(try Fields(value, path).value("key") ?? .null, "\(path).key")
            return .key(window: try key.optionalDuration("windowMilliseconds"))
        }
    }

    private static func event(_ value: Value, _ path: String) throws(PluginCodingError) -> EventDescriptor {
        let fields = try Fields(value, path)
        return EventDescriptor(
            id: try fields.string("id"), title: try fields.string("title"), summary: try fields.string("summary"),
            parameters: fields.value("parameters") ?? true, payload: fields.value("payload") ?? true,
            delivery: try fields.word("delivery", DeliveryGuarantee.self),
            isOrdered: try fields.boolean("ordered", default: false),
            holdMaximum: try fields.optionalDuration("holdMaximumMilliseconds"))
    }
}
