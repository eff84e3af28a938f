public import Values

/// What two protocols over JSON-RPC do differently: how a session begins, is kept alive, and ends.
public struct RPCDialect: Sendable {
    /// One step of the beginning.
    public enum Step: Sendable {
        /// Asks, and goes on when `check` finds nothing wrong with the answer.
        case request(method: String, params: Value, check: @Sendable (Value) -> String?)
        /// Tells, and goes on.
        case notify(method: String, params: Value)
    }

    /// The steps, in order.
    public var handshake: [Step]
    /// The method that asks whether the peer still answers.
    public var pingMethod: String
    /// The notification that a call is not needed any more.
    public var cancelMethod: String
    /// The field of it that holds the id.
    public var cancelField: String
    /// The request that ends a session; without one, the end of input does.
    public var closeMethod: String?

    /// Creates a dialect.
    public init(
        handshake: [Step], pingMethod: String = "ping", cancelMethod: String, cancelField: String,
        closeMethod: String? = nil
    ) {
        self.handshake = handshake
        self.pingMethod = pingMethod
        self.cancelMethod = cancelMethod
        self.cancelField = cancelField
        self.closeMethod = closeMethod
    }
}

/// How much a peer may take and how long; the defaults suit a plugin on the same machine.
public struct RPCLimits: Sendable, Hashable {
    /// The longest line, in either direction.
    public var frameBytesMax = 16 << 20
    /// How many bytes may wait for a peer that does not read.
    public var outputBytesMax = 64 << 20
    /// How many calls may be out at once.
    public var callsMax = 4_096
    /// How many answers to calls that were given up may be outstanding.
    public var abandonedMax = 4_096
    /// How many lines that are no proper message a session may bring.
    public var violationsMax = 10
    /// From the start of the process to the end of the handshake.
    public var startTimeout: Duration = .seconds(20)
    /// Between two pings.
    public var pingInterval: Duration = .seconds(5)
    /// How long a ping may go unanswered.
    public var pingTimeout: Duration = .seconds(10)
    /// How long a peer may take to end once asked, before it is terminated; and half of that again, before it is killed.
    public var closeTimeout: Duration = .seconds(4)
    /// The pause after the first crash; doubles with each, up to `backoffMax`.
    public var backoffBase: Duration = .milliseconds(200)
    /// The longest pause.
    public var backoffMax: Duration = .seconds(30)
    /// A session that was ready for so long makes earlier crashes forgotten.
    public var stableAfter: Duration = .seconds(30)

    /// The defaults.
    public init() {}
}
