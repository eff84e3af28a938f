import HTTPTypes
import Hub
import Hummingbird
import NIOCore

extension Dispatcher {
    private static let ingressMetrics = RouteMetrics(operation: "ingress")

    /// Takes a request to a trigger, and answers once what it caused is durable; nil when no trigger has this path.
    ///
    /// Only bytes are handled here: what a request proves and what it holds is the hub's business.
    func ingress(
        _ request: Request, path: Substring, query: Substring?, channel: any Channel
    ) async throws -> Response? {
        guard let ingress = self.services.ingress else { return nil }
        let method = request.method.rawValue
        let route = ingress.route(method, path: path)
        switch route {
        case .nothing: return nil
        case .closed(let reply): return self.response(reply, path: path)
        case .endpoint(let endpoint) where endpoint.isVerified: break
        case .endpoint, .events:
            try Self.checkOrigin(request.headers, authority: request.head.authority, channel: channel)
        }
        let start = ContinuousClock.now
        try self.services.enter(.whenIdle)
        defer { self.services.leave() }
        let limit = if case .endpoint(let endpoint) = route { endpoint.bodyLimit } else { Ingress.eventsBodyLimit }
        let room = min(limit, request.headers[.contentLength].flatMap { Int($0) } ?? limit)
        guard room >= 0, ingress.reserve(room) else { throw ProblemDetails.overloaded }
        defer { ingress.release(room) }
        let reply: IngressReply
        switch route {
        case .endpoint(let endpoint):
            if let body = try await Self.body(of: request, limit: limit) {
                var received = Self.request(request, path: path, query: query, body: body, channel: channel)
                if endpoint.isPartOfAPI { received.actor = try await Self.actor(request, path, channel) }
                reply = await endpoint.receive(received)
            } else {
                reply = endpoint.tooLarge()
            }
        default:
            guard let body = try await Self.body(of: request, limit: limit) else {
                throw ProblemDetails.tooLarge(limit: limit)
            }
            reply = await ingress.receiveEvents(
                Self.request(request, path: path, query: query, body: body, channel: channel))
        }
        let response = self.response(reply, path: path)
        Self.ingressMetrics.record(status: response.status.code, since: start)
        return response
    }

    /// The body; nil when it is larger than `limit`.
    private static func body(of request: Request, limit: Int) async throws -> [UInt8]? {
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= limit else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, length))
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= limit else { return nil }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    private static func request(
        _ request: Request, path: Substring, query: Substring?, body: [UInt8], channel: any Channel
    ) -> IngressRequest {
        IngressRequest(
            method: request.method.rawValue, path: String(path), query: query.map { String($0) },
            headers: request.headers.map { ($0.name.canonicalName, $0.value) }, body: body,
            peer: channel.remoteAddress?.ipAddress ?? "unix")
    }

    private static func actor(
        _ request: Request, _ path: Substring, _ channel: any Channel
    ) async throws(ProblemDetails) -> String {
        try await RouteRequest(
            path: String(path), query: nil, parameters: [], headers: request.headers, body: [], object: .empty,
            channel: channel
        ).actor()
    }

    private func response(_ reply: IngressReply, path: Substring) -> Response {
        var answer = APIResponse(
            status: HTTPResponse.Status(code: reply.status), contentType: reply.contentType, body: reply.body)
        for (name, value) in reply.headers {
            if let name = HTTPField.Name(name) { answer.headers.append((name, value)) }
        }
        if let problem = reply.problem {
            let details = ProblemDetails(
                status: reply.status, code: problem.code, title: problem.title, detail: problem.detail,
                remedy: problem.remedy, retryAfterMilliseconds: problem.retryAfterMilliseconds)
            answer.contentType = "application/problem+json"
            answer.body = details.json(instance: String(path))
            if let milliseconds = problem.retryAfterMilliseconds {
                answer.headers.append((.retryAfterSeconds, String(max(1, (milliseconds + 999) / 1_000))))
            }
        }
        return Self.response(answer)
    }
}
