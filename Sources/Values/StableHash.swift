/// A 64-bit hash that is the same in every run, on every machine and in every version of this software.
///
/// Use it wherever a hash is stored or decides where something lives (partition of a message, bucket of a percentage
/// roll-out). It is not a defence against chosen input: for tables in memory use `Hasher`.
public enum StableHash {
    @usableFromInline static let offsetBasis: UInt64 = 0xCBF2_9CE4_8422_2325
    @usableFromInline static let prime: UInt64 = 0x0000_0100_0000_01B3

    /// FNV-1a, 64 bit, of `bytes`, continuing from `state`.
    @inlinable
    public static func fnv1a64(_ bytes: some Sequence<UInt8>, state: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = state
        for byte in bytes {
            hash = (hash ^ UInt64(byte)) &* Self.prime
        }
        return hash
    }

    /// FNV-1a, 64 bit, of the UTF-8 bytes of `text`, continuing from `state`.
    @inlinable
    public static func fnv1a64(_ text: String, state: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        Self.fnv1a64(text.utf8, state: state)
    }

    /// Spreads the bits of `hash` so that every bit depends on every other; use it before taking a remainder.
    @inlinable
    public static func mixed(_ hash: UInt64) -> UInt64 {
        var bits = hash
        bits = (bits ^ (bits >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        bits = (bits ^ (bits >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return bits ^ (bits >> 33)
    }
}
