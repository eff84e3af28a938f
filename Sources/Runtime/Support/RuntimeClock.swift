import Glibc

/// The clocks of a runtime; tests put their own in.
public protocol RuntimeClock: Sendable {
    /// Milliseconds since 1970. May jump.
    func unixMilliseconds() -> Int64
    /// Nanoseconds since some fixed point. Never goes back.
    func monotonicNanoseconds() -> Int64
}

/// The clocks of the machine.
public struct SystemClock: RuntimeClock {
    /// Creates the clock.
    public init() {}

    /// `CLOCK_REALTIME`.
    public func unixMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// `CLOCK_MONOTONIC`.
    public func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
