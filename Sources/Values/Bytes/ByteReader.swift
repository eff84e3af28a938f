/// Reads what `ByteWriter` wrote, never past the end.
///
/// The buffer must outlive the reader. After a failure the reader stands where the failed value began or inside it;
/// do not read on.
@frozen
public struct ByteReader {
    /// What is being read.
    public let bytes: UnsafeRawBufferPointer
    /// The position of the next byte.
    public var offset: Int

    /// Creates a reader over `bytes`.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.offset = 0
    }

    /// The number of bytes left.
    @inlinable
    public var remaining: Int { self.bytes.count - self.offset }

    /// Whether nothing is left.
    @inlinable
    public var isAtEnd: Bool { self.offset >= self.bytes.count }

    /// Reads one byte.
    @inlinable
    public mutating func u8() throws(DecodingFailure) -> UInt8 {
        guard self.offset < self.bytes.count else { throw self.failure(.truncated) }
        let byte = self.bytes[self.offset]
        self.offset += 1
        return byte
    }

    /// Reads a boolean, which must be 0 or 1.
    @inlinable
    public mutating func bool() throws(DecodingFailure) -> Bool {
        let byte = try self.u8()
        guard byte <= 1 else { throw self.failure(.invalidValue) }
        return byte == 1
    }

    /// Reads an unsigned LEB128 integer.
    @inlinable
    public mutating func varint() throws(DecodingFailure) -> UInt64 {
        if self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            if byte < 0x80 {
                self.offset += 1
                return UInt64(byte)
            }
        }
        return try self.longVarint()
    }

    @usableFromInline
    mutating func longVarint() throws(DecodingFailure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try self.u8()
            guard shift < 63 || byte <= 1 else { throw self.failure(.oversizedInteger) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// Reads a signed integer written by `zigzag`.
    @inlinable
    public mutating func zigzag() throws(DecodingFailure) -> Int64 {
        let bits = try self.varint()
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    /// Reads four bytes, little-endian.
    @inlinable
    public mutating func fixed32LE() throws(DecodingFailure) -> UInt32 {
        guard self.remaining >= 4 else { throw self.failure(.truncated) }
        defer { self.offset += 4 }
        return UInt32(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: UInt32.self))
    }

    /// Reads eight bytes, little-endian.
    @inlinable
    public mutating func fixed64LE() throws(DecodingFailure) -> UInt64 {
        guard self.remaining >= 8 else { throw self.failure(.truncated) }
        defer { self.offset += 8 }
        return UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self))
    }

    /// Reads a count of things that each take at least `minimumByteCount` bytes, so that a damaged count can never
    /// make the caller reserve more memory than the buffer justifies.
    @inlinable
    public mutating func count(minimumByteCount: Int = 1) throws(DecodingFailure) -> Int {
        let count = try self.varint()
        guard count <= UInt64(self.remaining / Swift.max(1, minimumByteCount)) else {
            throw self.failure(.length(count))
        }
        return Int(count)
    }

    /// Reads a byte string; the result points into the buffer.
    @inlinable
    public mutating func rawBytes() throws(DecodingFailure) -> UnsafeRawBufferPointer {
        let count = try self.count()
        return try self.raw(count)
    }

    /// Reads `count` bytes; the result points into the buffer.
    @inlinable
    public mutating func raw(_ count: Int) throws(DecodingFailure) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= self.remaining else { throw self.failure(.truncated) }
        defer { self.offset += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + count])
    }

    /// Reads a byte string into an array.
    @inlinable
    public mutating func byteArray() throws(DecodingFailure) -> [UInt8] {
        [UInt8](try self.rawBytes())
    }

    /// Reads text, which must be UTF-8.
    @inlinable
    public mutating func string() throws(DecodingFailure) -> String {
        let utf8 = try self.rawBytes()
        guard UTF8Validation.isValid(utf8) else { throw self.failure(.invalidText) }
        return String(decoding: utf8, as: UTF8.self)
    }

    /// Reads a key.
    @inlinable
    public mutating func key() throws(DecodingFailure) -> Key {
        let bits = try self.fixed64LE()
        guard bits >> 63 == 0 else { throw self.failure(.invalidValue) }
        return Key(rawValue: bits)
    }

    /// A failure at the reader's position.
    @inlinable
    public func failure(_ reason: DecodingFailure.Reason) -> DecodingFailure {
        DecodingFailure(reason, offset: self.offset)
    }
}
