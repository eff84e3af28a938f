internal import ConnectorKit
internal import Values

extension PluginCoding {
    // MARK: - Sources

    /// What arms a source that stands at `position`, where it ever saved one.
    static func json(_ request: SourceRequest, source: Int64, position: Value?) -> Value {
        var fields: ValueContext = [
            "source": Self.number(source), "event": .string(request.event), "parameters": request.parameters,
            "decode": Self.json(request.decoding),
        ]
        fields["position"] = position
        fields["replay"] = request.replay
        return .context(fields)
    }

    private static func json(_ decoding: RecordDecoding) -> Value {
        var fields: ValueContext = [
            "format": .string(decoding.format.rawValue), "maxBytes": Self.number(decoding.recordBytesMaximum),
            "delimiter": .string(String(UnicodeScalar(decoding.delimiter))),
            "columns": .context(
                ValueContext(
                    decoding.columnTypes.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.rawValue)) })),
        ]
        fields["record"] = decoding.recordElement.map { .string($0) }
        fields.merge(decoding.avro.fields)
        return .context(fields)
    }

    static func request(
        _ value: Value, memory: any SourceMemory = VolatileSourceMemory()
    ) throws(PluginCodingError) -> SourceRequest {
        let fields = try Fields(value, "params")
        var diagnostics: [Diagnostic] = []
        let decoding = RecordDecoding(fields.value("decode") ?? [:], diagnostics: &diagnostics)
        if let first = diagnostics.first { throw PluginCodingError(reason: first.message) }
        return SourceRequest(
            event: try fields.string("event"), parameters: fields.value("parameters") ?? [:], decoding: decoding,
            memory: memory, replay: fields.value("replay"))
    }

    static func json(_ disposition: BatchDisposition) -> Value {
        switch disposition {
        case .redeliver(let after): ["redeliverAfterMilliseconds": Self.milliseconds(after)]
        case .setAside: "setAside"
        }
    }

    static func disposition(_ value: Value?) throws(PluginCodingError) -> BatchDisposition {
        if value == "setAside" { return .setAside }
        let fields = try Fields(value ?? .null, "params.disposition")
        return .redeliver(after: try fields.optionalDuration("redeliverAfterMilliseconds") ?? .zero)
    }

    // MARK: - Batches

    /// What `read` answers: a batch, an interruption, or neither.
    enum ReadResult {
        case batch(EventBatch?)
        case interruption(SourceInterruption)
    }

    static func json(_ result: ReadResult) -> Value {
        switch result {
        case .batch(nil): ["batch": .null]
        case .batch(let batch?):
            [
                "batch": [
                    "id": .number(Number(Int64(clamping: batch.id.rawValue))),
                    "events": .list(batch.events.map(Self.json)),
                ]
            ]
        case .interruption(.endOfInput): ["interruption": "endOfInput"]
        case .interruption(.notConnected(let reason)): ["interruption": ["notConnected": .string(reason)]]
        case .interruption(.backOff(let pause)):
            ["interruption": ["backOffMilliseconds": Self.milliseconds(pause)]]
        }
    }

    static func readResult(_ value: Value) throws(PluginCodingError) -> ReadResult {
        let fields = try Fields(value, "result")
        if let interruption = fields.value("interruption"), !interruption.isNull {
            if interruption == "endOfInput" { return .interruption(.endOfInput) }
            let fields = try Fields(interruption, "result.interruption")
            if let reason = try fields.optionalString("notConnected") {
                return .interruption(.notConnected(reason: reason))
            }
            guard let pause = try fields.optionalDuration("backOffMilliseconds") else {
                throw Fields.wrong("result.interruption", "endOfInput, notConnected or backOffMilliseconds")
            }
            return .interruption(.backOff(pause))
        }
        guard let batch = fields.value("batch"), !batch.isNull else { return .batch(nil) }
        let batchFields = try Fields(batch, "result.batch")
        let id = try batchFields.integer("id")
        guard id >= 0 else { throw Fields.wrong("result.batch.id", "a number, not below 0") }
        let events = try batchFields.list("events", Self.event)
        guard !events.isEmpty else { throw Fields.wrong("result.batch.events", "one event at least") }
        return .batch(EventBatch(id: .init(rawValue: UInt64(id)), events: events))
    }

    private static func json(_ event: SourceEvent) -> Value {
        var fields: ValueContext = [
            "id": .string(event.id), "payload": .string(Base64.encode(event.payload)),
            "contentType": .string(event.contentType),
        ]
        switch event.body {
        case .undecoded: break
        case .value(let value): fields["value"] = ["of": value]
        case .undecodable(let finding):
            var place: ValueContext = ["line": Self.number(finding.line), "reason": .string(finding.reason)]
            place["column"] = finding.column.map(Self.number)
            fields["undecodable"] = .context(place)
        }
        if !event.coordinates.isEmpty { fields["coordinates"] = .context(event.coordinates) }
        if !event.headers.isEmpty { fields["headers"] = .context(event.headers) }
        fields["occurredAtMilliseconds"] = event.occurredAtMilliseconds.map(Self.number)
        return .context(fields)
    }

    private static func event(_ value: Value, _ path: String) throws(PluginCodingError) -> SourceEvent {
        let fields = try Fields(value, path)
        guard let payload = Base64.decode(try fields.string("payload")) else {
            throw Fields.wrong("\(path).payload", "base64")
        }
        var body = SourceEvent.Body.undecoded
        if let value = fields.value("value") {
            body = .value(try Fields(value, "\(path).value").value("of") ?? .null)
        } else if let finding = fields.value("undecodable") {
            let place = try Fields(finding, "\(path).undecodable")
            body = .undecodable(
                .init(
                    line: Int(clamping: try place.integer("line")),
                    column: try place.optionalInteger("column").map { Int(clamping: $0) },
                    reason: try place.string("reason")))
        }
        return SourceEvent(
            id: try fields.string("id"), payload: payload,
            contentType: try fields.optionalString("contentType") ?? "application/octet-stream", body: body,
            coordinates: try fields.context("coordinates"), headers: try fields.context("headers"),
            occurredAtMilliseconds: try fields.optionalInteger("occurredAtMilliseconds"))
    }
}
