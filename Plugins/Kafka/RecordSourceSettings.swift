internal import ConnectorKit
internal import Values

/// The parameters of a `record` source, checked.
struct RecordSourceSettings: Sendable {
    /// Where a group begins that has committed nothing.
    enum Start: String, CaseIterable {
        case earliest, latest, error
    }

    enum Isolation: String, CaseIterable {
        case committed, uncommitted
    }

    enum Assignor: String, CaseIterable {
        case cooperativeSticky, range, roundrobin

        /// The library's word.
        var word: String { self == .cooperativeSticky ? "cooperative-sticky" : self.rawValue }
    }

    var topics: [String] = []
    var group = ""
    var instanceID: String?
    var start = Start.earliest
    var isolation = Isolation.committed
    var assignor = Assignor.cooperativeSticky
    var prefetchMessages = 5_000
    var prefetchBytes = 8 << 20
    var unacknowledgedMaximum = 50_000
    var recordBytesMaximum = 1 << 20
    var commitInterval = Duration.milliseconds(200)
    var sessionTimeout = Duration.seconds(45)
    var pollIntervalMaximum = Duration.seconds(300)
    var outageTolerance = Duration.seconds(10)
    var value = PayloadFormat.json
    var key = PayloadFormat.text
    var valueSchema: String?
    /// Schemas of the values that the trigger knows.
    var avro = AvroSchemas()
    var keySchema: String?

    init(_ parameters: Value, decoding: RecordDecoding) throws {
        let reader = FieldReader(parameters, path: "record", code: ConnectorError.Code.invalidParameters)
        reader.require("topics")
        reader.require("group")
        self.topics = reader.strings("topics") ?? []
        for topic in self.topics where topic.isEmpty || topic.utf8.count > 249 {
            reader.add("record.topics: expected names of 1 to 249 bytes, or patterns that begin with ^.")
        }
        if self.topics.isEmpty, reader.has("topics") { reader.add("record.topics: expected at least one topic.") }
        self.group = reader.string("group") ?? ""
        if self.group.isEmpty, reader.has("group") { reader.add("record.group: expected a name.") }
        self.instanceID = reader.string("instanceId")
        self.start = reader.word("start", of: Start.self) ?? self.start
        self.isolation = reader.word("isolation", of: Isolation.self) ?? self.isolation
        self.assignor = reader.word("assignor", of: Assignor.self) ?? self.assignor
        self.recordBytesMaximum = decoding.recordBytesMaximum
        if let prefetch = reader.object("prefetch") {
            self.prefetchMessages = prefetch.integer("messages", in: 1...1_000_000) ?? self.prefetchMessages
            self.prefetchBytes = prefetch.bytes("bytes") ?? self.prefetchBytes
            if !(1_024...(2 << 30)).contains(self.prefetchBytes) {
                prefetch.add("record.prefetch.bytes: expected 1KiB to 2GiB.")
            }
            prefetch.finish()
        }
        self.unacknowledgedMaximum =
            reader.integer("maxUnacknowledged", in: 1...10_000_000) ?? self.unacknowledgedMaximum
        self.commitInterval = reader.duration("commitInterval") ?? self.commitInterval
        self.sessionTimeout = KafkaSettings.duration(
            reader, "sessionTimeout", self.sessionTimeout, atLeast: .milliseconds(500))
        self.pollIntervalMaximum = KafkaSettings.duration(
            reader, "maxPollInterval", max(self.pollIntervalMaximum, self.sessionTimeout), atLeast: .milliseconds(500))
        if self.pollIntervalMaximum < self.sessionTimeout {
            reader.add("record.maxPollInterval: expected at least sessionTimeout.")
        }
        self.outageTolerance = reader.duration("outageTolerance") ?? self.outageTolerance
        self.readFormats(reader, decoding)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private mutating func readFormats(_ reader: FieldReader, _ decoding: RecordDecoding) {
        switch decoding.format {
        case .auto: break
        case .json: self.value = .json
        case .text: self.value = .text
        case .bytes: self.value = .base64
        case .avro: self.value = .avro
        case .cloudevents: self.value = .base64
        default:
            reader.add(
                "decode.format: a record is one message; expected json, avro, cloudevents, text or bytes but found"
                    + " \(decoding.format.rawValue).")
        }
        self.value = reader.word("value", of: PayloadFormat.self) ?? self.value
        self.key = reader.word("key", of: PayloadFormat.self) ?? self.key
        self.avro = decoding.avro
        self.valueSchema = reader.string("schema")
        self.keySchema = reader.string("keySchema")
        if self.valueSchema != nil, self.value != .avro {
            reader.add("record.schema: a schema is for value: avro.")
        }
        if self.keySchema != nil, self.key != .avro { reader.add("record.keySchema: a schema is for key: avro.") }
    }
}

extension RecordSourceSettings {
    /// Options of a client that reads with these self.
    func options(_ kafka: KafkaSettings, _ credentials: KafkaCredentials) -> KafkaOptions {
        var options = KafkaOptions(kafka, credentials)
        options.set("group.id", self.group)
        if let id = self.instanceID { options.set("group.instance.id", id) }
        options.set("enable.auto.commit", false)
        options.set("enable.auto.offset.store", false)
        options.set("auto.offset.reset", self.start.rawValue)
        options.set("isolation.level", self.isolation == .committed ? "read_committed" : "read_uncommitted")
        options.set("partition.assignment.strategy", self.assignor.word)
        options.set("session.timeout.ms", self.sessionTimeout)
        options.set("heartbeat.interval.ms", max(.milliseconds(100), min(.seconds(3), self.sessionTimeout / 3)))
        options.set("max.poll.interval.ms", self.pollIntervalMaximum)
        // What is fetched is taken at once and partitions are paused when it is enough; so these bound a burst.
        options.set("queued.min.messages", 100_000)
        options.set("queued.max.messages.kbytes", max(65_536, self.prefetchBytes / 1_024))
        options.set("fetch.message.max.bytes", max(1 << 20, min(self.recordBytesMaximum, 1_000_000_000)))
        options.set("fetch.max.bytes", max(4 << 20, min(self.recordBytesMaximum, 1_000_000_000)))
        options.set("fetch.wait.max.ms", 100)
        options.set("fetch.error.backoff.ms", 100)
        options.set("allow.auto.create.topics", false)
        return options
    }
}
