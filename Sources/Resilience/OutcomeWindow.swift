/// How many recent calls a breaker looks at.
public enum BreakerWindow: Sendable, Hashable {
    /// The last `size` calls, however old.
    case count(size: Int)
    /// The calls of the last `seconds` seconds, in one-second buckets.
    case time(seconds: Int)
}

/// Counts of calls, by verdict.
public struct OutcomeCounts: Sendable, Hashable {
    /// Calls with a verdict.
    public internal(set) var calls = 0
    /// Of these, the failed ones.
    public internal(set) var failures = 0
    /// Of all, the ones slower than the threshold, failed or not.
    public internal(set) var slowCalls = 0

    /// Percentage of failed calls; 0 without calls.
    public var failureRatePercent: Double { self.calls == 0 ? 0 : 100 * Double(self.failures) / Double(self.calls) }
    /// Percentage of slow calls; 0 without calls.
    public var slowRatePercent: Double { self.calls == 0 ? 0 : 100 * Double(self.slowCalls) / Double(self.calls) }

    mutating func add(isFailure: Bool, isSlow: Bool) {
        self.calls += 1
        if isFailure { self.failures += 1 }
        if isSlow { self.slowCalls += 1 }
    }

    mutating func subtract(_ other: OutcomeCounts) {
        self.calls -= other.calls
        self.failures -= other.failures
        self.slowCalls -= other.slowCalls
    }
}

/// A sliding window over call outcomes with a running total: O(1) a call, no allocation after creation.
struct OutcomeWindow: Sendable {
    private(set) var total = OutcomeCounts()
    private var slots: [OutcomeCounts]
    private var position = 0
    private let isTimed: Bool
    /// The second, on the caller's monotonic clock, that `position` stands for.
    ///
    /// Timed windows only.
    private var second: Int64?

    init(_ window: BreakerWindow) {
        switch window {
        case .count(let size):
            self.slots = Array(repeating: OutcomeCounts(), count: max(1, size))
            self.isTimed = false
        case .time(let seconds):
            self.slots = Array(repeating: OutcomeCounts(), count: max(1, seconds))
            self.isTimed = true
        }
    }

    /// Adds one outcome at `now`.
    mutating func record(isFailure: Bool, isSlow: Bool, at now: Duration) {
        if self.isTimed {
            self.advance(to: now)
        } else {
            self.total.subtract(self.slots[self.position])
            self.slots[self.position] = OutcomeCounts()
        }
        self.slots[self.position].add(isFailure: isFailure, isSlow: isSlow)
        self.total.add(isFailure: isFailure, isSlow: isSlow)
        if !self.isTimed {
            self.position = (self.position + 1) % self.slots.count
        }
    }

    /// Forgets what is too old at `now`.
    ///
    /// A clock that went back moves nothing.
    mutating func advance(to now: Duration) {
        guard self.isTimed else { return }
        let current = now.components.seconds
        guard let last = self.second else {
            self.second = current
            return
        }
        guard current > last else { return }
        let steps = min(current - last, Int64(self.slots.count))
        for _ in 0..<steps {
            self.position = (self.position + 1) % self.slots.count
            self.total.subtract(self.slots[self.position])
            self.slots[self.position] = OutcomeCounts()
        }
        self.second = current
    }
}
