/// Powers of ten that fit in 128 bits, and 256-bit arithmetic with them.
enum PowersOfTen {
    /// How a remainder compares with half of the divisor.
    enum Fraction {
        case belowHalf, half, aboveHalf
    }

    /// 10^0 to 10^38.
    static let table: [UInt128] = {
        var powers: [UInt128] = [1]
        for _ in 0..<38 { powers.append((powers.last ?? 1) * 10) }
        return powers
    }()

    /// The number of decimal digits; 0 for zero.
    static func digitCount(_ value: UInt128) -> Int {
        guard value != 0 else { return 0 }
        let bits = 128 - value.leadingZeroBitCount
        // 1233 / 4096 approximates log10(2) closely enough up to 128 bits.
        let estimate = (bits * 1_233) >> 12
        return estimate < 39 && value >= Self.table[estimate] ? estimate + 1 : estimate
    }

    /// The number of decimal digits of a 256-bit value below 10^76.
    static func digitCount(high: UInt128, low: UInt128) -> Int {
        guard high != 0 else { return Self.digitCount(low) }
        // 10^38 = 2^38 · 5^38 needs no more than one 128-bit division to split the value in two.
        let (upper, _) = Self.divide(high: high, low: low, by: Self.table[38])
        return 38 + Self.digitCount(upper)
    }

    /// Drops the trailing zeros of a coefficient that is not zero, and says how many.
    static func strippingZeros(_ value: UInt128) -> (coefficient: UInt128, count: Int) {
        var coefficient = value
        var count = 0
        // A multiple of 10^k is one of 2^k, which is cheap to see. A coefficient has fewer than 64 zeros.
        for step in [32, 16, 8, 4, 2, 1] where coefficient.trailingZeroBitCount >= step {
            let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: Self.table[step])
            guard remainder == 0 else { continue }
            coefficient = quotient
            count += step
        }
        return (coefficient, count)
    }

    /// Divides a 256-bit value; the quotient must fit in 128 bits, that is, `high` be below `divisor`.
    static func divide(high: UInt128, low: UInt128, by divisor: UInt128) -> (quotient: UInt128, remainder: UInt128) {
        high == 0 ? low.quotientAndRemainder(dividingBy: divisor) : divisor.dividingFullWidth((high, low))
    }

    /// Divides a 256-bit value by 10^`exponent`, at most 38; the quotient must fit in 128 bits.
    static func divide(
        high: UInt128, low: UInt128, by exponent: Int
    ) -> (quotient: UInt128, fraction: Fraction, isExact: Bool) {
        let divisor = Self.table[exponent]
        let (quotient, remainder) = Self.divide(high: high, low: low, by: divisor)
        let half = divisor / 2
        let fraction: Fraction =
            remainder > half ? .aboveHalf : remainder == half && exponent > 0 ? .half : .belowHalf
        return (quotient, fraction, remainder == 0)
    }

    /// Multiplies a coefficient by 10^`exponent`, at most 76; the product must fit in 256 bits.
    static func multiply(_ coefficient: UInt128, by exponent: Int) -> (high: UInt128, low: UInt128) {
        let first = Swift.min(exponent, 38)
        let product = coefficient.multipliedFullWidth(by: Self.table[first])
        guard exponent > first else { return (product.high, product.low) }
        let factor = Self.table[exponent - first]
        let low = product.low.multipliedFullWidth(by: factor)
        return (low.high + product.high * factor, low.low)
    }
}
