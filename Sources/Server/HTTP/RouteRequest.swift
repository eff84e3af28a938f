import HTTPTypes
import NIOCore
import Values

/// A request a route handles: matched, its body read and checked.
struct RouteRequest: Sendable {
    /// The path without the query.
    let path: String
    /// The text after `?`.
    let query: Substring?
    /// The path segments that stand for `{…}`, in order, with the names in the route.
    let parameters: [(name: String, value: Substring)]
    let headers: HTTPFields
    /// The body; empty when the route takes none.
    let body: [UInt8]
    /// The members of a JSON body.
    let object: RequestObject
    /// The connection it came over.
    let channel: any Channel

    /// The key in the path.
    func key() throws(ProblemDetails) -> Key {
        guard let parameter = self.parameters.first else { throw .noRoute(self.path) }
        guard let key = Key(parameter.value) else {
            throw .invalidKey(String(parameter.value), name: parameter.name)
        }
        return key
    }

    /// A flag in the query, such as `?truncateValues=false`.
    func flag(_ name: String, default standard: Bool) throws(ProblemDetails) -> Bool {
        for pair in (self.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == name else {
                throw .unknownField(String(parts[0]), known: [name])
            }
            switch parts.count > 1 ? parts[1] : "true" {
            case "true": return true
            case "false": return false
            default:
                throw .invalidField(name, expected: "true or false", found: quoted(String(parts[1])))
            }
        }
        return standard
    }
}

extension HTTPField.Name {
    /// Makes a repeated start return the first instance.
    static let idempotencyKey = Self.known("Idempotency-Key")
    /// Set to `true` when the instance had been started before.
    static let idempotencyReplayed = Self.known("Idempotency-Replayed")
    /// Who asks, for the audit log.
    static let actor = Self.known("Junction-Actor")
    /// Seconds until a retry makes sense.
    static let retryAfterSeconds = Self.known("Retry-After")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { fatalError("\(name) is no header name") }
        return name
    }
}
