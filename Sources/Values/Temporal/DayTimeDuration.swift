/// An exact duration to the nanosecond, such as `P3DT4H5M6.5S`.
///
/// A day has 86,400 seconds.
public struct DayTimeDuration: Sendable, Hashable, Comparable {
    /// Whole seconds, rounded towards minus infinity.
    public let seconds: Int64
    /// Nanoseconds beyond `seconds`, 0 to 999,999,999.
    public let nanoseconds: Int32

    /// Creates a duration of `seconds` and `nanoseconds`, which must lie in `0 ... 999,999,999`.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        precondition((0...999_999_999).contains(nanoseconds), "nanoseconds \(nanoseconds) out of range")
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Creates a duration from nanoseconds, or nil when its seconds do not fit in 64 bits.
    public init?(totalNanoseconds: Int128) {
        guard let seconds = Int64(exactly: totalNanoseconds.floorDivided(by: 1_000_000_000)) else { return nil }
        self.seconds = seconds
        self.nanoseconds = Int32(totalNanoseconds.floorModulo(1_000_000_000))
    }

    /// The whole duration in nanoseconds.
    public var totalNanoseconds: Int128 {
        Int128(self.seconds) * 1_000_000_000 + Int128(self.nanoseconds)
    }

    /// Orders by length.
    public static func < (lhs: DayTimeDuration, rhs: DayTimeDuration) -> Bool {
        (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
    }
}
