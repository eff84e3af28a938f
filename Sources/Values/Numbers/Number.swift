/// An exact decimal number.
///
/// Numbers follow IEEE 754-2008 decimal128: 34 significant digits, rounding half to even, exponents to ±6,144. Whole
/// numbers of 64 bits and decimals with a coefficient of 64 bits are held inline; only longer ones are boxed. Numbers
/// are kept without trailing zeros, so 1.0 equals 1 and prints as `1`.
public struct Number: Sendable, Hashable {
    /// Exactly one representation exists for each value.
    @usableFromInline
    enum Storage: Sendable, Hashable {
        /// Every whole number that fits.
        case integer(Int64)
        /// A coefficient without trailing zeros, times ten to an exponent.
        case scaled(coefficient: Int64, exponent: Int16)
        /// A number whose coefficient needs more than 64 bits.
        case wide(WideNumber)
    }

    @usableFromInline let storage: Storage

    @inlinable
    init(storage: Storage) {
        self.storage = storage
    }

    /// Creates a whole number.
    @inlinable
    public init(_ value: Int64) {
        self.storage = .integer(value)
    }

    /// Creates a whole number.
    @inlinable
    public init(_ value: Int) {
        self.storage = .integer(Int64(value))
    }

    /// Zero.
    public static let zero = Number(0)
    /// One.
    public static let one = Number(1)

    /// The value, if it is a whole number of 64 bits.
    @inlinable
    public var int64: Int64? {
        switch self.storage {
        case .integer(let value): value
        case .scaled, .wide: nil
        }
    }

    /// Whether the value is a whole number, of whatever size.
    public var isInteger: Bool {
        switch self.storage {
        case .integer: true
        case .scaled(_, let exponent): exponent >= 0
        case .wide(let wide): wide.decimal.exponent >= 0
        }
    }

    /// Whether the value is zero.
    @inlinable
    public var isZero: Bool {
        self.int64 == 0
    }

    /// Whether the value is below zero.
    public var isNegative: Bool {
        switch self.storage {
        case .integer(let value): value < 0
        case .scaled(let coefficient, _): coefficient < 0
        case .wide(let wide): wide.decimal.isNegative
        }
    }
}

/// The box of a number whose coefficient needs more than 64 bits.
@usableFromInline
final class WideNumber: Sendable, Hashable {
    let decimal: Decimal128

    init(_ decimal: Decimal128) {
        self.decimal = decimal
    }

    @usableFromInline
    static func == (lhs: WideNumber, rhs: WideNumber) -> Bool {
        lhs.decimal == rhs.decimal
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        hasher.combine(self.decimal)
    }
}

extension Number {
    /// The number taken apart.
    var decimal: Decimal128 {
        switch self.storage {
        case .integer(let value):
            Decimal128(isNegative: value < 0, coefficient: UInt128(value.magnitude), exponent: 0)
        case .scaled(let coefficient, let exponent):
            Decimal128(
                isNegative: coefficient < 0, coefficient: UInt128(coefficient.magnitude), exponent: Int(exponent))
        case .wide(let wide):
            wide.decimal
        }
    }

    /// Finds the one representation of a decimal within range.
    init(_ decimal: Decimal128) {
        guard !decimal.isZero else {
            self.init(storage: .integer(0))
            return
        }
        let sign: Int128 = decimal.isNegative ? -1 : 1
        if decimal.exponent == 0, let whole = Int64(exactly: Int128(decimal.coefficient) * sign) {
            self.init(storage: .integer(whole))
            return
        }
        let (coefficient, zeros) = PowersOfTen.strippingZeros(decimal.coefficient)
        let exponent = decimal.exponent + zeros
        if let narrow = Int64(exactly: Int128(coefficient) * sign) {
            self.init(normalized: narrow, exponent: exponent)
        } else {
            let wide = Decimal128(isNegative: decimal.isNegative, coefficient: coefficient, exponent: exponent)
            self.init(storage: .wide(WideNumber(wide)))
        }
    }

    /// Finds the one representation of a decimal within range whose coefficient fits in 64 bits.
    init(coefficient: Int64, exponent: Int) {
        guard coefficient != 0 else {
            self.init(storage: .integer(0))
            return
        }
        var (coefficient, exponent) = (coefficient, exponent)
        // Only an even number can be a multiple of ten.
        while exponent != 0, coefficient & 1 == 0,
            case let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10),
            remainder == 0
        {
            coefficient = quotient
            exponent += 1
        }
        self.init(normalized: coefficient, exponent: exponent)
    }

    /// Takes a coefficient that is either whole or has no trailing zeros.
    private init(normalized coefficient: Int64, exponent: Int) {
        if exponent == 0 {
            self.init(storage: .integer(coefficient))
        } else if exponent > 0, exponent <= 18,
            case let (product, overflow) = coefficient.multipliedReportingOverflow(
                by: Int64(PowersOfTen.table[exponent])), !overflow
        {
            self.init(storage: .integer(product))
        } else {
            self.init(storage: .scaled(coefficient: coefficient, exponent: Int16(exponent)))
        }
    }
}

extension Number: Comparable {
    /// Orders by numeric value.
    @inlinable
    public static func < (lhs: Number, rhs: Number) -> Bool {
        if case .integer(let left) = lhs.storage, case .integer(let right) = rhs.storage {
            return left < right
        }
        return Self.compare(lhs, rhs) < 0
    }

    @usableFromInline
    static func compare(_ lhs: Number, _ rhs: Number) -> Int {
        Decimal128.compare(lhs.decimal, rhs.decimal)
    }
}

extension Number: ExpressibleByIntegerLiteral {
    /// Creates a whole number.
    @inlinable
    public init(integerLiteral value: Int64) {
        self.init(value)
    }
}
