public import Values

/// Why a connector could not do what it was asked.
///
/// `description` is safe to show and to store; a message never contains a secret or a payload.
public struct ConnectorError: Error, Sendable {
    /// The fixed taxonomy.
    ///
    /// The words are those of connector specifications.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
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

        /// Whether another attempt may help when nothing more is known.
        public var isRetryable: Bool {
            switch self {
            case .rateLimited, .transient, .timeout, .unavailable: true
            case .auth, .permission, .notFound, .conflict, .validation, .quotaExhausted, .unsupported, .unknown: false
            }
        }
    }

    /// Its place in the taxonomy.
    public var kind: Kind
    /// Stable code with a page in `docs/errors`, such as `CON-1002`.
    public var code: String
    /// What happened, with values; never a secret.
    public var message: String
    /// What to do next.
    public var remedy: String
    /// Whether another attempt may help; as the kind says unless the connector knows better.
    public var isRetryable: Bool
    /// Whether the remote may have carried out the request although it failed.
    public var mayHaveExecuted: Bool
    /// How long the remote asked to be left alone.
    public var retryAfter: Duration?
    /// The remote's own words and numbers: status, code, message, request id.
    ///
    /// Never a secret.
    public var details: ValueContext

    /// Creates an error; retryability is that of `kind` unless given.
    public init(
        _ kind: Kind, code: String, _ message: String, remedy: String, isRetryable: Bool? = nil,
        mayHaveExecuted: Bool = false, retryAfter: Duration? = nil, details: ValueContext = ValueContext()
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.remedy = remedy
        self.isRetryable = isRetryable ?? kind.isRetryable
        self.mayHaveExecuted = mayHaveExecuted
        self.retryAfter = retryAfter
        self.details = details
    }

    /// Takes any error a connector threw: a `ConnectorError` as it is, cancellation as `timeout`, the rest as `unknown`.
    public init(wrapping error: any Error) {
        switch error {
        case let error as ConnectorError:
            self = error
        case is CancellationError:
            self.init(
                .timeout, code: Code.cancelled, "The call was cancelled before it ended.",
                remedy: "Nothing, if you cancelled it; otherwise allow more time.", mayHaveExecuted: true)
        default:
            self.init(
                .unknown, code: Code.unexpected, "The connector failed with \(type(of: error)): \(error).",
                remedy: "Report this as a defect of the connector; it should have named the error.",
                mayHaveExecuted: true)
        }
    }

    /// Codes the kit itself uses.
    public enum Code {
        /// A call was cancelled.
        public static let cancelled = "CON-0001"
        /// A connector threw an error of its own type.
        public static let unexpected = "CON-0002"
        /// The connector has no such operation.
        public static let unknownOperation = "CON-0003"
        /// The connector has no such event.
        public static let unknownEvent = "CON-0004"
        /// The connection was closed.
        public static let closed = "CON-0005"
        /// The parameters of a connection, an operation or a source are wrong.
        public static let invalidParameters = "CON-0006"
        /// A secret could not be resolved.
        public static let secretUnavailable = "CON-0007"
    }
}

extension ConnectorError: CustomStringConvertible {
    /// `kind CODE: message — remedy`.
    public var description: String {
        "\(self.kind.rawValue) \(self.code): \(self.message) — \(self.remedy)"
    }
}

extension ConnectorError {
    /// The error of a call that names an operation `module` does not have.
    public static func unknownOperation(_ id: String, of module: ConnectorDescriptor) -> ConnectorError {
        Self.unknown("operation", id, known: module.operations.map(\.id), module, Code.unknownOperation)
    }

    /// The error of a source that names an event `module` cannot emit.
    public static func unknownEvent(_ id: String, of module: ConnectorDescriptor) -> ConnectorError {
        Self.unknown("event", id, known: module.events.map(\.id), module, Code.unknownEvent)
    }

    /// The error of a connection used after it was closed.
    public static func closed(_ connection: String) -> ConnectorError {
        ConnectorError(
            .unavailable, code: Code.closed, "The connection \(connection) is closed.",
            remedy: "Use the connection that replaced it.")
    }

    /// The error that says what is wrong with parameters; `nil` when nothing is.
    public static func invalidParameters(_ diagnostics: [Diagnostic]) -> ConnectorError? {
        let errors = diagnostics.filter { $0.severity == .error }
        guard let first = errors.first else { return nil }
        return ConnectorError(
            .validation, code: Code.invalidParameters, errors.map(\.message).joined(separator: " "),
            remedy: first.remedy ?? "Correct the fields named.")
    }

    private static func unknown(
        _ what: String, _ id: String, known: [String], _ module: ConnectorDescriptor, _ code: String
    ) -> ConnectorError {
        let remedy =
            ClosestMatch.of(id, in: known).map { "Did you mean \($0)?" }
            ?? (known.isEmpty ? "It has none." : "Use one of \(known.joined(separator: ", ")).")
        return ConnectorError(
            .unsupported, code: code, "Connector \(module.id) has no \(what) \(id).", remedy: remedy)
    }
}
