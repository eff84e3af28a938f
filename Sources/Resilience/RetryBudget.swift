/// A token bucket that keeps retries from multiplying the load on a remote that is failing for everybody.
///
/// Shared by all calls of one connection. A retry costs tokens (a retry after a timeout twice as many), a call that
/// succeeds at the first attempt earns one, a success after retries gives the last cost back. The rules are those of
/// the AWS SDKs' standard mode.
public struct RetryBudget: Sendable, Hashable {
    /// The sizes.
    public struct Policy: Sendable, Hashable {
        /// Tokens of a full bucket.
        ///
        /// Default 500.
        public var capacity = 500
        /// Cost of a retry.
        ///
        /// Default 5.
        public var retryCost = 5
        /// Cost of a retry after a timeout.
        ///
        /// Default 10.
        public var timeoutRetryCost = 10
        /// Earned by a success without retries.
        ///
        /// Default 1.
        public var successRefund = 1

        /// Creates the default sizes.
        public init() {}
    }

    /// The sizes.
    public let policy: Policy
    /// Tokens left.
    public private(set) var tokens: Int

    /// Creates a full bucket.
    public init(policy: Policy = Policy()) {
        self.policy = policy
        self.tokens = policy.capacity
    }

    /// Pays for a retry after a failure of `kind`.
    ///
    /// Returns what it cost, or `nil` when there is not enough left.
    public mutating func tryWithdraw(after kind: FailureKind) -> Int? {
        let cost = kind == .timeout ? self.policy.timeoutRetryCost : self.policy.retryCost
        guard self.tokens >= cost else { return nil }
        self.tokens -= cost
        return cost
    }

    /// A call succeeded; `lastCost` is what its last retry cost, 0 when it needed none.
    public mutating func succeeded(lastCost: Int) {
        let refund = lastCost > 0 ? lastCost : self.policy.successRefund
        self.tokens = min(self.policy.capacity, self.tokens + refund)
    }
}
