import Values

extension RecordDecoding {
    /// The event with its CloudEvent opened: its data as the body, its attributes as the coordinate `cloudEvent`.
    ///
    /// Applies when the format is `cloudevents`, or `auto` and the media type says that the payload is an event in the JSON
    /// format; every other event comes back as it is. Payload, headers and id stay, so that opening it again, after a
    /// dead letter was corrected, gives what is in it then.
    public func opened(_ event: SourceEvent) -> SourceEvent {
        switch self.format {
        case .cloudevents: break
        case .auto where CloudEvent.Mode(contentType: event.contentType) != .binary: break
        default: return event
        }
        var event = event
        do {
            let cloudEvent = try self.cloudEvent(event)
            event.body = .value(cloudEvent.dataValue)
            event.coordinates["cloudEvent"] = .context(cloudEvent.attributes)
            event.occurredAtMilliseconds = cloudEvent.occurredAtMilliseconds ?? event.occurredAtMilliseconds
        } catch {
            event.coordinates["cloudEvent"] = nil
            let line = event.coordinates["line"]?.asInt64.flatMap { Int(exactly: $0) } ?? 1
            event.body = .undecodable(.init(line: line, reason: "Not a CloudEvent: \(error.reason)"))
        }
        return event
    }

    private func cloudEvent(_ event: SourceEvent) throws(CloudEvent.Problem) -> CloudEvent {
        guard event.payload.count <= self.recordBytesMaximum else {
            throw CloudEvent.Problem(
                reason: "It has \(event.payload.count) bytes; decode.maxBytes allows \(self.recordBytesMaximum).")
        }
        // Brokers without a media type of their own carry it as a header field.
        let header = event.headers.first { $0.key.lowercased() == "content-type" }?.value.asString
        let contentType = header ?? event.contentType
        let attributes = CloudEvent.attributes(inHeaders: event.headers.map { ($0.key, $0.value) })
        switch CloudEvent.Mode(contentType: contentType) {
        case .structured:
            return try CloudEvent.structured(event.payload)
        case .batch:
            throw CloudEvent.Problem(reason: "It is a batch of events, but a message is one record.")
        case .unsupported(let type):
            throw CloudEvent.Problem(reason: "Its format, \(type), is not read; send the JSON format or binary mode.")
        case .binary where attributes.isEmpty:
            // Nothing says how the event is carried: without attributes it can only be in the content.
            return try CloudEvent.structured(event.payload)
        case .binary:
            let isUnknown = header == nil && contentType == "application/octet-stream"
            return try CloudEvent.binary(
                attributes: attributes, contentType: isUnknown ? nil : contentType, content: event.payload)
        }
    }
}
