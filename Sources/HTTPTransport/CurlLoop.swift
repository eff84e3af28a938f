internal import CCurlShim
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Runs the transfers of one connection on one thread of its own, which sleeps in `curl_multi_poll`.
///
/// Requests arrive through a locked inbox and results leave through continuations, so no caller's thread ever blocks.
/// The inbox is bounded by the callers: each waits for its result. One loop per connection keeps the open connections,
/// and what was negotiated on them, from being shared between tenants.
///
/// `@unchecked Sendable`: `multi` and `running` are touched by the loop's thread alone, except for
/// `jhc_multi_wakeup`, which libcurl allows from any thread; it happens under the lock and never after `hasEnded` is
/// set, which precedes the destruction of `multi`. Everything else is behind `inbox`.
final class CurlLoop: @unchecked Sendable {
    /// One request on its way.
    ///
    /// Its fields are guarded by the loop's inbox, or belong to the loop's thread once taken.
    private final class Job: @unchecked Sendable {
        let request: CurlRequest
        var continuation: CheckedContinuation<CurlResult, Never>?
        var isCancelled = false
        var transfer: OpaquePointer?

        init(_ request: CurlRequest) { self.request = request }
    }

    private struct Inbox {
        var pending: [Job] = []
        var cancelled: [Job] = []
        var isClosing = false
        var hasEnded = false
        /// Whether the thread sleeps, or is about to, and nobody woke it yet.
        var isAsleep = false
        var closeWaiters: [CheckedContinuation<Void, Never>] = []

        var isEmpty: Bool { self.pending.isEmpty && self.cancelled.isEmpty && !self.isClosing }

        /// Whether who put something in has to wake the thread: only the first one, and only when it sleeps.
        mutating func needsWakeup() -> Bool {
            defer { self.isAsleep = false }
            return self.isAsleep
        }
    }

    private let inbox = Mutex(Inbox())
    private let multi: OpaquePointer
    private let userAgent: String
    private var running: [UInt64: Job] = [:]
    private var nextTag: UInt64 = 1

    /// The code of a transfer that was stopped from outside: CURLE_ABORTED_BY_CALLBACK.
    private static let aborted: Int32 = 42
    /// CURLE_FAILED_INIT.
    private static let failedInit: Int32 = 2

    /// Starts the thread.
    ///
    /// Throws when libcurl or the thread cannot be set up.
    init(hostConnectionsMaximum: Int, connectionsMaximum: Int, userAgent: String) throws(CurlSetupFailure) {
        let code = jhc_global_init()
        guard code == 0 else { throw CurlSetupFailure(what: "libcurl", code: code) }
        guard let multi = jhc_multi_create(hostConnectionsMaximum, connectionsMaximum) else {
            throw CurlSetupFailure(what: "a multi handle", code: Self.failedInit)
        }
        self.multi = multi
        self.userAgent = userAgent
        var thread = pthread_t()
        // The thread owns the loop until it ends, which `close` makes it do.
        let box = Unmanaged.passRetained(self)
        let started = pthread_create(&thread, nil, curlLoopMain, box.toOpaque())
        guard started == 0 else {
            box.release()
            jhc_multi_destroy(multi)
            throw CurlSetupFailure(what: "a thread", code: started)
        }
        pthread_detach(thread)
    }

    /// Sends a request and waits for what comes of it.
    ///
    /// Cancelling the task takes it out of libcurl.
    func perform(_ request: CurlRequest) async -> CurlResult {
        let job = Job(request)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refusal: CurlResult? = self.inbox.withLock { inbox in
                    if job.isCancelled || inbox.isClosing {
                        var result = CurlResult(code: Self.aborted)
                        result.isCancelled = job.isCancelled
                        return result
                    }
                    job.continuation = continuation
                    inbox.pending.append(job)
                    if inbox.needsWakeup() { jhc_multi_wakeup(self.multi) }
                    return nil
                }
                if let refusal { continuation.resume(returning: refusal) }
            }
        } onCancel: {
            self.inbox.withLock { inbox in
                job.isCancelled = true
                guard job.continuation != nil, !inbox.hasEnded else { return }
                inbox.cancelled.append(job)
                if inbox.needsWakeup() { jhc_multi_wakeup(self.multi) }
            }
        }
    }

    /// Whether `close` was called: nothing is sent any more.
    var isClosing: Bool { self.inbox.withLock { $0.isClosing } }

    /// Stops every transfer, frees everything and ends the thread.
    ///
    /// Returns when that is done.
    func close() async {
        await withCheckedContinuation { continuation in
            let isOver = self.inbox.withLock { inbox in
                if inbox.hasEnded { return true }
                inbox.closeWaiters.append(continuation)
                if !inbox.isClosing {
                    inbox.isClosing = true
                    jhc_multi_wakeup(self.multi)
                }
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    // MARK: - On the thread

    fileprivate func run() {
        // TLS libraries write to sockets the peer may have closed.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var isClosing = false
        while !isClosing {
            var (pending, cancelled): ([Job], [Job]) = ([], [])
            self.inbox.withLock { inbox in
                swap(&pending, &inbox.pending)
                swap(&cancelled, &inbox.cancelled)
                inbox.isAsleep = false
                isClosing = inbox.isClosing
            }
            for job in pending { self.start(job) }
            for job in cancelled { self.stop(job) }
            guard !isClosing else { break }
            var active: Int32 = 0
            _ = jhc_multi_perform(self.multi, &active)
            self.collect()
            let sleeps = self.inbox.withLock { inbox in
                inbox.isAsleep = inbox.isEmpty
                return inbox.isAsleep
            }
            guard sleeps else { continue }
            _ = jhc_multi_poll(self.multi, self.running.isEmpty ? 60_000 : 1_000)
        }
        self.shutDown()
    }

    private func start(_ job: Job) {
        guard let transfer = jhc_transfer_create() else {
            self.finish(job, CurlResult(code: Self.failedInit))
            return
        }
        var code = job.request.prepare(transfer, userAgent: self.userAgent)
        if code == 0 {
            jhc_transfer_set_tag(transfer, self.nextTag)
            code = jhc_multi_add(self.multi, transfer) == 0 ? 0 : Self.failedInit
        }
        guard code == 0 else {
            let result = CurlResult(code: code, of: transfer)
            jhc_transfer_destroy(transfer)
            self.finish(job, result)
            return
        }
        job.transfer = transfer
        self.running[self.nextTag] = job
        self.nextTag += 1
    }

    private func stop(_ job: Job) {
        guard let transfer = job.transfer else { return }
        self.running[jhc_transfer_tag(transfer)] = nil
        var result = CurlResult(code: Self.aborted, of: transfer)
        result.isCancelled = true
        jhc_multi_remove(self.multi, transfer)
        job.transfer = nil
        jhc_transfer_destroy(transfer)
        self.finish(job, result)
    }

    private func collect() {
        var code: Int32 = 0
        while let transfer = jhc_multi_next_done(self.multi, &code) {
            let job = self.running.removeValue(forKey: jhc_transfer_tag(transfer))
            let result = CurlResult(code: code, of: transfer)
            jhc_transfer_destroy(transfer)
            if let job {
                job.transfer = nil
                self.finish(job, result)
            }
        }
    }

    private func finish(_ job: Job, _ result: CurlResult) {
        let continuation = self.inbox.withLock { _ in
            defer { job.continuation = nil }
            return job.continuation
        }
        continuation?.resume(returning: result)
    }

    private func shutDown() {
        for job in Array(self.running.values) { self.stop(job) }
        let waiters = self.inbox.withLock { inbox in
            inbox.hasEnded = true
            return inbox.closeWaiters
        }
        jhc_multi_destroy(self.multi)
        for waiter in waiters { waiter.resume() }
    }
}

/// Why no transfer can be made at all.
struct CurlSetupFailure: Error {
    var what: String
    var code: Int32
}

/// The thread's main function.
///
/// A name, because C takes no method.
private func curlLoopMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
