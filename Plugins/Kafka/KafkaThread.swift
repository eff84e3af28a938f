internal import CRDKafka
internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Threads for calls of the library that wait.
enum KafkaThread {
    /// The main function of a thread, boxed for C.
    private final class Main {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Starts a detached thread that runs `body` and ends.
    ///
    /// Throws a `ConnectorError` when the process may have no more threads.
    static func start(_ body: @escaping @Sendable () -> Void) throws(ConnectorError) {
        let box = Unmanaged.passRetained(Main(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Main>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw ConnectorError(
                .unavailable, code: KafkaErrors.Code.setup, "No thread can be started (\(code)).",
                remedy: "Check the limits on threads and memory of this process.", isRetryable: true)
        }
        pthread_detach(thread)
    }

    /// Runs `body` on a thread of its own and returns what it gives.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
            do {
                try Self.start { continuation.resume(with: Swift.Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The time that deadlines are measured with: monotonic, of the machine.
///
/// The library has no other; a clock that is moved by hand cannot move its threads.
enum Monotonic {
    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, in the range of a C `int`, never negative.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(seconds * 1_000 + part)
    }
}

/// What a sleeping thread is woken through: a counter of the kernel's that can be polled.
struct WakeupDescriptor: Sendable {
    let number: Int32

    /// Throws a `ConnectorError` when the process may have no more descriptors.
    init() throws(ConnectorError) {
        self.number = jkr_wakeup_new()
        guard self.number >= 0 else {
            throw ConnectorError(
                .unavailable, code: KafkaErrors.Code.setup, "No event descriptor can be opened (\(errno)).",
                remedy: "Check the limit on open files of this process.", isRetryable: true)
        }
    }

    /// Wakes the thread that waits, or the next that will.
    func signal() {
        var one: UInt64 = 1
        _ = write(self.number, &one, 8)
    }

    /// Waits for a signal, at most `duration`; whether there was one.
    @discardableResult
    func wait(_ duration: Duration) -> Bool {
        var descriptor = pollfd(fd: self.number, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, duration.wholeMilliseconds) > 0 else { return false }
        var count: UInt64 = 0
        return read(self.number, &count, 8) == 8
    }

    func close() {
        #if canImport(Glibc)
            _ = Glibc.close(self.number)
        #else
            _ = Musl.close(self.number)
        #endif
    }
}
