#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Failures and delays that are injected on purpose, so that an outage can be rehearsed.
///
/// Injected in the place of the transport: everything in front of it (limits, retries, breaker, timeouts) sees them as
/// it would see those of a remote.
public struct FaultPolicy: Sendable, Hashable {
    /// Percentage of attempts that fail without being sent.
    ///
    /// Default 0.
    public var failurePercent = 0.0
    /// What they fail with.
    ///
    /// Default: a transient failure.
    public var failure = CallFailure(kind: .transient)
    /// Percentage of attempts that are delayed.
    ///
    /// Default 0.
    public var latencyPercent = 0.0
    /// For how long.
    public var latency: LatencyDistribution = .constant(.zero)

    /// Creates a policy that injects nothing.
    public init() {}

    /// What happens to one attempt; nil when nothing is injected.
    ///
    /// The same `unit`, a random number in [0, 1), gives the same answer.
    public func injection(unit: Double) -> Injection? {
        var numbers = DerivedNumbers(unit: unit)
        let isDelayed = numbers.next() * 100 < self.latencyPercent
        let delay = isDelayed ? self.latency.sample(&numbers) : .zero
        let fails = numbers.next() * 100 < self.failurePercent
        guard isDelayed || fails else { return nil }
        return Injection(delay: delay, failure: fails ? self.failure : nil)
    }

    /// What is injected into one attempt.
    public struct Injection: Sendable, Hashable {
        /// Waited before anything else; zero when it is not delayed.
        public let delay: Duration
        /// What it fails with instead of being sent; nil when it is sent.
        public let failure: CallFailure?
    }
}

/// How long injected delays are.
public enum LatencyDistribution: Sendable, Hashable {
    /// Always this long.
    case constant(Duration)
    /// Evenly between two lengths.
    case uniform(from: Duration, to: Duration)
    /// Exponential with this mean, cut at `cap`: many short ones, a few long ones.
    case exponential(mean: Duration, cap: Duration)
    /// Normal with this mean and standard deviation, cut at zero and `cap`.
    case normal(mean: Duration, deviation: Duration, cap: Duration)

    func sample(_ numbers: inout DerivedNumbers) -> Duration {
        switch self {
        case .constant(let length):
            return length
        case .uniform(let from, let to):
            return .clampedSeconds(from.inSeconds + numbers.next() * (to - from).inSeconds)
        case .exponential(let mean, let cap):
            return min(cap, .clampedSeconds(-log(1 - numbers.next()) * mean.inSeconds))
        case .normal(let mean, let deviation, let cap):
            // Box and Muller; 1 - u is never zero.
            let radius = (-2 * log(1 - numbers.next())).squareRoot()
            let offset = radius * cos(2 * Double.pi * numbers.next())
            return min(cap, .clampedSeconds(mean.inSeconds + offset * deviation.inSeconds))
        }
    }
}

/// Several independent numbers in [0, 1) made of one (SplitMix64).
struct DerivedNumbers {
    private var state: UInt64

    init(unit: Double) {
        self.state = unit.bitPattern
    }

    mutating func next() -> Double {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) * 0x1p-53
    }
}

extension FaultPolicy {
    /// In few words: `10% fail as timeout, 50% delayed`.
    public var summary: String {
        func percent(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))%" : "\(value)%" }
        var parts: [String] = []
        if self.failurePercent > 0 {
            parts.append("\(percent(self.failurePercent)) fail as \(self.failure.kind.rawValue)")
        }
        if self.latencyPercent > 0 { parts.append("\(percent(self.latencyPercent)) delayed") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}
