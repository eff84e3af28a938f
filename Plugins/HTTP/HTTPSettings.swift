internal import ConnectorKit
internal import Values

/// The parameters of a connection, checked.
struct HTTPSettings: Sendable {
    enum Auth: Sendable {
        case none
        case bearer(SecretReference)
        case basic(user: String, password: SecretReference)
        case apiKey(header: String, value: SecretReference)
    }

    private enum AuthType: String, CaseIterable {
        case none, bearer, basic, apiKey
    }

    var base: HTTPAddress?
    var headers: [(name: String, value: String)] = []
    var auth = Auth.none
    var allowedHosts: Set<String> = []
    var allowsPrivate = false
    var privateHosts: Set<String> = []
    var redirectsMaximum = 0
    var connectTimeout = Duration.seconds(5)
    var responseBytesMaximum = 8 << 20
    var connectionsMaximum = 64
    var idempotencyHeader = "Idempotency-Key"
    var honoursIdempotencyKey = false
    var caFile: String?

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        if let text = reader.string("baseUrl") {
            self.base = Self.base(text, reader)
        }
        if let headers = reader.object("headers") {
            for name in headers.keys() {
                guard let value = headers.string(name) else { continue }
                if let problem = HTTPHeaders.problem(name: name, value: value) {
                    headers.add("\(headers.path).\(name): \(problem)")
                }
                self.headers.append((name, value))
            }
        }
        if let auth = reader.object("auth") { self.auth = Self.auth(auth) }
        self.allowedHosts = Set((reader.strings("allowHosts") ?? []).map { $0.lowercased() })
        self.allowsPrivate = reader.boolean("allowPrivate") ?? false
        self.privateHosts = Set((reader.strings("allowPrivateHosts") ?? []).map { $0.lowercased() })
        self.redirectsMaximum = reader.integer("redirects", in: 0...20) ?? 0
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        self.responseBytesMaximum = reader.bytes("maxResponse") ?? self.responseBytesMaximum
        self.connectionsMaximum = reader.integer("maxConnections", in: 1...4_096) ?? self.connectionsMaximum
        if let name = reader.string("idempotencyHeader") {
            if let problem = HTTPHeaders.problem(name: name, value: "") {
                reader.add("parameters.idempotencyHeader: \(problem)")
            }
            self.idempotencyHeader = name
        }
        self.honoursIdempotencyKey = reader.boolean("honoursIdempotencyKey") ?? false
        self.caFile = reader.string("caFile")
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func base(_ text: String, _ reader: FieldReader) -> HTTPAddress? {
        guard let address = HTTPAddress(text), address.scheme == "http" || address.scheme == "https" else {
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

    private static func auth(_ reader: FieldReader) -> Auth {
        reader.require("type")
        var auth = Auth.none
        switch reader.word("type", of: AuthType.self) {
        case nil, .some(.none): break
        case .bearer:
            if let token = Self.secret("token", reader) { auth = .bearer(token) }
        case .basic:
            reader.require("user")
            if let user = reader.string("user"), let password = Self.secret("password", reader) {
                if user.utf8.contains(UInt8(ascii: ":")) { reader.add("\(reader.path).user: expected no colon.") }
                auth = .basic(user: user, password: password)
            }
        case .apiKey:
            reader.require("header")
            if let header = reader.string("header"), let value = Self.secret("value", reader) {
                if let problem = HTTPHeaders.problem(name: header, value: "") {
                    reader.add("\(reader.path).header: \(problem)")
                }
                auth = .apiKey(header: header, value: value)
            }
        }
        reader.finish()
        return auth
    }

    private static func secret(_ key: String, _ reader: FieldReader) -> SecretReference? {
        reader.require(key)
        guard let value = reader.value(key) else { return nil }
        if let reference = SecretReference(value) { return reference }
        reader.add(
            "\(reader.path).\(key): expected a secret reference.", "Write { secret: \"env:NAME\" }, never the secret.")
        return nil
    }
}

/// Rules for header fields.
enum HTTPHeaders {
    /// Fields that frame the message or the connection: only libcurl may set them.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    /// What is wrong with a field, if anything.
    ///
    /// Values may hold anything but control characters.
    static func problem(name: String, value: String) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
            return "\"\(name.filter { !$0.isNewline }.prefix(40))\" is no header name."
        }
        if Self.reserved.contains(name.lowercased()) { return "\(name) is set by the connector." }
        if value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
            return "the value of \(name) holds a line end or another control character."
        }
        return nil
    }

    /// The line libcurl wants: a field with an empty value is written with a semicolon.
    static func line(_ name: String, _ value: String) -> String {
        value.allSatisfy { $0 == " " || $0 == "\t" } ? "\(name);" : "\(name): \(value)"
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Reads raw header lines: names in lower case, repeated fields in order.
    static func parse(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            var value = line[(colon + 1)...]
            while let last = value.last, last == 0x20 || last == 0x09 || last == 0x0D { value.removeLast() }
            while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
            fields.append((name, String(decoding: value, as: UTF8.self)))
        }
        return fields
    }
}
