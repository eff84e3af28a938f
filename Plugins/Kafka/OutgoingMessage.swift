internal import CRDKafka
internal import ConnectorKit
internal import Values

/// One message to send, in bytes.
struct OutgoingMessage: Sendable {
    var topic: String
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [(name: String, value: [UInt8]?)] = []
    /// `nil`: the partitioner chooses.
    var partition: Int32?
    /// Unix milliseconds; 0 is now.
    var timestamp: Int64 = 0

    /// What messages about it call it.
    var title: String { "The message to \(self.topic)" }

    /// Adds it to the queue of `client`, which never waits; `tag` comes back with its delivery report.
    func enqueue(_ client: OpaquePointer, tag: UInt) -> rd_kafka_resp_err_t {
        var list: OpaquePointer?
        if !self.headers.isEmpty {
            list = rd_kafka_headers_new(self.headers.count)
            for (name, value) in self.headers {
                if let value {
                    value.withUnsafeBytes { bytes in
                        // An empty array has no address, which would mean null.
                        let address = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
                        _ = rd_kafka_header_add(list, name, -1, address, bytes.count)
                    }
                } else {
                    rd_kafka_header_add(list, name, -1, nil, 0)
                }
            }
        }
        let number = Self.withBytes(self.key) { key, keyCount in
            Self.withBytes(self.value) { value, valueCount in
                jkr_produce(
                    client, self.topic, self.partition ?? jkr_partition_unassigned, key, keyCount, value, valueCount,
                    self.timestamp, list, UnsafeMutableRawPointer(bitPattern: tag))
            }
        }
        if number != RD_KAFKA_RESP_ERR_NO_ERROR, let list { rd_kafka_headers_destroy(list) }
        return number
    }

    /// Null for no bytes at all; an empty content has an address.
    private static func withBytes<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawPointer?, Int) -> Result
    ) -> Result {
        guard let bytes else { return body(nil, 0) }
        guard !bytes.isEmpty else {
            var nothing: UInt8 = 0
            return body(&nothing, 0)
        }
        return bytes.withUnsafeBytes { body($0.baseAddress, $0.count) }
    }
}

/// Reads messages out of the input of operations.
struct MessageReader: Sendable {
    let settings: KafkaSettings
    let schemas: SchemaStore

    /// The input's fields, all but the content of key and value.
    private struct Draft {
        var message: OutgoingMessage
        var key: Value?
        var value: Value?
        var keyFormat = PayloadFormat.text
        var valueFormat = PayloadFormat.json
        var keySchema: SchemaName?
        var valueSchema: SchemaName?
    }

    private enum SchemaName {
        case named(String)
        case subject(String)
    }

    /// The message of `input`; throws a `ConnectorError` that names everything wrong.
    func message(_ input: Value, path: String, call: OperationCall) async throws -> OutgoingMessage {
        let reader = FieldReader(input, path: path, code: ConnectorError.Code.invalidParameters)
        var draft = self.draft(reader)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        draft.message.key = try await self.bytes(draft.key, draft.keyFormat, draft.keySchema, path + ".key")
        draft.message.value = try await self.bytes(draft.value, draft.valueFormat, draft.valueSchema, path + ".value")
        if let name = self.settings.idempotencyHeader, let key = call.idempotencyKey {
            draft.message.headers.append((name, Array(key.utf8)))
        }
        if let traceparent = call.traceparent, !draft.message.headers.contains(where: { $0.name == "traceparent" }) {
            draft.message.headers.append(("traceparent", Array(traceparent.utf8)))
        }
        return draft.message
    }

    private func draft(_ reader: FieldReader) -> Draft {
        reader.require("topic")
        let topic = reader.string("topic") ?? ""
        if reader.has("topic"), !Self.isTopic(topic) {
            reader.add("\(reader.path).topic: expected 1 to 249 letters, digits, dots, - or _.")
        }
        var draft = Draft(message: OutgoingMessage(topic: topic))
        draft.key = reader.value("key")
        draft.value = reader.value("value")
        draft.keyFormat = reader.word("keyFormat", of: PayloadFormat.self) ?? draft.keyFormat
        draft.valueFormat = reader.word("valueFormat", of: PayloadFormat.self) ?? draft.valueFormat
        draft.message.partition = reader.integer("partition", in: 0...Int(Int32.max)).map { Int32($0) }
        draft.message.timestamp = Int64(reader.integer("timestamp", in: 1...Int.max) ?? 0)
        draft.valueSchema = Self.schema(reader, "schema", "subject", draft.valueFormat)
        draft.keySchema = Self.schema(reader, "keySchema", "keySubject", draft.keyFormat)
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let content = headers.value(name) else {
                    draft.message.headers.append((name, nil))
                    continue
                }
                for item in content.asList ?? [content] {
                    guard let text = Self.headerText(item) else {
                        headers.add(
                            "\(headers.path).\(name.prefix(80)): expected a text, a number, true, false or a list of them."
                        )
                        continue
                    }
                    draft.message.headers.append((name, Array(text.utf8)))
                }
            }
        }
        return draft
    }

    private static func schema(
        _ reader: FieldReader, _ name: String, _ subject: String, _ format: PayloadFormat
    ) -> SchemaName? {
        let named = reader.string(name)
        let registered = reader.string(subject)
        if named != nil || registered != nil, format != .avro {
            reader.add("\(reader.path): \(name) and \(subject) are for Avro only.")
        }
        if named != nil, registered != nil {
            reader.add("\(reader.path): expected either \(name) or \(subject) but found both.")
        }
        if format == .avro, named == nil, registered == nil {
            reader.add("\(reader.path): Avro needs \(name) or \(subject).")
        }
        return named.map { .named($0) } ?? registered.map { .subject($0) }
    }

    private static func headerText(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .number, .boolean: value.description
        default: value.temporalText
        }
    }

    static func isTopic(_ name: String) -> Bool {
        guard (1...249).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    // MARK: - Content

    /// The bytes of a key or value; none for null, which for a value is a tombstone.
    private func bytes(
        _ content: Value?, _ format: PayloadFormat, _ schema: SchemaName?, _ path: String
    ) async throws -> [UInt8]? {
        guard let content else { return nil }
        switch format {
        case .json:
            var bytes: [UInt8] = []
            JSON.write(content, into: &bytes)
            return bytes
        case .text:
            switch content {
            case .string(let text): return Array(text.utf8)
            case .number, .boolean: return Array(content.description.utf8)
            default:
                guard let text = content.temporalText else {
                    throw KafkaErrors.encoding(path, "expected a text but found a \(content.typeName).")
                }
                return Array(text.utf8)
            }
        case .base64:
            guard let bytes = content.asString.flatMap({ Base64.decode($0) }) else {
                throw KafkaErrors.encoding(path, "expected base64.")
            }
            return bytes
        case .avro:
            return try await self.avro(content, schema, path)
        }
    }

    private func avro(_ content: Value, _ schema: SchemaName?, _ path: String) async throws -> [UInt8] {
        let known: AvroSchema
        let prefix: [UInt8]
        switch schema {
        case .named(let name):
            known = try self.schemas.schema(named: name)
            prefix = AvroFraming.singleObject(known.fingerprint)
        case .subject(let subject):
            let latest = try await self.schemas.latest(subject)
            known = latest.schema
            prefix = AvroFraming.registered(latest.id)
        case nil:
            throw KafkaErrors.encoding(path, "Avro needs a schema.")
        }
        do {
            return try AvroEncoder.encode(content, known, prefix: prefix)
        } catch {
            throw KafkaErrors.encoding(path, error.reason + ".")
        }
    }
}
