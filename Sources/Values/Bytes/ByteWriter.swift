/// Appends values in the compact binary form that `ByteReader` reads.
///
/// Integers of fixed width are little-endian; `varint` is LEB128; byte strings carry their length as a varint.
@frozen
public struct ByteWriter: Sendable {
    /// What has been written so far.
    public var bytes: [UInt8]

    /// Creates a writer that appends to `bytes`.
    @inlinable
    public init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Creates an empty writer with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    /// The number of bytes written.
    @inlinable
    public var count: Int { self.bytes.count }

    /// Forgets everything written and keeps the storage.
    @inlinable
    public mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
    }

    /// Appends one byte.
    @inlinable
    public mutating func u8(_ value: UInt8) {
        self.bytes.append(value)
    }

    /// Appends a boolean as one byte.
    @inlinable
    public mutating func bool(_ value: Bool) {
        self.bytes.append(value ? 1 : 0)
    }

    /// Appends an unsigned integer in 1 to 10 bytes, small ones short.
    @inlinable
    public mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed integer as a varint, small magnitudes short.
    @inlinable
    public mutating func zigzag(_ value: Int64) {
        self.varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Appends four bytes, little-endian.
    @inlinable
    public mutating func fixed32LE(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// Appends eight bytes, little-endian.
    @inlinable
    public mutating func fixed64LE(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// Appends a byte string with its length.
    @inlinable
    public mutating func bytes(_ value: some Collection<UInt8>) {
        self.varint(UInt64(value.count))
        self.bytes.append(contentsOf: value)
    }

    /// Appends bytes as they are, without a length.
    @inlinable
    public mutating func raw(_ value: some Sequence<UInt8>) {
        self.bytes.append(contentsOf: value)
    }

    /// Appends the UTF-8 bytes of `value` with their length.
    @inlinable
    public mutating func string(_ value: String) {
        self.varint(UInt64(value.utf8.count))
        self.bytes.append(contentsOf: value.utf8)
    }

    /// Appends the key's eight bytes.
    @inlinable
    public mutating func key(_ value: Key) {
        self.fixed64LE(value.rawValue)
    }
}
