/// Writes the decimal digits of integers without going through `String`.
enum DecimalText {
    /// Appends the digits of `value`.
    @inline(__always)
    static func write(_ value: UInt64, into bytes: inout [UInt8]) {
        if value < 10 {
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: value))
        } else {
            Self.writeLong(UInt128(value), into: &bytes)
        }
    }

    /// Appends a minus sign if needed and the digits of `value`.
    static func write(_ value: Int64, into bytes: inout [UInt8]) {
        if value < 0 { bytes.append(0x2D) }
        Self.write(value.magnitude, into: &bytes)
    }

    /// Appends the digits of `value`.
    static func writeLong(_ value: UInt128, into bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { digits in
            var start = 40
            var rest = value
            // 64-bit division is much faster: take 18 digits at a time.
            while rest > UInt128(UInt64.max) {
                let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000)
                var chunk = UInt64(truncatingIfNeeded: remainder)
                for _ in 0..<18 {
                    start &-= 1
                    digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: chunk % 10)
                    chunk /= 10
                }
                rest = quotient
            }
            var head = UInt64(truncatingIfNeeded: rest)
            repeat {
                start &-= 1
                digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: head % 10)
                head /= 10
            } while head != 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Appends `value` in two digits; it must be below 100.
    static func writeTwoDigits(_ value: Int, into bytes: inout [UInt8]) {
        bytes.append(0x30 &+ UInt8(truncatingIfNeeded: value / 10))
        bytes.append(0x30 &+ UInt8(truncatingIfNeeded: value % 10))
    }
}
