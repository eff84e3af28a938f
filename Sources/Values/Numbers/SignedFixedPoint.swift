/// A fixed-point number with a sign: logarithms, and what exponentials are taken of.
struct SignedFixedPoint {
    var isNegative: Bool
    var magnitude: FixedPoint

    static func + (lhs: SignedFixedPoint, rhs: SignedFixedPoint) -> SignedFixedPoint {
        if lhs.isNegative == rhs.isNegative {
            return SignedFixedPoint(isNegative: lhs.isNegative, magnitude: lhs.magnitude + rhs.magnitude)
        }
        let isSmaller = lhs.magnitude < rhs.magnitude
        return SignedFixedPoint(
            isNegative: isSmaller ? rhs.isNegative : lhs.isNegative,
            magnitude: isSmaller ? rhs.magnitude - lhs.magnitude : lhs.magnitude - rhs.magnitude)
    }

    /// The natural logarithm of a decimal above zero.
    static func logarithm(of decimal: Decimal128) -> SignedFixedPoint {
        // decimal = f · 2^twos · 10^tens with f between 3/4 and 3/2.
        let tens = decimal.adjustedExponent
        var fraction = FixedPoint(
            Decimal128(isNegative: false, coefficient: decimal.coefficient, exponent: decimal.exponent - tens))
        var twos = 0
        var threeHalves = FixedPoint(3)
        threeHalves.divide(by: 2)
        while !(fraction < threeHalves) {
            fraction.divide(by: 2)
            twos += 1
        }
        let isBelowOne = fraction < .one
        let distance = isBelowOne ? .one - fraction : fraction - .one
        let artanh = FixedPoint.artanh(distance / (fraction + .one))
        let logarithm = SignedFixedPoint(isNegative: isBelowOne, magnitude: artanh + artanh)
        return logarithm + Self.multiple(of: .ln2, twos) + Self.multiple(of: .ln10, tens)
    }

    private static func multiple(of value: FixedPoint, _ count: Int) -> SignedFixedPoint {
        var magnitude = value
        magnitude.scale(by: UInt64(count.magnitude))
        return SignedFixedPoint(isNegative: count < 0, magnitude: magnitude)
    }

    /// e to the power of this number as a decimal with the given sign; nil on overflow, zero on underflow.
    func exponential(isNegative resultIsNegative: Bool = false) -> Decimal128? {
        let zero = Decimal128(isNegative: false, coefficient: 0, exponent: 0)
        // Beyond this e^x leaves the range of decimal128 on either side.
        guard self.magnitude.integerPart < 14_300 else { return self.isNegative ? zero : nil }
        // x = tens · ln 10 + rest with rest in 0 ..< ln 10.
        var tens = 0
        var rest = self.magnitude
        let estimate = Int(self.magnitude.integerPart) * 10_000 / 23_026
        if estimate > 0 {
            var product = FixedPoint.ln10
            product.scale(by: UInt64(estimate))
            rest = rest - product
            tens = estimate
        }
        while !(rest < .ln10) {
            rest = rest - .ln10
            tens += 1
        }
        if self.isNegative, !rest.isZero {
            rest = .ln10 - rest
            tens += 1
        }
        return rest.exponential.decimal(isNegative: resultIsNegative, exponent: self.isNegative ? -tens : tens)
    }
}
