internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// One connection: a client, and the mapping of operations to requests.
final class HTTPConnection: Connection {
    private let builder: HTTPRequestBuilder
    private let client: HTTPClient

    init(_ configuration: ConnectionConfiguration, _ settings: HTTPSettings) throws {
        self.builder = HTTPRequestBuilder(settings: settings)
        self.client = try HTTPClient(
            id: configuration.id, settings: settings, secrets: configuration.secrets, clock: configuration.clock,
            userAgent: "junction/\(HTTPModule.description.version)")
    }

    /// Asks the base address for its headers.
    ///
    /// Any answer but one about the credential will do.
    func test() async throws {
        guard self.client.settings.base != nil else { return }
        let request = HTTPRequest(method: "HEAD", target: .path(""), timeout: .seconds(10))
        let response = try await self.client.send(request)
        guard response.status == 401 || response.status == 403 else { return }
        var error = self.client.failure(response, of: request)
        error.remedy = "Check the credential of the connection."
        throw error
    }

    func isRepeatable(_ call: OperationCall) -> Bool? { self.builder.isRepeatable(call) }

    func invoke(_ call: OperationCall) async -> Outcome {
        guard HTTPModule.description.operation(call.operation) != nil else {
            return .failed(.unknownOperation(call.operation, of: HTTPModule.description))
        }
        do {
            let prepared = try self.builder.prepare(call)
            let response = try await self.client.send(prepared.request)
            guard prepared.isSuccess(response.status) else {
                return .failed(self.client.failure(response, of: prepared.request))
            }
            return try self.success(response, prepared)
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        throw ConnectorError.unknownEvent(request.event, of: HTTPModule.description)
    }

    func close() async {
        await self.client.close()
    }

    private func success(_ response: HTTPResponse, _ call: HTTPPreparedCall) throws -> Outcome {
        let facts = response.facts
        var value: ValueContext = [
            "status": .number(Number(Int64(response.status))), "headers": .context(response.headers),
        ]
        do {
            let body = try response.body()
            value["body"] = body?.value ?? .null
            if let body { value["bodyEncoding"] = .string(body.encoding) }
        } catch {
            throw ConnectorError(
                .unknown, code: HTTPErrorCode.malformedResponse,
                "\(call.request.method) \(response.address.host)\(response.address.path) answered \(response.status) "
                    + "with a body that is not the JSON it is said to be: \(error).",
                remedy: "Report it to the service's owner.", mayHaveExecuted: true, details: facts)
        }
        return response.isReplay ? .alreadyDone(.context(value), facts: facts) : .done(.context(value), facts: facts)
    }
}
