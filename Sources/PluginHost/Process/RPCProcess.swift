internal import ConnectorKit
internal import Synchronization
public import Values

/// A peer in a process of its own, spoken to over its standard streams.
///
/// All reading, writing and waiting is done by one thread a process; nobody else ever blocks, whatever the peer does.
public final class RPCProcess: Sendable {
    /// What the peer may ask and tell.
    public struct Handlers: Sendable {
        /// Answers a request of the peer.
        public var request: @Sendable (_ method: String, _ params: Value) async -> Result<Value, RPCError>
        /// Takes a notification; must return at once.
        public var notification: @Sendable (_ method: String, _ params: Value) -> Void
        /// Takes a line for the log; must return at once.
        public var log: @Sendable (PeerLogLine) -> Void

        /// Creates handlers; by default the peer may ask nothing.
        public init(
            request: @escaping @Sendable (_ method: String, _ params: Value) async -> Result<Value, RPCError> = {
                method, _ in
                .failure(RPCError(code: RPCError.methodNotFound, message: "There is no method \(method) here."))
            },
            notification: @escaping @Sendable (_ method: String, _ params: Value) -> Void = { _, _ in },
            log: @escaping @Sendable (PeerLogLine) -> Void = { _ in }
        ) {
            self.request = request
            self.notification = notification
            self.log = log
        }
    }

    /// How many requests of a peer are answered at once; more are refused.
    static let incomingMax = 64

    private let core: ProcessCore

    /// Creates a peer that is started when first called.
    public init(
        _ specification: LaunchSpecification, dialect: RPCDialect, limits: RPCLimits = RPCLimits(),
        handlers: Handlers = Handlers()
    ) {
        self.core = ProcessCore(specification, RPCMachine(dialect: dialect, limits: limits), handlers)
    }

    deinit { self.core.close() }

    /// The process id, while there is a process.
    public var processID: Int32? { self.core.processID }

    /// How many calls are out.
    public var callCount: Int { self.core.callCount }

    /// Starts it, unless it runs, and gives its answers to the handshake.
    @discardableResult
    public func start() async -> Result<[Value], RPCFailure> {
        await self.perform(nil, [:], timeout: nil).map { $0.asList ?? [] }
    }

    /// Calls a method; fails as `timedOut` after `timeout`, as `cancelled` when the task is cancelled.
    public func call(_ method: String, _ params: Value, timeout: Duration? = nil) async -> Result<Value, RPCFailure> {
        await self.perform(method, params, timeout: timeout)
    }

    private func perform(_ method: String?, _ params: Value, timeout: Duration?) async -> Result<Value, RPCFailure> {
        if Task.isCancelled { return .failure(.cancelled(mayHaveExecuted: false)) }
        let core = self.core
        let id = core.reserveID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                core.call(id, method, params, timeout: timeout, continuation)
                // A cancellation that came before the call was known found nothing to cancel.
                if Task.isCancelled { core.cancel(id) }
            }
        } onCancel: {
            core.cancel(id)
        }
    }

    /// Ends it, gracefully, then by force; returns when it is gone.
    public func close() async {
        self.core.close()
        await self.core.waitUntilStopped()
    }
}
