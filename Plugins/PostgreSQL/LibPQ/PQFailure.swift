/// Why libpq could not go on; the server's own errors are results.
enum PQFailure: Error, Sendable, Hashable {
    /// No connection came about. The words are libpq's, or the server's.
    case notConnected(String)
    /// The connection broke, or the server spoke nonsense on it.
    case broken(String)
    /// The deadline passed.
    case timedOut
    /// The call was interrupted.
    case interrupted
}

/// What a server said about a statement that failed.
struct PQServerError: Error, Sendable, Hashable {
    var state: String
    var message: String
    var hint: String?
    var position: Int?
    var schema: String?
    var table: String?
    var column: String?
    var constraint: String?
    var type: String?
    /// The server's function that raised it, which tells apart errors of one state.
    var routine: String?
}
