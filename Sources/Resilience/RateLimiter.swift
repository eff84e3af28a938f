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
    /// Time between attempts at the even rate, and as many of it as may come at once: computed once, since dividing
    /// lengths of time is slow.
    private let interval: Duration
    private let burst: Duration

    /// Creates a limiter that has granted nothing yet.
    public init(policy: Policy) {
        self.policy = policy
        self.interval = policy.interval
        self.burst = policy.interval * policy.burst
    }

    /// How long an attempt that counts as `cost` attempts has to wait at `now`; zero when it may be made at once.
    ///
    /// A cost above the burst is never free: it waits as long as it takes to be even.
    public func wait(at now: Duration, cost: Int = 1) -> Duration {
        let weight = cost == 1 ? self.interval : self.interval * cost
        return max(.zero, max(self.arrival ?? now, now) + weight - max(self.burst, weight) - now)
    }

    /// Grants an attempt at `now` whether or not it is due; ask `wait` before.
    public mutating func take(at now: Duration, cost: Int = 1) {
        self.arrival = max(self.arrival ?? now, now) + (cost == 1 ? self.interval : self.interval * cost)
    }

    /// Grants nothing before `moment`, because the remote said so; then the even rate goes on, without a burst.
    ///
    /// Never shortens a wait.
    public mutating func hold(until moment: Duration) {
        let arrival = moment + self.burst - self.interval
        self.arrival = max(self.arrival ?? arrival, arrival)
    }

    /// Attempts that may be made at once at `now`.
    public func remaining(at now: Duration) -> Int {
        let ahead = max(.zero, (self.arrival ?? now) - now)
        return max(0, Int((self.burst - ahead) / self.interval))
    }
}
