import ConnectorKit
import HubDocuments
import Values

/// How one source takes messages from a queue.
struct QueueParameters: Sendable {
    /// How long a call waits for the first message.
    var wait: Duration
    /// How long a message stays hidden; `nil` where nothing is.
    var lock: Duration?
    /// Whether locks are extended while messages are out.
    var extends: Bool
    /// How long a message is held at most, with all extensions.
    var holdMaximum: Duration
    /// How many calls take messages at the same time.
    var receivers: Int
    /// Whether one call acknowledges several messages.
    var batches: Bool
    /// Whatever the service needs, and what expressions see as `source`.
    var source: ValueContext

    /// The parameters every queue has.
    static let names = ["waitTime", "visibility", "extend", "maxHold", "receivers", "batchDelete"]

    /// Reads the parameters of a source.
    ///
    /// Throws `ConnectorError` that names everything that is wrong.
    init(_ value: Value, of spec: QueueSpec) throws(ConnectorError) {
        let reader = FieldReader(value, path: "parameters", code: ConnectorError.Code.invalidParameters)
        func bounded(_ key: String, _ range: ClosedRange<Duration>, _ standard: Duration) -> Duration {
            guard let found = reader.duration(key) else { return standard }
            guard range.contains(found) else {
                reader.add(
                    "\(reader.path).\(key): expected \(Quantity.text(range.lowerBound)) to "
                        + "\(Quantity.text(range.upperBound)) but found \(Quantity.text(found)).")
                return standard
            }
            return found
        }
        self.wait = bounded("waitTime", .zero...spec.receive.waitMaximum, spec.receive.wait)
        self.batches = reader.boolean("batchDelete") ?? true
        self.receivers = reader.integer("receivers", in: 1...16) ?? 2
        self.extends = false
        self.holdMaximum = .zero
        if let lock = spec.lock {
            self.lock =
                lock.isChosen ? bounded("visibility", .seconds(1)...lock.maximum, lock.standard) : lock.standard
            self.extends = (reader.boolean("extend") ?? true) && spec.extend != nil
            self.holdMaximum = bounded("maxHold", .seconds(1)...lock.maximum, lock.maximum)
        }
        self.source = spec.defaults
        for name in spec.parameters.value["properties"]?.asContext?.keys ?? [] {
            if let value = reader.value(name) { self.source[name] = value }
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        let violations = spec.parameters.compiled.violations(of: .context(self.source))
        guard violations.isEmpty else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "The parameters of the source are wrong: " + violations.map(\.description).joined(separator: " "),
                remedy: "Correct the parameters named.")
        }
    }

    /// What an editor and the linter are told of the parameters.
    static func schema(of spec: QueueSpec) -> Value {
        var properties = spec.parameters.value["properties"]?.asContext ?? ValueContext()
        func length(_ description: String, _ standard: Duration) -> Value {
            ["type": "string", "description": .string(description), "default": .string(Quantity.text(standard))]
        }
        properties["waitTime"] = length("How long a call waits for the first message.", spec.receive.wait)
        properties["receivers"] = [
            "type": "integer", "minimum": 1, "maximum": 16, "default": 2,
            "description": "How many calls take messages at the same time.",
        ]
        if spec.acknowledge.batchMaximum > 1 {
            properties["batchDelete"] = [
                "type": "boolean", "default": true, "description": "Whether one call acknowledges several messages.",
            ]
        }
        if let lock = spec.lock {
            if lock.isChosen {
                properties["visibility"] = length("How long a message stays hidden from others.", lock.standard)
            }
            if spec.extend != nil {
                properties["extend"] = [
                    "type": "boolean", "default": true,
                    "description": "Whether that is extended as long as a message is being worked on.",
                ]
                properties["maxHold"] = length("How long a message is held at most.", lock.maximum)
            }
        }
        var schema: ValueContext = [
            "type": "object", "additionalProperties": false, "properties": .context(properties),
        ]
        schema["required"] = spec.parameters.value["required"]
        return .context(schema)
    }
}
