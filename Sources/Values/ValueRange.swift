/// An interval of FEEL values, such as `[1..10)` or `>= date("2026-01-01")`.
///
/// A missing end is unbounded. The range does not check that its ends can be compared; the evaluator does.
public struct ValueRange: Sendable, Hashable {
    /// The lower end, or nil when unbounded below.
    public var lower: Value?
    /// The upper end, or nil when unbounded above.
    public var upper: Value?
    /// Whether the lower end belongs to the range.
    public var includesLower: Bool
    /// Whether the upper end belongs to the range.
    public var includesUpper: Bool

    /// Creates a range; an unbounded end is never included.
    public init(lower: Value?, includesLower: Bool, upper: Value?, includesUpper: Bool) {
        self.lower = lower
        self.upper = upper
        self.includesLower = lower != nil && includesLower
        self.includesUpper = upper != nil && includesUpper
    }
}
