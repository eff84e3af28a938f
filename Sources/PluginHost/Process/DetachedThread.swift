internal import CSpawnShim

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A thread of our own, for work that blocks.
enum DetachedThread {
    /// What the thread is handed; a class, because C passes a pointer.
    private final class Start {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread that gets no signals.
    ///
    /// Returns 0, or the error number when there can be no more threads; `body` is not run then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
        let box = Unmanaged.passRetained(Start(body))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let code = pthread_create(
            &thread, nil,
            { context in
                #if canImport(Darwin)
                    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                #else
                    guard let context else { return nil }
                    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                #endif
                jn_block_signals()
                start.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            return code
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
        return 0
    }
}
