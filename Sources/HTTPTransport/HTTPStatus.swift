public import ConnectorKit

/// What a status of HTTP says about a failure (RFC 9110, 15; RFC 6585).
public enum HTTPStatus {
    /// Statuses by which a service says that it did not look at the request.
    public static let refusedUnseen: Set<Int> = [401, 403, 404, 405, 408, 413, 414, 415, 421, 425, 429, 431, 503]

    /// The place of a status in the taxonomy, when nothing more is known.
    public static func kind(of status: Int) -> ConnectorError.Kind {
        switch status {
        case 401, 407: .auth
        case 402: .quotaExhausted
        case 403: .permission
        case 404, 410: .notFound
        case 408, 504: .timeout
        case 409, 412, 423, 428: .conflict
        case 425: .transient
        case 429: .rateLimited
        case 501, 505: .unsupported
        case 503: .unavailable
        case 400..<500: .validation
        case 500..<600: .transient
        default: .unknown
        }
    }
}
