import Glibc

/// A thread of the operating system: for code that blocks, which must never sit on Swift's cooperative pool.
///
/// Sendable: the handle is written once before the initialiser returns and read by `join` alone.
final class WorkerThread: @unchecked Sendable {
    private var handle = pthread_t()

    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts a thread.
    init(_ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        let failed = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                body.run()
                return nil
            }, body.toOpaque())
        guard failed == 0 else { fatalError("cannot start a thread: error \(failed)") }
    }

    /// Waits until the thread has ended.
    func join() {
        pthread_join(handle, nil)
    }
}
