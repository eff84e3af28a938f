internal import ConnectorKit

/// Reads how the operations of one binding are spoken.
struct OperationBinder {
    private let reader: WSDLReader
    private let location: String
    private let extensions: String
    private let isRPC: Bool

    init(reader: WSDLReader, binding: XMLNode, location: String, _ version: SOAPVersion) {
        self.reader = reader
        self.location = location
        self.extensions = version == .v11 ? Namespace.wsdlSOAP11 : Namespace.wsdlSOAP12
        self.isRPC = binding.child("binding", in: self.extensions)?.attribute("style") == "rpc"
    }

    /// An operation: `node` in the binding, `declared` in the interface.
    func operation(_ node: XMLNode, _ declared: XMLNode) throws(ConnectorError) -> SOAPOperation {
        let soap = node.child("operation", in: self.extensions)
        let isRPC = soap?.attribute("style").map { $0 == "rpc" } ?? self.isRPC
        guard let input = declared.child("input", in: Namespace.wsdl) else {
            throw SOAPErrors.unsupported("It has no input: the service would call, not answer.", "Call another.")
        }
        var operation = SOAPOperation(
            id: "", name: node.attribute("name") ?? "", documentation: WSDLReader.documentation(declared),
            action: soap?.attribute("soapAction") ?? "", isRPC: isRPC,
            input: try self.message(input, node.child("input", in: Namespace.wsdl), isRPC: isRPC))
        if isRPC, !XMLName.isLocal(operation.name) {
            throw SOAPErrors.invalid(self.location, line: node.line, "Its name cannot be that of an element.")
        }
        if let order = declared.attribute("parameterOrder")?.xmlTokens {
            operation.input.parts = Self.ordered(operation.input.parts, order)
        }
        if let output = declared.child("output", in: Namespace.wsdl) {
            operation.output = try self.message(output, node.child("output", in: Namespace.wsdl), isRPC: isRPC)
        }
        for fault in declared.children("fault", in: Namespace.wsdl) {
            guard let name = fault.attribute("message").flatMap({ fault.resolve($0) }) else { continue }
            for part in try self.reader.parts(of: name, at: self.location, line: fault.line) {
                operation.faults[part.declaration.name] = fault.attribute("name") ?? part.name
            }
        }
        return operation
    }

    private static func ordered(_ parts: [MessagePart], _ order: [String]) -> [MessagePart] {
        let first = order.compactMap { name in parts.first { $0.name == name } }
        return first + parts.filter { !order.contains($0.name) }
    }

    private func message(
        _ declared: XMLNode, _ bound: XMLNode?, isRPC: Bool
    ) throws(ConnectorError) -> MessageBinding {
        guard let name = declared.attribute("message").flatMap({ declared.resolve($0) }) else {
            throw SOAPErrors.invalid(self.location, line: declared.line, "It names no message.")
        }
        var binding = MessageBinding()
        let (body, headers) = Self.extensions(of: bound, self.extensions)
        var inHeader: Set<String> = []
        for header in headers {
            guard let message = header.attribute("message").flatMap({ header.resolve($0) }),
                let part = header.attribute("part")
            else { continue }
            let parts = try self.reader.parts(of: message, at: self.location, line: header.line)
            guard let found = parts.first(where: { $0.name == part }) else {
                throw SOAPErrors.invalid(
                    self.location, line: header.line, "The message \(message) has no part \(part.prefix(80)).")
            }
            binding.headers.append(found)
            if message == name { inHeader.insert(part) }
        }
        let parts = try self.reader.parts(of: name, at: self.location, line: declared.line)
        if let chosen = body?.attribute("parts")?.xmlTokens {
            binding.parts = parts.filter { chosen.contains($0.name) }
        } else {
            binding.parts = parts.filter { !inHeader.contains($0.name) }
        }
        binding.namespace = body?.attribute("namespace") ?? ""
        binding.isEncoded = body?.attribute("use") == "encoded"
        try self.check(binding, isRPC: isRPC)
        return binding
    }

    private func check(_ binding: MessageBinding, isRPC: Bool) throws(ConnectorError) {
        if binding.isEncoded, self.extensions == Namespace.wsdlSOAP12 {
            throw SOAPErrors.unsupported("SOAP encoding over SOAP 1.2 is not supported.", "Use a port of SOAP 1.1.")
        }
        if isRPC {
            guard !binding.parts.contains(where: \.isElement) else {
                throw SOAPErrors.unsupported(
                    "A part of an RPC message names an element where it has to name a type.", "Call another.")
            }
            return
        }
        if binding.isEncoded {
            throw SOAPErrors.unsupported("Document style with SOAP encoding is not supported.", "Call another.")
        }
        guard binding.parts.count <= 1 else {
            throw SOAPErrors.unsupported(
                "The body of a document-style message has \(binding.parts.count) parts; one is supported.",
                "Call another.")
        }
        if let part = binding.parts.first, !part.isElement {
            throw SOAPErrors.unsupported(
                "A part of a document-style message names a type where it has to name an element.", "Call another.")
        }
    }

    /// What a binding says of body and headers, also inside a MIME multipart.
    private static func extensions(of bound: XMLNode?, _ uri: String) -> (body: XMLNode?, headers: [XMLNode]) {
        guard let bound else { return (nil, []) }
        var places = [bound]
        for multipart in bound.children("multipartRelated", in: Namespace.wsdlMIME) {
            places += multipart.children("part", in: Namespace.wsdlMIME)
        }
        let body = places.lazy.compactMap { $0.child("body", in: uri) }.first
        return (body, places.flatMap { $0.children("header", in: uri) })
    }
}
