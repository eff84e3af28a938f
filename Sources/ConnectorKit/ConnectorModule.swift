public import Values

/// A connector: one kind of remote, and what can be done with it.
///
/// The hub keeps modules in one table and looks them up by `descriptor.id`. A module holds no state; everything that
/// lives is a `Connection`.
public protocol ConnectorModule: Sendable {
    /// What the connector says about itself. Constant.
    var descriptor: ConnectorDescriptor { get }

    /// What a connection with these parameters can do: `descriptor`, and operations of that connection's own. Reaches
    /// nobody; parameters that are wrong give `descriptor`.
    func descriptor(for parameters: Value) -> ConnectorDescriptor

    /// Checks the parameters and prepares a connection. Need not reach the remote: `Connection.test` does.
    ///
    /// Throws `ConnectorError` (`validation`) when the parameters are wrong, naming every field.
    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection
}

extension ConnectorModule {
    /// `descriptor`: connections have no operations of their own.
    public func descriptor(for parameters: Value) -> ConnectorDescriptor { self.descriptor }
}

/// What a connection is made from.
public struct ConnectionConfiguration: Sendable {
    /// Name of the connection, as the user gave it.
    public var id: String
    /// The tenant it belongs to.
    public var tenant: String
    /// Parameters after the module's schema.
    ///
    /// Secrets stand in it as references.
    public var parameters: Value
    /// Finds the secrets.
    public var secrets: any SecretResolver
    /// The time.
    public var clock: any ConnectorClock

    /// Creates a configuration.
    public init(
        id: String, tenant: String = "<default>", parameters: Value, secrets: any SecretResolver = NoSecrets(),
        clock: any ConnectorClock = SystemConnectorClock()
    ) {
        self.id = id
        self.tenant = tenant
        self.parameters = parameters
        self.secrets = secrets
        self.clock = clock
    }
}

/// One configured way to one remote.
///
/// Safe to use from many tasks at once.
public protocol Connection: Sendable {
    /// Finds out whether the remote answers and accepts the credentials. Changes nothing there.
    ///
    /// Throws `ConnectorError`.
    func test() async throws

    /// Carries out one operation, once: retries are the caller's.
    ///
    /// Never throws: what goes wrong is an outcome. Cancelling the task ends the call early and gives its resources
    /// back; the outcome then is a failure that says whether the remote may have executed it.
    func invoke(_ call: OperationCall) async -> Outcome

    /// Carries out several operations; each has an outcome of its own, in the order of the calls.
    ///
    /// The calls do not depend on each other. As with `invoke`, nothing is thrown.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome]

    /// Whether this call may be repeated although the remote may have seen it; `nil`: as the operation's description
    /// says. For operations whose input decides.
    func isRepeatable(_ call: OperationCall) async -> Bool?

    /// Prepares a source of events. Nothing is read before `EventSource.connect`.
    ///
    /// Throws `ConnectorError`: `unsupported` for an event it does not have, `validation` for wrong parameters.
    func armSource(_ request: SourceRequest) async throws -> any EventSource

    /// Ends calls that run and frees everything. Calls after it fail as `unavailable`. May be called twice.
    func close() async
}

extension Connection {
    /// As the operation's description says.
    public func isRepeatable(_ call: OperationCall) async -> Bool? { nil }

    /// One after the other.
    public func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(calls.count)
        for call in calls { outcomes.append(await self.invoke(call)) }
        return outcomes
    }
}

/// One call of an operation.
public struct OperationCall: Sendable {
    /// The operation's id.
    public var operation: String
    /// Input after the operation's schema.
    public var input: Value
    /// Key that tells the remote a repeated call from a new one; stored by the caller before the first send.
    public var idempotencyKey: String?
    /// How long the attempt may take.
    public var timeout: Duration
    /// Number of the attempt, from 1.
    public var attempt: Int
    /// W3C trace context to pass on, if there is one.
    public var traceparent: String?

    /// Creates a call.
    public init(
        operation: String, input: Value, idempotencyKey: String? = nil, timeout: Duration = .seconds(30),
        attempt: Int = 1, traceparent: String? = nil
    ) {
        self.operation = operation
        self.input = input
        self.idempotencyKey = idempotencyKey
        self.timeout = timeout
        self.attempt = attempt
        self.traceparent = traceparent
    }
}

/// How a call ended.
public enum Outcome: Sendable {
    /// Done. `facts` (status, request id, sizes) go to traces and dead letters, not to the process.
    case done(Value, facts: ValueContext)
    /// Done before, under the same idempotency key: a success.
    case alreadyDone(Value, facts: ValueContext)
    /// Failed, and may work later; `after` is the remote's wish.
    case retry(after: Duration?, ConnectorError)
    /// Failed until a person does something (a credential, a quota); the work is kept.
    case park(ConnectorError)
    /// Failed for good.
    case reject(ConnectorError)

    /// The outcome an error stands for: `retry` when it may pass, `park` when a person must act, else `reject`.
    public static func failed(_ error: ConnectorError) -> Outcome {
        if error.isRetryable { return .retry(after: error.retryAfter, error) }
        switch error.kind {
        case .auth, .quotaExhausted: return .park(error)
        default: return .reject(error)
        }
    }

    /// The error, unless it succeeded.
    public var error: ConnectorError? {
        switch self {
        case .done, .alreadyDone: nil
        case .retry(_, let error), .park(let error), .reject(let error): error
        }
    }

    /// The result, if it succeeded.
    public var value: Value? {
        switch self {
        case .done(let value, _), .alreadyDone(let value, _): value
        case .retry, .park, .reject: nil
        }
    }

    /// What is worth recording about a success.
    public var facts: ValueContext {
        switch self {
        case .done(_, let facts), .alreadyDone(_, let facts): facts
        case .retry(_, let error), .park(let error), .reject(let error): error.details
        }
    }
}
