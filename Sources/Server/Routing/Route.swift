import HTTPTypes

/// One operation of the API: how it is called, what its body may hold, and what it does.
///
/// The table of routes is data: it routes requests, checks bodies, and becomes the OpenAPI document.
struct Route: Sendable {
    typealias Handler = @Sendable (RouteRequest, RouteServices) async throws -> APIResponse

    /// What a request carries.
    enum Body: Sendable {
        case none
        /// A JSON object with these members.
        case json([RequestField], required: Bool)
        /// `multipart/form-data`.
        case multipart
    }

    /// Whether the request may be refused when the server is busy.
    enum Admission: Sendable {
        /// Ends or reads work that is there: taken until the queues are full.
        case always
        /// Brings new work, or waits long: refused first.
        case whenIdle
    }

    let method: HTTPRequest.Method
    /// The path with `{name}` for a segment that is a parameter.
    let path: String
    /// The name of the operation in the OpenAPI document.
    let operation: String
    let summary: String
    let body: Body
    let admission: Admission
    /// The status of success.
    let status: Int
    let handler: Handler
    /// The names between braces in the path, in order.
    let parameterNames: [String]
    let metrics: RouteMetrics

    init(
        _ method: HTTPRequest.Method, _ path: String, _ operation: String, _ summary: String, body: Body = .none,
        admission: Admission = .always, status: Int = 200, _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.operation = operation
        self.summary = summary
        self.body = body
        self.admission = admission
        self.status = status
        self.handler = handler
        self.parameterNames = path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
            String($0.dropFirst().dropLast())
        }
        self.metrics = RouteMetrics(operation: operation)
    }
}
