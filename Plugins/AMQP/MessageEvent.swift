internal import ConnectorKit
internal import Values

extension SourceEvent {
    /// The event of a message that came out of `queue`.
    ///
    /// Its id is the message id its publisher gave it. Without one it is a digest of content and properties, which
    /// redelivery does not change, but which two equal messages share.
    init(_ delivery: Delivery, queue: String, decoding: RecordDecoding) {
        let properties = delivery.properties
        let (contentType, body) = decoding.message(delivery.body, contentType: properties.contentType)
        let coordinates: ValueContext = [
            "queue": .string(queue), "exchange": .string(delivery.exchange),
            "routingKey": .string(delivery.routingKey), "redelivered": .boolean(delivery.isRedelivered),
        ]
        var headers = delivery.headers
        headers.merge(properties.context)
        let milliseconds = properties.timestamp.flatMap { Int64(exactly: $0) }
            .map { $0.multipliedReportingOverflow(by: 1_000) }
        self.init(
            id: "\(queue):\(properties.messageID ?? Self.digest(delivery))", payload: delivery.body,
            contentType: contentType, body: body, coordinates: coordinates, headers: headers,
            occurredAtMilliseconds: milliseconds.flatMap { $0.overflow ? nil : $0.partialValue })
    }

    private static func digest(_ delivery: Delivery) -> String {
        var state = StableHash.fnv1a64(delivery.exchange)
        state = StableHash.fnv1a64(delivery.routingKey, state: StableHash.mixed(state))
        state = StableHash.fnv1a64(delivery.properties.correlationID ?? "", state: StableHash.mixed(state))
        state = StableHash.mixed(state ^ (delivery.properties.timestamp ?? 0))
        let first = StableHash.fnv1a64(delivery.body, state: state)
        let second = StableHash.fnv1a64(delivery.body, state: StableHash.mixed(first ^ UInt64(delivery.body.count)))
        return "#" + String(first, radix: 36) + "-" + String(second, radix: 36)
    }
}

extension MessageProperties {
    /// Those that are set, under the names that `publish` takes.
    var context: ValueContext {
        var context = ValueContext()
        func add(_ key: String, _ text: String?) {
            if let text { context[key] = .string(text) }
        }
        add("contentType", self.contentType)
        add("contentEncoding", self.contentEncoding)
        add("correlationId", self.correlationID)
        add("replyTo", self.replyTo)
        add("expiration", self.expiration)
        add("messageId", self.messageID)
        add("type", self.type)
        add("userId", self.userID)
        add("appId", self.appID)
        if let priority = self.priority { context["priority"] = .number(Number(priority)) }
        if let isPersistent = self.isPersistent { context["persistent"] = .boolean(isPersistent) }
        return context
    }
}
