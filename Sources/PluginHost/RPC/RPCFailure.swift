/// Why a call to a peer process gave no result.
public enum RPCFailure: Error, Sendable, Hashable {
    /// The peer answered with an error.
    case refused(RPCError)
    /// The peer is gone, or was ended because it misbehaved.
    case lost(reason: String, mayHaveExecuted: Bool, retryAfter: Duration?)
    /// The peer cannot be started, or its first answers are not what they must be.
    case unusable(reason: String, retryAfter: Duration?)
    /// The peer refused a step of the handshake.
    case handshake(method: String, RPCError)
    /// No answer in time.
    case timedOut(mayHaveExecuted: Bool)
    /// The caller gave up.
    case cancelled(mayHaveExecuted: Bool)
    /// The request does not fit into a line.
    case tooLarge(bytes: Int, bytesMax: Int)
    /// Too much is waiting already.
    case overloaded
    /// The peer was told to end.
    case closed
}
