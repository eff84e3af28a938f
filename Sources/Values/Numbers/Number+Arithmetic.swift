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
        Decimal128.adding(lhs.decimal, rhs.decimal).map { Number($0) }
    }

    @usableFromInline
    static func slowMultiplying(_ lhs: Number, _ rhs: Number) -> Number? {
        Decimal128.multiplying(lhs.decimal, rhs.decimal).map { Number($0) }
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
