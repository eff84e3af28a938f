/// Why a call failed, in the fixed taxonomy every connector reports in.
///
/// The raw values are the words of the connector specification and of `ConnectorError.Kind`, so that either converts
/// to the other by its raw value.
public enum FailureKind: String, Sendable, Hashable, CaseIterable {
    /// The credential was missing, wrong or expired.
    case auth
    /// The credential is known but may not do this.
    case permission
    /// The thing addressed does not exist.
    case notFound
    /// The thing addressed is in a state that forbids this.
    case conflict
    /// The request itself is wrong; sending it again cannot help.
    case validation
    /// Too many requests in a short time.
    case rateLimited
    /// A quota that does not refill soon is used up.
    case quotaExhausted
    /// The remote failed in a way that is expected to pass.
    case transient
    /// No answer in time.
    case timeout
    /// The remote could not be reached, or said it is out of service.
    case unavailable
    /// The connector cannot do this at all.
    case unsupported
    /// Anything the connector could not name.
    case unknown

    /// Whether another attempt may help when neither the connector nor the policy says otherwise.
    public var isRetryableByDefault: Bool {
        switch self {
        case .rateLimited, .transient, .timeout, .unavailable: true
        case .auth, .permission, .notFound, .conflict, .validation, .quotaExhausted, .unsupported, .unknown: false
        }
    }
}
