/// Keeps the attempts of one connection below a rate: the generic cell rate algorithm.
///
/// Pure: no clock.
///
/// Its state is one moment, the theoretical arrival time: when everything granted so far would have arrived at the
/// even rate. An attempt may be ahead of that by `burst` attempts at most.
public struct RateLimiter: Sendable, Hashable {
    /// The rate.
    public struct Policy: Sendable, Hashable {
        /// Attempts allowed in `period`; at least 1.
        public var limit: Int
        /// The period.
        ///
        /// More than zero.
        public var period: Duration
        /// Attempts that may come at once; at least 1.
        public var burst: Int

        /// Creates a rate; without `burst`, all attempts of a period may come at once.
        public init(limit: Int, period: Duration, burst: Int? = nil) {
            self.limit = max(1, limit)
            self.period = max(.nanoseconds(1), period)
            self.burst = max(1, burst ?? limit)
        }

        /// Time between attempts at the even rate.
        var interval: Duration { self.period / self.limit }
    }

    /// The rate.
    public let policy: Policy
    private var arrival: Duration?

    /// Creates a limiter that has granted nothing yet.
    public init(policy: Policy) {
        self.policy = policy
    }

    /// How long an attempt that counts as `cost` attempts has to wait at `now`; zero when it may be made at once.
    ///
    /// A cost above the burst is never free: it waits as long as it takes to be even.
    public func wait(at now: Duration, cost: Int = 1) -> Duration {
        let interval = self.policy.interval
        let next = max(self.arrival ?? now, now) + interval * cost
        return max(.zero, next - interval * max(self.policy.burst, cost) - now)
    }

    /// Grants an attempt at `now` whether or not it is due; ask `wait` before.
    public mutating func take(at now: Duration, cost: Int = 1) {
        self.arrival = max(self.arrival ?? now, now) + self.policy.interval * cost
    }

    /// Grants nothing before `moment`, because the remote said so; then the even rate goes on, without a burst.
    ///
    /// Never shortens a wait.
    public mutating func hold(until moment: Duration) {
        let arrival = moment + self.policy.interval * (self.policy.burst - 1)
        self.arrival = max(self.arrival ?? arrival, arrival)
    }

    /// Attempts that may be made at once at `now`.
    public func remaining(at now: Duration) -> Int {
        let ahead = max(.zero, (self.arrival ?? now) - now)
        let free = self.policy.interval * self.policy.burst - ahead
        return max(0, Int(free / self.policy.interval))
    }
}
