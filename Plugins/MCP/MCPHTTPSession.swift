internal import AsyncHTTPClient
internal import ConnectorKit
internal import NIOCore
internal import NIOHTTP1
internal import PluginHost
internal import Synchronization
internal import Values

/// A session over streamable HTTP: each message is a POST, answered by JSON or by a stream of events.
///
/// A session the server has forgotten (404) is begun anew, once a call.
final class MCPHTTPSession: MCPSession {
    private struct State {
        var sessionID: String?
        var version: String?
        var serverName = ""
        var nextID: Int64 = 1
        var isClosed = false
    }

    private let name: String
    private let url: String
    private let token: @Sendable () async throws -> Secret?
    private let bytesMax: Int
    private let onNotice: @Sendable (MCPNotice) -> Void
    private let client: HTTPClient
    private let state = Mutex(State())

    private init(
        _ name: String, _ url: String, token: @escaping @Sendable () async throws -> Secret?, bytesMax: Int,
        onNotice: @escaping @Sendable (MCPNotice) -> Void
    ) {
        self.name = name
        self.url = url
        self.token = token
        self.bytesMax = bytesMax
        self.onNotice = onNotice
        var configuration = HTTPClient.Configuration()
        // A redirect would carry the token elsewhere.
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        // Trying again is the business of whoever calls.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    static func open(
        _ name: String, _ url: String, token: @escaping @Sendable () async throws -> Secret?, bytesMax: Int,
        onNotice: @escaping @Sendable (MCPNotice) -> Void
    ) async throws -> MCPHTTPSession {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "url: expected an address that begins with http:// or https://.", remedy: "Correct it.")
        }
        let session = MCPHTTPSession(name, url, token: token, bytesMax: bytesMax, onNotice: onNotice)
        do {
            try await session.begin()
        } catch {
            await session.close()
            throw error
        }
        return session
    }

    var serverName: String { self.state.withLock { $0.serverName } }

    private func begin() async throws {
        self.state.withLock { state in
            state.sessionID = nil
            state.version = nil
        }
        let answer = try await self.exchange(
            MCPProtocol.initialize, MCPProtocol.initializeParams, timeout: .seconds(30))
        if let reason = MCPProtocol.refusal(of: answer) {
            throw ConnectorError(
                .unavailable, code: MCPErrors.Code.refused, reason, remedy: "Use another version of the server.",
                isRetryable: false)
        }
        self.state.withLock { state in
            state.version = answer["protocolVersion"]?.asString
            state.serverName = MCPProtocol.serverName(answer)
        }
        try await self.tell(MCPProtocol.initialized, [:])
    }

    func call(_ method: String, _ params: Value, timeout: Duration) async throws -> Value {
        if self.state.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.name) }
        do {
            return try await self.exchange(method, params, timeout: timeout)
        } catch let error as ConnectorError where error.details["status"] == 404 {
            guard self.state.withLock({ $0.sessionID != nil }) else { throw error }
            try await self.begin()
            self.onNotice(.toolsChanged)
            return try await self.exchange(method, params, timeout: timeout)
        }
    }

    func close() async {
        let (isFirst, sessionID) = self.state.withLock { state in
            defer { state.isClosed = true }
            return (!state.isClosed, state.sessionID)
        }
        guard isFirst else { return }
        if sessionID != nil, var request = try? await self.request(.DELETE) {
            request.headers.remove(name: "Content-Type")
            _ = try? await self.client.execute(request, timeout: .seconds(3))
        }
        try? await self.client.shutdown()
    }

    // MARK: - Messages

    private func request(_ method: HTTPMethod) async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: self.url)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json, text/event-stream")
        request.headers.add(name: "Content-Type", value: "application/json")
        let (sessionID, version) = self.state.withLock { ($0.sessionID, $0.version) }
        if let sessionID { request.headers.add(name: "Mcp-Session-Id", value: sessionID) }
        if let version { request.headers.add(name: "MCP-Protocol-Version", value: version) }
        if let token = try await self.token() {
            token.reveal { request.headers.add(name: "Authorization", value: "Bearer \($0)") }
        }
        return request
    }

    /// Sends a notification.
    private func tell(_ method: String, _ params: Value) async throws {
        try await self.post(RPCMessage.notification(method: method, params: params))
    }

    private func post(_ message: RPCMessage) async throws {
        var request = try await self.request(.POST)
        request.body = .bytes(message.frame)
        let response = try await self.client.execute(request, timeout: .seconds(10))
        _ = try? await response.body.collect(upTo: self.bytesMax)
    }

    /// Sends a request and waits for its answer.
    private func exchange(_ method: String, _ params: Value, timeout: Duration) async throws -> Value {
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        let answer = try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await self.send(id, method, params) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw ConnectorError(
                    .timeout, code: MCPErrors.Code.http, "The server did not answer in time.",
                    remedy: "Allow more time, or find out what it waits for.", mayHaveExecuted: true)
            }
            defer { group.cancelAll() }
            do {
                guard let value = try await group.next() else { throw CancellationError() }
                return value
            } catch {
                let error = Task.isCancelled ? ConnectorError(wrapping: CancellationError()) : error
                if (error as? ConnectorError)?.kind == .timeout, method != MCPProtocol.initialize {
                    self.cancel(id)
                }
                throw error
            }
        }
        return answer
    }

    /// Tells the server that nobody waits any more; nobody waits for that either.
    private func cancel(_ id: Int64) {
        Task {
            try? await self.tell(MCPProtocol.cancelled, ["requestId": .number(Number(id)), "reason": "timeout"])
        }
    }

    private func send(_ id: Int64, _ method: String, _ params: Value) async throws -> Value {
        var request = try await self.request(.POST)
        request.body = .bytes(RPCMessage.request(id: .number(Number(id)), method: method, params: params).frame)
        let response: HTTPClientResponse
        do {
            response = try await self.client.execute(request, deadline: .distantFuture)
        } catch {
            throw Self.unreachable(error)
        }
        if method == MCPProtocol.initialize, let sessionID = response.headers.first(name: "Mcp-Session-Id") {
            self.state.withLock { $0.sessionID = sessionID }
        }
        guard (200..<300).contains(response.status.code) else {
            let body = try? await response.body.collect(upTo: 64 << 10)
            throw Self.failure(response, String(buffer: body ?? ByteBuffer()))
        }
        do {
            let type = response.headers.first(name: "Content-Type")?.lowercased() ?? ""
            if type.hasPrefix("text/event-stream") { return try await self.readEvents(response, id) }
            let body = try await response.body.collect(upTo: self.bytesMax)
            return try Self.answer(to: id, Array(body.readableBytesView)).get()
        } catch let error as ConnectorError {
            throw error
        } catch let error as RPCError {
            throw MCPErrors.refused(error)
        } catch is CancellationError {
            throw CancellationError()
        } catch is NIOTooManyBytesError {
            throw MCPErrors.malformed("an answer of more than \(self.bytesMax) bytes")
        } catch {
            throw ConnectorError(
                .unavailable, code: MCPErrors.Code.http, "The answer broke off: \(type(of: error)).",
                remedy: "Usually passes; check the server and the network if not.", mayHaveExecuted: true)
        }
    }

    private static func answer(to id: Int64, _ bytes: [UInt8]) throws -> Result<Value, RPCError> {
        guard let message = try? RPCMessage(bytes[...]), case .response(let answered, let result) = message,
            answered.asInt64 == id
        else { throw MCPErrors.malformed("something that is not the answer") }
        return result
    }

    /// Reads events until the answer comes; what else comes is dealt with on the way.
    private func readEvents(_ response: HTTPClientResponse, _ id: Int64) async throws -> Value {
        var parser = EventStreamParser(bytesMax: self.bytesMax)
        for try await buffer in response.body {
            let events: [[UInt8]]
            do {
                events = try parser.append(buffer.readableBytesView)
            } catch {
                throw MCPErrors.malformed("an event of more than \(self.bytesMax) bytes")
            }
            for event in events {
                guard let message = try? RPCMessage(event[...]) else { continue }
                switch message {
                case .response(let answered, let result) where answered.asInt64 == id:
                    return try result.get()
                case .response: break
                case .notification(let method, let params):
                    if let notice = MCPNotice(method, params) { self.onNotice(notice) }
                case .request(let asked, let method, _):
                    try await self.post(.response(id: asked, MCPRequests.answer(method)))
                }
            }
        }
        throw ConnectorError(
            .unavailable, code: MCPErrors.Code.http, "The stream ended without the answer.",
            remedy: "Usually passes; check the server if not.", mayHaveExecuted: true)
    }

    // MARK: - Errors

    private static func unreachable(_ error: any Error) -> any Error {
        if error is CancellationError { return error }
        return ConnectorError(
            .unavailable, code: MCPErrors.Code.http, "The server could not be reached: \(error).",
            remedy: "Check the URL, and that the server runs.",
            mayHaveExecuted: (error as? HTTPClientError) == .remoteConnectionClosed)
    }

    private static func failure(_ response: HTTPClientResponse, _ body: String) -> ConnectorError {
        let status = Int(response.status.code)
        let kind: ConnectorError.Kind =
            switch status {
            case 401: .auth
            case 403: .permission
            case 404: .notFound
            case 408, 504: .timeout
            case 429: .rateLimited
            case 503: .unavailable
            case 500...: .transient
            default: .validation
            }
        let retryAfter = response.headers.first(name: "Retry-After").flatMap { Int64($0) }
        return ConnectorError(
            kind, code: MCPErrors.Code.http, "The server answered \(status): \(body.prefix(500))",
            remedy: kind == .auth ? "Give the connection a token that is valid." : "See what the server says.",
            mayHaveExecuted: status >= 500, retryAfter: retryAfter.map { .seconds(max(0, min($0, 86_400))) },
            details: ["status": .number(Number(status))])
    }
}
