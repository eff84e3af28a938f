public import ConnectorKit
internal import HTTPTransport
public import Values

/// Calls SOAP services by their WSDL 1.1 description.
///
/// `SOAPModule()` is the connector `soap`: each connection names its own description. Its operations are called by their
/// ids where the description is a file, through `call` in any case, and listed by `describe`. A module that `load` made
/// is for one description, and describes its operations itself.
public struct SOAPModule: ConnectorModule {
    /// What it can do.
    public let descriptor: ConnectorDescriptor
    private let preset: SOAPPreset?

    /// Creates the connector `soap`.
    public init() {
        self.descriptor = SOAPDescription.general
        self.preset = nil
    }

    private init(_ descriptor: ConnectorDescriptor, _ preset: SOAPPreset) {
        self.descriptor = descriptor
        self.preset = preset
    }

    /// Makes a connector of one description: its operations, with their schemas.
    ///
    /// - Parameters:
    ///   - id: The id of the connector.
    ///   - wsdl: File or URL of the description. Schemas are read from below the file's folder, or from the URL's server.
    ///   - service: The service, where there are several.
    ///   - port: The port, where ports have different interfaces.
    ///   - allowPrivate: Whether a URL may lead to a private or loopback address.
    /// - Throws: `ConnectorError`.
    public static func load(
        id: String, wsdl: String, service: String? = nil, port: String? = nil, allowPrivate: Bool = false
    ) async throws -> SOAPModule {
        let found = try await Self.service(wsdl, service, port, allowPrivate)
        let preset = SOAPPreset(wsdl: wsdl, service: service, port: port)
        return SOAPModule(SOAPDescription.special(id: id, found), preset)
    }

    /// The operations of a description, with their schemas; nothing is called.
    ///
    /// Parameters and errors as those of `load`.
    public static func operations(
        wsdl: String, service: String? = nil, port: String? = nil, allowPrivate: Bool = false
    ) async throws -> [OperationDescriptor] {
        OperationDescriber(try await Self.service(wsdl, service, port, allowPrivate)).operations
    }

    private static func service(
        _ wsdl: String, _ service: String?, _ port: String?, _ allowPrivate: Bool
    ) async throws -> SOAPService {
        try await ServiceLoader.load(wsdl, service: service, port: port) {
            var settings = HTTPSettings()
            settings.allowsPrivate = allowPrivate
            return try HTTPClient(id: wsdl, settings: settings, secrets: NoSecrets(), userAgent: SOAPDescription.agent)
        }
    }

    /// With the operations of the description that the parameters name, if it is a file; as `descriptor` if that is
    /// missing or wrong.
    public func descriptor(for parameters: Value) -> ConnectorDescriptor {
        guard self.preset == nil, let settings = try? SOAPSettings(parameters, preset: nil),
            !ServiceLoader.isURL(settings.wsdl),
            let service = try? ServiceLoader.load(
                file: settings.wsdl, service: settings.service, port: settings.port)
        else { return self.descriptor }
        var descriptor = self.descriptor
        descriptor.operations += settings.operations(of: service).filter { descriptor.operation($0.id) == nil }
        return descriptor
    }

    /// Reads the description, compiles its schema and starts the connection's thread.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let settings = try SOAPSettings(configuration.parameters, preset: self.preset)
        let service = try await ServiceLoader.load(settings.wsdl, service: settings.service, port: settings.port) {
            var http = settings.http
            // The description may be public while the service is not; what is meant for the one goes to no other.
            if let address = HTTPAddress(settings.wsdl), let base = http.base, !base.hasSameOrigin(as: address) {
                http.auth = .none
                http.headers = []
            }
            http.base = nil
            http.allowedHosts = []
            return try HTTPClient(
                id: configuration.id, settings: http, secrets: configuration.secrets, clock: configuration.clock,
                userAgent: SOAPDescription.agent)
        }
        return try SOAPConnection(
            configuration, settings, service, self.descriptor, isGeneral: self.preset == nil)
    }
}

/// What the connector says about itself.
enum SOAPDescription {
    static let agent = "junction/1"
    static let call = "call"
    static let describe = "describe"

    private static let ownParameters: ValueContext = [
        "security": [
            "type": "object",
            "description": "UsernameToken: { user, password, passwordType: text | digest, timeToLive, mustUnderstand }",
        ],
        "mtom": [
            "type": "boolean", "default": false, "description": "Whether large binaries are sent beside the message.",
        ],
        "mtomThreshold": ["type": "string", "default": "4KiB", "description": "From this size on."],
        "validate": [
            "enum": ["both", "request", "response", "none"], "default": "both",
            "description": "Which messages are validated by the schema.",
        ],
        "declaredFaults": [
            "enum": ["error", "result"], "default": "error",
            "description":
                "Whether a fault the description declares is an error, or the result { #fault: { name, … } }.",
        ],
        "readOnly": ["type": "array", "description": "Operations that only read."],
        "idempotent": ["type": "array", "description": "Operations that may be carried out twice without harm."],
    ]
    private static let wsdlParameters: ValueContext = [
        "wsdl": ["type": "string", "description": "File or URL of the WSDL 1.1 description."],
        "service": ["type": "string", "description": "The service, where the description has several."],
        "port": ["type": "string", "description": "The port, where ports differ in their operations."],
    ]
    private static let secrets =
        HTTPSettings.secretDescriptors + [
            SecretDescriptor(parameter: "security.password", title: "WS-Security password", isRequired: false)
        ]

    private static func parameters(_ own: ValueContext, required: [Value]) -> Value {
        var properties = own
        properties.merge(HTTPSettings.schemaProperties)
        properties["baseUrl"] = [
            "type": "string", "description": "Where calls go instead of the address in the description.",
        ]
        properties.merge(Self.ownParameters)
        return [
            "type": "object", "additionalProperties": false, "properties": .context(properties),
            "required": .list(required),
        ]
    }

    /// The connector whose connections name their descriptions.
    static let general = ConnectorDescriptor(
        id: "soap", version: 1, title: "SOAP",
        summary: "Calls SOAP 1.1 and 1.2 services by their WSDL, with values instead of XML.",
        parameters: Self.parameters(Self.wsdlParameters, required: ["wsdl"]), secrets: Self.secrets,
        operations: [
            OperationDescriptor(
                id: Self.call, title: "Call an operation",
                summary: "Calls an operation of the service by its name and returns the result.", effect: .other,
                idempotency: .none,
                input: [
                    "type": "object", "additionalProperties": false, "required": ["operation"],
                    "properties": [
                        "operation": ["type": "string", "description": "Its name or id; describe lists them."],
                        "input": ["type": "object", "description": "After the operation's own schema."],
                        "headers": ["type": "object", "description": "Entries of the SOAP header."],
                    ],
                ],
                output: [
                    "type": ["object", "null"],
                    "description": "After the operation's own schema; response headers under #headers.",
                ]),
            Self.describeOperation,
        ])

    /// The connector of one description.
    static func special(id: String, _ service: SOAPService) -> ConnectorDescriptor {
        ConnectorDescriptor(
            id: id, version: 1, title: service.name.isEmpty ? id : service.name,
            summary: service.documentation ?? "The operations of the SOAP service \(service.name).",
            parameters: Self.parameters([:], required: []), secrets: Self.secrets,
            operations: OperationDescriber(service).operations)
    }

    private static let describeOperation = OperationDescriptor(
        id: Self.describe, title: "List the operations",
        summary: "Returns the operations of the connection's description with their schemas; calls nobody.",
        effect: .read, idempotency: .natural,
        input: [
            "type": "object", "additionalProperties": false,
            "properties": ["operation": ["type": "string", "description": "Only this one."]],
        ],
        output: [
            "type": "object", "required": ["service", "port", "address", "soapVersion", "operations"],
            "properties": [
                "service": ["type": "string"], "port": ["type": "string"], "address": ["type": "string"],
                "soapVersion": ["enum": ["1.1", "1.2"]],
                "operations": [
                    "type": "array",
                    "items": [
                        "type": "object",
                        "properties": [
                            "id": ["type": "string"], "name": ["type": "string"], "summary": ["type": "string"],
                            "effect": ["type": "string"], "soapAction": ["type": "string"], "input": true,
                            "output": true,
                        ],
                    ],
                ],
                "refused": ["type": "object", "description": "Operations that cannot be called, and why."],
            ],
        ])
}
