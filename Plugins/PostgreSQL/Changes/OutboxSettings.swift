internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Where an outbox lies, and which of its columns mean what.
struct OutboxSettings: Sendable, Hashable {
    enum Mode: String, CaseIterable, Sendable {
        /// Inserts are read from the log.
        case changes = "cdc"
        /// Rows are locked, given out, and removed or marked when that is acknowledged.
        case poll
    }

    var table = ""
    var mode = Mode.changes
    var id = "id"
    /// What events are in order by.
    var key = "key"
    var type = "type"
    var payload = "payload"
    var headers = "headers"
    var time = "occurred_at"
    var contentType: String?
    /// Columns the user named, which therefore have to be there.
    var named: Set<String> = []
    /// Order of the rows of one key.
    var order = "id"
    /// Set when a row is done; nil: the row is deleted.
    var mark: String?
    var every = Duration.seconds(1)

    init?(_ reader: FieldReader?) {
        guard let reader else { return nil }
        reader.require("table")
        self.table = reader.string("table") ?? ""
        self.mode = reader.word("mode", of: Mode.self) ?? self.mode
        for (field, column) in [
            ("id", \Self.id), ("key", \.key), ("type", \.type), ("payload", \.payload), ("headers", \.headers),
            ("time", \.time),
        ] as [(String, WritableKeyPath<Self, String>)] {
            guard let name = reader.string(field) else { continue }
            self[keyPath: column] = name
            self.named.insert(name)
        }
        self.named.formUnion([self.id, self.payload])
        self.contentType = reader.string("contentType")
        self.order = reader.string("order") ?? self.id
        self.mark = reader.string("mark")
        let deletes = reader.boolean("delete")
        self.every = reader.duration("every") ?? self.every
        if self.mode == .poll {
            if deletes == true, self.mark != nil {
                reader.add("\(reader.path): delete and mark exclude each other.", "Give one of them.")
            }
            if deletes == false, self.mark == nil {
                reader.add(
                    "\(reader.path): rows that are not deleted have to be marked.",
                    "Name a column of type timestamptz in mark.")
            }
            if self.every < .milliseconds(10) { reader.add("\(reader.path).every: expected at least 10ms.") }
        } else if deletes != nil || self.mark != nil || reader.has("every") || reader.has("order") {
            reader.add(
                "\(reader.path): delete, mark, order and every belong to mode poll.",
                "Leave them out, or add mode: poll.")
        }
        reader.finish()
    }

    /// Columns that were named and are not there.
    func missing(in columns: [String]) -> [String] { self.named.filter { !columns.contains($0) }.sorted() }

    /// The event of a row; `text` gives the bytes of a column, `nil` for NULL and for columns that are not there.
    func event(
        _ shape: TableShape, decoding: RecordDecoding, coordinates more: ValueContext, fallbackID: String,
        occurredAt: Int64?, text: (Int) -> [UInt8]?
    ) -> SourceEvent {
        func column(_ name: String) -> (bytes: [UInt8], type: PostgresType)? {
            guard let index = shape.columns.firstIndex(where: { $0.name == name }), let bytes = text(index) else {
                return nil
            }
            return (bytes, shape.columns[index].type)
        }
        func string(_ name: String) -> String? { column(name).map { String(decoding: $0.bytes, as: UTF8.self) } }

        let id = string(self.id) ?? fallbackID
        let key = string(self.key)
        let time = column(self.time).flatMap { found in
            found.bytes.withUnsafeBufferPointer { try? ChangeValue.value($0, found.type) }?.asString
        }
        var headers = ValueContext()
        if let found = column(self.headers), let value = try? JSON.parse(found.bytes), let context = value.asContext {
            headers = context
        }
        var attributes = ValueContext([("id", .string(id)), ("source", .string("/postgresql/\(shape.path)"))])
        if let type = string(self.type) { attributes["type"] = .string(type) }
        if let key { attributes["subject"] = .string(key) }
        if let time { attributes["time"] = .string(time) }
        var coordinates = more
        coordinates["table"] = .string(shape.path)
        if let key { coordinates["key"] = .string(key) }
        coordinates["cloudEvent"] = .context(attributes)
        let payload = self.content(column(self.payload), headers)
        return SourceEvent(
            id: id, payload: payload.bytes, contentType: payload.contentType,
            body: RecordDecoder.decode(
                record: payload.bytes, contentType: payload.contentType, decoding: decoding),
            coordinates: coordinates, headers: headers,
            occurredAtMilliseconds: time.flatMap { Timestamp.milliseconds($0) } ?? occurredAt)
    }

    private func content(
        _ column: (bytes: [UInt8], type: PostgresType)?, _ headers: ValueContext
    ) -> (bytes: [UInt8], contentType: String) {
        let named = headers["content-type"]?.asString ?? headers["contentType"]?.asString ?? self.contentType
        guard let column else { return (Array("null".utf8), "application/json") }
        switch column.type {
        case .json: return (column.bytes, "application/json")
        case .bytes:
            let text = column.bytes.withUnsafeBufferPointer { try? PostgresDecoder.value($0, .bytes) }?.asString
            return (text.flatMap { Base64.decode($0) } ?? column.bytes, named ?? "application/octet-stream")
        default: return (column.bytes, named ?? "text/plain")
        }
    }
}
