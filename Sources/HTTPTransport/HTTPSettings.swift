public import Values

/// The connection parameters that every connector shares which speaks HTTP.
public struct HTTPSettings: Sendable {
    /// Where paths are relative to; neither credentials nor query nor fragment.
    public var base: HTTPAddress?
    /// Sent with every request, and only to the server of `base` or of the request's own URL.
    public var headers: [(name: String, value: String)] = []
    /// How requests are authorised.
    public var auth = HTTPAuthentication.none
    /// Other hosts that may be called, in lower case.
    public var allowedHosts: Set<String> = []
    /// Whether any host may have a private or loopback address.
    public var allowsPrivate = false
    /// Hosts that may have one, in lower case.
    public var privateHosts: Set<String> = []
    /// How many redirects are followed.
    public var redirectsMaximum = 0
    /// How long connecting may take, TLS included.
    public var connectTimeout = Duration.seconds(5)
    /// The largest body of a response, after decompression.
    public var responseBytesMaximum = 8 << 20
    /// How many connections are open at once.
    public var connectionsMaximum = 64
    /// The header field that carries the idempotency key.
    public var idempotencyHeader = "Idempotency-Key"
    /// Whether the service recognises a repeated request by that field.
    public var honoursIdempotencyKey = false
    /// PEM file of the authorities to trust instead of the system's.
    public var caFile: String?
    /// Whether TLS must be 1.3; else it is at least 1.2.
    ///
    /// Certificates are checked in either case.
    public var requiresTLS13 = false
    /// The certificate this client shows (mutual TLS).
    public var clientIdentity: HTTPClientIdentity?
    /// Which version of HTTP is spoken.
    public var version = HTTPVersion.auto
    /// The proxy requests go through.
    public var proxy: HTTPProxy?

    /// Settings without any parameter.
    public init() {}

    /// Reads the shared parameters from those of a connection.
    ///
    /// What is wrong is added to `reader`; the caller reads its own fields from it and then calls `finish`.
    public init(_ reader: FieldReader) {
        if let text = reader.string("baseUrl") { self.base = Self.base(text, reader) }
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let value = headers.string(name) else { continue }
                if let problem = HTTPFields.problem(name: name, value: value) {
                    headers.add("\(headers.path).\(name): \(problem)")
                }
                self.headers.append((name, value))
            }
        }
        if let auth = reader.object("auth") { self.auth = HTTPAuthentication(auth) }
        self.allowedHosts = Set((reader.strings("allowHosts") ?? []).map { $0.lowercased() })
        self.allowsPrivate = reader.boolean("allowPrivate") ?? false
        self.privateHosts = Set((reader.strings("allowPrivateHosts") ?? []).map { $0.lowercased() })
        self.redirectsMaximum = reader.integer("redirects", in: 0...20) ?? 0
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        self.responseBytesMaximum = reader.bytes("maxResponse") ?? self.responseBytesMaximum
        self.connectionsMaximum = reader.integer("maxConnections", in: 1...4_096) ?? self.connectionsMaximum
        if let name = reader.string("idempotencyHeader") {
            if let problem = HTTPFields.problem(name: name, value: "") {
                reader.add("parameters.idempotencyHeader: \(problem)")
            }
            self.idempotencyHeader = name
        }
        self.honoursIdempotencyKey = reader.boolean("honoursIdempotencyKey") ?? false
        self.caFile = reader.string("caFile")
        self.requiresTLS13 = reader.word("tlsMinimum", of: TLSMinimum.self) == .tls13
        self.clientIdentity = HTTPClientIdentity(reader)
        self.version = reader.word("httpVersion", of: HTTPVersion.self) ?? .auto
        if let proxy = reader.object("proxy") { self.proxy = HTTPProxy(proxy) }
    }

    private enum TLSMinimum: String, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    private static func base(_ text: String, _ reader: FieldReader) -> HTTPAddress? {
        guard let address = HTTPAddress(text), address.isHTTP else {
            reader.add("parameters.baseUrl: expected an http or https URL but found \"\(text.prefix(80))\".")
            return nil
        }
        if address.hasUser {
            reader.add("parameters.baseUrl: a URL must not hold credentials.", "Use auth with a secret reference.")
        }
        if address.query != nil || address.hasFragment {
            reader.add("parameters.baseUrl: expected no query and no fragment.", "Give the query with each call.")
        }
        return address
    }
}

// MARK: - Where requests may go

extension HTTPSettings {
    /// Whether requests may go to `address` at all: to the server of `base`, and to allowed hosts.
    ///
    /// Without either, everywhere.
    public func allows(_ address: HTTPAddress) -> Bool {
        if self.allowedHosts.contains(address.host) { return true }
        guard let base = self.base else { return self.allowedHosts.isEmpty }
        return address.hasSameOrigin(as: base)
    }

    /// Whether `host` may have a private address.
    public func allowsPrivate(_ host: String) -> Bool {
        self.allowsPrivate || self.privateHosts.contains(host)
    }

    /// The address of `target` with `query`, checked.
    ///
    /// - Throws: What is wrong with it: a URL that is none or is not allowed, a path with a query or with dot segments.
    public func address(
        of target: HTTPRequest.Target, query: [(String, String)] = []
    ) throws(HTTPRequest.Problem) -> HTTPAddress {
        var text: String
        switch target {
        case .path(let path):
            guard let base = self.base else {
                throw HTTPRequest.Problem(
                    field: "url", message: "There is no URL.", remedy: "Give url, or a baseUrl in the connection.")
            }
            text = base.text
            let suffix = try Self.checked(path)
            if suffix.isEmpty, query.isEmpty { return base }
            if !suffix.isEmpty {
                if text.hasSuffix("/") { text.removeLast() }
                text += suffix.hasPrefix("/") ? suffix : "/" + suffix
            }
        case .url(let address):
            try self.check(address)
            if query.isEmpty { return address }
            text = address.text
        }
        if !query.isEmpty {
            text += text.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
            text += PercentEncoding.form(query)
        }
        guard let address = HTTPAddress(text) else {
            throw HTTPRequest.Problem(field: "path", message: "\"\(text.prefix(80))\" is no URL.")
        }
        return address
    }

    private func check(_ address: HTTPAddress) throws(HTTPRequest.Problem) {
        guard address.isHTTP else {
            throw HTTPRequest.Problem(
                field: "url", message: "Expected an http or https URL but found \"\(address.text.prefix(80))\".")
        }
        if address.hasUser || address.hasFragment {
            throw HTTPRequest.Problem(
                field: "url", message: "A URL must hold neither credentials nor a fragment.")
        }
        guard self.allows(address) else {
            throw HTTPRequest.Problem(
                field: "url", message: "The connection does not allow the host \(address.host).",
                remedy: "Add it to allowHosts of the connection if it is to be called.")
        }
    }

    private static func checked(_ path: String) throws(HTTPRequest.Problem) -> String {
        if path.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            throw HTTPRequest.Problem(
                field: "path", message: "Expected no ? and no #.", remedy: "Give the query in query.")
        }
        let segments = path.split(whereSeparator: { $0 == "/" || $0 == "\\" })
        for segment in segments where segment.hasPrefix(".") || segment.hasPrefix("%") {
            let plain = segment.lowercased().replacing("%2e", with: ".")
            if plain == "." || plain == ".." {
                throw HTTPRequest.Problem(
                    field: "path", message: "Expected no . or .. segment.", remedy: "Write the path as it is meant.")
            }
        }
        return PercentEncoding.path(path)
    }
}
