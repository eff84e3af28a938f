internal import CAMQPShim
internal import ConnectorKit
internal import Values

/// Why the connection to a broker, or a channel on it, is of no use any more.
struct LinkFailure: Error, Sendable {
    /// What went wrong, in the shim's order.
    enum Kind: Sendable {
        case resolve, connect, tls, timeout, lost, heartbeat, violation, connection, channel, memory
    }

    var kind: Kind
    /// The broker's reply code.
    var code: Int
    /// The broker's words, else the library's.
    var text: String
    /// Host and port.
    var broker: String

    init(_ failure: jrq_failure, broker: String) {
        self.kind =
            switch failure.kind {
            case JRQ_FAILURE_RESOLVE: .resolve
            case JRQ_FAILURE_CONNECT: .connect
            case JRQ_FAILURE_TLS: .tls
            case JRQ_FAILURE_TIMEOUT: .timeout
            case JRQ_FAILURE_HEARTBEAT: .heartbeat
            case JRQ_FAILURE_PROTOCOL: .violation
            case JRQ_FAILURE_CONNECTION: .connection
            case JRQ_FAILURE_CHANNEL: .channel
            case JRQ_FAILURE_MEMORY: .memory
            default: .lost
            }
        self.code = Int(failure.code)
        self.broker = broker
        self.text = withUnsafeBytes(of: failure.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// What the broker said of its own accord.
enum BrokerEvent {
    case delivery(Delivery)
    /// A message longer than allowed, whose body was not kept.
    case oversized(tag: UInt64, bytes: UInt64)
    case returned(channel: UInt16, messageID: String?, exchange: String, routingKey: String, code: Int, text: String)
    case confirmed(channel: UInt16, tag: UInt64, multiple: Bool, isTaken: Bool)
    case cancelled
    case blocked(reason: String)
    case unblocked
    case channelClosed(channel: UInt16, code: Int, text: String)
    /// Something that is not complete yet, and much of it.
    case progress
}

/// A message that arrived.
struct Delivery: Sendable {
    var tag: UInt64
    var isRedelivered: Bool
    var exchange: String
    var routingKey: String
    var properties: MessageProperties
    var headers: ValueContext
    var body: [UInt8]
}

/// One open connection to a broker.
///
/// For one thread at a time. After it threw anything but a failure of a channel, it is of no use.
final class BrokerLink {
    let broker: String
    let heartbeat: Duration
    let frameBytesMaximum: Int
    let channelMaximum: UInt16
    private let connection: OpaquePointer
    private var isPolite = false

    /// Opens a connection to the first host that lets us in.
    ///
    /// Throws the failure of the last one; a host that refuses the credential ends the search.
    static func open(_ settings: AMQPSettings, password: Secret, name: String) throws(LinkFailure) -> BrokerLink {
        var last: LinkFailure?
        for address in settings.hosts {
            do throws(LinkFailure) {
                return try BrokerLink(address, settings, password: password, name: name)
            } catch {
                last = error
                if error.kind == .connection { break }
            }
        }
        throw last ?? LinkFailure(jrq_failure(), broker: "")
    }

    private init(
        _ address: BrokerAddress, _ settings: AMQPSettings, password: Secret, name: String
    ) throws(LinkFailure) {
        self.broker = address.description
        var options = jrq_options()
        options.port = Int32(address.port)
        options.connect_timeout_ms = settings.connectTimeout.milliseconds
        options.rpc_timeout_ms = settings.rpcTimeout.milliseconds
        options.heartbeat_s = Int32(settings.heartbeat.components.seconds)
        options.channel_max = 255
        options.tls = settings.tls == nil ? 0 : 1
        var failure = jrq_failure()
        let texts = [
            address.host, settings.vhost, settings.user, name, "Junction", settings.tls?.caFile,
            settings.tls?.certificateFile, settings.tls?.keyFile,
        ]
        let connection = password.reveal { password in
            CStrings.with(texts + [password]) { pointers in
                options.host = pointers[0]
                options.vhost = pointers[1]
                options.user = pointers[2]
                options.name = pointers[3]
                options.product = pointers[4]
                options.ca_file = pointers[5]
                options.certificate_file = pointers[6]
                options.key_file = pointers[7]
                options.password = pointers[8]
                return jrq_open(&options, &failure)
            }
        }
        guard let connection else { throw LinkFailure(failure, broker: address.description) }
        self.connection = connection
        self.heartbeat = .seconds(Int(jrq_heartbeat_s(connection)))
        self.frameBytesMaximum = Int(jrq_frame_max(connection))
        self.channelMaximum = UInt16(clamping: jrq_channel_max(connection))
    }

    deinit { jrq_destroy(self.connection, self.isPolite ? 1 : 0) }

    /// Lets the connection say goodbye when it is freed, which may take as long as an answer.
    func setPolite() { self.isPolite = true }

    var descriptor: Int32 { jrq_descriptor(self.connection) }

    var canWrite: Bool { jrq_can_write(self.connection) != 0 }

    /// How long the library may be left alone.
    var attentionInterval: Duration { self.heartbeat / 3 }

    // MARK: - Questions

    func openChannel(_ channel: UInt16, confirms: Bool) throws(LinkFailure) {
        try self.check { jrq_channel_open(self.connection, channel, confirms ? 1 : 0, &$0) }
    }

    func closeChannel(_ channel: UInt16) throws(LinkFailure) {
        try self.check { jrq_channel_close(self.connection, channel, &$0) }
    }

    func consume(_ settings: AMQPSourceSettings, channel: UInt16) throws(LinkFailure) {
        try self.openChannel(channel, confirms: false)
        let declaration = settings.declaration
        try self.check { failure in
            declaration.arguments.withUnsafeBytes { arguments in
                jrq_queue_declare(
                    self.connection, channel, settings.queue, settings.declares ? 0 : 1,
                    declaration.isDurable ? 1 : 0, declaration.isExclusive ? 1 : 0, declaration.isAutoDelete ? 1 : 0,
                    jrq_bytes(arguments), &failure)
            }
        }
        try self.check { jrq_prefetch(self.connection, channel, UInt16(settings.prefetch), &$0) }
        try self.check { failure in
            settings.arguments.withUnsafeBytes { arguments in
                jrq_consume(
                    self.connection, channel, settings.queue, settings.consumerTag, settings.isExclusive ? 1 : 0,
                    jrq_bytes(arguments), &failure)
            }
        }
    }

    // MARK: - Statements

    /// Writes a message.
    ///
    /// Success means only that it is on its way.
    func publish(_ message: OutgoingMessage, channel: UInt16) throws(LinkFailure) {
        try self.check { failure in
            message.withWire { exchange, routingKey, properties, body in
                jrq_publish(
                    self.connection, channel, exchange, routingKey, message.isMandatory ? 1 : 0, properties, body,
                    &failure)
            }
        }
    }

    func acknowledge(_ tag: UInt64, multiple: Bool, channel: UInt16) throws(LinkFailure) {
        try self.check { jrq_ack(self.connection, channel, tag, multiple ? 1 : 0, &$0) }
    }

    func reject(_ tag: UInt64, multiple: Bool, requeue: Bool, channel: UInt16) throws(LinkFailure) {
        try self.check { jrq_nack(self.connection, channel, tag, multiple ? 1 : 0, requeue ? 1 : 0, &$0) }
    }

    /// The next thing the broker said; `nil` when there is nothing.
    ///
    /// Does not wait.
    func next(bodyBytesMaximum: Int) throws(LinkFailure) -> BrokerEvent? {
        var event = jrq_event()
        try self.check { jrq_next(self.connection, UInt64(bodyBytesMaximum), &event, &$0) }
        switch event.kind {
        case JRQ_EVENT_DELIVERY:
            return .delivery(
                Delivery(
                    tag: event.tag, isRedelivered: event.redelivered != 0, exchange: event.exchange.text,
                    routingKey: event.routing_key.text, properties: MessageProperties(event.properties),
                    headers: FieldTable.decode(event.properties.headers.buffer), body: Array(event.body.buffer)))
        case JRQ_EVENT_OVERSIZED: return .oversized(tag: event.tag, bytes: event.body_size)
        case JRQ_EVENT_RETURNED:
            return .returned(
                channel: event.channel, messageID: MessageProperties(event.properties).messageID,
                exchange: event.exchange.text, routingKey: event.routing_key.text, code: Int(event.code),
                text: event.text.text)
        case JRQ_EVENT_ACK, JRQ_EVENT_NACK:
            return .confirmed(
                channel: event.channel, tag: event.tag, multiple: event.multiple != 0,
                isTaken: event.kind == JRQ_EVENT_ACK)
        case JRQ_EVENT_CANCELLED: return .cancelled
        case JRQ_EVENT_BLOCKED: return .blocked(reason: event.text.text)
        case JRQ_EVENT_UNBLOCKED: return .unblocked
        case JRQ_EVENT_CHANNEL_CLOSED:
            return .channelClosed(channel: event.channel, code: Int(event.code), text: event.text.text)
        case JRQ_EVENT_PROGRESS: return .progress
        default: return nil
        }
    }

    private func check(_ body: (inout jrq_failure) -> Int32) throws(LinkFailure) {
        var failure = jrq_failure()
        if body(&failure) != 0 { throw LinkFailure(failure, broker: self.broker) }
    }
}

/// C strings for the length of a call.
private enum CStrings {
    static func with<Result>(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        var bytes: [CChar] = []
        var starts: [Int?] = []
        for text in texts {
            starts.append(text.map { _ in bytes.count })
            if let text { bytes += text.utf8CString }
        }
        // The password is among them.
        defer { for index in bytes.indices { bytes[index] = 0 } }
        return bytes.withUnsafeBufferPointer { buffer in
            body(starts.map { start in start.flatMap { offset in buffer.baseAddress.map { $0 + offset } } })
        }
    }
}

extension jrq_bytes {
    init(_ buffer: UnsafeRawBufferPointer) {
        self.init(bytes: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.bytes, count: self.count) }

    /// The text; invalid UTF-8 is repaired.
    var text: String { String(decoding: self.buffer, as: UTF8.self) }
}
