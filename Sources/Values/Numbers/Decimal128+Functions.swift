extension Decimal128 {
    /// The square root of a number that is not negative, correctly rounded.
    var squareRoot: Decimal128 {
        guard !self.isZero else { return self }
        // Scale to 69 or 70 digits and an even exponent, so that the root has 35 digits.
        var shift = 2 * Self.precision + 2 - PowersOfTen.digitCount(self.coefficient)
        if (self.exponent - shift) & 1 != 0 { shift -= 1 }
        let radicand = PowersOfTen.multiply(self.coefficient, by: shift)
        let (root, isExact) = Self.integerSquareRoot(high: radicand.high, low: radicand.low)
        let rounded = Self.rounding(
            isNegative: false, low: root, exponent: (self.exponent - shift) / 2, sticky: !isExact)
        return rounded?.value ?? self
    }

    /// The root of a 256-bit value between 10^68 and 10^70, rounded down.
    private static func integerSquareRoot(high: UInt128, low: UInt128) -> (root: UInt128, isExact: Bool) {
        let approximation = (Double(high) * 0x1p128 + Double(low)).squareRoot()
        var root = UInt128(approximation)
        // Newton's iteration doubles the 53 correct bits each time.
        for _ in 0..<3 {
            let quotient = PowersOfTen.divide(high: high, low: low, by: root).quotient
            root = (root + quotient) / 2
        }
        // Newton's iteration approaches the root from above and may stop one short of the end.
        let square = root.multipliedFullWidth(by: root)
        guard square.high > high || (square.high == high && square.low > low) else {
            return (root, square.high == high && square.low == low)
        }
        return (root - 1, false)
    }

    /// The remainder of a truncated division by a number that is not zero; it has the sign of `lhs`.
    static func remainder(_ lhs: Decimal128, _ rhs: Decimal128) -> Decimal128 {
        var result = lhs
        if lhs.exponent >= rhs.exponent {
            let scale = Self.powerOfTen(lhs.exponent - rhs.exponent, modulo: rhs.coefficient)
            result.coefficient = Self.product(lhs.coefficient % rhs.coefficient, scale, modulo: rhs.coefficient)
            result.exponent = rhs.exponent
        } else if rhs.adjustedExponent <= lhs.adjustedExponent {
            result.coefficient %= rhs.coefficient * PowersOfTen.table[rhs.exponent - lhs.exponent]
        }
        return result
    }

    private static func powerOfTen(_ exponent: Int, modulo modulus: UInt128) -> UInt128 {
        var count = exponent
        var base = 10 % modulus
        var result = 1 % modulus
        while count > 0 {
            if count & 1 == 1 { result = Self.product(result, base, modulo: modulus) }
            base = Self.product(base, base, modulo: modulus)
            count >>= 1
        }
        return result
    }

    private static func product(_ lhs: UInt128, _ rhs: UInt128, modulo modulus: UInt128) -> UInt128 {
        let product = lhs.multipliedFullWidth(by: rhs)
        return PowersOfTen.divide(high: product.high, low: product.low, by: modulus).remainder
    }
}
