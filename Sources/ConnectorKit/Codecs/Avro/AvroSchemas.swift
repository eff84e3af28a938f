package import Values

/// The Avro schemas that data may have been written with.
package struct AvroSchemas: Sendable, Hashable {
    package typealias Problem = AvroSchema.Problem

    /// The schema of data that name none.
    package var standard: AvroSchema?
    /// Others, by their number in a registry, or by any name.
    package var named: [String: AvroSchema] = [:]

    /// The member of an event's headers that tells how its payload is read again: `schema`, and `framing` where there is
    /// one.
    package static let header = "avro"

    /// The media type of Avro data.
    package static let contentType = "application/avro"
    static let mediaTypes: Set<String> = [
        Self.contentType, "avro/binary", "application/x-avro", "application/vnd.apache.avro+binary",
    ]

    /// Knows none.
    package init() {}

    /// What `schema` and `schemas` of a decoding say.
    mutating func read(from reader: FieldReader) {
        if let document = reader.value("schema") {
            self.standard = Self.schema(document, "\(reader.path).schema", reader)
        }
        if let others = reader.object("schemas") {
            for name in others.keys() {
                guard let document = others.value(name) else { continue }
                self.named[name] = Self.schema(document, "\(others.path).\(name)", reader)
            }
        }
    }

    private static func schema(_ document: Value, _ path: String, _ reader: FieldReader) -> AvroSchema? {
        do {
            return try AvroSchema(document)
        } catch {
            reader.add("\(path): no Avro schema: \(error.reason).")
            return nil
        }
    }

    /// `schema` and `schemas` of a decoding, as `read(from:)` reads them.
    package var fields: ValueContext {
        var fields = ValueContext()
        if let standard = self.standard { fields["schema"] = .string(standard.text) }
        guard !self.named.isEmpty else { return fields }
        let named = self.named.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value.text)) }
        fields["schemas"] = .context(ValueContext(named))
        return fields
    }

    /// What the headers of an event say about reading its payload again.
    package static func header(_ schema: AvroSchema, isRegistered: Bool = false) -> Value {
        isRegistered ? schema.registeredHeader : schema.header
    }

    // MARK: - Reading

    /// Reads one datum: framed by single-object encoding or a registry's wire format when the schema meant is known, a
    /// container file of one object, or the bare datum of the schema that data without a name have.
    ///
    /// `headers` are those of its event, and win where they name a schema.
    func decode(_ bytes: [UInt8], headers: ValueContext) throws(Problem) -> Value {
        if bytes.starts(with: AvroContainer.magic) { return try self.container(bytes) }
        if let known = headers[Self.header], let text = known["schema"] {
            let schema = try AvroSchema(text)
            let isFramed = bytes.starts(with: AvroFraming.singleObject(schema.fingerprint))
            let start =
                known["framing"] == "registry"
                ? AvroFraming.registryBytes : isFramed ? AvroFraming.singleObjectBytes : 0
            return try Self.datum(bytes, from: start, schema)
        }
        let reference = bytes.withUnsafeBytes { try? AvroFraming.read($0) }
        switch reference?.reference {
        case .fingerprint(let fingerprint)?:
            if let schema = self.schema(fingerprint: fingerprint) {
                return try Self.datum(bytes, from: AvroFraming.singleObjectBytes, schema)
            }
        case .registered(let id)?:
            if let schema = self.named[String(id)] {
                return try Self.datum(bytes, from: AvroFraming.registryBytes, schema)
            }
        case nil: break
        }
        if let standard = self.standard { return try Self.datum(bytes, from: 0, standard) }
        switch reference?.reference {
        case .fingerprint(let fingerprint)?:
            throw Problem(
                reason: "no schema has the fingerprint \(String(fingerprint, radix: 16)); add it to decode.schemas")
        case .registered(let id)?:
            throw Problem(reason: "the registry's schema \(id) is not known here; add it as decode.schemas.\(id)")
        case nil:
            throw Problem(reason: "the bytes name no schema; set decode.schema")
        }
    }

    /// The schema whose canonical form has this fingerprint.
    package func schema(fingerprint: UInt64) -> AvroSchema? {
        if let standard = self.standard, standard.fingerprint == fingerprint { return standard }
        return self.named.values.first { $0.fingerprint == fingerprint }
    }

    private static func datum(_ bytes: [UInt8], from start: Int, _ schema: AvroSchema) throws(Problem) -> Value {
        guard start <= bytes.count else { throw Problem(reason: "the datum ends too early") }
        let (value, count) = try AvroDecoder.decodeFirst(bytes[start...], schema)
        guard start + count == bytes.count else {
            throw Problem(reason: "\(bytes.count - start - count) bytes are left after the datum")
        }
        return value
    }

    private func container(_ bytes: [UInt8]) throws(Problem) -> Value {
        var cutter = AvroContainer(bytes, recordBytesMaximum: bytes.count)
        guard let first = cutter.next(bytes) else { throw Problem(reason: "the container file holds no object") }
        switch first.body {
        case .value(let value):
            guard cutter.next(bytes) == nil else {
                throw Problem(reason: "the container file holds several objects, but a message is one record")
            }
            return value
        case .undecodable(let finding): throw Problem(reason: finding.reason)
        case .undecoded: throw Problem(reason: "the container file cannot be read")
        }
    }
}
