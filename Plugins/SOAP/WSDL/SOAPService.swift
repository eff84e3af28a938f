/// Which SOAP a binding speaks.
enum SOAPVersion: String, Sendable {
    case v11 = "1.1"
    case v12 = "1.2"

    var envelope: String { self == .v11 ? Namespace.envelope11 : Namespace.envelope12 }
    var mediaType: String { self == .v11 ? "text/xml" : "application/soap+xml" }
    var encoding: String { self == .v11 ? Namespace.encoding11 : Namespace.encoding12 }
}

/// One port of a service: where it is, and what can be asked of it.
struct SOAPService: Sendable {
    var name: String
    var port: String
    /// As the description gives it.
    var address: String
    var version: SOAPVersion
    var documentation: String?
    var operations: [SOAPOperation] = []
    /// Operations that cannot be called, by name, and why.
    var refused: [String: String] = [:]
    var schemas: SchemaSet
    /// The schema documents, for the validator.
    var documents: [SchemaDocument]

    /// The operation of this id or name.
    func operation(_ name: String) -> SOAPOperation? {
        self.operations.first { $0.id == name } ?? self.operations.first { $0.name == name }
    }

    /// Whether a message is bound to the schema as it stands.
    var isLiteral: Bool { self.operations.contains { !$0.input.isEncoded || $0.output?.isEncoded == false } }
}

/// One operation of a port.
struct SOAPOperation: Sendable {
    /// Its name as an id of the kit.
    var id: String
    var name: String
    var documentation: String?
    var action: String
    var isRPC: Bool
    var input: MessageBinding
    /// Nil for one without an answer.
    var output: MessageBinding?
    /// The elements faults carry in their detail, with the names of the faults.
    var faults: [XMLName: String] = [:]
}

/// How a message is made of its parts.
struct MessageBinding: Sendable {
    /// What stands in the body.
    var parts: [MessagePart] = []
    /// What stands in the header.
    var headers: [MessagePart] = []
    /// The namespace of the element around the parts (RPC).
    var namespace = ""
    /// Whether it is SOAP-encoded.
    var isEncoded = false
}

/// A part of a message.
struct MessagePart: Sendable {
    var name: String
    var declaration: ElementDeclaration
    /// Whether it names an element; otherwise a type.
    var isElement: Bool
}
