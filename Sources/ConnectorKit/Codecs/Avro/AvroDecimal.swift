import Values

/// Decimals as Avro stores them: an unscaled integer, big-endian, in two's complement.
enum AvroDecimal {
    private static let magnitudeMaximum: Int128 = Self.powerOfTen(34) ?? .max

    /// The number in `bytes`; `nil` when it has more digits than a number holds.
    static func number(_ bytes: UnsafeRawBufferPointer, scale: Int) -> Number? {
        let isNegative = (bytes.first ?? 0) & 0x80 != 0
        let filler: UInt8 = isNegative ? 0xFF : 0
        let significant = bytes.drop { $0 == filler }
        guard significant.count <= 16 else { return nil }
        var unscaled: Int128 = isNegative ? -1 : 0
        for byte in significant { unscaled = unscaled << 8 | Int128(byte) }
        // Sixteen bytes whose first bit says the opposite sign are beyond 128 bits.
        guard (unscaled < 0) == isNegative, unscaled.magnitude < Self.magnitudeMaximum.magnitude else { return nil }
        return Number("\(unscaled)e\(-scale)")
    }

    /// The bytes of `number`, as few as possible; `nil` when it has more than `scale` decimals or `precision` digits.
    static func bytes(_ number: Number, precision: Int, scale: Int) -> [UInt8]? {
        guard let (coefficient, exponent) = Self.parts(number), exponent + scale >= 0,
            let factor = Self.powerOfTen(exponent + scale)
        else {
            return nil
        }
        let (unscaled, overflow) = coefficient.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        if let limit = Self.powerOfTen(precision), unscaled.magnitude >= limit.magnitude { return nil }
        var bytes: [UInt8] = []
        var rest = unscaled
        repeat {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        } while !((rest == 0 && bytes[bytes.count - 1] & 0x80 == 0)
            || (rest == -1 && bytes[bytes.count - 1] & 0x80 != 0))
        return bytes.reversed()
    }

    /// Coefficient without trailing zeros, and exponent, from the number's text.
    private static func parts(_ number: Number) -> (coefficient: Int128, exponent: Int)? {
        var coefficient: Int128 = 0
        var exponent = 0
        var isFraction = false
        let text = number.description.utf8
        var index = text.startIndex
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { index = text.index(after: index) }
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let power = Int(String(text[index...]) ?? "") else { return nil }
                exponent += power
                index = text.endIndex
            default:
                let (shifted, isTooLong) = coefficient.multipliedReportingOverflow(by: 10)
                guard !isTooLong else { return nil }
                coefficient = shifted + Int128(byte &- UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            }
        }
        while coefficient != 0, coefficient % 10 == 0 {
            coefficient /= 10
            exponent += 1
        }
        return (isNegative ? -coefficient : coefficient, coefficient == 0 ? 0 : exponent)
    }

    private static func powerOfTen(_ exponent: Int) -> Int128? {
        guard (0...38).contains(exponent) else { return nil }
        return (0..<exponent).reduce(Int128(1)) { power, _ in power * 10 }
    }
}
