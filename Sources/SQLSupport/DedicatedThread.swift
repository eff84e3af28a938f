#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A thread of its own for an actor whose work blocks, such as one that talks through a C library.
///
/// An executor. The thread ends after the last job once the executor is gone.
package final class DedicatedThread: SerialExecutor {
    private let queue: Queue

    private init(_ queue: Queue) { self.queue = queue }

    /// Starts a thread; `nil` when the process may have no more.
    package static func start() -> DedicatedThread? {
        let queue = Queue()
        return Self.launch(Unmanaged.passRetained(queue)) ? DedicatedThread(queue) : nil
    }

    /// Runs `body` once, on a thread that ends with it.
    ///
    /// For what blocks and cannot be waited for. Returns whether there is such a thread.
    @discardableResult
    package static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
        let queue = Queue()
        queue.add(.closure(body))
        queue.end()
        return Self.launch(Unmanaged.passRetained(queue))
    }

    private static func launch(_ box: Unmanaged<Queue>) -> Bool {
        var thread = pthread_t()
        guard pthread_create(&thread, nil, dedicatedThreadMain, box.toOpaque()) == 0 else {
            box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    deinit { self.queue.end() }

    package func enqueue(_ job: consuming ExecutorJob) {
        self.queue.add(.job(UnownedJob(job), self.asUnownedSerialExecutor(), owner: self))
    }

    /// One thing to do.
    ///
    /// A job keeps the executor alive until it has run.
    fileprivate enum Work {
        case job(UnownedJob, UnownedSerialExecutor, owner: DedicatedThread)
        case closure(@Sendable () -> Void)
    }

    /// `@unchecked Sendable`: `work` and `isEnding` are only touched while `mutex` is held, and both primitives are
    /// allocated once and never move.
    fileprivate final class Queue: @unchecked Sendable {
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let condition: UnsafeMutablePointer<pthread_cond_t>
        private var work: [Work] = []
        private var isEnding = false

        init() {
            self.mutex = .allocate(capacity: 1)
            self.condition = .allocate(capacity: 1)
            self.mutex.initialize(to: pthread_mutex_t())
            self.condition.initialize(to: pthread_cond_t())
            pthread_mutex_init(self.mutex, nil)
            pthread_cond_init(self.condition, nil)
        }

        deinit {
            pthread_cond_destroy(self.condition)
            pthread_mutex_destroy(self.mutex)
            self.condition.deallocate()
            self.mutex.deallocate()
        }

        func add(_ work: Work) {
            pthread_mutex_lock(self.mutex)
            self.work.append(work)
            pthread_cond_signal(self.condition)
            pthread_mutex_unlock(self.mutex)
        }

        func end() {
            pthread_mutex_lock(self.mutex)
            self.isEnding = true
            pthread_cond_signal(self.condition)
            pthread_mutex_unlock(self.mutex)
        }

        /// What there is to do; waits for it.
        ///
        /// Empty when the thread shall end.
        func take() -> [Work] {
            pthread_mutex_lock(self.mutex)
            defer { pthread_mutex_unlock(self.mutex) }
            while self.work.isEmpty, !self.isEnding { pthread_cond_wait(self.condition, self.mutex) }
            var taken: [Work] = []
            swap(&taken, &self.work)
            return taken
        }
    }
}

/// The thread's main function.
///
/// A name, because C takes no method.
private func dedicatedThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let queue = Unmanaged<DedicatedThread.Queue>.fromOpaque(context).takeRetainedValue()
    // Libraries write to sockets the peer may have closed.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while true {
        let work = queue.take()
        guard !work.isEmpty else { return nil }
        for item in work {
            switch item {
            case .job(let job, let executor, owner: _): job.runSynchronously(on: executor)
            case .closure(let body): body()
            }
        }
    }
}
