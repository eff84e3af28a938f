internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// Reads the pages of one list.
struct PageReader {
    /// Pages that cannot be followed.
    static let brokenCode = "CON-1016"

    let client: HTTPClient
    let clock: any ConnectorClock
    let call: HTTPPreparedCall
    let pagination: Pagination

    private var request: HTTPRequest
    private var items: [Value] = []
    private var pages = 0
    private var bytes = 0
    private var seen: Set<String> = []

    init(client: HTTPClient, clock: any ConnectorClock, call: HTTPPreparedCall, pagination: Pagination) {
        self.client = client
        self.clock = clock
        self.call = call
        self.pagination = pagination
        self.request = call.request
    }

    /// Reads until there are no more pages, or a bound of the call is reached.
    mutating func read() async throws -> Outcome {
        let deadline = self.clock.now + self.call.request.timeout
        var position = self.pagination.start
        self.apply(position: position)
        while true {
            self.request.timeout = max(.milliseconds(1), deadline - self.clock.now)
            self.request.responseBytesMaximum = max(1, self.client.settings.responseBytesMaximum - self.bytes)
            let response = try await self.client.send(self.request)
            guard self.call.isSuccess(response.status) else {
                return .failed(self.client.failure(response, of: self.request))
            }
            let page = try self.page(response)
            let found = try self.list(page, response)
            self.pages += 1
            self.bytes += response.bytes.count
            self.items += found
            position += self.pagination.kind == .offset ? found.count : 1
            let next = try self.next(after: page, response, count: found.count, position: position)
            // Only whole pages are kept, so that whoever goes on at `next` misses nothing.
            guard let next, self.items.count < self.pagination.itemsMaximum,
                self.pages < self.pagination.pagesMaximum
            else { return self.done(response, next: next) }
            try self.follow(next, response)
        }
    }

    // MARK: - One page

    private func page(_ response: HTTPResponse) throws -> Value {
        guard !response.bytes.isEmpty else { return .null }
        do {
            return try JSON.parse(response.bytes)
        } catch {
            throw ConnectorError(
                .unknown, code: HTTPErrorCode.malformedResponse,
                "\(self.place(response)) is no JSON: \(error).", remedy: "Report it to the service's owner.",
                mayHaveExecuted: true, details: response.facts)
        }
    }

    private func list(_ page: Value, _ response: HTTPResponse) throws -> [Value] {
        guard let value = self.pagination.items.value(in: page) else { return [] }
        if let list = value.asList { return list }
        throw self.broken("\(self.place(response)) has a \(value.typeName) where its items should be.", response)
    }

    /// What leads to the next page; `nil` when this was the last.
    private func next(
        after page: Value, _ response: HTTPResponse, count: Int, position: Int
    ) throws -> Value? {
        if let more = self.pagination.more?.value(in: page), more.asBoolean == false { return nil }
        switch self.pagination.kind {
        case .link:
            let links = response.fields.filter { $0.name == "link" }.map(\.value)
            let target = self.pagination.next.map { $0.value(in: page) } ?? LinkField.next(links).map { .string($0) }
            // A whole address, so that it can be called as it is.
            return target.map { target in
                let text = target.asString ?? ""
                return HTTPAddress(text, relativeTo: response.address.text).map { .string($0.text) } ?? target
            }
        case .cursor, .token:
            let header = self.pagination.header.flatMap { response.header($0) }.map { Value.string($0) }
            guard let value = header ?? self.pagination.next?.value(in: page) else { return nil }
            guard let text = HTTPInput.text(value) else {
                throw self.broken(
                    "\(self.place(response)) has a \(value.typeName) where its cursor should be.", response)
            }
            return text.isEmpty ? nil : value
        case .page, .offset:
            if count == 0 || (self.pagination.size.map { count < $0 } ?? false) { return nil }
            return .number(Number(Int64(position)))
        }
    }

    // MARK: - The way on

    private mutating func follow(_ next: Value, _ response: HTTPResponse) throws {
        guard let text = HTTPInput.text(next), self.seen.insert(text).inserted else {
            throw self.broken("\(self.place(response)) leads back to a page that was read already.", response)
        }
        guard self.pagination.kind == .link else {
            self.set(self.pagination.parameter, next)
            return
        }
        // The address comes from the service: it may lead on, but not elsewhere.
        guard let address = HTTPAddress(text, relativeTo: response.address.text), !address.hasUser,
            address.hasSameOrigin(as: response.address), !address.hasFragment
        else {
            throw self.broken("\(self.place(response)) leads to another server: \(text.prefix(100)).", response)
        }
        self.request.target = .url(address)
        self.request.query = []
    }

    private mutating func apply(position: Int) {
        if let size = self.pagination.size {
            self.set(self.pagination.sizeParameter, .number(Number(Int64(size))))
        }
        switch self.pagination.kind {
        case .page, .offset: self.set(self.pagination.parameter, .number(Number(Int64(position))))
        case .link, .cursor, .token: break
        }
    }

    private mutating func set(_ name: String, _ value: Value) {
        switch self.pagination.place {
        case .query:
            self.request.query.removeAll { $0.0 == name }
            self.request.query.append((name, HTTPInput.text(value) ?? ""))
        case .body:
            guard case .bytes(let old, let type) = self.request.body,
                var fields = (try? JSON.parse(old))?.asContext
            else { return }
            fields[name] = value
            var bytes: [UInt8] = []
            JSON.write(.context(fields), into: &bytes)
            self.request.body = .bytes(bytes, contentType: type)
        }
    }

    // MARK: - The end

    private func done(_ response: HTTPResponse, next: Value?) -> Outcome {
        var value: ValueContext = [
            "status": .number(Number(Int64(response.status))), "headers": .context(response.headers), "body": .null,
            "items": .list(self.items), "pages": .number(Number(Int64(self.pages))),
            "isComplete": .boolean(next == nil),
        ]
        if let next { value["next"] = next }
        var facts = response.facts
        facts["pages"] = .number(Number(Int64(self.pages)))
        facts["responseBytes"] = .number(Number(Int64(self.bytes)))
        return .done(.context(value), facts: facts)
    }

    private func place(_ response: HTTPResponse) -> String {
        "Page \(self.pages + 1) of \(self.request.method) \(response.address.host)\(response.address.path)"
    }

    private func broken(_ message: String, _ response: HTTPResponse) -> ConnectorError {
        ConnectorError(
            .unknown, code: Self.brokenCode, message, remedy: "Correct paginate, or report it to the service's owner.",
            mayHaveExecuted: true, details: response.facts)
    }
}
