extension Number {
    /// The sum, or nil on overflow.
    @inlinable
    public static func adding(_ lhs: Number, _ rhs: Number) -> Number? {
        if case .integer(let left) = lhs.storage, case .integer(let right) = rhs.storage {
            let (sum, overflow) = left.addingReportingOverflow(right)
            if !overflow { return Number(sum) }
        }
        return Self.slowAdding(lhs, rhs)
    }

    /// The difference, or nil on overflow.
    @inlinable
    public static func subtracting(_ lhs: Number, _ rhs: Number) -> Number? {
        if case .integer(let left) = lhs.storage, case .integer(let right) = rhs.storage {
            let (difference, overflow) = left.subtractingReportingOverflow(right)
            if !overflow { return Number(difference) }
        }
        return Self.slowAdding(lhs, rhs.negated)
    }

    /// The product, or nil on overflow.
    @inlinable
    public static func multiplying(_ lhs: Number, _ rhs: Number) -> Number? {
        if case .integer(let left) = lhs.storage, case .integer(let right) = rhs.storage {
            let (product, overflow) = left.multipliedReportingOverflow(by: right)
            if !overflow { return Number(product) }
        }
        return Self.slowMultiplying(lhs, rhs)
    }

    /// The quotient, or nil on overflow and on division by zero.
    @inlinable
    public static func dividing(_ lhs: Number, _ rhs: Number) -> Number? {
        if case .integer(let left) = lhs.storage, case .integer(let right) = rhs.storage, right > 0,
            left % right == 0
        {
            return Number(left / right)
        }
        return Self.slowDividing(lhs, rhs)
    }

    @usableFromInline
    static func slowAdding(_ lhs: Number, _ rhs: Number) -> Number? {
        if let left = lhs.narrow, let right = rhs.narrow,
            let sum = left.exponent <= right.exponent ? left.adding(right) : right.adding(left)
        {
            return Number(coefficient: sum.coefficient, exponent: sum.exponent)
        }
        return Decimal128.adding(lhs.decimal, rhs.decimal).map { Number($0) }
    }

    @usableFromInline
    static func slowMultiplying(_ lhs: Number, _ rhs: Number) -> Number? {
        if let left = lhs.narrow, let right = rhs.narrow,
            case let (product, overflow) = left.coefficient.multipliedReportingOverflow(by: right.coefficient),
            !overflow, case let exponent = left.exponent + right.exponent, abs(exponent) < Self.narrowExponentMax
        {
            return Number(coefficient: product, exponent: exponent)
        }
        return Decimal128.multiplying(lhs.decimal, rhs.decimal).map { Number($0) }
    }

    @usableFromInline
    static func slowDividing(_ lhs: Number, _ rhs: Number) -> Number? {
        Decimal128.dividing(lhs.decimal, rhs.decimal).map { Number($0) }
    }

    /// The number with the opposite sign.
    public var negated: Number {
        if case .integer(let value) = self.storage, value != .min {
            return Number(-value)
        }
        var decimal = self.decimal
        decimal.isNegative.toggle()
        return Number(decimal)
    }

    /// The number without its sign.
    public var magnitude: Number {
        self.isNegative ? self.negated : self
    }
}

/// A number whose coefficient fits in 64 bits, for arithmetic that needs no more.
private struct NarrowDecimal {
    var coefficient: Int64
    var exponent: Int

    /// The exact sum with a number of no smaller exponent, or nil when it needs more than 64 bits.
    func adding(_ other: NarrowDecimal) -> NarrowDecimal? {
        let distance = other.exponent - self.exponent
        guard distance <= 18 else { return nil }
        let (scaled, overflow) = other.coefficient.multipliedReportingOverflow(
            by: Int64(truncatingIfNeeded: PowersOfTen.table[distance]))
        let (sum, sumOverflow) = scaled.addingReportingOverflow(self.coefficient)
        return overflow || sumOverflow ? nil : NarrowDecimal(coefficient: sum, exponent: self.exponent)
    }
}

extension Number {
    /// Exponents within this range cannot leave that of decimal128 with any 64-bit coefficient.
    private static let narrowExponentMax = 6_000

    private var narrow: NarrowDecimal? {
        switch self.storage {
        case .integer(let value): NarrowDecimal(coefficient: value, exponent: 0)
        case .scaled(let coefficient, let exponent): NarrowDecimal(coefficient: coefficient, exponent: Int(exponent))
        case .wide: nil
        }
    }
}
