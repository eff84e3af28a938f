/// A duration of whole months, such as `P1Y6M`.
///
/// Its length in days depends on where it starts.
public struct YearMonthDuration: Sendable, Hashable, Comparable {
    /// The number of months, possibly negative.
    public let months: Int64

    /// Whole years, rounded towards zero.
    public var yearsPart: Int64 { self.months / 12 }
    /// The months beyond whole years, with the sign of the whole.
    public var monthsPart: Int64 { self.months % 12 }

    /// Creates a duration.
    public init(months: Int64) {
        self.months = months
    }

    /// Orders by length.
    public static func < (lhs: YearMonthDuration, rhs: YearMonthDuration) -> Bool {
        lhs.months < rhs.months
    }
}
