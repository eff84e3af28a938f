internal import ConnectorKit
internal import Values

/// How the bytes of a key or value are read and written.
enum PayloadFormat: String, CaseIterable, Sendable {
    case json, text, base64, avro

    /// Media type of the bytes.
    var contentType: String {
        switch self {
        case .json: "application/json"
        case .text: "text/plain; charset=utf-8"
        case .base64: "application/octet-stream"
        case .avro: "application/avro"
        }
    }
}

/// Reads the bytes of keys and values.
struct PayloadReader: Sendable {
    let format: PayloadFormat
    /// The schema of data that name none.
    let schema: AvroSchema?
    let schemas: SchemaStore
    /// Schemas that the reader of the events knows.
    var known = AvroSchemas()
    let bytesMaximum: Int

    /// What the bytes hold, with what is needed to read them again, or the number of a schema that must be fetched first.
    enum Result {
        case body(SourceEvent.Body, again: Value? = nil)
        case needs(Int32)
    }

    func read(_ bytes: [UInt8]) -> Result {
        guard bytes.count <= self.bytesMaximum else {
            return .body(Self.undecodable("The record has \(bytes.count) bytes; \(self.bytesMaximum) are allowed."))
        }
        switch self.format {
        case .json:
            var decoding = RecordDecoding()
            decoding.recordBytesMaximum = self.bytesMaximum
            return .body(
                RecordDecoder.decode(record: bytes, contentType: "application/json", decoding: decoding))
        case .text:
            if let text = String(validating: bytes, as: UTF8.self) { return .body(.value(.string(text))) }
            return .body(Self.undecodable("The text is not valid UTF-8."))
        case .base64:
            return .body(.value(.string(Base64.encode(bytes))))
        case .avro:
            return bytes.withUnsafeBytes { self.avro($0) }
        }
    }

    private func avro(_ bytes: UnsafeRawBufferPointer) -> Result {
        if let schema = self.schema { return Self.datum(bytes, from: 0, schema) }
        let reference: AvroFraming.Reference
        do {
            reference = try AvroFraming.read(bytes).reference
        } catch {
            if let standard = self.known.standard { return Self.datum(bytes, from: 0, standard) }
            return .body(Self.undecodable("Not valid Avro: \(error.reason)."))
        }
        switch reference {
        case .fingerprint(let fingerprint):
            guard
                let schema = self.schemas.schema(fingerprint: fingerprint)
                    ?? self.known.schema(fingerprint: fingerprint)
            else {
                return .body(
                    Self.undecodable(
                        "No schema has the fingerprint \(String(fingerprint, radix: 16)); add it to schemas."))
            }
            return Self.datum(bytes, from: AvroFraming.singleObjectBytes, schema)
        case .registered(let id):
            if let schema = self.known.named[String(id)] {
                return Self.datum(bytes, from: AvroFraming.registryBytes, schema, isRegistered: true)
            }
            switch self.schemas.cached(id) {
            case .known(let schema):
                return Self.datum(bytes, from: AvroFraming.registryBytes, schema, isRegistered: true)
            case .unusable(let reason):
                if !self.schemas.hasRegistry, let standard = self.known.standard {
                    return Self.datum(bytes, from: 0, standard)
                }
                return .body(Self.undecodable(reason))
            case nil: return .needs(id)
            }
        }
    }

    private static func datum(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ schema: AvroSchema, isRegistered: Bool = false
    ) -> Result {
        let again = AvroSchemas.header(schema, isRegistered: isRegistered)
        do {
            let datum = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return .body(.value(try AvroDecoder.decode(datum, schema)), again: again)
        } catch {
            return .body(Self.undecodable("Not valid Avro: \(error.reason)."), again: again)
        }
    }

    static func undecodable(_ reason: String) -> SourceEvent.Body {
        .undecodable(SourceEvent.Undecodable(line: 1, reason: reason))
    }
}
