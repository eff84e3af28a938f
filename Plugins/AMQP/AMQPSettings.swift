internal import ConnectorKit
internal import Values

/// A broker's address.
struct BrokerAddress: Sendable, Hashable, CustomStringConvertible {
    var host: String
    var port: Int

    /// Reads `host`, `host:port` or `[address]:port`.
    init?(_ text: String, defaultPort: Int) {
        var host = text[...]
        var port = defaultPort
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = Int(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = text.lastIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]) else { return nil }
            host = text[..<colon]
            port = number
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }), (1...65_535).contains(port)
        else { return nil }
        self.host = String(host)
        self.port = port
    }

    var description: String { self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)" }
}

/// The parameters of a connection, checked.
struct AMQPSettings: Sendable {
    /// Files of TLS.
    struct TLS: Sendable {
        var caFile = "/etc/ssl/certs/ca-certificates.crt"
        var certificateFile: String?
        var keyFile: String?
    }

    /// Tried in this order.
    var hosts: [BrokerAddress] = []
    var vhost = "/"
    var user = "guest"
    var password: SecretReference?
    var tls: TLS?
    var heartbeat = Duration.seconds(20)
    var connectTimeout = Duration.seconds(10)
    var rpcTimeout = Duration.seconds(10)
    var messageBytesMaximum = 8 << 20
    /// Messages without a confirmation, sent or not.
    var waitingMaximum = 20_000
    /// Messages sent and not confirmed.
    var unconfirmedMaximum = 2_000
    var allowsDuplicates = false

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.readTLS(reader)
        reader.require("hosts")
        let hosts = reader.strings("hosts") ?? []
        if reader.has("hosts"), hosts.isEmpty { reader.add("parameters.hosts: expected at least one host.") }
        for text in hosts {
            if let address = BrokerAddress(text, defaultPort: self.tls == nil ? 5_672 : 5_671) {
                self.hosts.append(address)
            } else {
                reader.add("parameters.hosts: expected host or host:port but found \"\(text.shortened(to: 80))\".")
            }
        }
        self.vhost = reader.string("vhost") ?? self.vhost
        self.user = reader.string("user") ?? self.user
        reader.require("password")
        if let value = reader.value("password") {
            self.password = SecretReference(value)
            if self.password == nil {
                reader.add(
                    "parameters.password: expected a reference to a secret but found a \(value.typeName).",
                    "Write { secret: \"env:NAME\" }.")
            }
        }
        self.heartbeat = Self.duration(reader, "heartbeat", .seconds(1)...(.seconds(600))) ?? self.heartbeat
        self.connectTimeout =
            Self.duration(reader, "connectTimeout", .milliseconds(100)...(.seconds(120))) ?? self.connectTimeout
        self.rpcTimeout = Self.duration(reader, "rpcTimeout", .milliseconds(100)...(.seconds(120))) ?? self.rpcTimeout
        self.messageBytesMaximum = reader.bytes("maxMessage") ?? self.messageBytesMaximum
        if !(1...(128 << 20)).contains(self.messageBytesMaximum) {
            reader.add("parameters.maxMessage: expected 1 byte to 128MiB but found \(self.messageBytesMaximum).")
        }
        self.waitingMaximum = reader.integer("maxWaiting", in: 1...1_000_000) ?? self.waitingMaximum
        self.unconfirmedMaximum = reader.integer("maxUnconfirmed", in: 1...100_000) ?? self.unconfirmedMaximum
        self.allowsDuplicates = reader.boolean("allowDuplicates") ?? self.allowsDuplicates
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private mutating func readTLS(_ reader: FieldReader) {
        guard let value = reader.value("tls") else { return }
        if let isOn = value.asBoolean {
            self.tls = isOn ? TLS() : nil
            return
        }
        guard let fields = reader.object("tls") else { return }
        var tls = TLS()
        tls.caFile = fields.string("caFile") ?? tls.caFile
        tls.certificateFile = fields.string("certificateFile")
        tls.keyFile = fields.string("keyFile")
        if (tls.certificateFile == nil) != (tls.keyFile == nil) {
            fields.add("parameters.tls: expected certificateFile and keyFile together.")
        }
        fields.finish()
        self.tls = tls
    }

    private static func duration(_ reader: FieldReader, _ key: String, _ range: ClosedRange<Duration>) -> Duration? {
        guard let duration = reader.duration(key) else { return nil }
        guard range.contains(duration) else {
            let bounds = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
            reader.add("\(reader.path).\(key): expected \(bounds) but found \(Quantity.text(duration)).")
            return nil
        }
        return duration
    }
}

extension Duration {
    /// In whole milliseconds, for C.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = self.components
        return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }
}
