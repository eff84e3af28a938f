/// A magnitude with 128 integer bits and 384 fraction bits (115 decimal places), for functions that need more digits on
/// the way than the 34 of their result.
struct FixedPoint: Sendable {
    /// 64-bit digits, least significant first: six of fraction, two of integer.
    private var limbs: [UInt64]

    private static let limbCount = 8
    private static let fractionLimbCount = 6
    /// 10^19, the largest power of ten that fits in 64 bits.
    private static let chunk: UInt64 = 10_000_000_000_000_000_000
    private static let chunkDigits = 19

    init(_ integer: UInt128) {
        self.limbs = [UInt64](repeating: 0, count: Self.limbCount)
        self.limbs[Self.fractionLimbCount] = UInt64(truncatingIfNeeded: integer)
        self.limbs[Self.fractionLimbCount + 1] = UInt64(truncatingIfNeeded: integer >> 64)
    }

    /// The magnitude of a decimal below 2^128, cut off after 384 bits of fraction.
    init(_ decimal: Decimal128) {
        self.init(decimal.coefficient)
        if decimal.exponent >= 0 {
            self.scale(byPowerOfTen: decimal.exponent)
        } else {
            self.divide(byPowerOfTen: -decimal.exponent)
        }
    }

    var integerPart: UInt128 {
        UInt128(self.limbs[Self.fractionLimbCount + 1]) << 64 | UInt128(self.limbs[Self.fractionLimbCount])
    }
    var isZero: Bool { self.limbs.allSatisfy { $0 == 0 } }

    static func < (lhs: FixedPoint, rhs: FixedPoint) -> Bool {
        for index in (0..<Self.limbCount).reversed() where lhs.limbs[index] != rhs.limbs[index] {
            return lhs.limbs[index] < rhs.limbs[index]
        }
        return false
    }

    static func + (lhs: FixedPoint, rhs: FixedPoint) -> FixedPoint {
        var result = lhs
        var carry: UInt64 = 0
        for index in 0..<Self.limbCount {
            let (sum, first) = lhs.limbs[index].addingReportingOverflow(rhs.limbs[index])
            let (total, second) = sum.addingReportingOverflow(carry)
            result.limbs[index] = total
            carry = first || second ? 1 : 0
        }
        return result
    }

    /// The difference; `rhs` must not be larger.
    static func - (lhs: FixedPoint, rhs: FixedPoint) -> FixedPoint {
        var result = lhs
        var borrow: UInt64 = 0
        for index in 0..<Self.limbCount {
            let (difference, first) = lhs.limbs[index].subtractingReportingOverflow(rhs.limbs[index])
            let (total, second) = difference.subtractingReportingOverflow(borrow)
            result.limbs[index] = total
            borrow = first || second ? 1 : 0
        }
        return result
    }

    /// The product, cut off after 384 bits of fraction; it must be below 2^128.
    static func * (lhs: FixedPoint, rhs: FixedPoint) -> FixedPoint {
        var product = [UInt64](repeating: 0, count: Self.limbCount * 2)
        for (left, digit) in lhs.limbs.enumerated() where digit != 0 {
            var carry: UInt128 = 0
            for right in 0..<Self.limbCount {
                let sum = UInt128(digit) * UInt128(rhs.limbs[right]) + UInt128(product[left + right]) + carry
                product[left + right] = UInt64(truncatingIfNeeded: sum)
                carry = sum >> 64
            }
            product[left + Self.limbCount] = UInt64(truncatingIfNeeded: carry)
        }
        var result = FixedPoint(0)
        for index in 0..<Self.limbCount { result.limbs[index] = product[index + Self.fractionLimbCount] }
        return result
    }

    /// The quotient of a dividend smaller than `rhs`, cut off after 384 bits.
    static func / (lhs: FixedPoint, rhs: FixedPoint) -> FixedPoint {
        var quotient = FixedPoint(0)
        var remainder = lhs
        for bit in (0..<Self.fractionLimbCount * 64).reversed() {
            remainder = remainder + remainder
            if !(remainder < rhs) {
                remainder = remainder - rhs
                quotient.limbs[bit / 64] |= 1 << UInt64(bit % 64)
            }
        }
        return quotient
    }

    mutating func scale(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in 0..<Self.limbCount {
            let sum = UInt128(self.limbs[index]) * UInt128(factor) + UInt128(carry)
            self.limbs[index] = UInt64(truncatingIfNeeded: sum)
            carry = UInt64(truncatingIfNeeded: sum >> 64)
        }
    }

    mutating func divide(by divisor: UInt64) {
        var remainder: UInt64 = 0
        for index in (0..<Self.limbCount).reversed() {
            (self.limbs[index], remainder) = divisor.dividingFullWidth((remainder, self.limbs[index]))
        }
    }

    mutating func scale(byPowerOfTen exponent: Int) {
        var rest = exponent
        while rest > 0, !self.isZero {
            self.scale(by: rest >= Self.chunkDigits ? Self.chunk : UInt64(PowersOfTen.table[rest]))
            rest -= Self.chunkDigits
        }
    }

    private mutating func divide(byPowerOfTen exponent: Int) {
        var rest = exponent
        while rest > 0, !self.isZero {
            self.divide(by: rest >= Self.chunkDigits ? Self.chunk : UInt64(PowersOfTen.table[rest]))
            rest -= Self.chunkDigits
        }
    }

    /// Whether the product with `other` certainly stays below 2^64.
    func isProductBelowTwoToThe64(with other: FixedPoint) -> Bool {
        self.bitWidth + other.bitWidth <= (2 * Self.fractionLimbCount + 1) * 64
    }

    /// The number of significant bits, counted from 2^−384.
    private var bitWidth: Int {
        for index in (0..<Self.limbCount).reversed() where self.limbs[index] != 0 {
            return index * 64 + 64 - self.limbs[index].leadingZeroBitCount
        }
        return 0
    }

    /// The number as a decimal of 34 digits, times 10^`exponent`; nil on overflow.
    ///
    /// The number is taken as inexact.
    func decimal(isNegative: Bool, exponent: Int = 0) -> Decimal128? {
        guard !self.isZero else { return Decimal128(isNegative: false, coefficient: 0, exponent: 0) }
        // Scale to an integer of 37 or 38 digits; 1233 / 4096 approximates log10(2).
        let magnitude = ((self.bitWidth - Self.fractionLimbCount * 64) * 1_233) >> 12
        let shift = Decimal128.precision + 2 - magnitude
        var scaled = self
        if shift >= 0 { scaled.scale(byPowerOfTen: shift) } else { scaled.divide(byPowerOfTen: -shift) }
        return Decimal128.rounding(
            isNegative: isNegative, low: scaled.integerPart, exponent: exponent - shift, sticky: true)?.value
    }
}

extension FixedPoint {
    static let one = FixedPoint(1)
    /// ln 2 = 2 artanh 1/3.
    static let ln2: FixedPoint = twice(artanh(one / FixedPoint(3)))
    /// ln 10 = 3 ln 2 + 2 artanh 1/9.
    static let ln10: FixedPoint = {
        var threefold = ln2
        threefold.scale(by: 3)
        return threefold + twice(artanh(one / FixedPoint(9)))
    }()

    private static func twice(_ value: FixedPoint) -> FixedPoint { value + value }

    /// The inverse hyperbolic tangent, z + z³/3 + z⁵/5 + …, of a number well below 1.
    static func artanh(_ z: FixedPoint) -> FixedPoint {
        let square = z * z
        var power = z
        var sum = z
        var divisor: UInt64 = 3
        while true {
            power = power * square
            var term = power
            term.divide(by: divisor)
            if term.isZero { return sum }
            sum = sum + term
            divisor += 2
        }
    }

    /// e to the power of `self`, which must be below 3: the series for a 65,536th of it, squared 16 times.
    var exponential: FixedPoint {
        var reduced = self
        reduced.divide(by: 1 << 16)
        var term = Self.one
        var sum = Self.one
        var index: UInt64 = 1
        while true {
            term = term * reduced
            term.divide(by: index)
            if term.isZero { break }
            sum = sum + term
            index += 1
        }
        for _ in 0..<16 { sum = sum * sum }
        return sum
    }
}
