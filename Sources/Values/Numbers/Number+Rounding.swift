extension Number {
    /// What to do with digits that are dropped.
    public enum RoundingMode: Sendable, Hashable {
        /// Away from zero.
        case up
        /// Towards zero.
        case down
        /// To plus infinity.
        case ceiling
        /// To minus infinity.
        case floor
        /// To the nearest, halves away from zero.
        case halfUp
        /// To the nearest, halves towards zero.
        case halfDown
        /// To the nearest, halves to the even neighbour.
        case halfEven
    }

    /// The number rounded to `scale` digits after the point; a negative scale rounds to tens, hundreds and so on.
    public func rounded(scale: Int, mode: RoundingMode) -> Number {
        let decimal = self.decimal
        // No digit lies beyond these scales.
        let scale = Swift.min(Swift.max(scale, -10_000), 10_000)
        let drop = -scale - decimal.exponent
        guard drop > 0, !decimal.isZero else { return self }
        let quotient: UInt128
        let fraction: PowersOfTen.Fraction
        let isExact: Bool
        if drop > Decimal128.precision {
            (quotient, fraction, isExact) = (0, .belowHalf, false)
        } else {
            (quotient, fraction, isExact) = PowersOfTen.divide(high: 0, low: decimal.coefficient, by: drop)
        }
        let goesUp =
            switch mode {
            case .up: !isExact
            case .down: false
            case .ceiling: !isExact && !decimal.isNegative
            case .floor: !isExact && decimal.isNegative
            case .halfUp: fraction != .belowHalf
            case .halfDown: fraction == .aboveHalf
            case .halfEven: fraction == .aboveHalf || (fraction == .half && quotient & 1 == 1)
            }
        let result = Decimal128.rounding(
            isNegative: decimal.isNegative, low: goesUp ? quotient + 1 : quotient, exponent: decimal.exponent + drop)
        return result.map { Number($0.value) } ?? self
    }

    /// The largest number with `scale` digits after the point that is not above this one.
    public func floor(scale: Int = 0) -> Number {
        self.rounded(scale: scale, mode: .floor)
    }

    /// The smallest number with `scale` digits after the point that is not below this one.
    public func ceiling(scale: Int = 0) -> Number {
        self.rounded(scale: scale, mode: .ceiling)
    }
}
