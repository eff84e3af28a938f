#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A thread that file operations run on, so that a slow disk blocks nothing else.
///
/// An executor for actors. The thread ends after the last job once the executor is gone.
final class FileThread: SerialExecutor {
    private let queue: Queue

    private init(_ queue: Queue) { self.queue = queue }

    /// Starts a thread.
    ///
    /// Throws a `ConnectorError` when the process may have no more.
    static func start() throws -> FileThread {
        let queue = Queue()
        var thread = pthread_t()
        let box = Unmanaged.passRetained(queue)
        let code = pthread_create(&thread, nil, fileThreadMain, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw FileErrors.system(FileFailure(call: "pthread_create", path: "", number: code))
        }
        pthread_detach(thread)
        return FileThread(queue)
    }

    deinit { self.queue.end() }

    func enqueue(_ job: consuming ExecutorJob) {
        self.queue.add(Work(job: UnownedJob(job), executor: self.asUnownedSerialExecutor(), owner: self))
    }

    /// One job.
    ///
    /// Keeps the executor alive until it has run.
    fileprivate struct Work {
        let job: UnownedJob
        let executor: UnownedSerialExecutor
        let owner: FileThread
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
private func fileThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let queue = Unmanaged<FileThread.Queue>.fromOpaque(context).takeRetainedValue()
    while true {
        let work = queue.take()
        guard !work.isEmpty else { return nil }
        for item in work { item.job.runSynchronously(on: item.executor) }
    }
}
