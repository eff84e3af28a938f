public import ConnectorKit
internal import Values

/// Sends the requests of one connection, over open connections and a thread of its own.
///
/// Checks before anything is sent that the connection's settings allow the request; follows redirects, each checked like
/// a first request; and adds the authorisation, which never leaves the server it is meant for.
public final class HTTPClient: Sendable {
    /// The settings of the connection.
    public let settings: HTTPSettings
    private let clock: any ConnectorClock
    private let exchange: HTTPExchange
    private let authorizer: Authorizer

    /// Starts the client's thread, which `close` ends.
    ///
    /// - Parameters:
    ///   - id: Name of the connection, for messages.
    ///   - userAgent: Sent unless the header fields name another.
    /// - Throws: `ConnectorError` (`unavailable`) when the thread cannot be set up.
    public init(
        id: String, settings: HTTPSettings, secrets: any SecretResolver,
        clock: any ConnectorClock = SystemConnectorClock(), userAgent: String
    ) throws {
        self.settings = settings
        self.clock = clock
        do {
            let loop = try CurlLoop(
                hostConnectionsMaximum: settings.connectionsMaximum, connectionsMaximum: settings.connectionsMaximum,
                userAgent: userAgent)
            self.exchange = HTTPExchange(id: id, settings: settings, secrets: secrets, clock: clock, loop: loop)
        } catch {
            throw HTTPErrors.setup(error)
        }
        self.authorizer = Authorizer(self.exchange)
    }

    /// Sends `request` and waits for the response.
    ///
    /// Any status is a response, also a redirect that is not followed. A credential that can be had anew is, once, when
    /// the service answers 401. Cancelling the task ends the transfer.
    ///
    /// - Throws: `ConnectorError`: `validation` for a request that cannot be sent as it is or an answer that is too
    ///   large, `permission` for an address that is not allowed, `auth` for a credential that cannot be had,
    ///   `unavailable`, `transient` and `timeout` for what happens on the way.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let deadline = self.clock.now + request.timeout
        var message = try self.message(request)
        var options = HTTPExchange.Options(
            timeout: request.timeout, statedTimeout: request.timeout, isRepeatable: request.isRepeatable,
            responseBytesMaximum: request.responseBytesMaximum ?? self.settings.responseBytesMaximum)
        options.sink = request.sink.map { SinkBox($0, bytesMaximum: request.sinkBytesMaximum) }
        var redirects = 0
        var hasRenewed = false
        while true {
            let authorized = try await self.authorizer.authorized(message, timeout: deadline - self.clock.now)
            options.timeout = deadline - self.clock.now
            let response = try await self.exchange.perform(authorized.message, options, redirects: redirects)
                .to(message.address)
            if response.status == 401, !hasRenewed, !message.isForeign,
                self.authorizer.canAnswer(response, to: authorized)
            {
                hasRenewed = true
                continue
            }
            guard redirects < self.settings.redirectsMaximum, let next = self.redirected(message, response) else {
                return response
            }
            redirects += 1
            message = next
        }
    }

    /// The taxonomy's error for a response that is no success for the caller: its status, the service's own words, how
    /// long it asks to be left alone.
    public func failure(_ response: HTTPResponse, of request: HTTPRequest) -> ConnectorError {
        HTTPErrors.status(response, method: request.method, now: self.clock.unixMilliseconds)
    }

    /// Ends transfers that run and frees everything.
    ///
    /// Requests after it fail as `unavailable`. May be called twice.
    public func close() async {
        await self.exchange.loop.close()
    }

    // MARK: - Building

    private func message(_ request: HTTPRequest) throws(ConnectorError) -> HTTPMessage {
        do throws(HTTPRequest.Problem) {
            guard HTTPFields.isToken(request.method) else {
                throw HTTPRequest.Problem(field: "method", message: "Expected a method such as GET.")
            }
            let address = try self.settings.address(of: request.target, query: request.query)
            var message = HTTPMessage(method: request.method, address: address)
            message.fields = self.settings.headers
            for name in request.omittedHeaders { message.remove(name) }
            for (name, value) in request.headers { try message.set(name, value) }
            if let key = request.idempotencyKey, !HTTPRequest.isSafe(request.method) {
                try message.set(self.settings.idempotencyHeader, key)
            }
            if let traceparent = request.traceparent { try message.set("traceparent", traceparent) }
            if let body = request.body { try message.set(body) }
            return message
        } catch {
            throw HTTPErrors.invalid(error)
        }
    }

    // MARK: - Redirects

    /// The request a redirect asks for, checked like the first one; `nil` when the response is none, or leads where
    /// requests may not go.
    private func redirected(_ message: HTTPMessage, _ response: HTTPResponse) -> HTTPMessage? {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.header("location") else {
            return nil
        }
        guard let target = HTTPAddress(location, relativeTo: message.address.text),
            target.scheme == "https" || (target.scheme == "http" && message.address.scheme == "http"),
            !target.hasUser
        else { return nil }
        let isSameOrigin = target.hasSameOrigin(as: message.address)
        guard isSameOrigin || self.settings.allows(target) else { return nil }
        var next = message
        next.address = target
        if !isSameOrigin {
            // What is meant for one server must not reach another, also not on the way back.
            next.isForeign = true
            for name in self.settings.headers.map(\.name) + ["authorization", "cookie"] + self.authorizer.fieldNames {
                next.remove(name)
            }
        }
        let becomesGet =
            response.status == 303 || ((response.status == 301 || response.status == 302) && message.method == "POST")
        if becomesGet, message.method != "HEAD" {
            next.method = "GET"
            next.body = nil
            next.remove("content-type")
        }
        return next
    }
}

/// A request with everything but the authorisation.
struct HTTPMessage: Sendable {
    var method: String
    var address: HTTPAddress
    var fields: [(name: String, value: String)] = []
    var body: HTTPContent?
    /// Whether a redirect led it to another server than the one the credentials are for.
    var isForeign = false

    init(method: String, address: HTTPAddress) {
        self.method = method
        self.address = address
    }

    func value(_ name: String) -> String? { self.fields.first { $0.name.isSameField(as: name) }?.value }

    mutating func remove(_ name: String) { self.fields.removeAll { $0.name.isSameField(as: name) } }

    /// Sets a header field, in place of an earlier one of that name.
    mutating func set(_ name: String, _ value: String) throws(HTTPRequest.Problem) {
        if let problem = HTTPFields.problem(name: name, value: value) {
            throw HTTPRequest.Problem(field: "headers", message: problem)
        }
        self.remove(name)
        self.fields.append((name, value))
    }

    /// Sets the body, and its content type unless there is one.
    mutating func set(_ body: HTTPRequest.Body) throws(HTTPRequest.Problem) {
        let type: String?
        switch body {
        case .bytes(let bytes, let given):
            self.body = HTTPContent(bytes)
            type = given
        case .file(let file, let given):
            self.body = HTTPContent(file)
            type = given
        case .multipart(let parts):
            let boundary = HTTPMultipart.boundary()
            self.body = try HTTPMultipart.content(parts, boundary: boundary)
            // The boundary is ours, so the type must be too.
            self.remove("content-type")
            type = "multipart/form-data; boundary=\(boundary)"
        }
        if let type, self.value("content-type") == nil { try self.set("Content-Type", type) }
    }
}
