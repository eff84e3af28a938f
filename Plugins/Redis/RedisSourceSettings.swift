internal import ConnectorKit
internal import Values

/// The parameters of a source that reads a stream through a consumer group.
struct StreamSourceSettings: Sendable {
    var stream = ""
    var group = ""
    var consumer = ""
    /// Whether stream and group are made when they are not there.
    var creates = true
    /// Where a new group begins: an entry's id, `0` or `$`.
    var from = "0"
    /// Entries other consumers have left unacknowledged for this long are taken over; `nil`: never.
    var claimIdle: Duration? = .seconds(300)
    /// The field that holds the payload; `nil`: all fields are.
    var field: String?
    var contentType: String?
    /// Where entries go that nobody can process; `nil`: they are acknowledged and stay where they are.
    var deadLetterStream: String?
    var decoding: RecordDecoding

    init(_ request: SourceRequest, connection: String) throws {
        self.decoding = request.decoding
        let reader = FieldReader(request.parameters, path: "redis", code: ConnectorError.Code.invalidParameters)
        self.stream = reader.name("stream", isRequired: true) ?? ""
        self.group = reader.name("group", isRequired: true) ?? ""
        self.consumer = reader.name("consumer") ?? connection
        self.creates = reader.boolean("create") ?? true
        self.from = reader.name("from") ?? self.from
        if reader.value("claimIdle") == false {
            self.claimIdle = nil
        } else if let idle = reader.duration("claimIdle") {
            self.claimIdle = idle
            if !(Duration.seconds(1)...(.seconds(86_400 * 30))).contains(idle) {
                reader.add("redis.claimIdle: expected false, or 1s to 30d but found \(Quantity.text(idle)).")
            }
        }
        self.field = reader.name("field")
        self.contentType = reader.name("contentType")
        if self.contentType != nil, self.field == nil { reader.add("redis.contentType: expected a field with it.") }
        self.deadLetterStream = reader.name("deadLetterStream")
        if self.deadLetterStream == self.stream {
            reader.add("redis.deadLetterStream: expected another stream than the one that is read.")
        }
        try reader.end(request)
    }
}

/// The parameters of a source that takes from a list.
struct ListSourceSettings: Sendable {
    /// Which end is taken from.
    enum Side: String, CaseIterable {
        case left, right
    }

    var list = ""
    var side = Side.left
    /// Where values stay until they are acknowledged.
    var processing = ""
    /// Where values go that nobody can process.
    var deadLetterList = ""
    var contentType: String?
    var decoding: RecordDecoding

    init(_ request: SourceRequest, connection: String) throws {
        self.decoding = request.decoding
        let reader = FieldReader(request.parameters, path: "redis", code: ConnectorError.Code.invalidParameters)
        self.list = reader.name("list", isRequired: true) ?? ""
        self.side = reader.word("side", of: Side.self) ?? .left
        self.processing = reader.name("processing") ?? "\(self.list):processing:\(connection)"
        self.deadLetterList = reader.name("deadLetterList") ?? "\(self.list):dead"
        self.contentType = reader.name("contentType")
        if Set([self.list, self.processing, self.deadLetterList]).count < 3 {
            reader.add("redis: expected different keys in list, processing and deadLetterList.")
        }
        try reader.end(request)
    }
}

/// The parameters of a source that subscribes to channels.
struct ChannelSourceSettings: Sendable {
    var channels: [String] = []
    var patterns: [String] = []
    var contentType: String?
    var decoding: RecordDecoding

    init(_ request: SourceRequest) throws {
        self.decoding = request.decoding
        let reader = FieldReader(request.parameters, path: "redis", code: ConnectorError.Code.invalidParameters)
        self.channels = reader.strings("channels") ?? []
        self.patterns = reader.strings("patterns") ?? []
        if !(1...1_000).contains(self.channels.count + self.patterns.count) {
            reader.add("redis: expected 1 to 1000 channels and patterns.")
        }
        self.contentType = reader.name("contentType")
        try reader.end(request)
    }
}

extension FieldReader {
    /// A text that is not empty.
    fileprivate func name(_ key: String, isRequired: Bool = false) -> String? {
        if isRequired { self.require(key) }
        guard let text = self.string(key) else { return nil }
        if text.isEmpty { self.add("\(self.path).\(key): expected a name but found an empty text.") }
        return text
    }

    /// Throws what is wrong with the parameters or the decoding, if anything is.
    fileprivate func end(_ request: SourceRequest) throws {
        self.finish()
        let objections = [request.decoding.messageObjection].compactMap { $0 }
        if let error = ConnectorError.invalidParameters(self.diagnostics + objections) { throw error }
    }
}
