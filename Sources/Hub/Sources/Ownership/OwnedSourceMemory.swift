import ConnectorKit
import HubDocuments
import Storage
import Values

/// The position of a source, kept by its owner only: a write of a node that has lost the source is refused by its fence.
///
/// Errors: HB610 when another node has taken the source over, HB612 when the table of owners fails.
struct OwnedSourceMemory: SourceMemory {
    let resource: String
    let fence: Int64
    let table: OwnerTable
    let tenure: SourceTenure

    /// See `SourceMemory.load()`.
    func load() async throws -> Value? {
        let resource = self.resource
        do {
            let bytes = try await self.table.perform { store throws(StoreError) in try store.load(resource) }
            return try Self.value(bytes, of: resource)
        } catch let error as StoreError {
            throw SourceOwnership.unavailable(error)
        }
    }

    /// See `SourceMemory.save(_:)`.
    func save(_ value: Value) async throws {
        let (resource, fence) = (self.resource, self.fence)
        var writer = ByteWriter()
        ValueCodec.write(value, into: &writer)
        let bytes = writer.bytes
        let isKept: Bool
        do {
            isKept = try await self.table.perform { store throws(StoreError) in
                try store.save(resource, fence: fence, memory: bytes)
            }
        } catch {
            throw SourceOwnership.unavailable(error)
        }
        guard isKept else {
            self.tenure.change { $0.taken() }
            throw SourceOwnership.lost(resource, .taken)
        }
    }

    /// The position in bytes the table keeps; nil for none.
    ///
    /// - Throws: `ConnectorError` HB612 for bytes that this program cannot read.
    static func value(_ bytes: [UInt8]?, of resource: String) throws -> Value? {
        guard let bytes else { return nil }
        let value = bytes.withUnsafeBytes { buffer -> Value? in
            var reader = ByteReader(buffer)
            guard let value = try? ValueCodec.read(&reader), reader.isAtEnd else { return nil }
            return value
        }
        if let value { return value }
        throw ConnectorError(
            .conflict, code: HubCode.ownersUnavailable.rawValue,
            "The position of \(resource) cannot be read: \(bytes.count) bytes that are no value.",
            remedy: "Use the program that wrote it, or reset the position.")
    }
}
