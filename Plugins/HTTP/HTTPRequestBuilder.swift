internal import ConnectorKit
internal import Values

/// An operation call, turned into a request and checked; nothing of it was sent yet.
struct HTTPPreparedCall: Sendable {
    var request: CurlRequest
    var method: HTTPMethod
    var address: HTTPAddress
    /// Names of the header lines that must not go to another host.
    var credentialHeaders: Set<String>
    /// Statuses that count as success; empty: 200 to 299.
    var expected: Set<Int>

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
        return method.isIdempotent || (self.settings.honoursIdempotencyKey && call.idempotencyKey != nil)
    }

    /// Checks and builds.
    ///
    /// `authorization` is the header field the connection's `auth` adds.
    func prepare(_ call: OperationCall, authorization: (name: String, value: String)?) throws -> HTTPPreparedCall {
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
        let address = self.address(reader)
        var headers = self.headers(reader, call, method ?? .get, authorization)
        let body = Self.body(reader, &headers, method ?? .get)
        let expected = Self.expected(reader)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard let address, let method else { throw HTTPErrors.malformedURL("") }
        let request = CurlRequest(
            method: method.rawValue, url: address.text, headers: headers.map { HTTPHeaders.line($0.name, $0.value) },
            body: body, timeout: call.timeout, connectTimeout: min(self.settings.connectTimeout, call.timeout),
            responseBytesMaximum: self.settings.responseBytesMaximum,
            allowsPrivateAddress: self.allowsPrivate(address.host), needsFreshConnection: !self.isRepeatable(call),
            caFile: self.settings.caFile)
        var credentials = Set(self.settings.headers.map { $0.name.lowercased() })
        credentials.formUnion(["authorization", "cookie"])
        if let authorization { credentials.insert(authorization.name.lowercased()) }
        return HTTPPreparedCall(
            request: request, method: method, address: address, credentialHeaders: credentials, expected: expected)
    }

    /// Whether `host` may have a private address.
    func allowsPrivate(_ host: String) -> Bool {
        self.settings.allowsPrivate || self.settings.privateHosts.contains(host)
    }

    /// Whether requests may go to `address` at all.
    func allows(_ address: HTTPAddress) -> Bool {
        if self.settings.allowedHosts.contains(address.host) { return true }
        guard let base = self.settings.base else { return self.settings.allowedHosts.isEmpty }
        return address.hasSameOrigin(as: base)
    }
}

// MARK: - Parts

extension HTTPRequestBuilder {
    private func address(_ reader: FieldReader) -> HTTPAddress? {
        var text: String
        switch (reader.string("url"), reader.string("path")) {
        case (.some, .some):
            reader.add("input: expected either url or path but found both.")
            return nil
        case (nil, let path):
            guard let base = self.settings.base else {
                reader.add("input.url is missing.", "Give url, or a baseUrl in the connection.")
                return nil
            }
            guard let suffix = Self.checkedPath(path ?? "", reader) else { return nil }
            text = base.text
            if !suffix.isEmpty {
                if text.hasSuffix("/") { text.removeLast() }
                text += suffix.hasPrefix("/") ? suffix : "/" + suffix
            }
        case (.some(let url), nil):
            guard let address = HTTPAddress(url), address.scheme == "http" || address.scheme == "https" else {
                reader.add("input.url: expected an http or https URL but found \"\(url.prefix(80))\".")
                return nil
            }
            if address.hasUser || address.hasFragment {
                reader.add("input.url: a URL must hold neither credentials nor a fragment.")
                return nil
            }
            guard self.allows(address) else {
                reader.add(
                    "input.url: the connection does not allow the host \(address.host).",
                    "Add it to allowHosts of the connection if it is to be called.")
                return nil
            }
            text = url
        }
        let query = Self.query(reader)
        if !query.isEmpty { text += (text.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query }
        guard let address = HTTPAddress(text) else {
            reader.add("input: \"\(text.prefix(80))\" is no URL.")
            return nil
        }
        return address
    }

    private static func checkedPath(_ path: String, _ reader: FieldReader) -> String? {
        if path.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            reader.add("input.path: expected no ? and no #.", "Give the query in query.")
            return nil
        }
        let segments = path.split(whereSeparator: { $0 == "/" || $0 == "\\" })
        let plain = segments.map { $0.lowercased().replacing("%2e", with: ".") }
        if plain.contains(where: { $0 == "." || $0 == ".." }) {
            reader.add("input.path: expected no . or .. segment.", "Write the path as it is meant.")
            return nil
        }
        return PercentEncoding.path(path)
    }

    private static func query(_ reader: FieldReader) -> String {
        guard let query = reader.object("query") else { return "" }
        var parts: [String] = []
        for name in query.keys() {
            guard let value = query.value(name) else { continue }
            for item in value.asList ?? [value] where !item.isNull {
                guard let text = Self.text(item) else {
                    query.add("\(query.path).\(name): expected a text, a number, true, false or a list of these.")
                    continue
                }
                parts.append(PercentEncoding.component(name) + "=" + PercentEncoding.component(text))
            }
        }
        return parts.joined(separator: "&")
    }

    /// A simple value as text: numbers in plain notation, temporals as ISO 8601.
    ///
    /// `nil` for everything else.
    private static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case .null, .list, .context, .range, .function: nil
        default: value.temporalText
        }
    }

    /// Later fields replace earlier ones of the same name: connection, call, then what the connector itself adds.
    private func headers(
        _ reader: FieldReader, _ call: OperationCall, _ method: HTTPMethod,
        _ authorization: (name: String, value: String)?
    ) -> [(name: String, value: String)] {
        var fields = self.settings.headers
        func set(_ name: String, _ value: String?) {
            fields.removeAll { $0.name.lowercased() == name.lowercased() }
            if let value { fields.append((name, value)) }
        }
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let value = headers.value(name) else {
                    set(name, nil)
                    continue
                }
                guard let text = Self.text(value) else {
                    headers.add("\(headers.path).\(name): expected a text, a number, true or false.")
                    continue
                }
                if let problem = HTTPHeaders.problem(name: name, value: text) {
                    headers.add("\(headers.path): \(problem)")
                    continue
                }
                set(name, text)
            }
        }
        if let authorization { set(authorization.name, authorization.value) }
        let own = [
            (self.settings.idempotencyHeader, method.isSafe ? nil : call.idempotencyKey),
            ("traceparent", call.traceparent),
        ]
        for (name, value) in own {
            guard let value else { continue }
            if let problem = HTTPHeaders.problem(name: name, value: value) {
                reader.add("call: \(problem)")
            } else {
                set(name, value)
            }
        }
        return fields
    }

    private static func body(
        _ reader: FieldReader, _ headers: inout [(name: String, value: String)], _ method: HTTPMethod
    ) -> [UInt8]? {
        let encoding = reader.word("bodyEncoding", of: HTTPBodyEncoding.self)
        guard let value = reader.value("body") else { return nil }
        if method == .get || method == .head {
            reader.add("input.body: a \(method.rawValue) request has no body.", "Use another method, or leave it out.")
            return nil
        }
        var type: String
        var bytes: [UInt8] = []
        switch encoding ?? (value.asString == nil ? .json : .text) {
        case .json:
            type = "application/json"
            JSON.write(value, into: &bytes)
        case .text:
            type = "text/plain; charset=utf-8"
            guard let text = Self.text(value) else {
                reader.add("input.body: expected a text.")
                return nil
            }
            bytes = Array(text.utf8)
        case .form:
            type = "application/x-www-form-urlencoded"
            guard let fields = value.asContext else {
                reader.add("input.body: expected an object of form fields.")
                return nil
            }
            var parts: [String] = []
            for (name, field) in fields {
                for item in field.asList ?? [field] where !item.isNull {
                    guard let text = Self.text(item) else {
                        reader.add("input.body.\(name): expected a text, a number, true, false or a list of these.")
                        continue
                    }
                    parts.append(PercentEncoding.component(name) + "=" + PercentEncoding.component(text))
                }
            }
            bytes = Array(parts.joined(separator: "&").utf8)
        case .base64:
            type = "application/octet-stream"
            guard let decoded = value.asString.flatMap({ Base64.decode($0) }) else {
                reader.add("input.body: expected base64.")
                return nil
            }
            bytes = decoded
        }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("Content-Type", type))
        }
        return bytes
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
