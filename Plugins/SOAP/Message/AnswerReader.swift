internal import ConnectorKit
internal import Values

/// An answer as it came over HTTP.
struct SOAPAnswer: Sendable {
    var status: Int
    var contentType: String
    var bytes: [UInt8]
    var retryAfter: Duration?
}

/// Reads the messages a service answers with.
struct AnswerReader {
    private static let xmlTypes: Set<String> = [
        "text/xml", "application/xml", "application/soap+xml", "application/xop+xml", "multipart/related", "",
    ]

    /// How often, on average, an element of an encoded message may be referred to.
    private static let referencesMax = 20

    let service: SOAPService
    /// Validates results; nil: they are taken as they come.
    let validator: SchemaValidator?

    /// Whether an answer can be a SOAP message at all.
    static func isMessage(_ answer: SOAPAnswer) -> Bool {
        !answer.bytes.isEmpty && Self.xmlTypes.contains(ContentType(answer.contentType).type)
    }

    /// The result of a call.
    ///
    /// - Throws: `ConnectorError` for a fault and for what is no answer to the call.
    func read(_ answer: SOAPAnswer, _ operation: SOAPOperation) throws(ConnectorError) -> Value {
        let type = ContentType(answer.contentType)
        var multipart: Multipart?
        var bytes = answer.bytes
        if type.type == "multipart/related" {
            let parts = try Multipart(answer.bytes, type)
            bytes = parts.root
            multipart = parts
        }
        let envelope: XMLNode
        do {
            envelope = try XMLParser.parse(bytes, bytesMax: bytes.count)
        } catch {
            throw SOAPErrors.malformed("\(error)", details: Self.details(answer))
        }
        let (header, body) = try Self.parts(of: envelope, answer)
        if let fault = body.children.first.flatMap({ SOAPFault($0) }) {
            throw fault.error(operation, self.service, status: answer.status, retryAfter: answer.retryAfter)
        }
        guard (200..<300).contains(answer.status) else {
            throw SOAPErrors.malformed("status \(answer.status) without a fault", details: Self.details(answer))
        }
        return try self.result(header, body, operation, bytes, multipart)
    }

    private static func details(_ answer: SOAPAnswer) -> ValueContext {
        [
            "status": .number(Number(Int64(answer.status))),
            "contentType": .string(String(answer.contentType.prefix(120))),
        ]
    }

    private static func parts(
        of envelope: XMLNode, _ answer: SOAPAnswer
    ) throws(ConnectorError) -> (header: XMLNode?, body: XMLNode) {
        guard envelope.name.local == "Envelope",
            envelope.name.uri == Namespace.envelope11 || envelope.name.uri == Namespace.envelope12
        else {
            throw SOAPErrors.malformed("its root is \(envelope.name)", details: Self.details(answer))
        }
        guard let body = envelope.child("Body", in: envelope.name.uri) else {
            throw SOAPErrors.malformed("it has no body", details: Self.details(answer))
        }
        return (envelope.child("Header", in: envelope.name.uri), body)
    }

    // MARK: - Results

    private func result(
        _ header: XMLNode?, _ body: XMLNode, _ operation: SOAPOperation, _ bytes: [UInt8], _ multipart: Multipart?
    ) throws(ConnectorError) -> Value {
        guard let output = operation.output else { return .null }
        let (referenced, count) = output.isEncoded ? Self.referenced(body) : ([:], nil)
        let reader = ValueReader(
            set: self.service.schemas, referenced: referenced,
            elementsMax: count.map { $0 * Self.referencesMax + 1_000 } ?? .max,
            attachments: { multipart?.attachment($0) })
        do throws(CodecProblem) {
            var value: Value
            if let node = Self.result(in: body) {
                if operation.isRPC {
                    // The name of the element around the parts is not fixed; the validator knows the usual one.
                    let isUsual = node.name.local == "\(operation.name)Response"
                    try self.validate(node, output, bytes, multipart, isDeclared: isUsual)
                    value = .context(try self.readRPC(node, output, reader))
                } else {
                    guard let part = output.parts.first, part.declaration.name == node.name else {
                        throw CodecProblem(
                            "Body",
                            "expected \(output.parts.first?.declaration.name.description ?? "nothing") but found "
                                + "\(node.name).")
                    }
                    try self.validate(node, output, bytes, multipart, isDeclared: true)
                    value = try reader.value(node, part.declaration.type, path: "output")
                }
            } else {
                guard output.parts.isEmpty else { throw CodecProblem("Body", "it is empty.") }
                value = [:]
            }
            // An object always, so that headers have a place.
            var context = value.asContext ?? [ValueKey.text: value]
            let headers = try self.headers(header, output, reader)
            if !headers.isEmpty { context[ValueKey.headers] = .context(headers) }
            return .context(context)
        } catch {
            throw SOAPErrors.invalidAnswer(error.message)
        }
    }

    /// The element that is the result: in encoded messages others may stand beside it, for it to refer to.
    private static func result(in body: XMLNode) -> XMLNode? {
        body.children.first { $0.attribute("root", in: Namespace.encoding11) != "0" } ?? body.children.first
    }

    private func readRPC(
        _ node: XMLNode, _ output: MessageBinding, _ reader: ValueReader
    ) throws(CodecProblem) -> ValueContext {
        var context = ValueContext()
        for part in output.parts {
            guard let child = node.children.first(where: { $0.name.local == part.name }) else { continue }
            context[part.name] = try reader.value(child, part.declaration.type, path: "output.\(part.name)")
        }
        // SOAP encoding does not fix the name of the result: with one part and one element there is no doubt.
        if context.isEmpty, output.parts.count == 1, node.children.count == 1, let part = output.parts.first {
            context[part.name] = try reader.value(
                node.children[0], part.declaration.type, path: "output.\(part.name)")
        }
        return context
    }

    private func headers(
        _ header: XMLNode?, _ output: MessageBinding, _ reader: ValueReader
    ) throws(CodecProblem) -> ValueContext {
        var headers = ValueContext()
        for node in header?.children ?? [] where node.name.uri != Namespace.security {
            let declared = output.headers.first { $0.declaration.name == node.name }?.declaration
            let known = declared ?? self.service.schemas.elements[node.name]
            let key = declared == nil ? node.name.description : node.name.local
            headers[key] =
                try known.map { declaration throws(CodecProblem) in
                    try reader.value(node, declaration.type, path: "output.\(ValueKey.headers).\(key)")
                } ?? reader.generic(node, depth: 0)
        }
        return headers
    }

    /// Elements with an id, wherever they stand, and how many elements there are in all.
    private static func referenced(_ body: XMLNode) -> (found: [String: XMLNode], count: Int?) {
        var found: [String: XMLNode] = [:]
        var queue = [body]
        var count = 0
        while let node = queue.popLast() {
            count += 1
            if let id = node.attribute("id") ?? node.attribute("id", in: Namespace.encoding12) { found[id] = node }
            queue += node.children
        }
        return (found, count)
    }

    private func validate(
        _ node: XMLNode, _ output: MessageBinding, _ bytes: [UInt8], _ multipart: Multipart?, isDeclared: Bool
    ) throws(CodecProblem) {
        guard let validator = self.validator, !output.isEncoded, isDeclared else { return }
        let findings: [String]
        do {
            if let multipart, !multipart.attachments.isEmpty {
                findings = try validator.findings(try Self.inlined(node, multipart))
            } else {
                findings = try validator.findings(bytes, element: node.index)
            }
        } catch {
            throw CodecProblem("Body", "\(error)")
        }
        if !findings.isEmpty { throw CodecProblem("Body", findings.joined(separator: " ")) }
    }

    /// The element with its binaries in their places.
    private static func inlined(_ node: XMLNode, _ multipart: Multipart) throws -> [UInt8] {
        var writer = XMLWriter()
        try writer.copy(
            node,
            text: { include in
                guard include.name == XMLName(Namespace.xop, "Include") else { return nil }
                return include.attribute("href").flatMap { multipart.attachment($0) }
            })
        return writer.bytes
    }
}
