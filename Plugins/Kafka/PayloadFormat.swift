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

/// How Avro data says which schema it was written with.
enum AvroFraming {
    /// Why framed bytes cannot be taken apart.
    typealias Problem = AvroSchema.Problem

    /// The schema of a datum.
    enum Reference: Sendable, Hashable {
        /// A schema of the registry, by its number.
        case registered(Int32)
        /// A schema by the fingerprint of its canonical form.
        case fingerprint(UInt64)
    }

    /// Bytes of framing before the datum.
    static let registryBytes = 5
    static let singleObjectBytes = 10

    /// Zero and the number, big-endian: the wire format of schema registries.
    static func registered(_ id: Int32) -> [UInt8] {
        [0] + withUnsafeBytes(of: id.bigEndian) { Array($0) }
    }

    /// C3 01 and the fingerprint, little-endian: single-object encoding (Avro 1.11).
    static func singleObject(_ fingerprint: UInt64) -> [UInt8] {
        [0xC3, 0x01] + withUnsafeBytes(of: fingerprint.littleEndian) { Array($0) }
    }

    /// Which schema `bytes` name, and where their datum begins.
    static func read(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> (reference: Reference, start: Int) {
        if bytes.count >= Self.registryBytes, bytes[0] == 0 {
            let id = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: Int32.self))
            return (.registered(id), Self.registryBytes)
        }
        if bytes.count >= Self.singleObjectBytes, bytes[0] == 0xC3, bytes[1] == 0x01 {
            let fingerprint = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            return (.fingerprint(fingerprint), Self.singleObjectBytes)
        }
        throw Problem(
            reason: "the bytes name no Avro schema: expected the registry's wire format or single-object encoding")
    }
}

/// Reads the bytes of keys and values.
struct PayloadReader: Sendable {
    let format: PayloadFormat
    /// The schema of data that name none.
    let schema: AvroSchema?
    let schemas: SchemaStore
    let bytesMaximum: Int

    /// What the bytes hold, or the number of a schema that must be fetched first.
    enum Result {
        case body(SourceEvent.Body)
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
        do throws(AvroSchema.Problem) {
            if let schema = self.schema { return .body(.value(try AvroDecoder.decode(bytes, schema))) }
            let (reference, start) = try AvroFraming.read(bytes)
            let datum = UnsafeRawBufferPointer(rebasing: bytes[start...])
            switch reference {
            case .fingerprint(let fingerprint):
                guard let schema = self.schemas.schema(fingerprint: fingerprint) else {
                    return .body(
                        Self.undecodable(
                            "No schema has the fingerprint \(String(fingerprint, radix: 16)); add it to schemas."))
                }
                return .body(.value(try AvroDecoder.decode(datum, schema)))
            case .registered(let id):
                switch self.schemas.cached(id) {
                case .known(let schema): return .body(.value(try AvroDecoder.decode(datum, schema)))
                case .unusable(let reason): return .body(Self.undecodable(reason))
                case nil: return .needs(id)
                }
            }
        } catch {
            return .body(Self.undecodable("Not valid Avro: \(error.reason)."))
        }
    }

    static func undecodable(_ reason: String) -> SourceEvent.Body {
        .undecodable(SourceEvent.Undecodable(line: 1, reason: reason))
    }
}
