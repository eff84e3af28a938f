/// How much one server takes.
public struct APIServerLimits: Sendable, Hashable {
    /// Bytes of a JSON body.
    public var jsonBytes = 8 << 20
    /// Bytes of a deployment.
    public var deploymentBytes = 64 << 20
    /// Requests at once; beyond it, new starts and long polls are refused with 503, completions never.
    public var requestsUnderWay = 4_096
    /// Connections at once on one address; further ones wait in the backlog.
    public var connections = 4_096
    /// How long a request waits that asks to wait without saying how long.
    public var defaultWaitMilliseconds: Int64 = 10_000
    /// How long a request may ask to wait.
    public var waitMillisecondsMax: Int64 = 600_000
    /// How long a connection may be silent.
    public var idleConnection = Duration.seconds(75)

    /// Creates the default limits.
    public init() {}
}
