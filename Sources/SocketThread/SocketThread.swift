internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A thread for an actor that owns a connection of a blocking C library.
///
/// An executor. The actor's jobs run on the thread, one after the other; between them the thread asks the owner what it
/// waits for and sleeps in `poll` over that socket, so that heartbeats and arriving frames are attended to although
/// nobody calls. Calls into the library may block: nothing else runs here.
///
/// The thread ends after the last job once the executor is gone, which it is when its owner is.
package final class SocketThread: SerialExecutor {
    private let core: Core

    /// Starts a thread whose stack has `stackBytes`.
    ///
    /// Throws `StartFailure` when the process may have no more threads or descriptors.
    package init(stackBytes: Int = 1 << 20) throws(StartFailure) {
        self.core = try Core()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self.core)
        let code = pthread_create(&thread, &attributes, socketThreadMain, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw StartFailure(call: "pthread_create", number: code)
        }
        pthread_detach(thread)
    }

    deinit { self.core.end() }

    /// Names the actor to attend to; its executor must be this one.
    ///
    /// Not retained.
    package func setOwner(_ owner: any SocketOwner) {
        self.core.setOwner(owner)
    }

    /// Runs `job` on the thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        self.core.add(Core.Work(job: UnownedJob(job), executor: self.asUnownedSerialExecutor(), keeper: self))
    }

    /// Ends the process unless called on the thread.
    package func checkIsolated() {
        precondition(self.core.isCurrentThread, "Expected to run on the socket's thread.")
    }

    /// Whether the caller runs on the thread.
    package func isIsolatingCurrentContext() -> Bool? { self.core.isCurrentThread }

    /// Why a thread could not be started.
    package struct StartFailure: Error, CustomStringConvertible {
        /// The system call.
        package let call: String
        /// Its error number.
        package let number: Int32

        /// Call and words of the system.
        package var description: String { "\(self.call) failed: \(String(cString: strerror(self.number)))" }
    }
}

/// What a `SocketThread` attends to between jobs.
package protocol SocketOwner: AnyObject, Sendable {
    /// Reads what has arrived, does what is due, and says what to wait for next.
    ///
    /// Called on the thread. Must not block for long.
    nonisolated func attend() -> SocketInterest
}

/// What an owner waits for.
package struct SocketInterest: Sendable {
    /// The socket; negative when there is none.
    package var descriptor: Int32
    /// Whether to wake up when it can be written too; reading is always waited for.
    package var wantsWrite: Bool
    /// When to wake up at the latest, from now; `nil`: not before something happens.
    package var timeout: Duration?

    /// Waits for `descriptor`.
    package init(descriptor: Int32 = -1, wantsWrite: Bool = false, timeout: Duration? = nil) {
        self.descriptor = descriptor
        self.wantsWrite = wantsWrite
        self.timeout = timeout
    }
}

/// What executor and thread share.
private final class Core: Sendable {
    /// One job; keeps the executor alive until it has run.
    struct Work: Sendable {
        let job: UnownedJob
        let executor: UnownedSerialExecutor
        let keeper: SocketThread
    }

    private struct State {
        var work: [Work] = []
        var isEnding = false
        /// Whether the thread sleeps, or is about to: then a byte in the pipe wakes it.
        var isSleeping = false
        weak var owner: (any SocketOwner)?
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    private let reading: Int32
    private let writing: Int32

    init() throws(SocketThread.StartFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SocketThread.StartFailure(call: "pipe", number: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (self.reading, self.writing) = (ends[0], ends[1])
    }

    deinit {
        close(self.reading)
        close(self.writing)
    }

    var isCurrentThread: Bool {
        self.state.withLock { state in
            guard let thread = state.thread else { return false }
            return pthread_equal(thread, pthread_self()) != 0
        }
    }

    func setOwner(_ owner: any SocketOwner) {
        self.wake { $0.owner = owner }
    }

    func add(_ work: Work) {
        self.wake { $0.work.append(work) }
    }

    func end() {
        self.wake { $0.isEnding = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        self.state.withLock { state in
            change(&state)
            guard state.isSleeping else { return }
            state.isSleeping = false
            var byte: UInt8 = 0
            // A full pipe wakes just as well.
            _ = write(self.writing, &byte, 1)
        }
    }

    func run() {
        // The peer may close a socket that is written to.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        self.state.withLock { $0.thread = pthread_self() }
        while true {
            var work: [Work] = []
            var isEnding = false
            self.state.withLock { state in
                swap(&work, &state.work)
                isEnding = state.isEnding
            }
            if isEnding, work.isEmpty { return }
            for item in work { item.job.runSynchronously(on: item.executor) }
            work.removeAll()
            let interest = self.owner?.attend() ?? SocketInterest()
            let mustSleep = self.state.withLock { state in
                state.isSleeping = state.work.isEmpty && !state.isEnding
                return state.isSleeping
            }
            if mustSleep { self.sleep(interest) }
        }
    }

    private var owner: (any SocketOwner)? { self.state.withLock { $0.owner } }

    private func sleep(_ interest: SocketInterest) {
        var events = Int16(POLLIN)
        if interest.wantsWrite { events |= Int16(POLLOUT) }
        var polled = [
            pollfd(fd: self.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: interest.descriptor, events: events, revents: 0),
        ]
        _ = poll(&polled, nfds_t(polled.count), interest.timeout.map { Self.milliseconds($0) } ?? -1)
        self.state.withLock { $0.isSleeping = false }
        if polled[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(self.reading, &bytes, bytes.count) > 0 {}
        }
    }

    /// Rounded up, so that what is waited for is due afterwards.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        guard duration > .zero else { return 0 }
        let (seconds, attoseconds) = duration.components
        guard seconds < 86_400 else { return 86_400_000 }
        return Int32(seconds * 1_000 + attoseconds / 1_000_000_000_000_000) + 1
    }
}

/// The thread's main function.
///
/// A name, because C takes no method.
private func socketThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Core>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
