internal import ConnectorKit
internal import Values

/// Reads the input of `publish`.
enum PublishRequest {
    private enum Encoding: String, CaseIterable {
        case text, json, base64
    }

    /// The message a call asks for.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    static func message(_ call: OperationCall, bodyBytesMaximum: Int) throws -> OutgoingMessage {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        var message = OutgoingMessage()
        message.exchange = Self.name(reader, "exchange") ?? ""
        if message.exchange.isEmpty { reader.require("routingKey") }
        message.routingKey = Self.name(reader, "routingKey") ?? ""
        message.isMandatory = reader.boolean("mandatory") ?? true
        Self.readBody(reader, &message)
        Self.readProperties(reader, &message, call)
        Self.readHeaders(reader, &message, call)
        _ = reader.boolean("allowDuplicates")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard message.body.count <= bodyBytesMaximum else {
            throw AMQPErrors.tooLarge("The body has", message.body.count, bodyBytesMaximum)
        }
        return message
    }

    private static func readBody(_ reader: FieldReader, _ message: inout OutgoingMessage) {
        reader.require("body")
        let body = reader.value("body") ?? .null
        let encoding = reader.word("encoding", of: Encoding.self) ?? (body.asString == nil ? .json : .text)
        switch encoding {
        case .json:
            JSON.write(body, into: &message.body)
            message.properties.contentType = "application/json"
        case .text:
            if let text = body.asString {
                message.body = Array(text.utf8)
            } else if !body.isNull {
                reader.add("input.body: expected a text but found a \(body.typeName).")
            }
            message.properties.contentType = "text/plain; charset=utf-8"
        case .base64:
            if let bytes = body.asString.flatMap({ Base64.decode($0) }) {
                message.body = bytes
            } else if !body.isNull {
                reader.add("input.body: expected base64.")
            }
            message.properties.contentType = "application/octet-stream"
        }
    }

    private static func readProperties(_ reader: FieldReader, _ message: inout OutgoingMessage, _ call: OperationCall) {
        let standardType = message.properties.contentType
        message.properties.contentType = Self.name(reader, "contentType") ?? standardType
        message.properties.contentEncoding = Self.name(reader, "contentEncoding")
        message.properties.isPersistent = reader.boolean("persistent") ?? true
        message.properties.priority = reader.integer("priority", in: 0...255)
        message.properties.correlationID = Self.name(reader, "correlationId")
        message.properties.replyTo = Self.name(reader, "replyTo")
        message.properties.type = Self.name(reader, "type")
        message.properties.appID = Self.name(reader, "appId")
        message.properties.messageID = Self.name(reader, "messageId") ?? call.idempotencyKey.map { Self.identifier($0) }
        if let expiration = reader.duration("expiration") {
            let (seconds, attoseconds) = expiration.components
            let milliseconds = seconds.multipliedReportingOverflow(by: 1_000)
            // The broker counts in 32 bits.
            if milliseconds.overflow || milliseconds.partialValue > Int64(UInt32.max) {
                reader.add("input.expiration: expected at most 49 days but found \(Quantity.text(expiration)).")
            } else {
                message.properties.expiration = String(
                    milliseconds.partialValue + attoseconds / 1_000_000_000_000_000)
            }
        }
    }

    private static func readHeaders(_ reader: FieldReader, _ message: inout OutgoingMessage, _ call: OperationCall) {
        var headers = ValueContext()
        if let fields = reader.object("headers") {
            for key in fields.keys() { headers[key] = fields.value(key) ?? .null }
        }
        if let traceparent = call.traceparent, headers["traceparent"] == nil {
            headers["traceparent"] = .string(traceparent)
        }
        guard !headers.isEmpty else { return }
        do throws(FieldTable.Refusal) {
            message.headers = try FieldTable.encode(headers)
        } catch {
            reader.add("input.\(error.path) \(error.reason).")
        }
    }

    /// A text that fits into AMQP's short strings.
    private static func name(_ reader: FieldReader, _ key: String) -> String? {
        guard let text = reader.string(key) else { return nil }
        guard text.utf8.count <= 255 else {
            reader.add("input.\(key): expected at most 255 bytes but found \(text.utf8.count).")
            return nil
        }
        return text
    }

    /// The idempotency key, or a digest of one that is too long for a message id.
    private static func identifier(_ key: String) -> String {
        guard key.utf8.count > 255 else { return key }
        return String(key.unicodeScalars.prefix(50).map(Character.init)) + "#"
            + String(StableHash.fnv1a64(key), radix: 16)
    }
}
