internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// One connection: a client, and the mapping of operations to requests.
final class HTTPConnection: Connection {
    private let builder: HTTPRequestBuilder
    private let client: HTTPClient
    private let clock: any ConnectorClock
    private let files: BlobDirectory?
    private let fileBytesMaximum: Int

    init(
        _ configuration: ConnectionConfiguration, _ settings: HTTPSettings, files: BlobDirectory?,
        fileBytesMaximum: Int
    ) throws {
        self.clock = configuration.clock
        self.files = files
        self.fileBytesMaximum = fileBytesMaximum
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
            var prepared = try self.builder.prepare(call)
            prepared.request.body = try await prepared.body?.opened(in: self.files)
            if let pagination = prepared.pagination {
                var pages = PageReader(
                    client: self.client, clock: self.clock, call: prepared, pagination: pagination)
                return try await pages.read()
            }
            if let name = prepared.download { return try await self.download(name, prepared) }
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

    private func download(_ name: String, _ call: HTTPPreparedCall) async throws -> Outcome {
        guard let files = self.files else { throw HTTPFiles.noDirectory }
        let file: BlobFile
        do {
            file = try await files.created(name)
        } catch {
            throw HTTPFileFailure.error(error)
        }
        // The transport may hold on to it a moment longer than the call lasts.
        defer { file.discard() }
        var request = call.request
        request.sink = file
        request.sinkBytesMaximum = Int64(self.fileBytesMaximum)
        let response: HTTPResponse
        do {
            response = try await self.client.send(request)
        } catch {
            guard let refusal = file.refusal else { throw error }
            var failure = HTTPFileFailure.error(refusal)
            failure.mayHaveExecuted = true
            throw failure
        }
        guard (200..<300).contains(response.status) else {
            // A status that counts as success all the same has its body here, as always.
            if call.isSuccess(response.status) { return try self.success(response, call) }
            return .failed(self.client.failure(response, of: request))
        }
        guard call.isSuccess(response.status) else { return .failed(self.client.failure(response, of: request)) }
        let written: BlobFile.Written
        do {
            written = try await file.finish()
        } catch {
            var failure = HTTPFileFailure.error(error)
            failure.mayHaveExecuted = true
            throw failure
        }
        let value: ValueContext = [
            "status": .number(Number(Int64(response.status))), "headers": .context(response.headers),
            "bodyEncoding": "file",
            "body": [
                "file": .string(written.name), "bytes": .number(Number(written.bytes)),
                "sha256": .string(written.sha256),
            ],
        ]
        return .done(.context(value), facts: response.facts)
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
