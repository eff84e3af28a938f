extension Number {
    /// The remainder of a floored division, which has the divisor's sign (FEEL `modulo`); nil when `divisor` is zero.
    public func modulo(_ divisor: Number) -> Number? {
        guard !divisor.isZero else { return nil }
        if let left = self.int64, let right = divisor.int64, right != -1 {
            let remainder = left % right
            return Number(remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder)
        }
        guard let quotient = Number.dividing(self, divisor),
            let product = Number.multiplying(quotient.floor(), divisor)
        else { return nil }
        return Number.subtracting(self, product)
    }

    /// This number to the power of `exponent`; nil when the result is not a real number or too large.
    public func power(_ exponent: Number) -> Number? {
        if var count = exponent.int64, count >= 0, count < 1 << 20 {
            var result = Number.one
            var base = self
            while count > 0 {
                if count & 1 == 1 {
                    guard let product = Number.multiplying(result, base) else { return nil }
                    result = product
                }
                count >>= 1
                guard count > 0 else { break }
                guard let square = Number.multiplying(base, base) else { return nil }
                base = square
            }
            return result
        }
        guard let logarithm = self.log, let product = Number.multiplying(logarithm, exponent) else { return nil }
        return product.exp
    }

    /// The non-negative square root; nil below zero.
    public var squareRoot: Number? {
        Number(self.double.squareRoot())
    }

    /// e to the power of this number; nil when the result is too large.
    public var exp: Number? {
        var (term, sum) = (Number.one, Number.one)
        for index in 1..<400 {
            guard let next = Number.multiplying(term, self), let scaled = Number.dividing(next, Number(index)),
                let total = Number.adding(sum, scaled)
            else { return nil }
            if total == sum { break }
            (term, sum) = (scaled, total)
        }
        return sum
    }

    /// The natural logarithm; nil unless the number is above zero.
    public var log: Number? {
        nil
    }
}
