internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The time, as connectors see it.
///
/// Injected, so that tests need not wait.
public protocol ConnectorClock: Sendable {
    /// Monotonic time since a moment of the clock's own choosing.
    var now: Duration { get }
    /// Wall clock time, in Unix milliseconds.
    var unixMilliseconds: Int64 { get }
    /// Waits; throws `CancellationError` when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The clock of the machine.
public struct SystemConnectorClock: ConnectorClock {
    /// Creates it.
    public init() {}

    /// `CLOCK_MONOTONIC`.
    public var now: Duration {
        let time = Self.read(CLOCK_MONOTONIC)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// `CLOCK_REALTIME`.
    public var unixMilliseconds: Int64 {
        let time = Self.read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Waits.
    public func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }

    private static func read(_ id: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(id, &time)
        return time
    }
}

/// A clock that moves only when told to; `sleep` moves it and returns at once.
///
/// For tests.
public final class ManualConnectorClock: ConnectorClock {
    private let elapsed: Mutex<Duration>
    private let startMilliseconds: Int64

    /// Creates a clock that stands at `start`, and at `unixMilliseconds` on the wall.
    public init(start: Duration = .zero, unixMilliseconds: Int64 = 1_750_000_000_000) {
        self.elapsed = Mutex(start)
        self.startMilliseconds = unixMilliseconds
    }

    /// Where it stands.
    public var now: Duration { self.elapsed.withLock { $0 } }

    /// Where it stands on the wall.
    public var unixMilliseconds: Int64 {
        let (seconds, attoseconds) = self.now.components
        return self.startMilliseconds + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// Moves the clock.
    public func advance(by duration: Duration) {
        self.elapsed.withLock { $0 += duration }
    }

    /// Moves the clock by `duration` and returns.
    public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        self.advance(by: duration)
        await Task.yield()
    }
}
