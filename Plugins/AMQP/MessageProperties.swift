internal import CAMQPShim

/// The properties of a message (AMQP 0-9-1, class basic) that are texts or small numbers.
struct MessageProperties: Sendable, Equatable {
    var contentType: String?
    var contentEncoding: String?
    /// Whether the message survives a restart of the broker.
    var isPersistent: Bool?
    var priority: Int?
    var correlationID: String?
    var replyTo: String?
    /// Milliseconds, as text.
    var expiration: String?
    var messageID: String?
    /// Unix seconds.
    var timestamp: UInt64?
    var type: String?
    var userID: String?
    var appID: String?

    init() {}

    /// Copies what arrived.
    init(_ properties: jrq_properties) {
        func text(_ flag: Int, _ bytes: jrq_bytes) -> String? {
            properties.flags & UInt32(flag) == 0 ? nil : bytes.text
        }
        self.contentType = text(JRQ_CONTENT_TYPE, properties.content_type)
        self.contentEncoding = text(JRQ_CONTENT_ENCODING, properties.content_encoding)
        if properties.flags & UInt32(JRQ_DELIVERY_MODE) != 0 { self.isPersistent = properties.delivery_mode == 2 }
        if properties.flags & UInt32(JRQ_PRIORITY) != 0 { self.priority = Int(properties.priority) }
        self.correlationID = text(JRQ_CORRELATION_ID, properties.correlation_id)
        self.replyTo = text(JRQ_REPLY_TO, properties.reply_to)
        self.expiration = text(JRQ_EXPIRATION, properties.expiration)
        self.messageID = text(JRQ_MESSAGE_ID, properties.message_id)
        if properties.flags & UInt32(JRQ_TIMESTAMP) != 0 { self.timestamp = properties.timestamp }
        self.type = text(JRQ_TYPE, properties.type)
        self.userID = text(JRQ_USER_ID, properties.user_id)
        self.appID = text(JRQ_APP_ID, properties.app_id)
    }
}

/// A message to be published.
struct OutgoingMessage: Sendable {
    var exchange = ""
    var routingKey = ""
    /// Whether the broker gives it back when no queue takes it.
    var isMandatory = false
    var properties = MessageProperties()
    /// A field table as in a frame; empty when there are none.
    var headers: [UInt8] = []
    var body: [UInt8] = []

    /// Everything of it that must fit into one frame.
    var headerBytes: Int {
        let texts = [
            self.properties.contentType, self.properties.contentEncoding, self.properties.correlationID,
            self.properties.replyTo, self.properties.expiration, self.properties.messageID, self.properties.type,
            self.properties.appID,
        ]
        return self.headers.count + texts.reduce(64) { $0 + ($1?.utf8.count ?? 0) + 1 }
    }

    /// The parts as C sees them, for the length of the call.
    func withWire<Result>(
        _ body: (jrq_bytes, jrq_bytes, UnsafePointer<jrq_properties>, jrq_bytes) -> Result
    ) -> Result {
        var wire = jrq_properties()
        var texts: [UInt8] = []
        texts.reserveCapacity(256)
        // Places of the texts, as long as their final address is not known.
        var parts: [(flag: Int, field: WritableKeyPath<jrq_properties, jrq_bytes>, range: Range<Int>)] = []
        func add(_ text: String) -> Range<Int> {
            let start = texts.count
            texts += text.utf8
            return start..<texts.count
        }
        func add(_ flag: Int, _ field: WritableKeyPath<jrq_properties, jrq_bytes>, _ text: String?) {
            if let text { parts.append((flag, field, add(text))) }
        }
        let exchange = add(self.exchange)
        let routingKey = add(self.routingKey)
        add(JRQ_CONTENT_TYPE, \.content_type, self.properties.contentType)
        add(JRQ_CONTENT_ENCODING, \.content_encoding, self.properties.contentEncoding)
        add(JRQ_CORRELATION_ID, \.correlation_id, self.properties.correlationID)
        add(JRQ_REPLY_TO, \.reply_to, self.properties.replyTo)
        add(JRQ_EXPIRATION, \.expiration, self.properties.expiration)
        add(JRQ_MESSAGE_ID, \.message_id, self.properties.messageID)
        add(JRQ_TYPE, \.type, self.properties.type)
        add(JRQ_APP_ID, \.app_id, self.properties.appID)
        if let isPersistent = self.properties.isPersistent {
            wire.flags |= UInt32(JRQ_DELIVERY_MODE)
            wire.delivery_mode = isPersistent ? 2 : 1
        }
        if let priority = self.properties.priority {
            wire.flags |= UInt32(JRQ_PRIORITY)
            wire.priority = UInt8(clamping: priority)
        }
        if let timestamp = self.properties.timestamp {
            wire.flags |= UInt32(JRQ_TIMESTAMP)
            wire.timestamp = timestamp
        }
        return texts.withUnsafeBytes { texts in
            self.headers.withUnsafeBytes { headers in
                self.body.withUnsafeBytes { content in
                    func place(_ range: Range<Int>) -> jrq_bytes {
                        jrq_bytes(UnsafeRawBufferPointer(rebasing: texts[range]))
                    }
                    for part in parts {
                        wire.flags |= UInt32(part.flag)
                        wire[keyPath: part.field] = place(part.range)
                    }
                    if !headers.isEmpty {
                        wire.flags |= UInt32(JRQ_HEADERS)
                        wire.headers = jrq_bytes(headers)
                    }
                    return body(place(exchange), place(routingKey), &wire, jrq_bytes(content))
                }
            }
        }
    }
}
