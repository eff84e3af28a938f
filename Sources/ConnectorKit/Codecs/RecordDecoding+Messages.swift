public import Values

extension RecordDecoding {
    /// Reads a message of a broker, which is one record as a whole.
    ///
    /// `contentType` is what the message says of itself; a format that was set wins over it. Without either the message
    /// stays undecoded. `headers` are those of its event. Returns the media type to state, and the content.
    public func message(
        _ bytes: [UInt8], contentType: String?, headers: ValueContext = ValueContext()
    ) -> (contentType: String, body: SourceEvent.Body) {
        let type =
            switch self.format {
            case .json, .ndjson: "application/json"
            case .xml: "application/xml"
            case .avro: AvroSchemas.contentType
            case .text: "text/plain; charset=utf-8"
            case .bytes: "application/octet-stream"
            case .auto, .csv, .cloudevents: contentType ?? "application/octet-stream"
            }
        guard bytes.count <= self.recordBytesMaximum else {
            let reason = "The message has \(bytes.count) bytes; decode.maxBytes allows \(self.recordBytesMaximum)."
            return (type, .undecodable(.init(line: 1, reason: reason)))
        }
        // Attributes stand in header fields or in the content: `opened` reads them.
        if self.format == .cloudevents { return (type, .undecoded) }
        return (type, RecordDecoder.decode(record: bytes, contentType: type, headers: headers, decoding: self))
    }

    /// Says what of this decoding does not fit messages; `nil` when all of it does.
    public var messageObjection: Diagnostic? {
        guard self.format == .csv else { return nil }
        return Diagnostic(
            code: ConnectorError.Code.invalidParameters, severity: .error,
            message: "decode.format: a message is one record, but csv needs a header row above its records.",
            remedy: "Use json, text or bytes.")
    }
}
