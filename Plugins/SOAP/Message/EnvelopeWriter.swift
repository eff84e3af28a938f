internal import ConnectorKit
internal import Values

/// A message, written.
struct WrittenEnvelope: Sendable {
    var bytes: [UInt8]
    /// The number, in document order, of the element in the body; nil when it is empty.
    var bodyElement: Int32?
}

/// Writes the messages of a service.
struct EnvelopeWriter {
    static let prefixes = [
        Namespace.instance: "xsi", Namespace.schema: "xsd", Namespace.security: "wsse",
        Namespace.securityUtility: "wsu", Namespace.xop: "xop", Namespace.encoding11: "soapenc",
        Namespace.envelope11: "soap", Namespace.envelope12: "soap",
    ]

    let service: SOAPService

    /// Writes the message of a call; `security` adds its header entry.
    ///
    /// - Throws: `ConnectorError` (`validation`) for input that does not fit.
    func write(
        _ operation: SOAPOperation, _ input: Value, sink: inout MTOMSink?,
        security: (inout XMLWriter) throws(XMLWriter.UnwritableText) -> Void = { _ in }
    ) throws(ConnectorError) -> WrittenEnvelope {
        guard var body = input.isNull ? ValueContext() : input.asContext else {
            throw SOAPErrors.input("input: expected an object but found \(input.typeName).")
        }
        let headers = try Self.headers(&body)
        do throws(CodecProblem) {
            var xml = XMLWriter(preferred: Self.prefixes)
            let envelope = self.service.version.envelope
            xml.start(XMLName(envelope, "Envelope"))
            _ = xml.prefix(of: Namespace.instance)
            if operation.input.isEncoded {
                _ = xml.prefix(of: Namespace.schema)
                _ = xml.prefix(of: Namespace.encoding11)
            }
            xml.start(XMLName(envelope, "Header"))
            do { try security(&xml) } catch {
                throw CodecProblem("security", "user or password hold a character that XML has no form for.")
            }
            var writer = ValueWriter(set: self.service.schemas, xml: xml)
            try self.writeHeaders(headers, operation, &writer)
            writer.xml.end()
            writer.xml.start(XMLName(envelope, "Body"))
            let index = Int32(writer.xml.elementCount)
            writer.isEncoded = operation.input.isEncoded
            writer.sink = sink
            let hasBody = try self.writeBody(body, operation, &writer)
            sink = writer.sink as? MTOMSink
            writer.xml.end()
            writer.xml.end()
            return WrittenEnvelope(bytes: writer.xml.bytes, bodyElement: hasBody ? index : nil)
        } catch {
            throw SOAPErrors.input(error.message)
        }
    }

    private static func headers(_ input: inout ValueContext) throws(ConnectorError) -> ValueContext {
        guard let value = input.removeValue(forKey: ValueKey.headers), !value.isNull else { return ValueContext() }
        guard let headers = value.asContext else {
            throw SOAPErrors.input("input.\(ValueKey.headers): expected an object but found \(value.typeName).")
        }
        return headers
    }

    // MARK: - Header

    private func writeHeaders(
        _ headers: ValueContext, _ operation: SOAPOperation, _ writer: inout ValueWriter
    ) throws(CodecProblem) {
        var rest = headers
        for part in operation.input.headers {
            let name = part.declaration.name
            let key = [name.local, name.description, part.name].first { rest[$0] != nil }
            guard let key, let value = rest.removeValue(forKey: key) else { continue }
            try writer.write(value, as: part.declaration, path: "input.\(ValueKey.headers).\(key)")
        }
        for (key, value) in rest {
            let path = "input.\(ValueKey.headers).\(key.prefix(120))"
            let name = XMLName(expanded: key)
            guard !name.uri.isEmpty else {
                let known = operation.input.headers.map(\.declaration.name.local)
                let hint = ClosestMatch.of(key, in: known).map { " Did you mean \($0)?" } ?? ""
                throw CodecProblem(
                    path, "the operation declares no such header.\(hint) Others are written {namespace}name.")
            }
            try writer.element(name, value, path: path, depth: 0)
        }
    }

    // MARK: - Body

    /// Writes the element in the body; false when there is none.
    private func writeBody(
        _ body: ValueContext, _ operation: SOAPOperation, _ writer: inout ValueWriter
    ) throws(CodecProblem) -> Bool {
        if operation.isRPC {
            try self.writeRPC(body, operation, &writer)
            return true
        }
        guard let part = operation.input.parts.first else {
            if let key = body.keys.first {
                throw CodecProblem("input.\(key.prefix(80))", "there is no such field; the operation takes none.")
            }
            return false
        }
        let declaration = part.declaration
        writer.xml.start(declaration.name)
        try writer.content(self.content(body, declaration.type), declaration.type, path: "input", depth: 0)
        writer.xml.end()
        return true
    }

    /// The value of a body element: the input, or its text where the element has a simple type.
    private func content(_ body: ValueContext, _ type: TypeReference) throws(CodecProblem) -> Value {
        switch self.service.schemas.resolve(type) {
        case .complex, .any: return .context(body)
        case .builtin, .simple:
            for key in body.keys where key != ValueKey.text {
                throw CodecProblem("input.\(key.prefix(80))", "there is no such field. Known here: \(ValueKey.text).")
            }
            guard let text = body[ValueKey.text] else { throw CodecProblem("input.\(ValueKey.text)", "it is missing.") }
            return text
        }
    }

    private func writeRPC(
        _ body: ValueContext, _ operation: SOAPOperation, _ writer: inout ValueWriter
    ) throws(CodecProblem) {
        let binding = operation.input
        let known = binding.parts.map(\.name)
        if let key = body.keys.first(where: { !known.contains($0) }) {
            let hint =
                ClosestMatch.of(key, in: known).map { "Did you mean \($0)?" }
                ?? "Known here: \(known.joined(separator: ", "))."
            throw CodecProblem("input.\(key.prefix(80))", "there is no such field. \(hint)")
        }
        writer.xml.start(XMLName(binding.namespace, operation.name))
        if binding.isEncoded {
            try writer.attribute(
                XMLName(self.service.version.envelope, "encodingStyle"), self.service.version.encoding, "input")
        }
        for part in binding.parts {
            guard let value = body[part.name] else { throw CodecProblem("input.\(part.name)", "it is missing.") }
            try writer.write(value, as: part.declaration, path: "input.\(part.name)")
        }
        writer.xml.end()
    }
}
