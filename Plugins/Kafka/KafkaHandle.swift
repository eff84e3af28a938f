internal import CRDKafka
internal import ConnectorKit
internal import Values

/// The secrets of a connection, as they are now.
struct KafkaCredentials: Sendable {
    var password: Secret?
    var key: Secret?

    init(_ settings: KafkaSettings, _ secrets: any SecretResolver) async throws {
        if let sasl = settings.sasl { self.password = try await secrets.secret(sasl.password) }
        if let key = settings.tls?.key { self.key = try await secrets.secret(key) }
    }
}

/// Options of a client, in the library's words.
struct KafkaOptions {
    private var pairs: [(String, String)] = []
    private var secrets: [(String, Secret)] = []

    /// What every client of a connection has in common.
    init(_ settings: KafkaSettings, _ credentials: KafkaCredentials) {
        self.set("bootstrap.servers", settings.brokers.joined(separator: ","))
        self.set("client.id", settings.clientID)
        self.set("socket.keepalive.enable", "true")
        self.set("socket.nagle.disable", "true")
        self.set("reconnect.backoff.ms", "50")
        self.set("reconnect.backoff.max.ms", "2000")
        self.set("socket.connection.setup.timeout.ms", max(.seconds(1), settings.connectTimeout))
        let protocolName =
            switch (settings.tls != nil, settings.sasl != nil) {
            case (false, false): "plaintext"
            case (true, false): "ssl"
            case (false, true): "sasl_plaintext"
            case (true, true): "sasl_ssl"
            }
        self.set("security.protocol", protocolName)
        if let tls = settings.tls {
            if let path = tls.caFile { self.set("ssl.ca.location", path) }
            if let path = tls.certificateFile { self.set("ssl.certificate.location", path) }
            if let key = credentials.key { self.secrets.append(("ssl.key.pem", key)) }
            self.set("ssl.endpoint.identification.algorithm", tls.verifiesHostname ? "https" : "none")
        }
        if let sasl = settings.sasl {
            self.set("sasl.mechanisms", sasl.mechanism.rawValue)
            self.set("sasl.username", sasl.username)
            if let password = credentials.password { self.secrets.append(("sasl.password", password)) }
        }
    }

    mutating func set(_ name: String, _ value: String) { self.pairs.append((name, value)) }
    mutating func set(_ name: String, _ value: Bool) { self.set(name, value ? "true" : "false") }
    mutating func set(_ name: String, _ value: Int) { self.set(name, String(value)) }
    /// In milliseconds.
    mutating func set(_ name: String, _ value: Duration) { self.set(name, String(value.wholeMilliseconds)) }

    /// Makes a client.
    ///
    /// `prepare` may set what is no text. Throws a `ConnectorError`; its message never holds a secret.
    func client(
        _ type: rd_kafka_type_t, prepare: (OpaquePointer) -> Void = { _ in }
    ) throws(ConnectorError) -> OpaquePointer {
        guard let options = rd_kafka_conf_new() else { throw KafkaErrors.setup("out of memory") }
        var isOwned = true
        defer { if isOwned { rd_kafka_conf_destroy(options) } }
        jkr_conf_discard_log(options)
        var words = [CChar](repeating: 0, count: 512)
        for (name, value) in self.pairs {
            guard rd_kafka_conf_set(options, name, value, &words, words.count) == RD_KAFKA_CONF_OK else {
                throw KafkaErrors.setup(Self.text(words))
            }
        }
        for (name, secret) in self.secrets {
            let result = secret.reveal { rd_kafka_conf_set(options, name, $0, nil, 0) }
            guard result == RD_KAFKA_CONF_OK else {
                throw KafkaErrors.setup("the secret for \(name) is not accepted")
            }
        }
        prepare(options)
        guard let client = rd_kafka_new(type, options, &words, words.count) else {
            throw KafkaErrors.setup(Self.text(words))
        }
        isOwned = false
        return client
    }

    /// The text in a buffer that C has written to.
    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Reads a broker's answer to whether it is there, on the calling thread.
enum KafkaProbe {
    /// What is known about the topics asked for.
    struct Answer: Sendable {
        /// Errors of topics, by name.
        var faults: [(topic: String, fault: KafkaErrors.Fault)] = []
        var brokerCount = 0
    }

    /// Asks for the metadata of `topic`, or of the topics known to `client` when there is none.
    static func metadata(
        of client: OpaquePointer, topic: String? = nil, timeout: Duration
    ) throws(KafkaErrors.Fault) -> Answer {
        var handle: OpaquePointer?
        if let topic {
            handle = rd_kafka_topic_new(client, topic, nil)
            guard handle != nil else { throw KafkaErrors.Fault(rd_kafka_last_error()) }
        }
        defer { if let handle { rd_kafka_topic_destroy(handle) } }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let number = rd_kafka_metadata(client, 0, handle, &metadata, timeout.wholeMilliseconds)
        guard number == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaErrors.Fault(number) }
        defer { rd_kafka_metadata_destroy(metadata) }
        var answer = Answer(brokerCount: Int(metadata.pointee.broker_cnt))
        for index in 0..<Int(metadata.pointee.topic_cnt) {
            let entry = metadata.pointee.topics[index]
            if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR, let name = entry.topic {
                answer.faults.append((String(cString: name), KafkaErrors.Fault(entry.err)))
            }
        }
        return answer
    }
}
