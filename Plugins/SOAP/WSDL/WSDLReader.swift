internal import ConnectorKit

/// Makes a service of its description (WSDL 1.1).
struct WSDLReader {
    private struct Definition {
        var location: String
        var node: XMLNode
    }

    private struct PortChoice {
        var service: String
        var node: XMLNode
        var location: String
        var version: SOAPVersion
        var binding: XMLName
        var portType: XMLName
        var address: String
    }

    private let documents: ServiceDocuments
    private let schemas: SchemaSet
    private var messages: [XMLName: Definition] = [:]
    private var portTypes: [XMLName: Definition] = [:]
    private var bindings: [XMLName: Definition] = [:]

    /// The port called `port` of the service called `service`; either may be left out where it is clear.
    ///
    /// - Throws: `ConnectorError`.
    static func read(
        _ documents: ServiceDocuments, service: String? = nil, port: String? = nil
    ) throws(ConnectorError) -> SOAPService {
        let reader = try WSDLReader(documents)
        return try reader.service(try reader.choose(service, port))
    }

    private init(_ documents: ServiceDocuments) throws(ConnectorError) {
        self.documents = documents
        self.schemas = try SchemaReader.read(documents.schemas)
        for (location, root) in documents.definitions {
            let namespace = root.attribute("targetNamespace") ?? ""
            for node in root.children where node.name.uri == Namespace.wsdl {
                guard let local = node.attribute("name") else { continue }
                let definition = Definition(location: location, node: node)
                switch node.name.local {
                case "message": self.messages[XMLName(namespace, local)] = definition
                case "portType": self.portTypes[XMLName(namespace, local)] = definition
                case "binding": self.bindings[XMLName(namespace, local)] = definition
                default: continue
                }
            }
        }
    }

    // MARK: - Ports

    private func ports() -> [PortChoice] {
        var ports: [PortChoice] = []
        for (location, root) in self.documents.definitions {
            for service in root.children("service", in: Namespace.wsdl) {
                for node in service.children("port", in: Namespace.wsdl) {
                    let soap11 = node.child("address", in: Namespace.wsdlSOAP11)
                    guard let address = soap11 ?? node.child("address", in: Namespace.wsdlSOAP12),
                        let binding = node.attribute("binding").flatMap({ node.resolve($0) }),
                        let definition = self.bindings[binding],
                        let portType = definition.node.attribute("type").flatMap({ definition.node.resolve($0) })
                    else { continue }
                    ports.append(
                        PortChoice(
                            service: service.attribute("name") ?? "", node: node, location: location,
                            version: soap11 == nil ? .v12 : .v11, binding: binding, portType: portType,
                            address: address.attribute("location")?.trimmingXMLSpace ?? ""))
                }
            }
        }
        return ports
    }

    private func choose(_ service: String?, _ port: String?) throws(ConnectorError) -> PortChoice {
        let ports = self.ports()
        let names = ports.map { "\($0.service)/\($0.node.attribute("name") ?? "")" }.joined(separator: ", ")
        guard !ports.isEmpty else {
            throw SOAPErrors.port(
                "The description has no port of SOAP over HTTP whose binding is declared.", "Use another description.")
        }
        let matching = ports.filter { choice in
            (service == nil || choice.service == service) && (port == nil || choice.node.attribute("name") == port)
        }
        guard let first = matching.first else {
            throw SOAPErrors.port("There is no such service and port.", "Use one of \(names.prefix(500)).")
        }
        // Ports of one interface differ in how it is spoken only: any will do. Others offer different operations.
        guard matching.allSatisfy({ $0.portType == first.portType }) else {
            throw SOAPErrors.port(
                "The description has ports of different interfaces: \(names.prefix(500)).",
                "Name one in service and port of the connection.")
        }
        return first
    }

    private func service(_ choice: PortChoice) throws(ConnectorError) -> SOAPService {
        guard let binding = self.bindings[choice.binding], let portType = self.portTypes[choice.portType] else {
            throw SOAPErrors.invalid(
                choice.location, line: choice.node.line, "The binding's portType \(choice.portType) is not declared.")
        }
        var service = SOAPService(
            name: choice.service, port: choice.node.attribute("name") ?? "", address: choice.address,
            version: choice.version, schemas: self.schemas, documents: self.documents.schemas)
        service.documentation = Self.documentation(choice.node) ?? Self.documentation(portType.node)
        let binder = OperationBinder(reader: self, binding: binding.node, location: binding.location, choice.version)
        var ids: Set<String> = []
        for node in binding.node.children("operation", in: Namespace.wsdl) {
            let name = node.attribute("name") ?? ""
            guard let declared = Self.declared(node, in: portType.node) else {
                throw SOAPErrors.invalid(
                    binding.location, line: node.line, "The portType has no operation \(name.prefix(80)).")
            }
            do throws(ConnectorError) {
                var operation = try binder.operation(node, declared)
                operation.id = Self.unusedID(for: name, ids)
                ids.insert(operation.id)
                service.operations.append(operation)
            } catch {
                guard error.kind == .unsupported else { throw error }
                service.refused[name] = error.message
            }
        }
        if service.operations.isEmpty {
            throw SOAPErrors.unsupported(
                service.refused.first.map { "No operation can be called. \($0.key): \($0.value)" }
                    ?? "The binding has no operations.", "Use another port.")
        }
        return service
    }

    /// The operation of the interface; of several of one name the one whose messages have the same names.
    private static func declared(_ node: XMLNode, in portType: XMLNode) -> XMLNode? {
        let same = portType.children("operation", in: Namespace.wsdl).filter {
            $0.attribute("name") == node.attribute("name")
        }
        let input = node.child("input", in: Namespace.wsdl)?.attribute("name")
        return same.first { $0.child("input", in: Namespace.wsdl)?.attribute("name") == input } ?? same.first
    }

    static func documentation(_ node: XMLNode) -> String? {
        let words = node.child("documentation", in: Namespace.wsdl)?.text.xmlTokens.joined(separator: " ") ?? ""
        return words.isEmpty ? nil : String(words.prefix(500))
    }

    /// The name of an operation as an id: what an id may not hold becomes `_`, and it begins with a small letter.
    private static func unusedID(for name: String, _ taken: Set<String>) -> String {
        var id = ""
        for scalar in name.unicodeScalars {
            let isAllowed =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains(scalar))
            id.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        if let first = id.first, !first.isLowercase {
            id = first.isUppercase ? first.lowercased() + id.dropFirst() : "o" + id
        }
        if id.isEmpty { id = "operation" }
        let base = id
        var number = 2
        while taken.contains(id) {
            id = "\(base)-\(number)"
            number += 1
        }
        return id
    }

    // MARK: - Messages

    /// The parts of a message, by what the schema knows of them.
    func parts(of name: XMLName, at location: String, line: Int) throws(ConnectorError) -> [MessagePart] {
        guard let message = self.messages[name] else {
            throw SOAPErrors.invalid(location, line: line, "The message \(name) is not declared.")
        }
        var parts: [MessagePart] = []
        for node in message.node.children("part", in: Namespace.wsdl) {
            let local = node.attribute("name") ?? ""
            func invalid(_ reason: String) -> ConnectorError {
                SOAPErrors.invalid(message.location, line: node.line, "Part \(local.prefix(80)): \(reason)")
            }
            if let text = node.attribute("element") {
                guard let name = node.resolve(text), let declaration = self.schemas.elements[name] else {
                    throw invalid("the element \(text.prefix(80)) is not declared.")
                }
                parts.append(MessagePart(name: local, declaration: declaration, isElement: true))
            } else if let text = node.attribute("type") {
                guard let type = node.resolve(text) else { throw invalid("the prefix of its type is not declared.") }
                guard self.schemas.declares(type) || type.uri == Namespace.encoding11 else {
                    throw invalid("the type \(text.prefix(80)) is not declared.")
                }
                guard XMLName.isLocal(local) else { throw invalid("its name cannot be that of an element.") }
                parts.append(
                    MessagePart(
                        name: local,
                        declaration: ElementDeclaration(name: XMLName("", local), type: .named(type)), isElement: false)
                )
            } else {
                throw invalid("it has neither element nor type.")
            }
        }
        return parts
    }
}
