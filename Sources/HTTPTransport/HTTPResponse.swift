internal import ConnectorKit
public import Values

/// A response, whatever its status.
public struct HTTPResponse: Sendable {
    /// The status.
    public let status: Int
    /// Header fields in order, names in lower case.
    public let fields: [(name: String, value: String)]
    /// The body, decompressed.
    public let bytes: [UInt8]
    /// Who answered: the request's address, or that of the last redirect.
    public private(set) var address: HTTPAddress
    /// How many redirects were followed.
    public let redirects: Int
    /// Bytes of the request that were sent.
    public let requestBytes: Int64
    /// From the start of the last request until the end of its response.
    public let duration: Duration
    /// Whether it came over a connection that was used before.
    public let reusedConnection: Bool
    /// The version of HTTP it came in: 10, 11 or 20.
    public let version: Int
    /// How many bytes of the body went to the request's sink instead of `bytes`.
    public let sinkBytes: Int64

    init(_ result: CurlResult, address: HTTPAddress, redirects: Int) {
        self.status = result.status
        self.fields = HTTPFields.parse(result.headerBytes)
        self.bytes = result.body
        self.address = address
        self.redirects = redirects
        self.requestBytes = result.requestBytes
        self.duration = result.duration
        self.reusedConnection = result.reusedConnection
        self.version = result.version
        self.sinkBytes = result.sinkBytes
    }

    /// The same with the address as it was before a credential was added to it.
    func to(_ address: HTTPAddress) -> HTTPResponse {
        var response = self
        response.address = address
        return response
    }

    /// The first field of that name, in lower case.
    public func header(_ name: String) -> String? { self.fields.first { $0.name == name }?.value }

    /// The content type without parameters, in lower case; empty when there is none.
    public var mediaType: String {
        (self.header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
    }

    /// Whether the body says it is JSON.
    public var isJSON: Bool {
        let type = self.mediaType
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// Whether the service says that it recognised the idempotency key and repeats an earlier answer.
    public var isReplay: Bool {
        let replayed = self.header("idempotency-replayed") ?? self.header("idempotent-replayed")
        return replayed == "true"
    }

    /// What is worth recording: status, sizes, time, the service's id of the request.
    public var facts: ValueContext {
        var facts: ValueContext = [
            "status": .number(Number(Int64(self.status))),
            "requestBytes": .number(Number(self.requestBytes)),
            "responseBytes": .number(Number(Int64(self.bytes.count) + self.sinkBytes)),
            "milliseconds": .number(Number(self.duration.wholeMilliseconds)),
            "reusedConnection": .boolean(self.reusedConnection),
        ]
        if self.redirects > 0 { facts["redirects"] = .number(Number(Int64(self.redirects))) }
        if let id = self.header("x-request-id") ?? self.header("request-id") {
            facts["requestId"] = .string(String(id.prefix(200)))
        }
        return facts
    }

    /// The header fields as an object, names in lower case; repeated ones joined by commas, cookies by line ends.
    public var headers: ValueContext {
        var headers = ValueContext()
        headers.reserveCapacity(self.fields.count)
        for field in self.fields {
            if let earlier = headers[field.name]?.asString {
                // Set-Cookie is the one field whose values may hold commas that mean nothing.
                headers[field.name] = .string(earlier + (field.name == "set-cookie" ? "\n" : ", ") + field.value)
            } else {
                headers[field.name] = .string(field.value)
            }
        }
        return headers
    }

    /// The body as a value, and how it was read: `json`, `text` or `base64`; `nil` when it is empty.
    ///
    /// - Throws: `JSONError` when the body is not the JSON its content type promises.
    public func body() throws(JSONError) -> (value: Value, encoding: String)? {
        if self.bytes.isEmpty { return nil }
        if self.isJSON { return (try JSON.parse(self.bytes), "json") }
        if let text = String(validating: self.bytes, as: UTF8.self) { return (.string(text), "text") }
        return (.string(Base64.encode(self.bytes)), "base64")
    }

    /// What the service says about its failure, in at most 300 characters of one line.
    public var remoteMessage: String? {
        var words: String?
        if self.isJSON, let body = try? JSON.parse(self.bytes) {
            words = Self.message(in: body)
        } else if self.mediaType == "text/plain" {
            words = String(validating: self.bytes.prefix(1_200), as: UTF8.self)
        }
        let line = words?.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300)
        return line.flatMap { $0.isEmpty ? nil : String($0) }
    }

    /// Finds the sentence in the usual shapes: RFC 9457 (`detail`, `title`), `message`, `error` and objects in it.
    private static func message(in body: Value) -> String? {
        for key in ["detail", "message", "error_description", "title", "error"] {
            if let text = body[key]?.asString { return text }
        }
        return body["error"].flatMap { $0.asContext == nil ? nil : Self.message(in: $0) }
    }
}
