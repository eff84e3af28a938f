#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How long to wait before the next attempt, as a function of how many there were.
///
/// Attempts are counted from 0: the wait after the first failure is that of attempt 0. No wait exceeds `cap`.
public enum Backoff: Sendable, Hashable {
    /// Always `delay`.
    case constant(Duration)
    /// `base · multiplierⁿ`, without randomness.
    case exponential(base: Duration, multiplier: Double, cap: Duration)
    /// `U(0, min(cap, base · 2ⁿ))`: spreads callers best. The default.
    case fullJitter(base: Duration, cap: Duration)
    /// Half of `min(cap, base · 2ⁿ)` for certain, the other half at random.
    case equalJitter(base: Duration, cap: Duration)
    /// `min(cap, U(base, previous · 3))`.
    case decorrelatedJitter(base: Duration, cap: Duration)
    /// Polly v8's decorrelated jitter "v2": the difference of a smooth function of `n + U(0, 1)`.
    case pollyJitter(base: Duration, cap: Duration)

    /// The longest wait it gives.
    public var maximum: Duration {
        switch self {
        case .constant(let delay): delay
        case .exponential(_, _, let cap), .fullJitter(_, let cap), .equalJitter(_, let cap),
            .decorrelatedJitter(_, let cap), .pollyJitter(_, let cap):
            cap
        }
    }
}

/// What a backoff remembers from one attempt to the next.
public struct BackoffMemory: Sendable, Hashable {
    private var attempt = 0
    private var previousSeconds = 0.0

    /// Creates the memory of a call that has not failed yet.
    public init() {}

    /// The wait after one more failure.
    ///
    /// `unit` is a random number in [0, 1).
    public mutating func nextDelay(_ backoff: Backoff, unit: Double) -> Duration {
        let n = self.attempt
        self.attempt = min(n + 1, 1_000_000)
        switch backoff {
        case .constant(let delay):
            return max(delay, .zero)
        case .exponential(let base, let multiplier, let cap):
            return .clampedSeconds(min(cap.inSeconds, base.inSeconds * pow(max(1, multiplier), Double(n))))
        case .fullJitter(let base, let cap):
            return .clampedSeconds(unit * Self.doubled(base, cap, n))
        case .equalJitter(let base, let cap):
            let ceiling = Self.doubled(base, cap, n)
            return .clampedSeconds(ceiling / 2 + unit * ceiling / 2)
        case .decorrelatedJitter(let base, let cap):
            let low = base.inSeconds
            let high = max(low, (n == 0 ? low : self.previousSeconds) * 3)
            self.previousSeconds = min(cap.inSeconds, low + unit * (high - low))
            return .clampedSeconds(self.previousSeconds)
        case .pollyJitter(let base, let cap):
            let t = Double(n) + unit
            // Beyond this 2^t is no longer finite; by then the cap has decided long ago.
            guard t < 1_024 else { return cap }
            let next = pow(2, t) * tanh((4 * t).squareRoot())
            let difference = next - self.previousSeconds
            self.previousSeconds = next
            return .clampedSeconds(min(cap.inSeconds, max(0, base.inSeconds * difference / 1.4)))
        }
    }

    /// The wait after one more failure, with the caller's generator.
    public mutating func nextDelay(_ backoff: Backoff, using generator: inout some RandomNumberGenerator) -> Duration {
        self.nextDelay(backoff, unit: generator.nextUnit())
    }

    private static func doubled(_ base: Duration, _ cap: Duration, _ n: Int) -> Double {
        min(cap.inSeconds, base.inSeconds * pow(2, Double(min(n, 1_000))))
    }
}
