internal import ConnectorKit
internal import Values

/// A response, read as far as the operation promises.
struct HTTPResponse: Sendable {
    let status: Int
    let fields: [(name: String, value: String)]
    let bytes: [UInt8]

    init(_ result: CurlResult) {
        self.status = result.status
        self.fields = HTTPHeaders.parse(result.headerBytes)
        self.bytes = result.body
    }

    /// The first field of that name, in lower case.
    func header(_ name: String) -> String? { self.fields.first { $0.name == name }?.value }

    private var mediaType: String {
        (self.header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
    }

    var isJSON: Bool {
        let type = self.mediaType
        return type == "application/json" || type.hasSuffix("+json")
    }

    /// The result of the operation.
    ///
    /// Throws when the body is not what its content type says.
    func value() throws(JSONError) -> Value {
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
        var result: ValueContext = ["status": .number(Number(Int64(self.status))), "headers": .context(headers)]
        if self.bytes.isEmpty {
            result["body"] = .null
        } else if self.isJSON {
            result["body"] = try JSON.parse(self.bytes)
            result["bodyEncoding"] = "json"
        } else if let text = String(validating: self.bytes, as: UTF8.self) {
            result["body"] = .string(text)
            result["bodyEncoding"] = "text"
        } else {
            result["body"] = .string(Base64.encode(self.bytes))
            result["bodyEncoding"] = "base64"
        }
        return .context(result)
    }

    /// What the service says about its failure, in at most 300 characters of one line.
    var remoteMessage: String? {
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
