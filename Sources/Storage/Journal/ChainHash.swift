internal import Crypto

/// The tamper-evident chain over a partition's batches: SHA-256(previous ‖ payload).
package struct ChainHash: Sendable, Hashable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Bytes of a chain value.
    package static let byteCount = 32

    /// What the first batch of a partition follows: 32 zero bytes.
    package static let start = ChainHash(words: (0, 0, 0, 0))

    private init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// A stored chain value; nil when it has not 32 bytes.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        self.words = (
            bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// The value after a batch with this payload.
    package func chained(with payload: UnsafeRawBufferPointer) -> ChainHash {
        var hasher = SHA256()
        self.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        hasher.update(bufferPointer: payload)
        let words = hasher.finalize().withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
        return ChainHash(words: words)
    }

    /// The value after a batch with this payload.
    package func chained(with payload: [UInt8]) -> ChainHash {
        payload.withUnsafeBytes { self.chained(with: $0) }
    }

    /// The 32 bytes, in place.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: self.words) { body($0) }
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        self.withUnsafeBytes { [UInt8]($0) }
    }

    package static func == (left: ChainHash, right: ChainHash) -> Bool {
        left.words == right.words
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
    }
}

/// The name of a value kept by content.
public enum ContentHash {
    /// SHA-256 of `bytes`; 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](SHA256.hash(data: bytes))
    }
}
