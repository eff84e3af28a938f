internal import CLibPQ

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// One connection of libpq in non-blocking mode: nothing here waits but `wait`, and that ends at the deadline or when
/// the call is interrupted.
///
/// Not `Sendable`: belongs to one thread. Once a function threw `PQFailure`, the connection is only good for closing,
/// except where it says otherwise.
final class PQConnection {
    /// How long a call may wait, and who can end that.
    struct Limits {
        var deadline: ContinuousClock.Instant
        var interrupt: Interrupt
    }

    let raw: OpaquePointer
    private let waker: Waker
    private var isFinished = false
    /// Whether the server took its leave between two commands; libpq makes that a notice.
    private let hasFarewell: UnsafeMutablePointer<Bool>

    // MARK: - Opening and closing

    /// Connects.
    ///
    /// `parameters` are keywords of a connection string. Throws `notConnected`, `timedOut` or `interrupted`.
    static func open(_ parameters: [(keyword: String, value: String)], _ limits: Limits) throws(PQFailure)
        -> PQConnection
    {
        let keywords = parameters.map { strdup($0.keyword) }
        let values = parameters.map { strdup($0.value) }
        defer {
            for text in keywords { free(text) }
            // The password is among them.
            for text in values {
                if let text { memset(text, 0, strlen(text)) }
                free(text)
            }
        }
        var keywordPointers = keywords.map { UnsafePointer($0) } + [nil]
        var valuePointers = values.map { UnsafePointer($0) } + [nil]
        guard let waker = Waker(), let raw = PQconnectStartParams(&keywordPointers, &valuePointers, 0) else {
            throw .notConnected("There is no memory, or no file may be opened.")
        }
        let connection = PQConnection(raw, waker)
        // Verbose messages hold the SQLSTATE, which is not to be had otherwise before a connection stands.
        PQsetErrorVerbosity(raw, PQERRORS_VERBOSE)
        PQsetNoticeProcessor(
            raw,
            { context, message in
                guard let message, strncmp(message, "FATAL", 5) == 0 else { return }
                context?.assumingMemoryBound(to: Bool.self).pointee = true
            }, connection.hasFarewell)
        try connection.finishOpening(limits)
        return connection
    }

    private init(_ raw: OpaquePointer, _ waker: Waker) {
        self.raw = raw
        self.waker = waker
        self.hasFarewell = .allocate(capacity: 1)
        self.hasFarewell.initialize(to: false)
    }

    deinit {
        self.close()
        self.hasFarewell.deallocate()
    }

    private func finishOpening(_ limits: Limits) throws(PQFailure) {
        guard PQstatus(self.raw) != CONNECTION_BAD else { throw .notConnected(self.message) }
        var events = Int16(POLLOUT)
        while true {
            _ = try self.wait(events, limits)
            switch PQconnectPoll(self.raw) {
            case PGRES_POLLING_OK:
                guard PQsetnonblocking(self.raw, 1) == 0 else { throw .notConnected(self.message) }
                PQsetErrorVerbosity(self.raw, PQERRORS_DEFAULT)
                return
            case PGRES_POLLING_READING: events = Int16(POLLIN)
            case PGRES_POLLING_WRITING: events = Int16(POLLOUT)
            default: throw .notConnected(self.message)
            }
        }
    }

    /// Ends the connection.
    ///
    /// May be called twice.
    func close() {
        guard !self.isFinished else { return }
        self.isFinished = true
        PQfinish(self.raw)
    }

    // MARK: - State

    /// libpq's last words.
    var message: String { PQerrorMessage(self.raw).map { PQText.oneLine(String(cString: $0)) } ?? "" }

    var processID: Int32 { PQbackendPID(self.raw) }
    var serverVersion: Int { Int(PQserverVersion(self.raw)) }

    /// Whether no transaction is open and nothing runs.
    var isIdle: Bool { PQtransactionStatus(self.raw) == PQTRANS_IDLE }

    /// Whether a transaction is open, failed or not.
    var isInTransaction: Bool {
        let status = PQtransactionStatus(self.raw)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Whether the connection stood idle and still stands: reads what came meanwhile, without waiting.
    var isAlive: Bool {
        guard !self.isFinished, PQstatus(self.raw) == CONNECTION_OK, self.isIdle else { return false }
        // A farewell, and the end after it, are two things to read.
        for _ in 0..<4 {
            var descriptor = pollfd(fd: PQsocket(self.raw), events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 0) > 0 else { return true }
            guard PQconsumeInput(self.raw) == 1, PQisBusy(self.raw) == 0, PQstatus(self.raw) == CONNECTION_OK,
                !self.hasFarewell.pointee
            else { return false }
        }
        return true
    }

    /// What can stop a statement from another thread; `nil` when there is no connection.
    func canceller() -> PQCanceller? { PQgetCancel(self.raw).map { PQCanceller($0) } }

    // MARK: - Waiting

    /// Waits until the socket is ready.
    ///
    /// Returns the events that are. The connection stays good when this throws `timedOut` or `interrupted`.
    @discardableResult
    func wait(_ events: Int16, _ limits: Limits) throws(PQFailure) -> Int16 {
        limits.interrupt.attach(self.waker)
        defer { limits.interrupt.attach(nil) }
        while true {
            if limits.interrupt.isRaised { throw .interrupted }
            let left = limits.deadline - .now
            guard left > .zero else { throw .timedOut }
            let (seconds, attoseconds) = left.components
            let milliseconds = min(seconds, 3_600) * 1_000 + attoseconds / 1_000_000_000_000_000 + 1
            var descriptors = [
                pollfd(fd: PQsocket(self.raw), events: events, revents: 0),
                pollfd(fd: self.waker.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&descriptors, 2, Int32(milliseconds))
            if count < 0, errno != EINTR { throw .broken("poll failed with error \(errno).") }
            guard count > 0 else { continue }
            if descriptors[1].revents != 0 { self.waker.drain() }
            if descriptors[0].revents != 0 { return descriptors[0].revents }
        }
    }

    /// Sends what libpq still holds, reading at the same time: a server that cannot write does not read.
    func flush(_ limits: Limits) throws(PQFailure) {
        while true {
            let state = PQflush(self.raw)
            guard state != 0 else { return }
            guard state == 1 else { throw .broken(self.message) }
            let events = try self.wait(Int16(POLLIN | POLLOUT), limits)
            if events & Int16(POLLIN) != 0 { try self.consume() }
        }
    }

    /// Reads what has come.
    func consume() throws(PQFailure) {
        guard PQconsumeInput(self.raw) == 1 else { throw .broken(self.message) }
    }

    // MARK: - Results

    /// The next result of the command at the head of the queue; `nil` when it has no more.
    func nextResult(_ limits: Limits) throws(PQFailure) -> PQResult? {
        while PQisBusy(self.raw) == 1 {
            let state = PQflush(self.raw)
            guard state >= 0 else { throw .broken(self.message) }
            let events = try self.wait(Int16(state == 1 ? POLLIN | POLLOUT : POLLIN), limits)
            if events & ~Int16(POLLOUT) != 0 { try self.consume() }
        }
        guard let raw = PQgetResult(self.raw) else {
            guard PQstatus(self.raw) == CONNECTION_OK else { throw .broken(self.message) }
            return nil
        }
        let result = PQResult(raw)
        if result.status == .failed, PQstatus(self.raw) != CONNECTION_OK {
            // A server that is shut down says so before it hangs up; what it said is worth more than the hang-up.
            if result.serverError != nil { return result }
            throw .broken(result.message.isEmpty ? self.message : result.message)
        }
        return result
    }

    /// Whether nothing can be said to the server any more.
    var isBroken: Bool { self.isFinished || PQstatus(self.raw) != CONNECTION_OK }

    /// Rows of the command at the head of the queue come one by one.
    ///
    /// Before its first result.
    func setSingleRowMode() { _ = PQsetSingleRowMode(self.raw) }

    /// The next notification that has come.
    func nextNotification() -> (channel: String, payload: String, processID: Int32)? {
        guard let notification = PQnotifies(self.raw) else { return nil }
        defer { PQfreemem(notification) }
        let channel = notification.pointee.relname.map { String(cString: $0) } ?? ""
        let payload = notification.pointee.extra.map { String(cString: $0) } ?? ""
        return (channel, payload, notification.pointee.be_pid)
    }

    // MARK: - Commands

    func enterPipeline() throws(PQFailure) {
        guard PQenterPipelineMode(self.raw) == 1 else { throw .broken(self.message) }
    }

    func exitPipeline() throws(PQFailure) {
        guard PQexitPipelineMode(self.raw) == 1 else { throw .broken(self.message) }
    }

    func send(_ command: PQCommand) throws(PQFailure) {
        let isSent: Int32
        switch command {
        case .prepare(let name, let text): isSent = PQsendPrepare(self.raw, name, text, 0, nil)
        case .describe(let name): isSent = PQsendDescribePrepared(self.raw, name)
        case .statement(let text): isSent = PQsendQueryParams(self.raw, text, 0, nil, nil, nil, nil, 0)
        case .execute(let name, let parameters): isSent = self.sendExecute(name, parameters)
        case .synchronize: isSent = PQpipelineSync(self.raw)
        }
        guard isSent == 1 else { throw .broken(self.message) }
    }

    /// Asks the server to send what it holds back until the next synchronisation point.
    func requestFlush() throws(PQFailure) {
        guard PQsendFlushRequest(self.raw) == 1 else { throw .broken(self.message) }
    }

    private func sendExecute(_ name: String, _ parameters: [String?]) -> Int32 {
        guard !parameters.isEmpty else { return PQsendQueryPrepared(self.raw, name, 0, nil, nil, nil, 0) }
        // One block for all texts, each closed by a zero, which no text holds inside.
        var block: [CChar] = []
        var offsets: [Int?] = []
        for parameter in parameters {
            guard let parameter else {
                offsets.append(nil)
                continue
            }
            offsets.append(block.count)
            block.append(contentsOf: parameter.utf8.lazy.map { CChar(bitPattern: $0) })
            block.append(0)
        }
        return block.withUnsafeBufferPointer { bytes in
            let pointers = offsets.map { offset in offset.flatMap { bytes.baseAddress?.advanced(by: $0) } }
            return PQsendQueryPrepared(self.raw, name, Int32(parameters.count), pointers, nil, nil, 0)
        }
    }

    /// Sends a statement by the simple protocol, which COPY needs.
    ///
    /// Outside of a pipeline.
    func sendSimple(_ text: String) throws(PQFailure) {
        guard PQsendQuery(self.raw, text) == 1 else { throw .broken(self.message) }
    }
}
