internal import ConnectorKit
internal import Crypto
internal import HTTPTransport
internal import Synchronization
internal import Values

/// One service.
final class GraphQLConnection: Connection {
    private let settings: GraphQLSettings
    private let descriptor: ConnectorDescriptor
    private let client: HTTPClient
    private let clock: any ConnectorClock
    /// Whether the service has refused digests: then they are not tried again.
    private let refusesDigests = Atomic(false)

    init(
        _ configuration: ConnectionConfiguration, _ settings: GraphQLSettings, _ descriptor: ConnectorDescriptor
    ) throws {
        self.settings = settings
        self.descriptor = descriptor
        self.clock = configuration.clock
        self.client = try HTTPClient(
            id: configuration.id, settings: settings.http, secrets: configuration.secrets, clock: configuration.clock,
            userAgent: "junction/\(descriptor.version)")
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        if let declared = self.settings.documents[call.operation], declared.effect == .read { return true }
        return (try? self.prepare(call))?.isRepeatable
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            let prepared = try self.prepare(call)
            if let pagination = prepared.pagination { return try await self.pages(prepared, pagination, call) }
            let response = try await self.send(prepared, call, timeout: call.timeout)
            if let failure = self.failure(response, prepared) { return .failed(failure) }
            let result = Self.result(response, data: response.data ?? .null)
            // The service knew the idempotency key.
            let isReplay = response.http.isReplay && !prepared.isRead
            return isReplay ? .alreadyDone(result, facts: response.facts) : .done(result, facts: response.facts)
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        throw ConnectorError.unknownEvent(request.event, of: self.descriptor)
    }

    func close() async {
        await self.client.close()
    }

    private func prepare(_ call: OperationCall) throws -> GraphQLCall {
        switch call.operation {
        case "query", "mutate": return try GraphQLCall.adHoc(call, self.settings)
        default:
            guard let declared = self.settings.documents[call.operation] else {
                throw ConnectorError.unknownOperation(call.operation, of: self.descriptor)
            }
            return try GraphQLCall.declared(declared, call, self.settings)
        }
    }

    private static func result(_ response: GraphQLResponse, data: Value) -> Value {
        var result: ValueContext = ["data": data]
        if !response.errors.isEmpty { result["errors"] = response.errorValues }
        result["extensions"] = response.extensions
        return .context(result)
    }

    // MARK: - Sending

    private func request(_ prepared: GraphQLCall, _ call: OperationCall, timeout: Duration) -> HTTPRequest {
        HTTPRequest(
            method: "POST", target: .path(self.settings.path),
            headers: [("Accept", "application/graphql-response+json, application/json;q=0.9")], timeout: timeout,
            isRepeatable: prepared.isRepeatable, idempotencyKey: prepared.isRead ? nil : call.idempotencyKey,
            traceparent: call.traceparent)
    }

    /// Sends a call once; by the document's digest first, where that is wanted.
    private func send(
        _ prepared: GraphQLCall, _ call: OperationCall, timeout: Duration
    ) async throws -> GraphQLResponse {
        let deadline = self.clock.now + timeout
        let usesDigest =
            self.settings.persisted == .automatic && !self.refusesDigests.load(ordering: .relaxed)
            && prepared.documentID == nil
        var request = self.request(prepared, call, timeout: timeout)
        guard let document = prepared.document, usesDigest else {
            return try await self.exchange(&request, prepared, prepared.document, digest: nil)
        }
        let digest = SHA256.hash(data: Array(document.text.utf8)).map { Self.hexadecimal($0) }.joined()
        let response = try await self.exchange(&request, prepared, nil, digest: digest)
        let isRefused = response.refusesDigests
        guard isRefused || response.isUnknownDocument else { return response }
        if isRefused { self.refusesDigests.store(true, ordering: .relaxed) }
        request.timeout = deadline - self.clock.now
        return try await self.exchange(&request, prepared, document, digest: isRefused ? nil : digest)
    }

    private func exchange(
        _ request: inout HTTPRequest, _ prepared: GraphQLCall, _ document: GraphQLDocument?, digest: String?
    ) async throws -> GraphQLResponse {
        request.body = .bytes(
            prepared.body(document: document, digest: digest, idField: self.settings.documentIDField),
            contentType: "application/json")
        let http = try await self.client.send(request)
        let isSuccess = (200..<300).contains(http.status)
        do throws(GraphQLResponse.Malformed) {
            // A failure of something in between has no GraphQL in it.
            guard isSuccess || http.isJSON else { throw GraphQLResponse.Malformed(reason: "") }
            return try GraphQLResponse(http)
        } catch {
            guard isSuccess else { throw self.client.failure(http, of: request) }
            throw GraphQLErrors.malformed(error.reason, details: http.facts)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// The failure a response stands for; nil when it is a success.
    private func failure(_ response: GraphQLResponse, _ prepared: GraphQLCall) -> ConnectorError? {
        if let id = prepared.documentID, response.isUnknownDocument {
            return GraphQLErrors.unknownPersisted(id, details: response.facts)
        }
        let status = response.http.status
        let isSuccess = (200..<300).contains(status)
        guard !response.errors.isEmpty || !isSuccess else { return nil }
        if response.isPartial, isSuccess, prepared.partial == .return { return nil }
        let plain = HTTPRequest(method: "POST", target: .path(self.settings.path))
        let remote = isSuccess ? nil : self.client.failure(response.http, of: plain)
        if response.errors.isEmpty, let remote { return remote }
        var failure = response.failure(
            self.settings.errorCodes, now: self.clock.unixMilliseconds, remote: remote)
        if prepared.isRead { failure.mayHaveExecuted = response.data != nil }
        return failure
    }

    // MARK: - Pages

    /// Reads page after page, within the time of the call.
    private func pages(
        _ prepared: GraphQLCall, _ pagination: GraphQLPagination, _ call: OperationCall
    ) async throws -> Outcome {
        let deadline = self.clock.now + call.timeout
        var page = prepared
        var progress = GraphQLPagination.Progress()
        var errors: [Value] = []
        while true {
            let response = try await self.send(page, call, timeout: deadline - self.clock.now)
            if let failure = self.failure(response, page) { return .failed(failure) }
            errors += response.errorValues.asList ?? []
            do throws(GraphQLPagination.Malformed) {
                try progress.add(response.data ?? .null, pagination)
            } catch {
                return .failed(GraphQLErrors.pages(error.reason, details: response.facts))
            }
            guard let cursor = progress.cursor, progress.pages < pagination.pagesMax,
                progress.items < pagination.itemsMax
            else {
                var result: ValueContext = [
                    "data": progress.data, "pages": .number(Number(Int64(progress.pages))),
                    "isComplete": .boolean(progress.cursor == nil),
                ]
                if !errors.isEmpty { result["errors"] = .list(errors) }
                result["extensions"] = response.extensions
                var facts = response.facts
                facts["pages"] = result["pages"]
                return .done(.context(result), facts: facts)
            }
            page.variables[pagination.variable] = .string(cursor)
        }
    }

    // MARK: - Test

    /// The service answers, accepts the credential, and has the fields that declared documents ask for.
    ///
    /// A service that tells nothing of its schema is asked for a type name only.
    func test() async throws {
        let introspection = """
            query JunctionTest { __schema { queryType { name fields(includeDeprecated: true) { name } }
            mutationType { name fields(includeDeprecated: true) { name } } } }
            """
        do {
            let response = try await self.ask(introspection)
            if let schema = response.data?["__schema"] { try self.check(schema) }
        } catch let error as ConnectorError
            where error.code == GraphQLErrors.Code.remote && [.validation, .permission, .unknown].contains(error.kind)
        {
            // Introspection may be forbidden to everybody.
            _ = try await self.ask("query JunctionTest { __typename }")
        }
    }

    private func ask(_ text: String) async throws -> GraphQLResponse {
        let prepared = GraphQLCall(
            document: try GraphQLDocument(text), operationName: "JunctionTest", partial: .reject, isRepeatable: true,
            isRead: true)
        let call = OperationCall(operation: "query", input: .null, timeout: .seconds(10))
        let response = try await self.send(prepared, call, timeout: call.timeout)
        if let failure = self.failure(response, prepared) { throw failure }
        return response
    }

    private func check(_ schema: Value) throws {
        for declared in self.settings.documents.values.sorted(by: { $0.name < $1.name }) {
            guard let operation = declared.operation, operation.kind != .subscription else { continue }
            let type = schema[operation.kind == .query ? "queryType" : "mutationType"]
            let typeName = type?["name"]?.asString ?? operation.kind.rawValue
            let known = Set((type?["fields"]?.asList ?? []).compactMap { $0["name"]?.asString })
            let missing = operation.rootFields.first { !$0.hasPrefix("__") && !known.contains($0) }
            if let missing { throw GraphQLErrors.outdated(declared.name, missing, typeName) }
        }
    }
}
