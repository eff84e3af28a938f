import Engine
import HTTPTypes
import Hub
import Storage
import Values

extension Dispatcher {
    /// Carries a request out, once for each idempotency key it comes with.
    ///
    /// A repeated start returns its instance by the engine's own keys, for as long as the caller chose.
    func carryOut(_ route: Route, _ request: RouteRequest) async throws -> APIResponse {
        guard let key = request.headers[.idempotencyKey], let gate = self.services.hub.requests, route.takesKeys else {
            return try await route.handler(request, self.services)
        }
        let keyed = RequestGate.Request(
            scope: "api/\(try await request.actor())/\(route.operation)", key: key,
            parts: [Array(request.path.utf8), Array((request.query ?? "").utf8), Self.canonical(request.body)])
        switch try await gate.admit(keyed) {
        case .replay(let answer):
            return APIResponse(
                status: HTTPResponse.Status(code: answer.status), contentType: answer.contentType,
                headers: [(.idempotencyReplayed, "true")], body: answer.body)
        case .refuse(let refusal):
            throw ProblemDetails(refusal)
        case .execute(let ticket):
            let response: APIResponse
            do {
                response = try await route.handler(request, self.services)
            } catch {
                try await gate.finish(ticket, Self.ending(after: error))
                throw error
            }
            try await gate.finish(
                ticket,
                .answered(
                    .init(
                        status: response.status.code, contentType: response.contentType, body: response.body)))
            return response
        }
    }

    /// A JSON document without its blanks; anything else as it is.
    private static func canonical(_ body: [UInt8]) -> [UInt8] {
        guard let value = try? JSON.parse(body) else { return body }
        var bytes: [UInt8] = []
        JSON.write(value, into: &bytes)
        return bytes
    }

    /// What an error says about the effect: refusals have none, failures inside are in doubt.
    private static func ending(after error: any Error) -> RequestGate.Ending {
        let status: Int
        switch error {
        case let error as ProblemDetails: status = error.status
        case let error as CommandRejection: status = ProblemDetails(error).status
        case let error as StoreError: status = ProblemDetails(error).status
        case let error as HubError: status = ProblemDetails(error).status
        default: return .unknown
        }
        return status < 500 || status == 503 ? .nothingHappened : .unknown
    }
}

extension Route {
    /// Whether repeating it is prevented by keys: it changes something, and has no keys of its own.
    var takesKeys: Bool {
        self.method != .get && !self.path.hasSuffix("/search") && self.operation != "createProcessInstance"
    }
}

extension ProblemDetails {
    private static let keyInUse = "AP409"

    init(_ refusal: RequestGate.Refusal) {
        switch refusal {
        case .invalidKey:
            self = .invalidField("Idempotency-Key", expected: "1 to 255 characters", found: "something else")
        case .otherRequest:
            self.init(
                status: 422, code: "AP422", title: "UNPROCESSABLE_CONTENT",
                detail: "The idempotency key was used for another request.",
                remedy: "Use a new key for each request; repeat a request only as it was.")
        case .inProgress(let milliseconds):
            self.init(
                status: 409, code: Self.keyInUse, title: "CONFLICT",
                detail: "The first request with this idempotency key has not finished.",
                remedy: "Wait, then repeat the request.", retryAfterMilliseconds: milliseconds)
        case .interrupted:
            self.init(
                status: 409, code: Self.keyInUse, title: "CONFLICT",
                detail: "The first request with this idempotency key was interrupted; it may have been carried out.",
                remedy: "Look whether it was; if not, send it with a new key.")
        }
    }
}
