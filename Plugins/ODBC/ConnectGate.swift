internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Lets one connection of a driver at a time be made: drivers set up things of their own then, and race.
///
/// `@unchecked Sendable`: the lock is allocated once, never moves and is never freed.
final class ConnectGate: @unchecked Sendable {
    private static let gates = Mutex<[String: ConnectGate]>([:])

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    private init() {
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
    }

    /// The gate of a driver.
    static func of(_ driver: String) -> ConnectGate {
        self.gates.withLock { gates in
            if let gate = gates[driver] { return gate }
            let gate = ConnectGate()
            gates[driver] = gate
            return gate
        }
    }

    /// Runs `body` alone; `nil` when others were in the way for `timeout`.
    func alone<Result>(within timeout: Duration, _ body: () throws -> Result) rethrows -> Result? {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int(attoseconds / 1_000_000_000) + Int(until.tv_nsec)
        until.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        guard pthread_mutex_timedlock(self.mutex, &until) == 0 else { return nil }
        defer { pthread_mutex_unlock(self.mutex) }
        return try body()
    }
}
