internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// An operation call, turned into a request and checked; nothing of it was sent yet.
struct HTTPPreparedCall: Sendable {
    var request: HTTPRequest
    /// Statuses that count as success; empty: 200 to 299.
    var expected: Set<Int>
    /// The body; that of `request` is set once its files are open.
    var body: HTTPBodyDraft?
    /// The body as it was given, for pages that change a field of it.
    var bodyValue: Value?
    /// The file the response's body goes to.
    var download: String?
    /// How further pages are had.
    var pagination: Pagination?

    func isSuccess(_ status: Int) -> Bool {
        self.expected.isEmpty ? (200..<300).contains(status) : self.expected.contains(status)
    }
}

/// Builds requests from calls.
struct HTTPRequestBuilder: Sendable {
    let settings: HTTPSettings

    /// The method a call asks for; nil when it is none.
    static func method(of call: OperationCall) -> HTTPMethod? {
        guard call.operation != "get" else { return .get }
        guard let name = call.input["method"] else { return .get }
        return name.asString.flatMap { HTTPMethod(rawValue: $0.uppercased()) }
    }

    /// Whether `call` can be repeated although the service may have seen it.
    func isRepeatable(_ call: OperationCall) -> Bool {
        guard let method = Self.method(of: call) else { return false }
        return HTTPRequest.isIdempotent(method.rawValue)
            || (self.settings.honoursIdempotencyKey && call.idempotencyKey != nil)
    }

    /// Checks and builds.
    func prepare(_ call: OperationCall) throws -> HTTPPreparedCall {
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let method = Self.method(of: call)
        if let method {
            if call.operation == "get", let other = reader.string("method"), other.uppercased() != method.rawValue {
                reader.add(
                    "input.method: expected GET but found \"\(other.prefix(20))\".", "Use the operation request.")
            }
            _ = reader.value("method")
        } else {
            _ = reader.word("method", of: HTTPMethod.self)
        }
        var request = HTTPRequest(
            method: (method ?? .get).rawValue, target: .path(""), timeout: call.timeout,
            isRepeatable: self.isRepeatable(call), idempotencyKey: call.idempotencyKey, traceparent: call.traceparent)
        self.readHeaders(reader, &request)
        let body = HTTPBodyReader(reader: reader).body(method ?? .get)
        let download = reader.string("download")
        if let download, !BlobDirectory.isName(download) {
            reader.add("input.download: expected the plain name of a file in blobDirectory.")
        }
        let pagination = reader.object("paginate").flatMap { Pagination($0, hasObjectBody: body?.isJSON ?? false) }
        if pagination != nil, download != nil { reader.add("input: expected either paginate or download.") }
        let address = self.address(reader)
        let expected = Self.expected(reader)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        if let address { request.target = .url(address) }
        return HTTPPreparedCall(
            request: request, expected: expected, body: body, bodyValue: call.input["body"], download: download,
            pagination: pagination)
    }
}

// MARK: - Parts

extension HTTPRequestBuilder {
    private func address(_ reader: FieldReader) -> HTTPAddress? {
        let target: HTTPRequest.Target
        switch (reader.string("url"), reader.string("path")) {
        case (.some, .some):
            reader.add("input: expected either url or path but found both.")
            return nil
        case (.some(let url), nil):
            guard let address = HTTPAddress(url) else {
                reader.add("input.url: expected an http or https URL but found \"\(url.prefix(80))\".")
                return nil
            }
            target = .url(address)
        case (nil, let path): target = .path(path ?? "")
        }
        do {
            return try self.settings.address(of: target, query: Self.query(reader))
        } catch {
            reader.add("input.\(error.field): \(error.message)", error.remedy)
            return nil
        }
    }

    private static func query(_ reader: FieldReader) -> [(String, String)] {
        guard let query = reader.object("query") else { return [] }
        return HTTPInput.pairs(query)
    }

    private func readHeaders(_ reader: FieldReader, _ request: inout HTTPRequest) {
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let value = headers.value(name) else {
                    request.omittedHeaders.append(name)
                    continue
                }
                guard let text = HTTPInput.text(value) else {
                    headers.add("\(headers.path).\(name): expected a text, a number, true or false.")
                    continue
                }
                Self.check(name, text, headers.path, reader)
                request.headers.append((name, text))
            }
        }
        if let key = request.idempotencyKey { Self.check(self.settings.idempotencyHeader, key, "input", reader) }
        if let trace = request.traceparent { Self.check("traceparent", trace, "input", reader) }
    }

    private static func check(_ name: String, _ value: String, _ path: String, _ reader: FieldReader) {
        if let problem = HTTPFields.problem(name: name, value: value) { reader.add("\(path): \(problem)") }
    }

    private static func expected(_ reader: FieldReader) -> Set<Int> {
        guard let value = reader.value("expect") else { return [] }
        let statuses = (value.asList ?? [value]).map { $0.asInt64.flatMap { Int(exactly: $0) } }
        let valid = statuses.compactMap { $0 }.filter { (200..<600).contains($0) }
        if valid.isEmpty || valid.count < statuses.count {
            reader.add("input.expect: expected a list of statuses from 200 to 599.")
        }
        return Set(valid)
    }
}
