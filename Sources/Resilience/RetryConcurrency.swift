/// Bounds how many calls may be in a retry at once to a share of those that run: a budget that answers at once, for
/// callers who wait.
///
/// Shared by all calls of one connection. The rule is Envoy's retry budget.
public struct RetryConcurrency: Sendable, Hashable {
    /// The sizes.
    public struct Policy: Sendable, Hashable {
        /// Percentage of the active calls that may be in a retry.
        ///
        /// Default 20.
        public var percent = 20.0
        /// Retries that are always allowed.
        ///
        /// Default 3.
        public var minimum = 3

        /// Creates the default sizes.
        public init() {}
    }

    /// The sizes.
    public let policy: Policy
    /// Calls in a retry, its backoff included.
    public private(set) var retrying = 0

    /// Creates a budget nobody uses.
    public init(policy: Policy = Policy()) {
        self.policy = policy
    }

    /// Retries allowed while `active` calls run or wait.
    public func allowed(active: Int) -> Int {
        max(self.policy.minimum, Int(self.policy.percent * Double(active) / 100))
    }

    /// A call wants to begin a retry while `active` calls run or wait; false when too many are in one.
    public mutating func tryBegin(active: Int) -> Bool {
        guard self.retrying < self.allowed(active: active) else { return false }
        self.retrying += 1
        return true
    }

    /// A call that began retries ended.
    public mutating func end() {
        precondition(self.retrying > 0, "end: no call is in a retry")
        self.retrying -= 1
    }
}
