internal import CSQLite
internal import Glibc
internal import Synchronization

/// Copies the write-ahead log of one database back into its file on a thread of its own, so that commits never do.
///
/// SQLite starts the log over only when a commit finds it copied completely. Under load that never happens by itself,
/// so the last few pages are copied while commits pause: about one sync of the file for every `walBytes` written. That
/// bounds the log to about twice `walBytes`; when the thread gets no time, commits wait for it at eight times as much. Only
/// a reader that keeps an old snapshot open can make it grow further.
final class WALCheckpointer: Sendable {
    private struct State {
        var requested = false
        var stopped = false
        /// Commits that wait for the pass under way.
        var waiters = 0
        var failure: StoreError?
    }

    private let state = Mutex(State())
    private let wake = Semaphore()
    private let passed = Semaphore()
    private let thresholdPages: Int
    private let path: String
    private let vfs: String?
    private let pauseCommits: @Sendable (() -> Void) -> Void
    private let thread = Mutex<pthread_t?>(nil)

    /// Pages left over that are few enough to copy while commits wait.
    private static let remainderPages: Int32 = 256

    /// Starts the thread.
    ///
    /// `pauseCommits` runs its argument while no commit runs.
    init(
        path: String, options: SQLiteOptions, pauseCommits: @escaping @Sendable (() -> Void) -> Void
    ) throws(StoreError) {
        self.path = path
        self.vfs = options.vfs
        self.thresholdPages = max(1, options.walBytes / options.pageBytes)
        self.pauseCommits = pauseCommits
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<WALCheckpointer>.fromOpaque(context).takeRetainedValue().loop() }
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw StoreError(
                .io, "Cannot start a thread: \(String(cString: strerror(code))).",
                remedy: "Raise the limit of threads for this user.")
        }
        self.thread.withLock { $0 = thread }
    }

    /// Tells how many pages the log has after a commit; waits when they are far too many.
    func committed(walPages: Int) {
        guard walPages >= self.thresholdPages else { return }
        let mustWait = walPages >= self.thresholdPages * 8
        let (isNew, isWaiting) = self.state.withLock { state in
            let isNew = !state.requested
            let isWaiting = mustWait && !state.stopped
            state.requested = true
            if isWaiting { state.waiters += 1 }
            return (isNew, isWaiting)
        }
        if isNew { self.wake.signal() }
        if isWaiting { self.passed.wait() }
    }

    /// The newest failure since the last success, if any.
    var failure: StoreError? {
        self.state.withLock { $0.failure }
    }

    /// Ends the thread after the pass it is in.
    ///
    /// Idempotent.
    func stop() {
        self.state.withLock { $0.stopped = true }
        self.wake.signal()
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    private func loop() {
        var connection: SQLiteConnection?
        while true {
            self.wake.wait()
            let isStopped = self.state.withLock { state in
                state.requested = false
                return state.stopped
            }
            defer { self.releaseWaiters() }
            if isStopped { return }
            do throws(StoreError) {
                let open: SQLiteConnection
                if let connection {
                    open = connection
                } else {
                    open = try SQLiteConnection(path: self.path, access: .readWrite, vfs: self.vfs)
                    // A connection that has read nothing yet does not know that there is a log to copy.
                    _ = try open.integer("SELECT count(*) FROM sqlite_schema")
                }
                connection = open
                try self.checkpoint(open)
                self.state.withLock { $0.failure = nil }
            } catch {
                // A later commit asks again; until then the log grows, and when it cannot, the commit fails.
                connection = nil
                self.state.withLock { $0.failure = error }
            }
        }
    }

    private func releaseWaiters() {
        let waiters = self.state.withLock { state in
            defer { state.waiters = 0 }
            return state.waiters
        }
        for _ in 0..<waiters { self.passed.signal() }
    }

    private func checkpoint(_ connection: SQLiteConnection) throws(StoreError) {
        for _ in 0..<4 {
            let (logged, copied) = try self.pass(connection)
            if logged - copied <= Self.remainderPages { break }
        }
        // A pass syncs the file only when it copied everything; without this, the one that commits wait for would have
        // to sync all that the passes before it wrote.
        try self.sync(connection)
        var outcome: Result<Void, StoreError> = .success(())
        self.pauseCommits {
            do throws(StoreError) {
                _ = try self.pass(connection)
            } catch {
                outcome = .failure(error)
            }
        }
        try outcome.get()
    }

    /// Makes the file durable through SQLite's own descriptor: closing another one would drop SQLite's locks.
    private func sync(_ connection: SQLiteConnection) throws(StoreError) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let found = withUnsafeMutablePointer(to: &file) { file in
            sqlite3_file_control(connection.handle, "main", SQLITE_FCNTL_FILE_POINTER, file)
        }
        guard found == SQLITE_OK, let methods = file?.pointee.pMethods else { return }
        let code = methods.pointee.xSync(file, SQLITE_SYNC_NORMAL)
        guard code == SQLITE_OK else { throw connection.failure(code, doing: "syncing") }
    }

    /// One pass that waits for nobody; pages in the log, and how many of them are in the file now.
    private func pass(_ connection: SQLiteConnection) throws(StoreError) -> (logged: Int32, copied: Int32) {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(
            connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, &logged, &copied)
        // Busy means that somebody else checkpoints, such as a backup.
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw connection.failure(code, doing: "checkpointing")
        }
        return (logged, copied)
    }
}

/// How many pages the write-ahead log has after the newest commit of a connection; SQLite reports it there.
final class WALMeter {
    private let pages: UnsafeMutablePointer<Int32>

    /// Installs the meter, which must live as long as the connection commits.
    init(_ connection: SQLiteConnection) {
        self.pages = .allocate(capacity: 1)
        self.pages.initialize(to: 0)
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, self.pages)
    }

    deinit {
        self.pages.deallocate()
    }

    /// The number of pages.
    var pageCount: Int { Int(self.pages.pointee) }
}
