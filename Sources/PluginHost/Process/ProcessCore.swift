internal import ConnectorKit
internal import Synchronization
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Connects the machine, the callers and the thread: every step is one short critical section, and what it asks for is
/// done after it.
final class ProcessCore: Sendable {
    typealias Continuation = CheckedContinuation<Result<Value, RPCFailure>, Never>

    /// What the thread is asked to do to the process.
    enum Order: Sendable {
        case closeInput, terminate, kill
    }

    struct State {
        var machine: RPCMachine
        var continuations: [UInt64: Continuation] = [:]
        /// Bytes for the peer, in order.
        var output: [UInt8] = []
        var orders: [Order] = []
        var incoming = 0
        var processID: pid_t?
        /// Wakes the thread; nil when there is none.
        var wakeup: Wakeup?
        var isWoken = false
        var isStopped = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let specification: LaunchSpecification
    let handlers: RPCProcess.Handlers
    let frameBytesMax: Int
    private let state: Mutex<State>
    private let clock = SystemConnectorClock()

    init(_ specification: LaunchSpecification, _ machine: RPCMachine, _ handlers: RPCProcess.Handlers) {
        self.specification = specification
        self.handlers = handlers
        self.frameBytesMax = machine.limits.frameBytesMax
        self.state = Mutex(State(machine: machine))
    }

    var now: Duration { self.clock.now }

    var processID: pid_t? { self.state.withLock { $0.processID } }

    var callCount: Int { self.state.withLock { $0.machine.callCount } }

    func reserveID() -> UInt64 { self.state.withLock { $0.machine.reserveID() } }

    func call(_ id: UInt64, _ method: String?, _ params: Value, timeout: Duration?, _ continuation: Continuation) {
        let now = self.now
        self.step { state in
            state.continuations[id] = continuation
            return state.machine.call(id, method, params, deadline: timeout.map { now + $0 }, at: now)
        }
    }

    func cancel(_ id: UInt64) {
        self.step { $0.machine.cancel(id) }
    }

    func close() {
        let now = self.now
        self.step { $0.machine.close(at: now) }
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let isStopped = self.state.withLock { state in
                if !state.isStopped { state.stopWaiters.append(continuation) }
                return state.isStopped
            }
            if isStopped { continuation.resume() }
        }
    }

    // MARK: - For the thread

    /// The bytes to write, the orders to carry out, and how long nothing needs to be done.
    func pending() -> (output: [UInt8], orders: [Order], wait: Duration?) {
        let now = self.now
        return self.state.withLock { state in
            state.isWoken = false
            defer {
                state.output = []
                state.orders = []
            }
            return (state.output, state.orders, state.machine.nextDeadline.map { max(.zero, $0 - now) })
        }
    }

    func spawned(_ pid: pid_t) {
        let now = self.now
        self.step(isOnThread: true) { state in
            state.processID = pid
            return state.machine.spawned(at: now)
        }
    }

    func spawnFailed(_ reason: String) {
        let now = self.now
        self.step { state in
            Self.forgetProcess(&state)
            return state.machine.spawnFailed(reason, at: now)
        }
    }

    func exited(_ reason: String) {
        let now = self.now
        self.step { state in
            Self.forgetProcess(&state)
            return state.machine.exited(reason, at: now)
        }
    }

    /// A later process must not get what was meant for this one.
    private static func forgetProcess(_ state: inout State) {
        state.processID = nil
        state.wakeup = nil
        state.output = []
        state.orders = []
        state.isWoken = false
    }

    func wrote(_ count: Int) {
        self.state.withLock { $0.machine.wrote(count) }
    }

    func received(_ items: [LineFramer.Item]) {
        let now = self.now
        self.step(isOnThread: true) { state in
            var actions: [RPCMachine.Action] = []
            for item in items {
                switch item {
                case .line(let line): actions += state.machine.received(line[...], at: now)
                case .oversized: actions += state.machine.receivedOversized()
                }
            }
            return actions
        }
    }

    func tick() {
        let now = self.now
        self.step(isOnThread: true) { $0.machine.tick(at: now) }
    }

    // MARK: - Steps

    /// What has to be done outside the critical section.
    private enum Consequence {
        case resume(Continuation, Result<Value, RPCFailure>)
        case perform(RPCMachine.Action)
        case resumeWaiters([CheckedContinuation<Void, Never>])
        case wake(Wakeup)
        case startThread(Wakeup)
    }

    /// - Parameter isOnThread: Whether the thread itself takes the step: it looks at what is new before it sleeps.
    private func step(isOnThread: Bool = false, _ body: (inout State) -> [RPCMachine.Action]) {
        let consequences = self.state.withLock { state -> [Consequence] in
            let actions = body(&state)
            return Self.consequences(of: actions, &state, wakes: !isOnThread)
        }
        for consequence in consequences {
            switch consequence {
            case .resume(let continuation, let result): continuation.resume(returning: result)
            case .resumeWaiters(let waiters): for waiter in waiters { waiter.resume() }
            case .wake(let wakeup): wakeup.wake()
            case .startThread(let wakeup): ProcessThread.start(self, wakeup)
            case .perform(let action): self.perform(action)
            }
        }
    }

    private static func consequences(
        of actions: [RPCMachine.Action], _ state: inout State, wakes: Bool
    ) -> [Consequence] {
        guard !actions.isEmpty || state.machine.nextDeadline != nil else { return [] }
        var consequences: [Consequence] = []
        for action in actions {
            switch action {
            case .spawn:
                let wakeup = Wakeup()
                state.wakeup = wakeup
                consequences.append(.startThread(wakeup))
            case .send(let frame):
                if state.output.isEmpty { state.output = frame } else { state.output += frame }
            case .closeInput: state.orders.append(.closeInput)
            case .terminate: state.orders.append(.terminate)
            case .kill: state.orders.append(.kill)
            case .complete(let id, let result):
                if let continuation = state.continuations.removeValue(forKey: id) {
                    consequences.append(.resume(continuation, result))
                }
            case .request, .notification, .log:
                consequences.append(.perform(action))
            case .stopped:
                state.isStopped = true
                consequences.append(.resumeWaiters(state.stopWaiters))
                state.stopWaiters = []
            }
        }
        // The thread sleeps until a deadline it knows: it must hear of everything that is new.
        if wakes, let wakeup = state.wakeup, !state.isWoken {
            state.isWoken = true
            consequences.insert(.wake(wakeup), at: 0)
        }
        return consequences
    }

    private func perform(_ action: RPCMachine.Action) {
        switch action {
        case .log(let message):
            self.handlers.log(PeerLogLine(.warning, message))
        case .notification(let method, let params):
            self.handlers.notification(method, params)
        case .request(let generation, let id, let method, let params):
            let isRefused = self.state.withLock { state in
                guard state.incoming < RPCProcess.incomingMax else { return true }
                state.incoming += 1
                return false
            }
            guard !isRefused else {
                let error = RPCError(code: RPCError.internalError, message: "Too many requests at once.")
                return self.step { $0.machine.answer(generation: generation, id: id, .failure(error)) }
            }
            Task {
                let result = await self.handlers.request(method, params)
                self.step { state in
                    state.incoming -= 1
                    return state.machine.answer(generation: generation, id: id, result)
                }
            }
        default:
            break
        }
    }
}
