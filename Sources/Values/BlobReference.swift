/// Names a large value that is kept elsewhere, by its content.
public struct BlobReference: Sendable, Hashable {
    /// SHA-256 of the JSON text; 32 bytes.
    public let hash: [UInt8]
    /// The size of the JSON text.
    public let byteCount: Int

    /// Creates a reference.
    public init(hash: [UInt8], byteCount: Int) {
        self.hash = hash
        self.byteCount = byteCount
    }
}
