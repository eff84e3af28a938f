import ConnectorKit
import Synchronization
import Values

/// Answers requests from the fixtures of a test, and remembers them.
final class FixtureTransport: SpecTransport {
    private struct State {
        var requests: [SpecRequest] = []
        var problem: String?
    }

    private let responses: [ValueContext]
    private let authorization: FixtureAuthorization
    private let state = Mutex(State())

    /// The largest number of requests of one test.
    static let requestsMaximum = 1_000

    init(responses: [ValueContext], authorization: FixtureAuthorization) {
        self.responses = responses
        self.authorization = authorization
    }

    /// The requests so far, authorised.
    var requests: [SpecRequest] { self.state.withLock { $0.requests } }

    /// Why the test cannot be trusted, if so.
    var problem: String? { self.state.withLock { $0.problem } }

    func send(_ request: SpecRequest) async throws -> SpecResponse {
        let authorized = self.authorization.authorized(request)
        let index = self.state.withLock { state in
            state.requests.append(authorized)
            return state.requests.count - 1
        }
        // One answer stands for all.
        let isKnown = self.responses.count == 1 ? index < Self.requestsMaximum : index < self.responses.count
        guard isKnown else {
            let problem = "There were more requests than answers: \(self.responses.count)."
            self.state.withLock { $0.problem = problem }
            throw ConnectorError(
                .unsupported, code: SpecErrorCode.failed, problem, remedy: "Add answers to respondSequence.",
                isRetryable: false)
        }
        let fixture = self.responses[self.responses.count == 1 ? 0 : index]
        if let kind = fixture["fail"]?.asString.flatMap({ ConnectorError.Kind(rawValue: $0) }) {
            throw ConnectorError(
                kind, code: SpecErrorCode.failed, "The fixture fails.", remedy: "None.",
                mayHaveExecuted: kind == .timeout)
        }
        return Self.response(fixture)
    }

    func close() async {}

    private static func response(_ fixture: ValueContext) -> SpecResponse {
        var headers: [(name: String, value: String)] = (fixture["headers"]?.asContext ?? ValueContext()).map {
            ($0.key.lowercased(), $0.value.plainText ?? "")
        }
        var body: [UInt8] = []
        var type: String?
        if let json = fixture["json"] {
            body = Array(JSON.string(json).utf8)
            type = "application/json"
        } else if let text = fixture["bodyText"]?.plainText {
            body = Array(text.utf8)
            type = "text/plain"
        } else if let encoded = fixture["base64"]?.asString {
            body = Base64.decode(encoded) ?? []
            type = "application/octet-stream"
        }
        if let type, !headers.contains(where: { $0.name == "content-type" }) { headers.append(("content-type", type)) }
        var response = SpecResponse(
            status: fixture["status"]?.asInt64.flatMap { Int(exactly: $0) } ?? 200, headers: headers, body: body)
        response.retryAfter = response.header("retry-after").flatMap { Int64($0) }.map { .seconds(max(0, $0)) }
        return response
    }
}
