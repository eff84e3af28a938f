import ConnectorKit
import Values

/// One request as a specification builds it, before authorisation.
struct SpecRequest: Sendable {
    var method: String
    /// The whole address, query included.
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]?
    var timeout: Duration
    /// Whether it may be sent again without asking.
    var isRepeatable: Bool
    /// The service a signature is for, when it is another than the connection's.
    var service: String?
    /// The largest body of the answer; `nil`: as the connection says.
    var responseBytesMaximum: Int?

    func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// One answer.
struct SpecResponse: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// How long the remote asked to be left alone.
    var retryAfter: Duration?

    func header(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }
}

/// What carries requests: HTTP, or the fixtures of a test.
protocol SpecTransport: Sendable {
    /// Sends one request. Any status is an answer; everything else throws `ConnectorError`.
    func send(_ request: SpecRequest) async throws -> SpecResponse
    func close() async
}
