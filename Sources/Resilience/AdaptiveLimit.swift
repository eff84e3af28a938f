/// Finds out how many calls a remote takes at once, from their round-trip times: additive increase, multiplicative
/// decrease, after Vector's adaptive request concurrency.
///
/// Pure: no clock. Once per mean round trip the limit grows by one when calls were held back by it and successes were
/// no slower than usual, and shrinks when the remote pushed back or successes were much slower than usual. It never
/// grows without evidence that the limit was reached.
public struct AdaptiveLimit: Sendable, Hashable {
    /// The constants.
    public struct Policy: Sendable, Hashable {
        /// The limit before anything is known.
        ///
        /// Default 1; a remote known to take more is found out sooner with a higher one.
        public var initial = 1
        /// Factor of a decrease, between 0 and 1.
        ///
        /// Default 0.9.
        public var decreaseRatio = 0.9
        /// Weight of the newest interval in the mean and the variance, between 0 and 1.
        ///
        /// Default 0.4.
        public var smoothing = 0.4
        /// How many standard deviations above the mean count as slow.
        ///
        /// Default 2.5.
        public var deviationScale = 2.5

        /// Creates the default constants.
        public init() {}
    }

    /// What an ended attempt says about the remote.
    public enum Signal: Sendable, Hashable {
        /// It worked; its time counts.
        case success
        /// The remote, or the way to it, has too much to do: a failure that passes, a timeout.
        case backpressure
        /// Nothing: refused for what it asked, cancelled.
        case neutral
    }

    /// The constants.
    public let policy: Policy
    /// The limit never grows past this.
    public let maximum: Int
    /// Calls that should run at once.
    public private(set) var limit: Int
    /// Mean round trip of the past, in seconds; nil before the first success.
    public private(set) var meanSeconds: Double?

    private var variance = 0.0
    private var intervalNanoseconds = 0.0
    private var intervalCount = 0.0
    private var intervalEnd: Duration = .zero
    private var hasReachedLimit = false
    private var hadBackpressure = false

    /// Creates a limit that has seen nothing.
    public init(policy: Policy = Policy(), maximum: Int = 200) {
        self.policy = policy
        self.maximum = max(1, maximum)
        self.limit = min(max(1, policy.initial), self.maximum)
    }

    /// A call began; with it `running` run.
    public mutating func began(running: Int) {
        if running >= self.limit { self.hasReachedLimit = true }
    }

    /// An attempt ended at `now` after `duration`.
    ///
    /// Returns whether the limit changed.
    public mutating func ended(_ signal: Signal, took duration: Duration, at now: Duration) -> Bool {
        switch signal {
        case .success:
            // Whole nanoseconds: equal times have exactly their own mean, however many.
            self.intervalNanoseconds += (max(duration, .zero).inSeconds * 1e9).rounded()
            self.intervalCount += 1
        case .backpressure:
            self.hadBackpressure = true
        case .neutral:
            break
        }
        let current = self.intervalCount > 0 ? self.intervalNanoseconds / self.intervalCount / 1e9 : nil
        guard let mean = self.meanSeconds else {
            guard let current else { return self.endWithoutMean(at: now) }
            self.meanSeconds = current
            self.intervalEnd = now + .clampedSeconds(current)
            return false
        }
        guard now >= self.intervalEnd else { return false }
        let before = self.limit
        self.adjust(current: current, mean: mean)
        self.beginInterval(folding: current, mean: mean, at: now)
        return self.limit != before
    }

    /// A remote that has never answered has no round trip to go by: each push back counts by itself.
    private mutating func endWithoutMean(at now: Duration) -> Bool {
        guard self.hadBackpressure else { return false }
        self.hadBackpressure = false
        guard self.limit > 1 else { return false }
        self.limit = self.decreased
        return true
    }

    private var decreased: Int { max(1, Int(Double(self.limit) * self.policy.decreaseRatio)) }

    private mutating func adjust(current: Double?, mean: Double) {
        let slow = mean + self.policy.deviationScale * self.variance.squareRoot()
        if let current, self.limit < self.maximum, self.hasReachedLimit, !self.hadBackpressure, current <= mean {
            self.limit += 1
        } else if self.limit > 1, self.hadBackpressure || (current ?? 0) >= slow {
            self.limit = self.decreased
        }
    }

    private mutating func beginInterval(folding current: Double?, mean: Double, at now: Duration) {
        if let current {
            let difference = current - mean
            let step = self.policy.smoothing * difference
            self.meanSeconds = mean + step
            self.variance = (1 - self.policy.smoothing) * (self.variance + difference * step)
        }
        self.intervalEnd = now + .clampedSeconds(self.meanSeconds ?? mean)
        self.intervalNanoseconds = 0
        self.intervalCount = 0
        self.hadBackpressure = false
        self.hasReachedLimit = false
    }
}
