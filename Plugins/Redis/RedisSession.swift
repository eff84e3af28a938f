internal import ConnectorKit
internal import SocketThread
internal import Values

/// A connection to a server on a thread of its own, shared by many calls at a time.
///
/// Commands of all callers are written as they come, without waiting for earlier replies; the commands of one call stay
/// together.
actor RedisSession: SocketOwner {
    /// What a session is for.
    enum Purpose {
        /// Calls, each of which opens the connection when it is not open.
        case calls
        /// One source, which opens the connection and wants to know when it is lost.
        case source
        /// One source that subscribes, so that messages come without being asked for.
        case subscriber
    }

    /// The commands of one call.
    private final class Batch {
        let id: Int
        let count: Int
        let deadline: ContinuousClock.Instant
        var replies: [RedisReply] = []
        var continuation: CheckedContinuation<Result<[RedisReply], ConnectorError>, Never>?

        init(
            _ id: Int, _ count: Int, deadline: ContinuousClock.Instant,
            _ continuation: CheckedContinuation<Result<[RedisReply], ConnectorError>, Never>
        ) {
            self.id = id
            self.count = count
            self.deadline = deadline
            self.continuation = continuation
        }

        /// Answers the caller, once; replies that come later are dropped.
        func finish(_ result: Result<[RedisReply], ConnectorError>) {
            self.continuation?.resume(returning: result)
            self.continuation = nil
        }
    }

    private nonisolated let thread: SocketThread
    private let settings: RedisSettings
    private let configuration: ConnectionConfiguration
    private let name: String
    private let purpose: Purpose
    private var link: RedisLink?
    private var opening: Task<Void, any Error>?
    /// In the order in which their replies will come.
    private var pending: [Batch] = []
    private var pendingHead = 0
    private var waitingCount = 0
    private var waitingBytes = 0
    private var nextBatch = 0
    private var hasMoreToWrite = false
    private var isClosed = false
    /// Messages of subscriptions that nobody has taken yet.
    private var pushed: [RedisReply] = []
    private var pushWaiter: CheckedContinuation<Void, Never>?
    private var pushDeadline: ContinuousClock.Instant?
    private var nextDeadline: ContinuousClock.Instant?

    /// So long an unanswered call may stay beyond its deadline before the connection is given up.
    private static let patience = Duration.seconds(5)
    /// So many messages of subscriptions are kept; then nothing is read until some are taken.
    private static let pushedMaximum = 10_000

    init(
        _ settings: RedisSettings, _ configuration: ConnectionConfiguration, name: String, for purpose: Purpose
    ) throws {
        self.settings = settings
        self.configuration = configuration
        self.name = name
        self.purpose = purpose
        do throws(SocketThread.StartFailure) {
            self.thread = try SocketThread()
        } catch {
            throw ConnectorError(
                .transient, code: RedisErrors.Code.lost, "No thread for the connection: \(error).",
                remedy: "Raise the limits of the process.")
        }
        self.thread.setOwner(self)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    // MARK: - Calls

    /// Opens the connection unless it is open.
    func open() async throws {
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        if self.link != nil { return }
        if let opening { return try await opening.value }
        let task = Task { try await self.openNow() }
        self.opening = task
        defer { self.opening = nil }
        try await task.value
    }

    private func openNow() async throws {
        var password: Secret?
        if let reference = self.settings.password {
            password = try await self.configuration.secrets.secret(reference)
        }
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        self.pushed = []
        self.link = try RedisLink(self.settings, password: password, name: self.name)
    }

    /// Gives the connection up, if there is one.
    func disconnect() {
        self.drop(RedisErrors.lost(self.settings.server, "it was given up"))
    }

    /// Ends everything.
    func close() {
        self.isClosed = true
        self.drop(.closed(self.configuration.id))
    }

    /// Sends commands, back to back, and returns their replies in the same order.
    ///
    /// Throws `ConnectorError` when not all replies came; `mayHaveExecuted` says whether anything was written. An error
    /// reply to one of them is a reply.
    func run(_ commands: [RedisCommand], timeout: Duration) async throws -> [RedisReply] {
        let deadline = ContinuousClock.now + timeout
        let bytes = commands.reduce(0) { $0 + $1.byteCount }
        do {
            try Task.checkCancellation()
            guard bytes <= self.settings.requestBytesMaximum else {
                throw RedisErrors.tooLarge(bytes, self.settings.requestBytesMaximum)
            }
            if self.purpose == .calls || self.isClosed { try await self.open() }
            try Task.checkCancellation()
        } catch {
            var wrapped = ConnectorError(wrapping: error)
            wrapped.mayHaveExecuted = false
            throw wrapped
        }
        // A batch that is alone is let in whatever its size.
        if self.waitingCount > 0,
            self.waitingCount + commands.count > self.settings.waitingMaximum
                || self.waitingBytes + bytes > 4 * self.settings.requestBytesMaximum
        {
            throw RedisErrors.tooMany(self.waitingCount)
        }
        let id = self.nextBatch
        self.nextBatch += 1
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.add(commands, Batch(id, commands.count, deadline: deadline, continuation), bytes)
            }
        } onCancel: {
            Task { await self.cancel(batch: id) }
        }
        return try result.get()
    }

    private func add(_ commands: [RedisCommand], _ batch: Batch, _ bytes: Int) {
        guard let link = self.link else {
            return batch.finish(.failure(RedisErrors.lost(self.settings.server, "it is not open")))
        }
        guard !commands.isEmpty else { return batch.finish(.success([])) }
        do throws(ConnectorError) {
            for command in commands { try link.append(command) }
            self.pending.append(batch)
            self.waitingCount += batch.count
            self.waitingBytes += bytes
            self.nextDeadline = min(self.nextDeadline ?? batch.deadline, batch.deadline)
            self.hasMoreToWrite = true
        } catch {
            batch.finish(.failure(error))
            self.drop(error)
        }
    }

    private func cancel(batch id: Int) {
        self.pending[self.pendingHead...].first { $0.id == id }?
            .finish(.failure(ConnectorError(wrapping: CancellationError())))
    }

    // MARK: - Subscriptions

    /// The next messages of subscriptions; empty when none came within `wait`.
    ///
    /// Throws `ConnectorError` when the connection is lost.
    func messages(maximum: Int, wait: Duration) async throws -> [RedisReply] {
        if self.pushed.isEmpty, self.link != nil, wait > .zero {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    self.wakeMessageWaiter()
                    self.pushWaiter = continuation
                    self.pushDeadline = ContinuousClock.now + wait
                    if Task.isCancelled { self.wakeMessageWaiter() }
                }
            } onCancel: {
                Task { await self.wakeMessageWaiter() }
            }
        }
        if self.pushed.isEmpty, self.link == nil {
            throw self.isClosed
                ? ConnectorError.closed(self.configuration.id) : RedisErrors.lost(self.settings.server, "it ended")
        }
        let taken = Array(self.pushed.prefix(maximum))
        self.pushed.removeFirst(taken.count)
        return taken
    }

    private func wakeMessageWaiter() {
        self.pushDeadline = nil
        self.pushWaiter?.resume()
        self.pushWaiter = nil
    }

    private static func isMessage(_ reply: RedisReply) -> Bool {
        guard let kind = reply.elements?.first?.text else { return false }
        return kind == "message" || kind == "pmessage" || kind == "smessage"
    }

    // MARK: - On the thread

    nonisolated func attend() -> SocketInterest {
        self.assumeIsolated { $0.attendNow() }
    }

    private func attendNow() -> SocketInterest {
        var isBusy = false
        if let link = self.link {
            do throws(ConnectorError) {
                if self.hasMoreToWrite { self.hasMoreToWrite = try link.write() }
                if self.pushed.count < Self.pushedMaximum {
                    let (replies, hasMore) = try link.read(maximum: 1_000)
                    isBusy = hasMore
                    for reply in replies { try self.take(reply) }
                }
                if self.hasMoreToWrite { self.hasMoreToWrite = try link.write() }
            } catch {
                self.drop(error)
            }
        }
        let now = ContinuousClock.now
        self.expire(now)
        if !self.pushed.isEmpty || self.link == nil || (self.pushDeadline.map { $0 <= now } ?? false) {
            self.wakeMessageWaiter()
        }
        guard let link = self.link else { return SocketInterest() }
        let isReading = self.pushed.count < Self.pushedMaximum
        let deadlines = [self.nextDeadline, self.pushDeadline].compactMap { $0 }
        return SocketInterest(
            descriptor: isReading || self.hasMoreToWrite ? link.descriptor : -1, wantsWrite: self.hasMoreToWrite,
            timeout: isBusy && isReading ? .zero : deadlines.min().map { $0 - now })
    }

    private func take(_ reply: RedisReply) throws(ConnectorError) {
        if self.purpose == .subscriber, Self.isMessage(reply) {
            self.pushed.append(reply)
            return
        }
        guard self.pendingHead < self.pending.count else {
            // Before it hangs up, a server says why: too many clients, or a protected mode.
            if case .error(let text) = reply { throw RedisErrors.refusal(text) }
            throw RedisErrors.violation(self.settings.server, "an answer to no question")
        }
        let batch = self.pending[self.pendingHead]
        batch.replies.append(reply)
        self.waitingCount -= 1
        if batch.replies.count == batch.count {
            self.pendingHead += 1
            batch.finish(.success(batch.replies))
            self.compact()
        }
        // Neither passes on this connection: the credential changed, or the server is a replica now.
        if case .error(let text) = reply, text.hasPrefix("NOAUTH") || text.hasPrefix("READONLY") {
            self.drop(RedisErrors.lost(self.settings.server, text))
        }
    }

    private func compact() {
        if self.pendingHead == self.pending.count {
            self.pending.removeAll(keepingCapacity: true)
            self.pendingHead = 0
            self.waitingBytes = 0
        } else if self.pendingHead > 1_024, self.pendingHead * 2 > self.pending.count {
            self.pending.removeFirst(self.pendingHead)
            self.pendingHead = 0
        }
    }

    /// Answers calls whose time is up.
    private func expire(_ now: ContinuousClock.Instant) {
        guard let nextDeadline, nextDeadline <= now else { return }
        guard self.pendingHead < self.pending.count else {
            self.nextDeadline = nil
            return
        }
        let limit = self.pending[self.pendingHead].deadline + Self.patience
        guard limit > now else { return self.drop(RedisErrors.lost(self.settings.server, "no answer for too long")) }
        var next = limit
        for batch in self.pending[self.pendingHead...] where batch.continuation != nil {
            if batch.deadline <= now {
                batch.finish(.failure(RedisErrors.timeout(wasSent: true)))
            } else {
                next = min(next, batch.deadline)
            }
        }
        self.nextDeadline = next
    }

    /// Gives the connection up; commands without a reply may have been carried out.
    private func drop(_ error: ConnectorError) {
        self.link = nil
        self.hasMoreToWrite = false
        self.nextDeadline = nil
        var error = error
        error.mayHaveExecuted = true
        let batches = self.pending[self.pendingHead...]
        self.pending = []
        self.pendingHead = 0
        self.waitingCount = 0
        self.waitingBytes = 0
        for batch in batches { batch.finish(.failure(error)) }
        self.wakeMessageWaiter()
    }
}
