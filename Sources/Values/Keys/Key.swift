/// The 63-bit key of an instance, element instance, job or any other record.
///
/// From the top: 41 bits milliseconds since 2024-01-01T00:00:00Z, 10 bits partition, 12 bits sequence. Keys sort by
/// time and name their partition, so that no lookup is needed to route by one.
@frozen
public struct Key: RawRepresentable, Hashable, Comparable, Sendable {
    /// Milliseconds from 1970 to the start of the key's clock, 2024-01-01T00:00:00Z.
    public static let epochMilliseconds: Int64 = 1_704_067_200_000
    /// The number of partitions a key can name.
    public static let partitionCountMax = 1 << 10

    /// The key as an integer; the top bit is never set.
    public let rawValue: UInt64

    /// Takes the low 63 bits of `rawValue`.
    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0x7FFF_FFFF_FFFF_FFFF
    }

    /// Builds a key from its parts, each cut to its number of bits.
    @inlinable
    public init(milliseconds: Int64, partition: Int, sequence: Int) {
        let time = (UInt64(truncatingIfNeeded: milliseconds) & 0x1FF_FFFF_FFFF) << 22
        let place = (UInt64(truncatingIfNeeded: partition) & 0x3FF) << 12
        self.rawValue = time | place | (UInt64(truncatingIfNeeded: sequence) & 0xFFF)
    }

    /// Reads a decimal key, or returns nil unless `text` is one in `0 ... 2^63 - 1`.
    public init?(_ text: some StringProtocol) {
        guard let number = Int64(text), number >= 0, text.utf8.first.map({ $0 != 0x2B && $0 != 0x2D }) == true else {
            return nil
        }
        self.rawValue = UInt64(number)
    }

    /// The partition the record lives in, `0 ..< 1024`.
    @inlinable
    public var partition: Int { Int(truncatingIfNeeded: (self.rawValue >> 12) & 0x3FF) }

    /// Milliseconds since `Key.epochMilliseconds`.
    @inlinable
    public var milliseconds: Int64 { Int64(truncatingIfNeeded: self.rawValue >> 22) }

    /// The running number within the millisecond, `0 ..< 4096`.
    @inlinable
    public var sequence: Int { Int(truncatingIfNeeded: self.rawValue & 0xFFF) }

    /// Orders by time, then partition, then sequence.
    @inlinable
    public static func < (lhs: Key, rhs: Key) -> Bool {
        lhs.rawValue < rhs.rawValue
    }
}

extension Key: CustomStringConvertible {
    /// The key as a decimal number.
    public var description: String { String(self.rawValue) }
}
