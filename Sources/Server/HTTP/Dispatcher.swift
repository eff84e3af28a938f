import Engine
import HTTPTypes
import Hub
import Hummingbird
import Logging
import NIOCore
import Storage
import Values

/// What Hummingbird hands over with a request: only the connection.
struct ConnectionContext: InitializableFromSource, Sendable {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        self.channel = source.channel
    }
}

/// Takes a request through its route: match, admit, read, handle, answer.
///
/// There is no middleware: each step is a few instructions, and nothing is logged for a request that succeeds.
struct Dispatcher: HTTPResponder {
    let table: RouteTable
    let services: RouteServices

    func respond(to request: Request, context: ConnectionContext) async -> Response {
        let target = request.head.path ?? "/"
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0]
        do {
            return try await self.handle(
                request, path: path, query: parts.count > 1 ? parts[1] : nil, channel: context.channel)
        } catch {
            return self.response(to: error, path: String(path))
        }
    }

    private func handle(
        _ request: Request, path: Substring, query: Substring?, channel: any Channel
    ) async throws -> Response {
        let match = self.table.match(request.method, path: path)
        if case .nothing = match,
            let response = try await self.ingress(request, path: path, query: query, channel: channel)
        {
            return response
        }
        try Self.checkOrigin(request.headers, authority: request.head.authority, channel: channel)
        let route: Route
        let parameters: [(name: String, value: Substring)]
        switch match {
        case .route(let found, let values):
            (route, parameters) = (found, values)
        case .otherMethods(let methods):
            throw ProblemDetails.methodNotAllowed(request.method.rawValue, String(path), allowed: methods)
        case .nothing:
            throw ProblemDetails.noRoute(String(path))
        }
        let start = ContinuousClock.now
        let response: Response
        do {
            try self.services.enter(route.admission)
            defer { self.services.leave() }
            let (body, object) = try await self.body(of: request, route: route)
            let input = RouteRequest(
                path: String(path), query: query, parameters: parameters, headers: request.headers, body: body,
                object: object, channel: channel)
            response = Self.response(try await self.carryOut(route, input))
        } catch {
            response = self.response(to: error, path: String(path))
        }
        route.metrics.record(status: response.status.code, since: start)
        return response
    }

    // MARK: Bodies

    private func body(of request: Request, route: Route) async throws -> (bytes: [UInt8], object: RequestObject) {
        switch route.body {
        case .none:
            return ([], .empty)
        case .multipart:
            return (try await self.bytes(of: request, limit: self.services.limits.deploymentBytes), .empty)
        case .json(let fields, let isRequired):
            let bytes = try await self.bytes(of: request, limit: self.services.limits.jsonBytes)
            if bytes.isEmpty, !isRequired { return ([], .empty) }
            let mediaType = request.headers[.contentType]
            guard let mediaType, Self.isJSON(mediaType) else {
                throw ProblemDetails.mediaType(mediaType, expected: "application/json")
            }
            return (bytes, try RequestObject(bytes[...], fields: fields))
        }
    }

    private func bytes(of request: Request, limit: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw ProblemDetails.tooLarge(limit: limit)
        }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= limit else { throw ProblemDetails.tooLarge(limit: limit) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    private static func isJSON(_ mediaType: String) -> Bool {
        let name = trimmed(mediaType.prefix { $0 != ";" }).lowercased()
        return name == "application/json" || name == "text/json"
    }

    /// Refuses, on a TCP connection, what a browser sends for a page of another site or for a rebound host name.
    static func checkOrigin(
        _ headers: HTTPFields, authority: String?, channel: any Channel
    ) throws(ProblemDetails) {
        if case .unixDomainSocket = channel.localAddress { return }
        if let origin = headers[.origin], !isLoopback(origin.split(separator: "//").last ?? "") {
            throw .foreignOrigin("Origin", origin)
        }
        if let authority, !isLoopback(authority[...]) {
            throw .foreignOrigin("Host", authority)
        }
    }

    // MARK: Responses

    static func response(_ response: APIResponse) -> Response {
        var headers = HTTPFields()
        if let contentType = response.contentType { headers[.contentType] = contentType }
        for (name, value) in response.headers { headers[name] = value }
        if response.body.isEmpty { return Response(status: response.status, headers: headers) }
        return Response(
            status: response.status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
    }

    private func response(to error: any Error, path: String) -> Response {
        let problem: ProblemDetails
        switch error {
        case let error as ProblemDetails: problem = error
        case let error as CommandRejection: problem = ProblemDetails(error)
        case let error as StoreError: problem = ProblemDetails(error)
        case let error as HubError: problem = ProblemDetails(error)
        case is CancellationError: problem = .shuttingDown
        default:
            self.services.logger.error(
                "Request failed unexpectedly", metadata: ["http.path": "\(path)", "error": "\(error)"])
            problem = .internalError
        }
        if problem.status >= 500 {
            self.services.logger.warning(
                "Request not carried out",
                metadata: ["http.path": "\(path)", "error.code": "\(problem.code)", "error": "\(problem.detail)"])
        }
        var response = APIResponse(
            status: HTTPResponse.Status(code: problem.status), contentType: "application/problem+json",
            body: problem.json(instance: path))
        if let milliseconds = problem.retryAfterMilliseconds {
            response.headers.append((.retryAfterSeconds, String(max(1, (milliseconds + 999) / 1_000))))
        }
        return Self.response(response)
    }
}

/// Whether `host`, with or without a port, names this machine's loopback.
func isLoopback(_ host: Substring) -> Bool {
    let name: Substring
    if host.hasPrefix("[") {
        name = host.prefix { $0 != "]" }.dropFirst()
    } else {
        name = host.prefix { $0 != ":" }
    }
    return name.lowercased() == "localhost" || name == "127.0.0.1" || name == "::1"
}
