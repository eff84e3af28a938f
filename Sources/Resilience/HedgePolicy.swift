/// When a call that is slow is sent a second time beside the first, and the first answer counts.
///
/// Only for calls that do no harm when carried out twice. A hedge passes the same rate limit and breaker as any attempt
/// and is paid from the retry budgets.
public struct HedgePolicy: Sendable, Hashable {
    /// How long an attempt may be silent before it is hedged.
    ///
    /// Default 2 s.
    public var after: Duration = .seconds(2)
    /// Hedges of one call; at least 1.
    ///
    /// Default 1.
    public var maximum = 1

    /// Creates the default policy.
    public init() {}
}
