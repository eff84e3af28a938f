internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// The parameters of a connection, checked.
struct KafkaSettings: Sendable {
    enum Compression: String, CaseIterable {
        case none, gzip, snappy, lz4, zstd
    }

    /// How a message without a partition finds one.
    enum Partitioner: String, CaseIterable {
        case murmur2Random, murmur2, consistentRandom, consistent, fnv1aRandom, fnv1a, random

        /// The library's word.
        var word: String {
            switch self {
            case .murmur2Random: "murmur2_random"
            case .murmur2: "murmur2"
            case .consistentRandom: "consistent_random"
            case .consistent: "consistent"
            case .fnv1aRandom: "fnv1a_random"
            case .fnv1a: "fnv1a"
            case .random: "random"
            }
        }
    }

    enum Mechanism: String, CaseIterable {
        case plain = "PLAIN"
        case scram256 = "SCRAM-SHA-256"
        case scram512 = "SCRAM-SHA-512"
    }

    struct SASL: Sendable {
        var mechanism: Mechanism
        var username: String
        var password: SecretReference
    }

    struct TLS: Sendable {
        var caFile: String?
        var certificateFile: String?
        var key: SecretReference?
        var verifiesHostname = true
    }

    var brokers: [String] = []
    var clientID = "junction"
    var tls: TLS?
    var sasl: SASL?
    var connectTimeout = Duration.seconds(10)

    var isIdempotent = true
    var compression = Compression.none
    var partitioner = Partitioner.murmur2Random
    var linger = Duration.milliseconds(5)
    var messageTimeout = Duration.seconds(30)
    var messageBytesMaximum = 1_000_000
    var queueMessagesMaximum = 100_000
    var queueBytesMaximum = 64 << 20
    var idempotencyHeader: String?

    var transactionalID: String?
    var transactionTimeout = Duration.seconds(60)

    /// Avro schemas by name.
    var schemas: [String: AvroSchema] = [:]
    var registry: HTTPSettings?

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        reader.require("brokers")
        self.brokers = reader.strings("brokers") ?? []
        for broker in self.brokers where !Self.isBroker(broker) {
            reader.add("parameters.brokers: expected host:port but found \"\(broker.prefix(80))\".")
        }
        if self.brokers.isEmpty, reader.has("brokers") {
            reader.add("parameters.brokers: expected at least one host:port.")
        }
        self.clientID = reader.string("clientId") ?? self.clientID
        self.connectTimeout = Self.duration(reader, "connectTimeout", self.connectTimeout, atLeast: .milliseconds(100))
        self.readSecurity(reader)
        if let producer = reader.object("producer") {
            self.readProducer(producer)
            producer.finish()
        }
        self.transactionalID = reader.string("transactionalId")
        self.transactionTimeout = Self.duration(
            reader, "transactionTimeout", self.transactionTimeout, atLeast: .seconds(1))
        if let schemas = reader.object("schemas") {
            for name in schemas.keys() {
                guard let document = schemas.value(name) else { continue }
                do {
                    self.schemas[name] = try AvroSchema(document)
                } catch {
                    schemas.add("parameters.schemas.\(name): \(error.reason)")
                }
            }
        }
        if let registry = reader.object("schemaRegistry") {
            registry.require("baseUrl")
            self.registry = HTTPSettings(registry)
            registry.finish()
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private mutating func readSecurity(_ reader: FieldReader) {
        if let fields = reader.object("tls") {
            var tls = TLS()
            tls.caFile = fields.string("caFile")
            tls.certificateFile = fields.string("certificateFile")
            tls.key = Self.secret(fields, "key")
            tls.verifiesHostname = fields.boolean("verifyHostname") ?? true
            if (tls.certificateFile == nil) != (tls.key == nil) {
                fields.add("parameters.tls: expected certificateFile and key together.")
            }
            fields.finish()
            self.tls = tls
        }
        if let fields = reader.object("sasl") {
            fields.require("username")
            fields.require("password")
            let mechanism = fields.word("mechanism", of: Mechanism.self) ?? .scram256
            if let username = fields.string("username"), let password = Self.secret(fields, "password") {
                self.sasl = SASL(mechanism: mechanism, username: username, password: password)
            }
            fields.finish()
        }
    }

    private mutating func readProducer(_ reader: FieldReader) {
        self.isIdempotent = reader.boolean("idempotence") ?? self.isIdempotent
        self.compression = reader.word("compression", of: Compression.self) ?? self.compression
        self.partitioner = reader.word("partitioner", of: Partitioner.self) ?? self.partitioner
        self.linger = reader.duration("linger") ?? self.linger
        self.messageTimeout = Self.duration(reader, "messageTimeout", self.messageTimeout, atLeast: .milliseconds(100))
        self.messageBytesMaximum = reader.bytes("maxMessageBytes") ?? self.messageBytesMaximum
        self.queueMessagesMaximum =
            reader.integer("queueMessages", in: 1...10_000_000) ?? self.queueMessagesMaximum
        self.queueBytesMaximum = reader.bytes("queueBytes") ?? self.queueBytesMaximum
        self.idempotencyHeader = reader.string("idempotencyHeader")
        if !(1_000...1_000_000_000).contains(self.messageBytesMaximum) {
            reader.add("parameters.producer.maxMessageBytes: expected 1000 to 1000000000 bytes.")
        }
        if !(1_024...(1 << 40)).contains(self.queueBytesMaximum) {
            reader.add("parameters.producer.queueBytes: expected 1KiB to 1TiB.")
        }
        if self.linger > .seconds(900) { reader.add("parameters.producer.linger: expected at most 15m.") }
    }

    // MARK: - Fields

    static func duration(
        _ reader: FieldReader, _ key: String, _ standard: Duration, atLeast: Duration
    ) -> Duration {
        guard let duration = reader.duration(key) else { return standard }
        if duration < atLeast || duration > .seconds(86_400) {
            reader.add("\(reader.path).\(key): expected \(Quantity.text(atLeast)) to 1d.")
        }
        return duration
    }

    private static func secret(_ reader: FieldReader, _ key: String) -> SecretReference? {
        guard let value = reader.value(key) else { return nil }
        if let reference = SecretReference(value) { return reference }
        reader.add("\(reader.path).\(key): expected a reference such as { secret: \"env:NAME\" }.")
        return nil
    }

    /// `host:port`; an IPv6 address stands in brackets.
    private static func isBroker(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return false }
        let port = text[text.index(after: colon)...]
        guard let number = Int(port), (1...65_535).contains(number), port.allSatisfy(\.isNumber) else { return false }
        return !text.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "/") }
    }
}
