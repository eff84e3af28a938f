/// One failed attempt, as far as the resilience layer needs to know it.
public struct CallFailure: Sendable, Hashable {
    /// What went wrong.
    public var kind: FailureKind
    /// The connector's own verdict on trying again; `nil` leaves it to the policy and then to the kind.
    public var isRetryable: Bool?
    /// Whether the remote may have carried out the call although it failed (bytes of the request had left).
    public var mayHaveExecuted: Bool
    /// How long the remote asked to be left alone, when it did.
    public var retryAfter: Duration?

    /// Creates a failure; by default nobody has an opinion beyond `kind`, and nothing was executed.
    public init(
        kind: FailureKind, isRetryable: Bool? = nil, mayHaveExecuted: Bool = false, retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.isRetryable = isRetryable
        self.mayHaveExecuted = mayHaveExecuted
        self.retryAfter = retryAfter
    }
}

/// What carrying out a call a second time would do.
public enum RepeatSafety: String, Sendable, Hashable, CaseIterable {
    /// Nothing changes: a read.
    case safe
    /// The second call changes nothing more: idempotent by nature or by an idempotency key the remote honours.
    case idempotent
    /// The effect would happen twice. Never attempted again once the remote may have seen the request.
    case unsafe
}
