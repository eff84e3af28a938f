internal import CCurlShim
internal import ConnectorKit
internal import Values

/// One connection: settings, and a loop with open connections.
final class HTTPConnection: Connection {
    private let id: String
    private let settings: HTTPSettings
    private let builder: HTTPRequestBuilder
    private let secrets: any SecretResolver
    private let clock: any ConnectorClock
    private let loop: CurlLoop

    init(_ configuration: ConnectionConfiguration, _ settings: HTTPSettings) throws {
        self.id = configuration.id
        self.settings = settings
        self.builder = HTTPRequestBuilder(settings: settings)
        self.secrets = configuration.secrets
        self.clock = configuration.clock
        do {
            self.loop = try CurlLoop(
                hostConnectionsMaximum: settings.connectionsMaximum, connectionsMaximum: settings.connectionsMaximum,
                userAgent: "junction/\(HTTPModule.description.version)")
        } catch {
            throw HTTPErrors.setup(error)
        }
    }

    /// Asks the base address for its headers.
    ///
    /// Any answer but one about the credential will do.
    func test() async throws {
        guard self.settings.base != nil else { return }
        let anyStatus = Value.list((200..<600).map { .number(Number(Int64($0))) })
        let call = OperationCall(
            operation: "request", input: ["method": "HEAD", "expect": anyStatus], timeout: .seconds(10))
        let outcome = await self.invoke(call)
        if let error = outcome.error { throw error }
        let status = outcome.value?["status"]?.asInt64 ?? 0
        if status == 401 || status == 403 {
            throw ConnectorError(
                HTTPErrors.kind(of: Int(status)), code: HTTPErrors.Code.status,
                "HEAD \(self.settings.base?.text ?? "") answered \(status).",
                remedy: "Check the credential of the connection.")
        }
    }

    func isRepeatable(_ call: OperationCall) -> Bool? { self.builder.isRepeatable(call) }

    func invoke(_ call: OperationCall) async -> Outcome {
        guard HTTPModule.description.operation(call.operation) != nil else {
            return .failed(.unknownOperation(call.operation, of: HTTPModule.description))
        }
        do {
            let prepared = try self.builder.prepare(call, authorization: try await self.authorization())
            return try await self.send(prepared, deadline: self.clock.now + call.timeout, timeout: call.timeout)
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        throw ConnectorError.unknownEvent(request.event, of: HTTPModule.description)
    }

    func close() async {
        await self.loop.close()
    }

    // MARK: - One call

    private func send(_ prepared: HTTPPreparedCall, deadline: Duration, timeout: Duration) async throws -> Outcome {
        var call = prepared
        var redirects = 0
        while true {
            let result = await self.loop.perform(call.request)
            guard result.code == 0 else {
                if self.loop.isClosing {
                    var error = ConnectorError.closed(self.id)
                    error.mayHaveExecuted = result.requestBytes > 0
                    throw error
                }
                throw HTTPErrors.transport(result, call, timeout: timeout)
            }
            let response = HTTPResponse(result)
            if call.isSuccess(response.status) {
                return try self.success(response, result, call, redirects: redirects)
            }
            if redirects < self.settings.redirectsMaximum, let next = try self.redirected(call, response) {
                redirects += 1
                call = next
                let left = deadline - self.clock.now
                guard left > .zero else {
                    var late = result
                    late.failure = JHC_TIMEOUT
                    throw HTTPErrors.transport(late, call, timeout: timeout)
                }
                call.request.timeout = left
                continue
            }
            return .failed(HTTPErrors.status(response, call, now: self.clock.unixMilliseconds))
        }
    }

    private func success(
        _ response: HTTPResponse, _ result: CurlResult, _ call: HTTPPreparedCall, redirects: Int
    ) throws -> Outcome {
        var facts: ValueContext = [
            "status": .number(Number(Int64(response.status))),
            "requestBytes": .number(Number(result.requestBytes)),
            "responseBytes": .number(Number(Int64(response.bytes.count))),
            "milliseconds": .number(Number(result.duration.wholeMilliseconds)),
            "reusedConnection": .boolean(result.reusedConnection),
        ]
        if redirects > 0 { facts["redirects"] = .number(Number(Int64(redirects))) }
        if let id = response.header("x-request-id") ?? response.header("request-id") {
            facts["requestId"] = .string(String(id.prefix(200)))
        }
        let value: Value
        do {
            value = try response.value()
        } catch {
            throw ConnectorError(
                .unknown, code: HTTPErrors.Code.malformedResponse,
                "\(call.method.rawValue) \(call.address.host)\(call.address.path) answered \(response.status) with a body "
                    + "that is not the JSON it is said to be: \(error).",
                remedy: "Report it to the service's owner.", mayHaveExecuted: true, details: facts)
        }
        let replayed = response.header("idempotency-replayed") ?? response.header("idempotent-replayed")
        return replayed == "true" ? .alreadyDone(value, facts: facts) : .done(value, facts: facts)
    }

    /// The request a redirect asks for, checked like the first one; `nil` when the response is none.
    private func redirected(_ call: HTTPPreparedCall, _ response: HTTPResponse) throws -> HTTPPreparedCall? {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.header("location") else {
            return nil
        }
        guard let target = HTTPAddress(location, relativeTo: call.address.text),
            target.scheme == "https" || (target.scheme == "http" && call.address.scheme == "http"), !target.hasUser
        else { return nil }
        guard target.hasSameOrigin(as: call.address) || self.builder.allows(target) else { return nil }
        var next = call
        next.request.url = target.text
        next.request.allowsPrivateAddress = self.builder.allowsPrivate(target.host)
        if !target.hasSameOrigin(as: call.address) {
            next.request.headers.removeAll { line in
                call.credentialHeaders.contains(line.prefix { $0 != ":" && $0 != ";" }.lowercased())
            }
        }
        let becomesGet =
            response.status == 303 || ((response.status == 301 || response.status == 302) && call.method == .post)
        if becomesGet, call.method != .head {
            next.method = .get
            next.request.method = HTTPMethod.get.rawValue
            next.request.body = nil
            next.request.needsFreshConnection = false
            next.request.headers.removeAll { $0.lowercased().hasPrefix("content-type:") }
        }
        next.address = target
        return next
    }

    private func authorization() async throws -> (name: String, value: String)? {
        let name: String
        let value: String
        switch self.settings.auth {
        case .none: return nil
        case .bearer(let token):
            name = "Authorization"
            value = try await self.secrets.secret(token).reveal { "Bearer " + $0 }
        case .basic(let user, let password):
            name = "Authorization"
            value = try await self.secrets.secret(password).reveal {
                "Basic " + Base64.encode(Array("\(user):\($0)".utf8))
            }
        case .apiKey(let header, let key):
            name = header
            value = try await self.secrets.secret(key).reveal { $0 }
        }
        if HTTPHeaders.problem(name: name, value: value) != nil {
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable,
                "The secret of the connection \(self.id) holds a line end or another control character.",
                remedy: "Store it without; editors like to add a line end.")
        }
        return (name, value)
    }
}
