/// How Avro data says which schema it was written with.
package enum AvroFraming {
    /// Why framed bytes cannot be taken apart.
    package typealias Problem = AvroSchema.Problem

    /// The schema of a datum.
    package enum Reference: Sendable, Hashable {
        /// A schema of the registry, by its number.
        case registered(Int32)
        /// A schema by the fingerprint of its canonical form.
        case fingerprint(UInt64)
    }

    /// Bytes of framing before the datum.
    package static let registryBytes = 5
    package static let singleObjectBytes = 10

    /// Zero and the number, big-endian: the wire format of schema registries.
    package static func registered(_ id: Int32) -> [UInt8] {
        [0] + withUnsafeBytes(of: id.bigEndian) { Array($0) }
    }

    /// C3 01 and the fingerprint, little-endian: single-object encoding (Avro 1.11).
    package static func singleObject(_ fingerprint: UInt64) -> [UInt8] {
        [0xC3, 0x01] + withUnsafeBytes(of: fingerprint.littleEndian) { Array($0) }
    }

    /// Which schema `bytes` name, and where their datum begins.
    package static func read(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> (reference: Reference, start: Int) {
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
