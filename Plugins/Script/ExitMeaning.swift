internal import ConnectorKit

/// What a program says by its exit code.
enum ExitMeaning: String, CaseIterable, Sendable {
    /// It succeeded.
    case done
    /// It failed, and may succeed later.
    case retry
    /// It failed until a person does something.
    case park
    /// It failed for good.
    case reject
    // The kinds of the taxonomy.
    case auth, permission, notFound, conflict, validation, rateLimited, quotaExhausted, transient, timeout
    case unavailable, unsupported, unknown

    /// What `sysexits.h` says of a code that is not 0.
    static func conventional(_ code: Int) -> ExitMeaning {
        switch code {
        case 64...66: .validation  // EX_USAGE, EX_DATAERR, EX_NOINPUT
        case 67, 68: .notFound  // EX_NOUSER, EX_NOHOST
        case 69: .unavailable  // EX_UNAVAILABLE
        case 71, 74, 75: .transient  // EX_OSERR, EX_IOERR, EX_TEMPFAIL
        case 77: .permission  // EX_NOPERM
        default: .unknown
        }
    }

    /// The kind of the error it stands for.
    var kind: ConnectorError.Kind {
        switch self {
        case .done, .park, .reject, .unknown: .unknown
        case .retry, .transient: .transient
        case .auth: .auth
        case .permission: .permission
        case .notFound: .notFound
        case .conflict: .conflict
        case .validation: .validation
        case .rateLimited: .rateLimited
        case .quotaExhausted: .quotaExhausted
        case .timeout: .timeout
        case .unavailable: .unavailable
        case .unsupported: .unsupported
        }
    }

    /// Whether the work may have been done although the program failed: a program that names its failure says that it
    /// was not.
    var mayHaveExecuted: Bool { self == .unknown || self == .timeout }
}
