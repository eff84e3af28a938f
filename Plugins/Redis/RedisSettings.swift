internal import ConnectorKit
internal import Values

/// The parameters of a connection, checked.
struct RedisSettings: Sendable {
    var host = ""
    var port = 6_379
    var user: String?
    var password: SecretReference?
    var database = 0
    var connectTimeout = Duration.seconds(5)
    var requestBytesMaximum = 16 << 20
    var replyBytesMaximum = 64 << 20
    var replyElementsMaximum = 1 << 20
    /// Commands without an answer.
    var waitingMaximum = 10_000
    /// How long an idempotency key is remembered by the server; zero: not at all.
    var dedupeWindow = Duration.seconds(86_400)
    /// Names of commands, upper case, that `command` takes besides the harmless ones.
    var allowedCommands: Set<String> = []

    var server: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        reader.require("host")
        self.readHost(reader)
        self.user = reader.string("user")
        if let value = reader.value("password") {
            self.password = SecretReference(value)
            if self.password == nil {
                reader.add(
                    "parameters.password: expected a reference to a secret but found a \(value.typeName).",
                    "Write { secret: \"env:NAME\" }.")
            }
        }
        if self.user != nil, !reader.has("password") { reader.add("parameters.user: expected a password with it.") }
        self.database = reader.integer("database", in: 0...1_000_000) ?? 0
        let wantsTLS = reader.value("tls").map { $0 != false } ?? false
        self.connectTimeout = reader.duration("connectTimeout") ?? self.connectTimeout
        if !(Duration.milliseconds(10)...(.seconds(120))).contains(self.connectTimeout) {
            reader.add("parameters.connectTimeout: expected 10ms to 2m.")
        }
        self.requestBytesMaximum = Self.bytes(reader, "maxRequest") ?? self.requestBytesMaximum
        self.replyBytesMaximum = Self.bytes(reader, "maxReply") ?? self.replyBytesMaximum
        self.waitingMaximum = reader.integer("maxWaiting", in: 1...1_000_000) ?? self.waitingMaximum
        self.dedupeWindow = reader.duration("dedupeWindow") ?? self.dedupeWindow
        if self.dedupeWindow != .zero, !(Duration.seconds(1)...(.seconds(86_400 * 365))).contains(self.dedupeWindow) {
            reader.add("parameters.dedupeWindow: expected 0, or 1s to 365d.")
        }
        self.allowedCommands = Set((reader.strings("allowCommands") ?? []).map { $0.uppercased() })
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        if wantsTLS {
            throw ConnectorError(
                .unsupported, code: RedisErrors.Code.tls,
                "parameters.tls: this connector has no TLS, since hiredis below version 1.0 has none.",
                remedy: "Use a network that is private, or a TLS tunnel such as stunnel beside this program.")
        }
    }

    private mutating func readHost(_ reader: FieldReader) {
        guard let text = reader.string("host") else { return }
        var host = text[...]
        var port: Int? = self.port
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty { port = rest.hasPrefix(":") ? Int(rest.dropFirst()) : nil }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = Int(text[text.index(after: colon)...])
        }
        guard let port, (1...65_535).contains(port), !host.isEmpty,
            !host.contains(where: { $0.isWhitespace || $0 == "/" })
        else {
            reader.add("parameters.host: expected host or host:port but found \"\(text.shortened(to: 80))\".")
            return
        }
        self.host = String(host)
        self.port = port
    }

    private static func bytes(_ reader: FieldReader, _ key: String) -> Int? {
        guard let bytes = reader.bytes(key) else { return nil }
        guard (1_024...(512 << 20)).contains(bytes) else {
            reader.add("parameters.\(key): expected 1KiB to 512MiB but found \(bytes).")
            return nil
        }
        return bytes
    }
}

extension Duration {
    /// In whole milliseconds.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let product = seconds.multipliedReportingOverflow(by: 1_000)
        return product.overflow ? .max : product.partialValue + attoseconds / 1_000_000_000_000_000
    }
}
