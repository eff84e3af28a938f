extension Key {
    /// The fixed bits that fill what a key does not need of a UUID.
    private static let fixedRandom: UInt64 = 0x9_2A5C_3D96_1B7E

    /// The key as a UUID version 7 (RFC 9562), one-to-one: the key's time in the time field, partition and sequence in
    /// the random bits.
    ///
    /// Lower-case, with hyphens.
    public var uuid: String {
        let time = UInt64(bitPattern: self.milliseconds &+ Self.epochMilliseconds)
        let low = self.rawValue & 0x3F_FFFF
        let high = (time << 16) | 0x7000 | (low >> 10)
        let rest = 0x8000_0000_0000_0000 | ((low & 0x3FF) << 52) | Self.fixedRandom
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[position] = 0x2D
                    position += 1
                }
                let word = digit < 16 ? high : rest
                let nibble = UInt8(truncatingIfNeeded: (word >> UInt64((15 - digit % 16) * 4)) & 0xF)
                buffer[position] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
                position += 1
            }
            return position
        }
    }

    /// Reads a UUID made by `uuid`, in either case; nil for any other text, UUIDs of other origin included.
    public init?(uuid: some StringProtocol) {
        var high: UInt64 = 0
        var rest: UInt64 = 0
        var digits = 0
        var position = 0
        for byte in uuid.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == 0x2D else { return nil }
                continue
            }
            let nibble: UInt8
            switch byte {
            case 0x30...0x39: nibble = byte - 0x30
            case 0x41...0x46: nibble = byte - 0x37
            case 0x61...0x66: nibble = byte - 0x57
            default: return nil
            }
            guard digits < 32 else { return nil }
            if digits < 16 {
                high = high << 4 | UInt64(nibble)
            } else {
                rest = rest << 4 | UInt64(nibble)
            }
            digits += 1
        }
        guard digits == 32, position == 36 else { return nil }
        guard high & 0xF000 == 0x7000, rest & 0xC00F_FFFF_FFFF_FFFF == 0x8000_0000_0000_0000 | Self.fixedRandom else {
            return nil
        }
        let time = Int64(high >> 16) - Self.epochMilliseconds
        guard time >= 0, time < 1 << 41 else { return nil }
        let low = (high & 0xFFF) << 10 | (rest >> 52) & 0x3FF
        self.init(rawValue: UInt64(time) << 22 | low)
    }
}
