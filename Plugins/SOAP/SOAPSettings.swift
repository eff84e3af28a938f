internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// The parameters of a connection, checked.
struct SOAPSettings: Sendable {
    enum Validation: String, CaseIterable, Sendable {
        case both, request, response, none
    }

    /// What becomes of a fault that the description declares.
    enum DeclaredFaults: String, CaseIterable, Sendable {
        case error, result
    }

    var http: HTTPSettings
    /// File or URL of the description.
    var wsdl: String
    var service: String?
    var port: String?
    var security: UsernameToken?
    var usesMTOM = false
    var mtomThreshold = 4_096
    var validation = Validation.both
    var declaredFaults = DeclaredFaults.error
    /// Operations that only read, and those that may be carried out twice, by name or id.
    var readOnly: Set<String> = []
    var idempotent: Set<String> = []

    /// Reads the parameters; those of `preset` are not the connection's.
    ///
    /// - Throws: `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value, preset: SOAPPreset?) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.http = HTTPSettings(reader)
        if let preset {
            (self.wsdl, self.service, self.port) = (preset.wsdl, preset.service, preset.port)
        } else {
            reader.require("wsdl")
            self.wsdl = reader.string("wsdl") ?? ""
            self.service = reader.string("service")
            self.port = reader.string("port")
        }
        if let security = reader.object("security") { self.security = UsernameToken(security) }
        self.usesMTOM = reader.boolean("mtom") ?? false
        self.mtomThreshold = reader.bytes("mtomThreshold") ?? self.mtomThreshold
        self.validation = reader.word("validate", of: Validation.self) ?? .both
        self.declaredFaults = reader.word("declaredFaults", of: DeclaredFaults.self) ?? .error
        self.readOnly = Set(reader.strings("readOnly") ?? [])
        self.idempotent = Set(reader.strings("idempotent") ?? [])
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    /// The names in `readOnly` and `idempotent` that are not of an operation of `service`, as an error.
    func unknownOperation(in service: SOAPService) -> ConnectorError? {
        let known = service.operations.map(\.name)
        for name in self.readOnly.union(self.idempotent).sorted() where service.operation(name) == nil {
            let remedy =
                ClosestMatch.of(name, in: known).map { "Did you mean \($0)?" }
                ?? "Use one of \(known.prefix(50).joined(separator: ", "))."
            return ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "parameters: readOnly or idempotent names \"\(name.prefix(80))\", which is no operation of the service.",
                remedy: remedy)
        }
        return nil
    }

    /// The operations of a service, with what the connection says about them.
    func operations(of service: SOAPService) -> [OperationDescriptor] {
        OperationDescriber(
            service, returnsFaults: self.declaredFaults == .result, effect: { self.effect(of: $0) },
            isRepeatable: { self.isRepeatable($0) }
        ).operations
    }

    private func effect(of operation: SOAPOperation) -> Effect {
        self.readOnly.contains(operation.id) || self.readOnly.contains(operation.name) ? .read : .other
    }

    /// Whether an operation may be carried out twice without harm.
    func isRepeatable(_ operation: SOAPOperation) -> Bool {
        !self.readOnly.union(self.idempotent).isDisjoint(with: [operation.id, operation.name])
    }
}

/// The description a module was made for.
struct SOAPPreset: Sendable {
    var wsdl: String
    var service: String?
    var port: String?
}
