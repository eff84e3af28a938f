internal import ConnectorKit
internal import Values

/// Describes the operations of a service to the hub.
struct OperationDescriber {
    private let service: SOAPService
    private let returnsFaults: Bool
    private let effect: (SOAPOperation) -> Effect
    private let isRepeatable: (SOAPOperation) -> Bool

    /// - Parameters:
    ///   - returnsFaults: Whether declared faults are results.
    ///   - effect: What an operation does; a description in WSDL does not say.
    ///   - isRepeatable: Whether it may be carried out twice.
    init(
        _ service: SOAPService, returnsFaults: Bool = false,
        effect: @escaping (SOAPOperation) -> Effect = { _ in .other },
        isRepeatable: @escaping (SOAPOperation) -> Bool = { _ in false }
    ) {
        self.service = service
        self.returnsFaults = returnsFaults
        self.effect = effect
        self.isRepeatable = isRepeatable
    }

    /// Every operation that can be called.
    var operations: [OperationDescriptor] { self.service.operations.map(self.describe) }

    private func describe(_ operation: SOAPOperation) -> OperationDescriptor {
        let faults = self.returnsFaults ? Set(operation.faults.values).sorted() : []
        return OperationDescriptor(
            id: operation.id, title: operation.name,
            summary: operation.documentation ?? "Calls \(operation.name) of \(self.service.name).",
            effect: self.effect(operation), idempotency: self.isRepeatable(operation) ? .natural : .none,
            input: self.schema(operation.input, isRPC: operation.isRPC, isInput: true),
            output: operation.output.map { self.schema($0, isRPC: operation.isRPC, isInput: false, faults: faults) }
                ?? ["type": "null"]
        )
    }

    private func schema(
        _ binding: MessageBinding, isRPC: Bool, isInput: Bool, faults: [String] = []
    ) -> Value {
        var writer = SchemaJSON(set: self.service.schemas)
        var entries: [(key: String, schema: Value, isRequired: Bool)] = []
        var allowsOthers = false
        if isRPC {
            for part in binding.parts {
                var schema = writer.schema(of: part.declaration)
                if binding.isEncoded { schema = ["anyOf": [schema, ["type": "null"]]] }
                entries.append((part.name, schema, isInput))
            }
        } else if let part = binding.parts.first {
            let (own, others) = writer.entries(of: part.declaration.type)
            entries = own.map { (key: $0.0, schema: $0.1, isRequired: $0.2) }
            allowsOthers = others
        }
        if !binding.headers.isEmpty || isInput {
            let headers = binding.headers.map { part in
                (key: part.declaration.name.local, schema: writer.schema(of: part.declaration), isRequired: false)
            }
            entries.append(
                (
                    ValueKey.headers,
                    writer.object(headers, description: "Entries of the SOAP header.", allowsOthers: true), false
                ))
        }
        let object = writer.object(entries, allowsOthers: allowsOthers || !isInput)
        return writer.finished(faults.isEmpty ? object : ["anyOf": [object, Self.fault(faults)]])
    }

    private static func fault(_ names: [String]) -> Value {
        [
            "type": "object", "required": [.string(ValueKey.fault)],
            "properties": .context([
                ValueKey.fault: [
                    "type": "object", "required": ["name"],
                    "properties": [
                        "name": ["enum": .list(names.map { .string($0) })], "code": ["type": "string"],
                        "reason": ["type": "string"], "detail": true,
                    ],
                ]
            ]),
        ]
    }
}
