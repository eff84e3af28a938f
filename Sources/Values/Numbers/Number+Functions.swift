extension Number {
    /// The remainder of a floored division, which has the divisor's sign (FEEL `modulo`); nil when `divisor` is zero.
    ///
    /// Exact unless the remainder needs more than 34 digits.
    public func modulo(_ divisor: Number) -> Number? {
        guard !divisor.isZero else { return nil }
        if let left = self.int64, let right = divisor.int64, right != -1 {
            let remainder = left % right
            return Number(remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder)
        }
        let remainder = Decimal128.remainder(self.decimal, divisor.decimal)
        guard !remainder.isZero, remainder.isNegative != divisor.isNegative else { return Number(remainder) }
        return Number.adding(Number(remainder), divisor)
    }

    /// The non-negative square root, correctly rounded; nil below zero.
    public var squareRoot: Number? {
        self.isNegative ? nil : Number(self.decimal.squareRoot)
    }

    /// e to the power of this number; nil when the result is too large.
    public var exp: Number? {
        let decimal = self.decimal
        guard !decimal.isZero else { return .one }
        guard decimal.adjustedExponent < 5 else { return self.isNegative ? .zero : nil }
        return SignedFixedPoint(isNegative: decimal.isNegative, magnitude: FixedPoint(decimal)).exponential()
            .map { Number($0) }
    }

    /// The natural logarithm; nil unless the number is above zero.
    public var log: Number? {
        let decimal = self.decimal
        guard !decimal.isZero, !decimal.isNegative else { return nil }
        let logarithm = SignedFixedPoint.logarithm(of: decimal)
        return logarithm.magnitude.decimal(isNegative: logarithm.isNegative).map { Number($0) }
    }

    /// This number to the power of `exponent`; nil when the result is not a real number or too large.
    ///
    /// 0 to the power of 0 is 1.
    public func power(_ exponent: Number) -> Number? {
        if exponent.isZero || self == .one { return .one }
        if self.isZero { return exponent.isNegative ? nil : .zero }
        guard exponent.isInteger || !self.isNegative else { return nil }
        if let count = exponent.int64, let exact = self.exactPower(count) { return exact }
        let magnitude = exponent.decimal
        let logarithm = SignedFixedPoint.logarithm(of: self.magnitude.decimal)
        let isNegative = self.isNegative && exponent.isOddInteger
        let isGrowing = logarithm.isNegative == magnitude.isNegative
        // A logarithm that is not zero is above 10^-34, so that with such an exponent the result leaves every range.
        guard magnitude.adjustedExponent < 38 else {
            if logarithm.magnitude.isZero { return isNegative ? Number(-1) : .one }
            return isGrowing ? nil : .zero
        }
        let factor = FixedPoint(magnitude)
        guard logarithm.magnitude.isProductBelowTwoToThe64(with: factor) else { return isGrowing ? nil : .zero }
        return SignedFixedPoint(isNegative: !isGrowing, magnitude: logarithm.magnitude * factor)
            .exponential(isNegative: isNegative).map { Number($0) }
    }

    /// The power by repeated multiplication, or nil when a digit would be lost before the last step.
    private func exactPower(_ exponent: Int64) -> Number? {
        var count = exponent.magnitude
        var base = self.decimal
        var result = Decimal128(isNegative: false, coefficient: 1, exponent: 0)
        var isExact = true
        while true {
            if count & 1 == 1 {
                guard isExact, let product = Decimal128.multiplyingReportingExactness(result, base) else { return nil }
                (result, isExact) = product
            }
            count >>= 1
            guard count > 0 else { break }
            guard isExact, let square = Decimal128.multiplyingReportingExactness(base, base), square.isExact else {
                return nil
            }
            base = square.value
        }
        guard exponent < 0 else { return Number(result) }
        let one = Decimal128(isNegative: false, coefficient: 1, exponent: 0)
        return isExact ? Decimal128.dividing(one, result).map { Number($0) } : nil
    }

    private var isOddInteger: Bool {
        let decimal = self.decimal
        return decimal.exponent == 0 && decimal.coefficient & 1 == 1
    }
}
