extension CircuitBreaker {
    /// When a breaker trips, for how long, and how it finds out that the remote is back.
    public struct Policy: Sendable, Hashable {
        /// Which calls count.
        ///
        /// Default: those of the last 60 seconds.
        public var window: BreakerWindow = .time(seconds: 60)
        /// No decision before this many calls are in the window; at most the size of a count window.
        ///
        /// Default 10.
        public var minimumCalls: Int = 10
        /// Trips at this percentage of failed calls, or above.
        ///
        /// Default 50.
        public var failureRatePercent: Double = 50
        /// Calls longer than this are slow; exactly this long is not.
        ///
        /// Default 60 s.
        public var slowCallDuration: Duration = .seconds(60)
        /// Trips at this percentage of slow calls, or above.
        ///
        /// Default 100.
        public var slowRatePercent: Double = 100
        /// How long it stays open the first time.
        ///
        /// Default 30 s.
        public var openDuration: Duration = .seconds(30)
        /// Each time a probe fails the open time grows by this factor.
        ///
        /// Default 2.
        public var openMultiplier: Double = 2
        /// The open time never grows past this.
        ///
        /// Default 5 min.
        public var openDurationMaximum: Duration = .seconds(300)
        /// Calls let through while half-open, and results needed to decide.
        ///
        /// Default 3.
        public var halfOpenPermits: Int = 3
        /// A probe that reports nothing for this long gives its permit back.
        ///
        /// Should be the attempt timeout. Default 30 s.
        public var probeLease: Duration = .seconds(30)
        /// Half-open is decided from what is known after this long.
        ///
        /// `nil`, the default: twice `probeLease`.
        public var halfOpenDurationMaximum: Duration?
        /// Kinds that count as failures of the remote.
        public var failureKinds: Set<FailureKind> = [.transient, .timeout, .unavailable, .unknown, .rateLimited]
        /// Kinds that count as nothing at all and give the permit back.
        ///
        /// Kinds in neither set are answers of a healthy remote and count as successes.
        public var ignoredKinds: Set<FailureKind> = [.auth, .quotaExhausted, .unsupported]
        /// Whether a failure that carries `retryAfter` opens the breaker for that long at once.
        ///
        /// Default true.
        public var opensOnRetryAfter = true

        /// Creates the default policy.
        public init() {}

        /// The minimum that can be reached: a count window never holds more calls than its size.
        var effectiveMinimumCalls: Int {
            switch self.window {
            case .count(let size): max(1, min(self.minimumCalls, size))
            case .time: max(1, self.minimumCalls)
            }
        }

        var effectiveHalfOpenMaximum: Duration { self.halfOpenDurationMaximum ?? self.probeLease * 2 }

        /// How long it opens for the `round`-th time in a row, counted from 1.
        func openDuration(round: Int) -> Duration {
            var seconds = self.openDuration.inSeconds
            let cap = max(self.openDurationMaximum.inSeconds, seconds)
            for _ in 1..<max(1, min(round, 64)) where seconds < cap {
                seconds *= max(1, self.openMultiplier)
            }
            return .clampedSeconds(min(seconds, cap))
        }
    }
}
