/// A finite decimal128 number taken apart: sign, coefficient below 10^34, exponent.
///
/// This is the slow path behind `Number`. Operations follow IEEE 754-2008: exact when the result fits in 34 digits,
/// otherwise rounded half to even; nil when the result is too large.
struct Decimal128: Sendable, Hashable {
    /// The number of significant digits.
    static let precision = 34
    /// The exponent of the least significant digit of the smallest subnormal number.
    static let exponentMin = -6_176
    /// The largest exponent of the most significant digit.
    static let adjustedExponentMax = 6_144

    var isNegative: Bool
    var coefficient: UInt128
    var exponent: Int

    var isZero: Bool { self.coefficient == 0 }
    /// The exponent of the most significant digit of a number that is not zero.
    var adjustedExponent: Int { self.exponent + PowersOfTen.digitCount(self.coefficient) - 1 }
}

extension Decimal128 {
    /// Rounds an exact or truncated 256-bit coefficient to a decimal128 number.
    ///
    /// `sticky` says that the true value lies a little above the coefficient. Returns nil on overflow.
    static func rounding(
        isNegative: Bool, high: UInt128 = 0, low: UInt128, exponent: Int, sticky: Bool = false
    ) -> (value: Decimal128, isExact: Bool)? {
        let digits = PowersOfTen.digitCount(high: high, low: low)
        var drop = Swift.max(0, digits - Self.precision)
        if exponent + drop < Self.exponentMin { drop = Self.exponentMin - exponent }
        if drop == 0 {
            let value = Decimal128(isNegative: isNegative && low != 0, coefficient: low, exponent: exponent)
            return value.fitted.map { ($0, !sticky) }
        }
        guard drop <= digits else {
            // Less than a tenth of the smallest unit.
            let zero = Decimal128(isNegative: false, coefficient: 0, exponent: 0)
            return (zero, digits == 0 && !sticky)
        }
        var (high, low, exponent, sticky) = (high, low, exponent, sticky)
        if drop > 38 {
            let (quotient, remainder) = PowersOfTen.divide(high: high, low: low, by: PowersOfTen.table[38])
            (high, low, exponent, sticky) = (0, quotient, exponent + 38, sticky || remainder != 0)
            drop -= 38
        }
        let (quotient, comparison, isExact) = PowersOfTen.divide(high: high, low: low, by: drop)
        var coefficient = quotient
        let isTie = comparison == .half && !sticky
        if comparison == .aboveHalf || (comparison == .half && sticky) || (isTie && coefficient & 1 == 1) {
            coefficient += 1
        }
        var resultExponent = exponent + drop
        if coefficient == PowersOfTen.table[Self.precision] {
            coefficient = PowersOfTen.table[Self.precision - 1]
            resultExponent += 1
        }
        let value = Decimal128(
            isNegative: isNegative && coefficient != 0, coefficient: coefficient, exponent: resultExponent)
        return value.fitted.map { ($0, isExact && !sticky) }
    }

    /// The number itself unless it is too large.
    private var fitted: Decimal128? {
        self.isZero || self.adjustedExponent <= Self.adjustedExponentMax ? self : nil
    }

    static func adding(_ lhs: Decimal128, _ rhs: Decimal128) -> Decimal128? {
        if lhs.isZero { return rhs }
        if rhs.isZero { return lhs }
        let (upper, lower) = lhs.exponent >= rhs.exponent ? (lhs, rhs) : (rhs, lhs)
        let distance = upper.exponent - lower.exponent
        if distance > Self.precision + 3 {
            return Self.addingFar(upper, lower)
        }
        let scaled = upper.coefficient.multipliedFullWidth(by: PowersOfTen.table[distance])
        var (high, low) = (scaled.high, scaled.low)
        if upper.isNegative == lower.isNegative {
            let (sum, carry) = low.addingReportingOverflow(lower.coefficient)
            low = sum
            high += carry ? 1 : 0
            return Self.rounding(isNegative: upper.isNegative, high: high, low: low, exponent: lower.exponent)?.value
        }
        if high == 0 && low < lower.coefficient {
            return Self.rounding(
                isNegative: lower.isNegative, low: lower.coefficient - low, exponent: lower.exponent)?.value
        }
        let (difference, borrow) = low.subtractingReportingOverflow(lower.coefficient)
        high -= borrow ? 1 : 0
        return Self.rounding(isNegative: upper.isNegative, high: high, low: difference, exponent: lower.exponent)?.value
    }

    /// Adds two numbers whose exponents are more than a precision apart: the lower one may only tip the rounding, which
    /// one unit far below the last digit does as well, unless the upper coefficient is short enough for both to show.
    private static func addingFar(_ upper: Decimal128, _ lower: Decimal128) -> Decimal128? {
        let shift = Self.precision + 3 - PowersOfTen.digitCount(upper.coefficient)
        let coefficient = upper.coefficient * PowersOfTen.table[shift]
        let exponent = upper.exponent - shift
        if lower.adjustedExponent >= exponent {
            // Both show: the distance of the exponents is bounded by twice the precision here.
            let distance = exponent - lower.exponent
            let scaled = coefficient.multipliedFullWidth(by: PowersOfTen.table[distance])
            let same = upper.isNegative == lower.isNegative
            let (low, carry) =
                same
                ? scaled.low.addingReportingOverflow(lower.coefficient)
                : scaled.low.subtractingReportingOverflow(lower.coefficient)
            let high = same ? scaled.high + (carry ? 1 : 0) : scaled.high - (carry ? 1 : 0)
            return Self.rounding(isNegative: upper.isNegative, high: high, low: low, exponent: lower.exponent)?.value
        }
        let same = upper.isNegative == lower.isNegative
        return Self.rounding(
            isNegative: upper.isNegative, low: same ? coefficient : coefficient - 1, exponent: exponent, sticky: true
        )?.value
    }

    static func multiplying(_ lhs: Decimal128, _ rhs: Decimal128) -> Decimal128? {
        Self.multiplyingReportingExactness(lhs, rhs)?.value
    }

    static func multiplyingReportingExactness(
        _ lhs: Decimal128, _ rhs: Decimal128
    ) -> (value: Decimal128, isExact: Bool)? {
        let product = lhs.coefficient.multipliedFullWidth(by: rhs.coefficient)
        return Self.rounding(
            isNegative: lhs.isNegative != rhs.isNegative, high: product.high, low: product.low,
            exponent: lhs.exponent + rhs.exponent)
    }

    /// The quotient; nil on overflow and when `rhs` is zero.
    static func dividing(_ lhs: Decimal128, _ rhs: Decimal128) -> Decimal128? {
        Self.dividingReportingExactness(lhs, rhs)?.value
    }

    static func dividingReportingExactness(
        _ lhs: Decimal128, _ rhs: Decimal128
    ) -> (value: Decimal128, isExact: Bool)? {
        guard !rhs.isZero else { return nil }
        guard !lhs.isZero else { return (lhs, true) }
        // Scale the dividend by 10^2 to 10^68, so that the quotient has 35 or 36 digits.
        let shift =
            Self.precision + 1 + PowersOfTen.digitCount(rhs.coefficient) - PowersOfTen.digitCount(lhs.coefficient)
        let dividend = PowersOfTen.multiply(lhs.coefficient, by: shift)
        let (quotient, remainder) = PowersOfTen.divide(high: dividend.high, low: dividend.low, by: rhs.coefficient)
        return Self.rounding(
            isNegative: lhs.isNegative != rhs.isNegative, low: quotient,
            exponent: lhs.exponent - rhs.exponent - shift, sticky: remainder != 0)
    }

    /// Orders by numeric value: negative when `lhs` is smaller, 0 when equal.
    static func compare(_ lhs: Decimal128, _ rhs: Decimal128) -> Int {
        if lhs.isZero || rhs.isZero || lhs.isNegative != rhs.isNegative {
            return lhs.signum - rhs.signum
        }
        let magnitude = Self.compareMagnitudes(lhs, rhs)
        return lhs.isNegative ? -magnitude : magnitude
    }

    private static func compareMagnitudes(_ lhs: Decimal128, _ rhs: Decimal128) -> Int {
        let (left, right) = (lhs.adjustedExponent, rhs.adjustedExponent)
        if left != right { return left < right ? -1 : 1 }
        var (leftCoefficient, rightCoefficient) = (lhs.coefficient, rhs.coefficient)
        if lhs.exponent > rhs.exponent {
            leftCoefficient *= PowersOfTen.table[lhs.exponent - rhs.exponent]
        } else {
            rightCoefficient *= PowersOfTen.table[rhs.exponent - lhs.exponent]
        }
        return leftCoefficient < rightCoefficient ? -1 : leftCoefficient == rightCoefficient ? 0 : 1
    }

    /// −1, 0 or 1.
    var signum: Int { self.isZero ? 0 : self.isNegative ? -1 : 1 }
}
