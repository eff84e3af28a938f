internal import CRDKafka
internal import ConnectorKit
internal import Values

/// One partition while it is assigned to this consumer.
///
/// A partition that is revoked and assigned again is another one: acknowledgements of the first do not count for it.
struct AssignedPartition: Sendable {
    let topic: String
    let partition: Int32
    /// Number of the assignment.
    let generation: Int64
    var tracker = OffsetTracker()
    /// One past the last offset that was fetched, for the backlog.
    var fetched: Int64?
    /// Start of event ids.
    let idPrefix: String
    /// What the coordinates of all its records have in common.
    let coordinates: ValueContext

    init(topic: String, partition: Int32, generation: Int64) {
        self.topic = topic
        self.partition = partition
        self.generation = generation
        self.idPrefix = "\(topic)/\(partition)/"
        self.coordinates = ValueContext([
            ("topic", .string(topic)), ("partition", .number(Number(Int64(partition)))), ("offset", 0),
            ("generation", .number(Number(generation))),
        ])
    }
}

/// Records fetched together, oldest first, ready to be read.
struct RecordChunk: Sendable {
    /// Records of one partition, next to each other.
    struct Run: Sendable {
        let generation: Int64
        var count: Int
        /// Offset of the last.
        var last: Int64
    }

    /// A record whose schema is not known yet.
    struct Unresolved: Sendable {
        let index: Int
        let key: [UInt8]?
        /// Null has no schema.
        let hasValue: Bool
    }

    var events: [SourceEvent] = []
    var offsets: [Int64] = []
    var runs: [Run] = []
    var unresolved: [Unresolved] = []
    /// Schemas to fetch before the records can be read.
    var missingSchemas: Set<Int32> = []
    var byteCount = 0

    /// Takes the first `count` records off.
    mutating func removeFirst(_ count: Int) -> RecordChunk {
        guard count < self.events.count else {
            defer { self = RecordChunk() }
            return self
        }
        var head = RecordChunk()
        head.events = Array(self.events[..<count])
        head.offsets = Array(self.offsets[..<count])
        head.byteCount = head.events.reduce(0) { $0 + $1.payload.count }
        var left = count
        while left > 0, var run = self.runs.first {
            if run.count <= left {
                head.runs.append(run)
                left -= run.count
                self.runs.removeFirst()
            } else {
                head.runs.append(Run(generation: run.generation, count: left, last: head.offsets[count - 1]))
                run.count -= left
                self.runs[0] = run
                left = 0
            }
        }
        self.events.removeFirst(count)
        self.offsets.removeFirst(count)
        self.byteCount -= head.byteCount
        return head
    }

    /// Keeps the records of assignments that `isCurrent` says still hold.
    mutating func keep(where isCurrent: (Int64) -> Bool) {
        guard !self.runs.allSatisfy({ isCurrent($0.generation) }) else { return }
        var kept = RecordChunk()
        var start = 0
        for run in self.runs {
            let range = start..<(start + run.count)
            start += run.count
            guard isCurrent(run.generation) else { continue }
            let offset = kept.events.count - range.lowerBound
            kept.events += self.events[range]
            kept.offsets += self.offsets[range]
            kept.runs.append(run)
            kept.unresolved += self.unresolved.filter { range.contains($0.index) }
                .map { Unresolved(index: $0.index + offset, key: $0.key, hasValue: $0.hasValue) }
        }
        kept.missingSchemas = self.missingSchemas
        kept.byteCount = kept.events.reduce(0) { $0 + $1.payload.count }
        self = kept
    }
}

/// Makes events out of the library's messages.
struct RecordBuilder: Sendable {
    let value: PayloadReader
    let key: PayloadReader

    /// Throws a `ConnectorError` when a schema that is named is not there.
    init(_ settings: RecordSourceSettings, _ schemas: SchemaStore) throws {
        self.value = PayloadReader(
            format: settings.value, schema: try settings.valueSchema.map { try schemas.schema(named: $0) },
            schemas: schemas, known: settings.avro, bytesMaximum: settings.recordBytesMaximum)
        self.key = PayloadReader(
            format: settings.key, schema: try settings.keySchema.map { try schemas.schema(named: $0) },
            schemas: schemas, bytesMaximum: settings.recordBytesMaximum)
    }

    /// Adds `message` of `partition` to `chunk`.
    func append(
        _ message: UnsafePointer<rd_kafka_message_t>, of partition: AssignedPartition, to chunk: inout RecordChunk
    ) {
        let offset = message.pointee.offset
        let bytes = Self.bytes(message.pointee.payload, message.pointee.len)
        var event = SourceEvent(
            id: Self.id(partition.idPrefix, offset), payload: bytes ?? [], contentType: self.value.format.contentType)
        var coordinates = partition.coordinates
        coordinates["offset"] = .number(Number(offset))
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        if type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE, timestamp >= 0 {
            coordinates["timestamp"] = .number(Number(timestamp))
            event.occurredAtMilliseconds = timestamp
        }
        let key = Self.bytes(message.pointee.key, message.pointee.key_len)
        event.coordinates = coordinates
        var list: OpaquePointer?
        if rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list {
            event.headers = Self.headers(list)
        }
        let missing = self.read(&event, key: key, hasValue: bytes != nil)
        if !missing.isEmpty {
            chunk.missingSchemas.formUnion(missing)
            chunk.unresolved.append(
                RecordChunk.Unresolved(index: chunk.events.count, key: key, hasValue: bytes != nil))
        }
        if let last = chunk.runs.indices.last, chunk.runs[last].generation == partition.generation {
            chunk.runs[last].count += 1
            chunk.runs[last].last = offset
        } else {
            chunk.runs.append(RecordChunk.Run(generation: partition.generation, count: 1, last: offset))
        }
        chunk.byteCount += event.payload.count
        chunk.offsets.append(offset)
        chunk.events.append(event)
    }

    /// Reads again what had no schema; gives what still has none.
    func resolve(_ chunk: inout RecordChunk) {
        let open = chunk.unresolved
        chunk.unresolved = []
        chunk.missingSchemas = []
        for record in open {
            let missing = self.read(&chunk.events[record.index], key: record.key, hasValue: record.hasValue)
            guard !missing.isEmpty else { continue }
            chunk.missingSchemas.formUnion(missing)
            chunk.unresolved.append(record)
        }
    }

    /// Reads key and value of `event`; gives the numbers of schemas that must be fetched first.
    private func read(_ event: inout SourceEvent, key: [UInt8]?, hasValue: Bool) -> [Int32] {
        var missing: [Int32] = []
        if !hasValue {
            event.body = .value(.null)
        } else {
            switch self.value.read(event.payload) {
            case .body(let body, let again):
                event.body = body
                // So that a dead letter can be read again without the registry.
                if let again { event.headers[AvroSchemas.header] = again }
            case .needs(let id): missing.append(id)
            }
        }
        if let key {
            switch self.key.read(key) {
            case .body(.value(let value), _): event.coordinates["key"] = value
            case .body: event.coordinates["key"] = .string(Base64.encode(key))
            case .needs(let id): missing.append(id)
            }
        }
        return missing
    }

    private static func bytes(_ pointer: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
        guard let pointer else { return nil }
        return Array(UnsafeRawBufferPointer(start: pointer, count: count))
    }

    /// `topic/partition/offset`.
    private static func id(_ prefix: String, _ offset: Int64) -> String {
        prefix + String(offset)
    }

    /// Values as text, or base64 when they are none; a name that comes several times has a list.
    private static func headers(_ list: OpaquePointer) -> ValueContext {
        var headers = ValueContext()
        var index = 0
        var name: UnsafePointer<CChar>?
        var content: UnsafeRawPointer?
        var count = 0
        while rd_kafka_header_get_all(list, index, &name, &content, &count) == RD_KAFKA_RESP_ERR_NO_ERROR, let name {
            index += 1
            var value = Value.null
            if let content {
                let bytes = UnsafeRawBufferPointer(start: content, count: count)
                value = .string(String(validating: bytes, as: UTF8.self) ?? Base64.encode(Array(bytes)))
            }
            let key = String(cString: name)
            switch headers[key] {
            case nil: headers[key] = value
            case .list(let values): headers[key] = .list(values + [value])
            case .some(let first): headers[key] = .list([first, value])
            }
        }
        return headers
    }
}
