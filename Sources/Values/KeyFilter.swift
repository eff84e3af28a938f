/// Tells cheaply that a key is new among those seen before, so that building a context of distinct keys needs no search.
///
/// May say "perhaps" for a key that is new, never "new" for one that is not.
struct KeyFilter {
    private var seen: UInt64 = 0

    /// Notes a key by its UTF-8 bytes and returns whether an equal one may have been noted before.
    ///
    /// A key that is not ASCII may equal one with other bytes; after such a key the answer is always "perhaps".
    @inline(__always)
    mutating func insertMayContain(_ key: UnsafeRawBufferPointer, isASCII: Bool) -> Bool {
        guard isASCII else {
            let isFirst = self.seen == 0
            self.seen = .max
            return !isFirst
        }
        var word = UInt64(truncatingIfNeeded: key.count)
        if key.count >= 8 {
            word ^= key.loadUnaligned(as: UInt64.self)
            word = word &* 0x9E37_79B9_7F4A_7C15
            word ^= key.loadUnaligned(fromByteOffset: key.count &- 8, as: UInt64.self)
        } else {
            for byte in key { word = word << 8 ^ UInt64(byte) }
        }
        let bit = (1 as UInt64) << ((word &* 0x9E37_79B9_7F4A_7C15) >> 58)
        let wasSeen = self.seen & bit != 0
        self.seen |= bit
        return wasSeen
    }
}
