public import Values

/// The life of a peer process and of the calls made to it: started when first needed, restarted with backoff, watched,
/// ended gracefully or by force.
///
/// Pure: no clock, no I/O. Every method takes the time and returns what is to be done, in order. States and where they
/// lead: `idle` → `starting` → `ready` → `condemned` → `backingOff` → `starting`; from each to `closing` → `closed`.
public struct RPCMachine: Sendable {
    /// What is to be done.
    public enum Action: Sendable, Hashable {
        /// Start the process; then `spawned` or `spawnFailed`, later `exited`.
        case spawn
        /// Write these bytes to its input, then call `wrote`.
        case send([UInt8])
        /// Close its input once all is written.
        case closeInput
        /// Ask its process group to end.
        case terminate
        /// End its process group.
        case kill
        /// Give the caller this result.
        case complete(UInt64, Result<Value, RPCFailure>)
        /// The peer asks; answer with `answer`, with this generation.
        case request(generation: Int, id: Value, method: String, params: Value)
        /// The peer tells.
        case notification(method: String, params: Value)
        /// Something worth a line in the log.
        case log(String)
        /// It is over; nothing more happens.
        case stopped
    }

    enum State: Sendable, Hashable {
        /// No process, and none was needed so far.
        case idle
        /// The process is being started, or the handshake is at `step`.
        case starting(step: Int, deadline: Duration)
        /// Calls are sent.
        case ready
        /// The process was killed; its end is awaited.
        case condemned
        /// No process; none is started before `until`.
        case backingOff(until: Duration)
        /// The process shall end; at `deadline` the next stronger means is used.
        case closing(Ending, deadline: Duration)
        /// Over.
        case closed
    }

    /// How a process is being ended.
    enum Ending: Sendable, Hashable {
        case asked, terminated, killed
    }

    private struct Call: Sendable {
        /// `nil`: waits for the handshake only.
        var frame: [UInt8]?
        var deadline: Duration?
        var isSent: Bool
    }

    let limits: RPCLimits
    private let dialect: RPCDialect
    private(set) var state: State = .idle
    /// Counts the processes.
    private(set) var generation = 0
    private var nextID: UInt64 = 1
    private var calls: [UInt64: Call] = [:]
    /// Not later than the deadline of any call.
    private var earliestDeadline: Duration?
    /// Calls that were given up and whose answers may still come.
    private var abandoned: Set<UInt64> = []
    private var handshakeID: UInt64?
    private var handshakeResults: [Value] = []
    private var closeID: UInt64?
    private var ping: (id: UInt64?, at: Duration) = (nil, .zero)
    /// Since the last ping that was answered.
    private var violations = 0
    private var readySince: Duration?
    private var crashes = 0
    private var outputBytes = 0
    private var lastReason = "It was not started yet."

    /// Creates a machine that has done nothing yet.
    public init(dialect: RPCDialect, limits: RPCLimits = RPCLimits()) {
        self.dialect = dialect
        self.limits = limits
    }

    /// How many calls are out.
    public var callCount: Int { self.calls.count }

    /// When `tick` has to be called at the latest; `nil`: need not.
    public var nextDeadline: Duration? {
        let own: Duration? =
            switch self.state {
            case .starting(_, let deadline), .closing(_, let deadline): deadline
            case .ready: self.ping.at
            case .idle, .condemned, .backingOff, .closed: nil
            }
        guard let call = self.earliestDeadline else { return own }
        return own.map { min($0, call) } ?? call
    }

    // MARK: - Calls

    /// A number for a call to come.
    public mutating func reserveID() -> UInt64 {
        defer { self.nextID += 1 }
        return self.nextID
    }

    /// Calls `method` under a reserved number; without a method, waits for the handshake and gives its answers.
    public mutating func call(
        _ id: UInt64, _ method: String?, _ params: Value, deadline: Duration?, at now: Duration
    ) -> [Action] {
        var call = Call(frame: nil, deadline: deadline, isSent: false)
        if let method {
            let frame = RPCMessage.request(id: Self.wire(id), method: method, params: params).frame
            guard frame.count <= self.limits.frameBytesMax else {
                let failure = RPCFailure.tooLarge(bytes: frame.count, bytesMax: self.limits.frameBytesMax)
                return [.complete(id, .failure(failure))]
            }
            call.frame = frame
        }
        let bytes = call.frame?.count ?? 0
        guard self.calls.count < self.limits.callsMax, self.outputBytes + bytes <= self.limits.outputBytesMax else {
            return [.complete(id, .failure(.overloaded))]
        }
        switch self.state {
        case .closing, .closed:
            return [.complete(id, .failure(.closed))]
        case .condemned:
            return [.complete(id, .failure(self.unavailable(retryAfter: self.backoff)))]
        case .backingOff(let until) where now < until:
            return [.complete(id, .failure(self.unavailable(retryAfter: until - now)))]
        case .idle, .backingOff:
            self.state = .starting(step: 0, deadline: now + self.limits.startTimeout)
            self.generation += 1
            self.outputBytes += bytes
            self.add(id, call)
            return [.spawn]
        case .starting:
            self.outputBytes += bytes
            self.add(id, call)
            return []
        case .ready:
            guard let frame = call.frame else {
                return [.complete(id, .success(.list(self.handshakeResults)))]
            }
            call.frame = nil
            call.isSent = true
            self.add(id, call)
            return [self.send(frame)]
        }
    }

    /// The caller does not want the result any more.
    public mutating func cancel(_ id: UInt64) -> [Action] {
        guard let call = self.calls.removeValue(forKey: id) else { return [] }
        return [.complete(id, .failure(.cancelled(mayHaveExecuted: call.isSent)))] + self.abandon(id, call)
    }

    /// Answers a request of the peer; nothing when that process is gone.
    public mutating func answer(
        generation: Int, id: Value, _ result: Result<Value, RPCError>
    ) -> [Action] {
        guard generation == self.generation else { return [] }
        switch self.state {
        case .starting, .ready, .closing(.asked, _): break
        default: return []
        }
        var frame = RPCMessage.response(id: id, result).frame
        if frame.count > self.limits.frameBytesMax {
            let error = RPCError(code: RPCError.internalError, message: "The answer is too large.")
            frame = RPCMessage.response(id: id, .failure(error)).frame
        }
        guard self.outputBytes + frame.count <= self.limits.outputBytesMax else { return [] }
        return [self.send(frame)]
    }

    private mutating func add(_ id: UInt64, _ call: Call) {
        self.calls[id] = call
        if let deadline = call.deadline {
            self.earliestDeadline = self.earliestDeadline.map { min($0, deadline) } ?? deadline
        }
    }

    /// Tells the peer that nobody waits for `id` any more.
    private mutating func abandon(_ id: UInt64, _ call: Call) -> [Action] {
        guard call.isSent else {
            self.outputBytes -= call.frame?.count ?? 0
            return []
        }
        self.abandoned.insert(id)
        guard case .ready = self.state else { return [] }
        guard self.abandoned.count <= self.limits.abandonedMax else {
            return self.condemn("It left \(self.abandoned.count) calls unanswered.")
        }
        let params: Value = .context([self.dialect.cancelField: Self.wire(id)])
        return [self.send(RPCMessage.notification(method: self.dialect.cancelMethod, params: params).frame)]
    }

    // MARK: - What happens to the process

    /// The process runs.
    public mutating func spawned(at now: Duration) -> [Action] {
        guard case .starting(0, _) = self.state else { return [] }
        return self.handshake(from: 0, at: now)
    }

    /// The process could not be started.
    public mutating func spawnFailed(_ reason: String, at now: Duration) -> [Action] {
        switch self.state {
        case .starting, .condemned, .closing: self.lastReason = reason
        case .idle, .ready, .backingOff, .closed: return []
        }
        return self.ended(at: now)
    }

    /// The process ended.
    public mutating func exited(_ reason: String, at now: Duration) -> [Action] {
        switch self.state {
        case .starting, .ready: self.lastReason = reason
        case .condemned, .closing: break
        case .idle, .backingOff, .closed: return []
        }
        return self.ended(at: now)
    }

    /// So many bytes were written.
    public mutating func wrote(_ count: Int) {
        self.outputBytes = max(0, self.outputBytes - count)
    }

    /// A line came.
    public mutating func received(_ frame: ArraySlice<UInt8>, at now: Duration) -> [Action] {
        switch self.state {
        case .starting, .ready, .closing: break
        case .idle, .condemned, .backingOff, .closed: return []
        }
        let message: RPCMessage
        do {
            message = try RPCMessage(frame)
        } catch {
            return self.violation(error.reason)
        }
        switch message {
        case .request(let id, let method, let params):
            return [.request(generation: self.generation, id: id, method: method, params: params)]
        case .notification(let method, let params):
            return [.notification(method: method, params: params)]
        case .response(let id, let result):
            return self.response(to: id, result, at: now)
        }
    }

    /// A line came that is longer than any may be.
    public mutating func receivedOversized() -> [Action] {
        switch self.state {
        case .starting, .ready:
            self.condemn("It sent a line of more than \(self.limits.frameBytesMax) bytes.")
        case .idle, .condemned, .backingOff, .closing, .closed: []
        }
    }

    /// Time has passed.
    public mutating func tick(at now: Duration) -> [Action] {
        var actions: [Action] = []
        if let earliest = self.earliestDeadline, earliest <= now { actions += self.expire(at: now) }
        switch self.state {
        case .starting(_, let deadline) where deadline <= now:
            actions += self.condemn("It was not ready within \(self.limits.startTimeout).")
        case .ready where self.ping.at <= now:
            if self.ping.id != nil {
                actions += self.condemn("It did not answer a ping within \(self.limits.pingTimeout).")
            } else {
                let id = self.reserveID()
                self.ping = (id, now + self.limits.pingTimeout)
                let frame = RPCMessage.request(id: Self.wire(id), method: self.dialect.pingMethod, params: [:]).frame
                actions.append(self.send(frame))
            }
        case .closing(.asked, let deadline) where deadline <= now:
            self.state = .closing(.terminated, deadline: now + self.limits.closeTimeout / 2)
            actions += [.log("It did not end when asked."), .terminate]
        case .closing(.terminated, let deadline) where deadline <= now:
            self.state = .closing(.killed, deadline: now + self.limits.closeTimeout)
            actions += [.log("It did not end when terminated."), .kill]
        case .closing(.killed, let deadline) where deadline <= now:
            // A process that cannot be killed waits for the kernel; nobody waits for it.
            self.state = .closed
            actions += [.log("It did not end when killed."), .stopped]
        default:
            break
        }
        return actions
    }

    /// Ends the peer: gracefully, then by force.
    ///
    /// Calls that are out fail at once.
    public mutating func close(at now: Duration) -> [Action] {
        switch self.state {
        case .closing, .closed:
            return []
        case .idle, .backingOff:
            self.state = .closed
            return [.stopped]
        case .starting, .condemned:
            let actions = self.failCalls { .lost(reason: "It was closed.", mayHaveExecuted: $0, retryAfter: nil) }
            self.state = .closing(.killed, deadline: now + self.limits.closeTimeout)
            return actions + [.kill]
        case .ready:
            var actions = self.failCalls { .lost(reason: "It was closed.", mayHaveExecuted: $0, retryAfter: nil) }
            self.state = .closing(.asked, deadline: now + self.limits.closeTimeout)
            if let method = self.dialect.closeMethod {
                let id = self.reserveID()
                self.closeID = id
                actions.append(self.send(RPCMessage.request(id: Self.wire(id), method: method, params: [:]).frame))
            } else {
                actions.append(.closeInput)
            }
            return actions
        }
    }
}

// MARK: - Steps

extension RPCMachine {
    private static func wire(_ id: UInt64) -> Value { .number(Number(Int64(clamping: id))) }

    private mutating func send(_ frame: [UInt8]) -> Action {
        self.outputBytes += frame.count
        return .send(frame)
    }

    private mutating func handshake(from first: Int, at now: Duration) -> [Action] {
        guard case .starting(_, let deadline) = self.state else { return [] }
        var actions: [Action] = []
        var step = first
        while step < self.dialect.handshake.count {
            switch self.dialect.handshake[step] {
            case .notify(let method, let params):
                actions.append(self.send(RPCMessage.notification(method: method, params: params).frame))
                step += 1
            case .request(let method, let params, _):
                let id = self.reserveID()
                self.handshakeID = id
                self.state = .starting(step: step, deadline: deadline)
                actions.append(self.send(RPCMessage.request(id: Self.wire(id), method: method, params: params).frame))
                return actions
            }
        }
        self.state = .ready
        self.readySince = now
        self.ping = (nil, now + self.limits.pingInterval)
        for (id, call) in self.calls.sorted(by: { $0.key < $1.key }) {
            if let frame = call.frame {
                self.calls[id] = Call(frame: nil, deadline: call.deadline, isSent: true)
                // Its bytes were counted when it was queued.
                actions.append(.send(frame))
            } else {
                self.calls[id] = nil
                actions.append(.complete(id, .success(.list(self.handshakeResults))))
            }
        }
        return actions
    }

    private mutating func response(
        to id: Value, _ result: Result<Value, RPCError>, at now: Duration
    ) -> [Action] {
        guard let number = id.asInt64, number > 0 else { return self.violation("an answer to nothing that was asked") }
        let id = UInt64(number)
        if id == self.handshakeID {
            self.handshakeID = nil
            return self.handshakeAnswered(result, at: now)
        }
        if id == self.ping.id {
            self.ping = (nil, now + self.limits.pingInterval)
            self.violations = 0
            return []
        }
        if id == self.closeID {
            self.closeID = nil
            return [.closeInput]
        }
        if let call = self.calls[id], call.isSent {
            self.calls[id] = nil
            return [.complete(id, result.mapError { .refused($0) })]
        }
        if self.abandoned.remove(id) != nil { return [] }
        if case .closing = self.state { return [] }
        return self.violation("an answer to nothing that was asked")
    }

    private mutating func handshakeAnswered(_ result: Result<Value, RPCError>, at now: Duration) -> [Action] {
        guard case .starting(let step, _) = self.state,
            case .request(let method, _, let check) = self.dialect.handshake[step]
        else { return [] }
        switch result {
        case .failure(let error):
            let actions = self.failCalls { _ in .handshake(method: method, error) }
            return actions + self.condemn("It refused \(method): \(error.message)")
        case .success(let value):
            if let reason = check(value) { return self.condemn(reason) }
            if step == 0 { self.handshakeResults = [] }
            self.handshakeResults.append(value)
            return self.handshake(from: step + 1, at: now)
        }
    }

    private mutating func violation(_ reason: String) -> [Action] {
        self.violations += 1
        guard self.violations <= self.limits.violationsMax else {
            return self.condemn("It broke the protocol \(self.violations) times; the last time it sent \(reason).")
        }
        return [.log("It sent \(reason).")]
    }

    /// Gives up on the process: its calls fail, and it is killed.
    private mutating func condemn(_ reason: String) -> [Action] {
        if case .closing = self.state { return [] }
        self.lastReason = reason
        let isStarting = if case .starting = self.state { true } else { false }
        self.state = .condemned
        let retryAfter = self.backoff
        let actions = self.failCalls {
            isStarting
                ? .unusable(reason: reason, retryAfter: retryAfter)
                : .lost(reason: reason, mayHaveExecuted: $0, retryAfter: retryAfter)
        }
        return [.log(reason)] + actions + [.kill]
    }

    /// The process is no more, whatever it was.
    private mutating func ended(at now: Duration) -> [Action] {
        let isStarting = if case .starting = self.state { true } else { false }
        if let since = self.readySince, now - since >= self.limits.stableAfter { self.crashes = 0 }
        self.readySince = nil
        let pause = self.backoff
        let reason = self.lastReason
        let actions = self.failCalls {
            isStarting
                ? .unusable(reason: reason, retryAfter: pause)
                : .lost(reason: reason, mayHaveExecuted: $0, retryAfter: pause)
        }
        self.abandoned = []
        self.handshakeID = nil
        self.ping = (nil, .zero)
        self.violations = 0
        self.outputBytes = 0
        if case .closing = self.state {
            self.state = .closed
            return actions + [.stopped]
        }
        self.crashes += 1
        self.state = .backingOff(until: now + pause)
        return [.log(reason)] + actions
    }

    /// The pause before the next start.
    var backoff: Duration {
        var pause = self.limits.backoffBase
        for _ in 0..<min(self.crashes, 16) where pause < self.limits.backoffMax { pause *= 2 }
        return min(pause, self.limits.backoffMax)
    }

    private func unavailable(retryAfter: Duration) -> RPCFailure {
        .lost(reason: self.lastReason, mayHaveExecuted: false, retryAfter: retryAfter)
    }

    private mutating func failCalls(_ failure: (_ mayHaveExecuted: Bool) -> RPCFailure) -> [Action] {
        defer {
            self.calls = [:]
            self.earliestDeadline = nil
        }
        return self.calls.sorted { $0.key < $1.key }.map { .complete($0.key, .failure(failure($0.value.isSent))) }
    }

    private mutating func expire(at now: Duration) -> [Action] {
        var actions: [Action] = []
        for (id, call) in self.calls.sorted(by: { $0.key < $1.key }) {
            guard let deadline = call.deadline, deadline <= now else { continue }
            // Giving up on one call may give up on the process, and so on all.
            guard self.calls.removeValue(forKey: id) != nil else { continue }
            actions.append(.complete(id, .failure(.timedOut(mayHaveExecuted: call.isSent))))
            actions += self.abandon(id, call)
        }
        self.earliestDeadline = self.calls.values.lazy.compactMap(\.deadline).min()
        return actions
    }
}
