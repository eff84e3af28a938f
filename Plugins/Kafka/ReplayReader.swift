internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// The client behind a `ReplaySource`: every function but `isDone` waits, on the calling thread.
///
/// `@unchecked Sendable`: the lock keeps calls apart.
final class ReplayReader: @unchecked Sendable {
    /// A partition that is read, up to `end`, which is no longer part of it.
    private struct Stretch {
        let partition: AssignedPartition
        let start: Int64
        let end: Int64
    }

    private let client: OpaquePointer
    private let queue: OpaquePointer
    private let builder: RecordBuilder
    /// What is not read to its end, by topic and partition.
    private let stretches = Mutex<[String: Stretch]?>([:])

    private static let fetchMaximum = 500

    /// Throws a `ConnectorError`.
    init(_ options: KafkaOptions, _ builder: RecordBuilder) throws(ConnectorError) {
        self.builder = builder
        self.client = try options.client(RD_KAFKA_CONSUMER) { options in
            rd_kafka_conf_set_events(options, RD_KAFKA_EVENT_ERROR)
        }
        rd_kafka_poll_set_consumer(self.client)
        guard let queue = rd_kafka_queue_get_consumer(self.client) else {
            ClientEnd.destroy(self.client)
            throw KafkaErrors.setup("the client has no queue")
        }
        self.queue = queue
    }

    /// Whether everything was read.
    var isDone: Bool { self.stretches.withLock { $0?.isEmpty ?? true } }

    // MARK: - Beginning

    /// Finds the partitions and their offsets, and begins to fetch.
    func open(
        _ topics: [String], _ range: ReplayRange, timeout: Duration, assign: (String, Int32) -> AssignedPartition
    ) throws {
        let deadline = Monotonic.now + timeout
        var found: [String: Stretch] = [:]
        for topic in topics {
            let numbers = try self.partitions(of: topic, until: deadline)
            for number in numbers where range.partitions?.contains(number) ?? true {
                var (low, high): (Int64, Int64) = (0, 0)
                try Self.check(
                    rd_kafka_query_watermark_offsets(
                        self.client, topic, number, &low, &high, Self.left(until: deadline)), topic)
                let from = try self.offset(of: range.from, topic, number, until: deadline)
                let to = try self.offset(after: range.to, topic, number, until: deadline)
                let (start, end) = (max(low, from ?? (range.from == nil ? low : high)), min(high, to ?? high))
                guard start < end else { continue }
                found[ConsumerWorker.name(topic, number)] = Stretch(
                    partition: assign(topic, number), start: start, end: end)
            }
        }
        let list = rd_kafka_topic_partition_list_new(Int32(found.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for stretch in found.values {
            let (topic, number) = (stretch.partition.topic, stretch.partition.partition)
            rd_kafka_topic_partition_list_add(list, topic, number).pointee.offset = stretch.start
        }
        try Self.check(rd_kafka_assign(self.client, list), topics.joined(separator: ", "))
        self.stretches.withLock { $0 = found }
    }

    private static func left(until deadline: Duration) -> Int32 {
        max(.milliseconds(1), deadline - Monotonic.now).wholeMilliseconds
    }

    private static func check(_ number: rd_kafka_resp_err_t, _ topic: String) throws {
        guard number != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let error = KafkaErrors.error(KafkaErrors.Fault(number), "The replay of \(topic)", mayHaveExecuted: false)
        throw error.isRetryable ? SourceInterruption.notConnected(reason: error.message) as any Error : error
    }

    private func partitions(of topic: String, until deadline: Duration) throws -> [Int32] {
        let handle = rd_kafka_topic_new(self.client, topic, nil)
        defer { if let handle { rd_kafka_topic_destroy(handle) } }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try Self.check(rd_kafka_metadata(self.client, 0, handle, &metadata, Self.left(until: deadline)), topic)
        guard let metadata else { return [] }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt > 0, let entry = metadata.pointee.topics?.pointee else { return [] }
        try Self.check(entry.err, topic)
        return (0..<Int(entry.partition_cnt)).map { entry.partitions[$0].id }
    }

    /// The first offset of the range.
    private func offset(
        of position: ReplayRange.Position?, _ topic: String, _ partition: Int32, until deadline: Duration
    ) throws -> Int64? {
        switch position {
        case .offset(let offset): return offset
        case .time(let time): return try self.offset(at: time, topic, partition, until: deadline)
        case nil: return nil
        }
    }

    /// The first offset behind the range.
    private func offset(
        after position: ReplayRange.Position?, _ topic: String, _ partition: Int32, until deadline: Duration
    ) throws -> Int64? {
        switch position {
        case .offset(let offset): return offset < .max ? offset + 1 : offset
        case .time(let time): return try self.offset(at: time + 1, topic, partition, until: deadline)
        case nil: return nil
        }
    }

    /// The first offset whose record is of `time` or later; `nil` when there is none.
    private func offset(
        at time: Int64, _ topic: String, _ partition: Int32, until deadline: Duration
    ) throws -> Int64? {
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let entry = rd_kafka_topic_partition_list_add(list, topic, partition)
        entry?.pointee.offset = time
        try Self.check(rd_kafka_offsets_for_times(self.client, list, Self.left(until: deadline)), topic)
        guard let entry else { return nil }
        try Self.check(entry.pointee.err, topic)
        return entry.pointee.offset >= 0 ? entry.pointee.offset : nil
    }

    // MARK: - Reading

    /// What comes next: waits for the first record, at most `wait`.
    func fetch(wait: Duration) throws -> RecordChunk {
        try self.stretches.withLock { stretches in
            var chunk = RecordChunk()
            var timeout = wait.wholeMilliseconds
            while chunk.events.count < Self.fetchMaximum, stretches?.isEmpty == false,
                let message = rd_kafka_consume_queue(self.queue, timeout)
            {
                defer { rd_kafka_message_destroy(message) }
                timeout = 0
                try self.take(message, &stretches, &chunk)
            }
            return chunk
        }
    }

    private func take(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ stretches: inout [String: Stretch]?,
        _ chunk: inout RecordChunk
    ) throws {
        let number = message.pointee.err
        guard let topic = message.pointee.rkt.flatMap({ rd_kafka_topic_name($0) }).map({ String(cString: $0) }) else {
            // Trouble of the whole client.
            if number == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || number.isAuthentication {
                try Self.check(number, "records")
            }
            return
        }
        let name = ConsumerWorker.name(topic, message.pointee.partition)
        guard let stretch = stretches?[name] else { return }
        switch number {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            let offset = message.pointee.offset
            if offset < stretch.end { self.builder.append(message, of: stretch.partition, to: &chunk) }
            if offset + 1 >= stretch.end { stretches?[name] = nil }
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            // The last offsets of a partition may hold no record: markers of transactions, what was compacted away.
            stretches?[name] = nil
        default:
            try Self.check(number, topic)
        }
    }

    // MARK: - Ending

    /// Frees everything; may be called twice.
    func close() {
        let isFirst = self.stretches.withLock { stretches in
            defer { stretches = nil }
            return stretches != nil
        }
        guard isFirst else { return }
        rd_kafka_assign(self.client, nil)
        while let message = rd_kafka_consume_queue(self.queue, 0) { rd_kafka_message_destroy(message) }
        rd_kafka_queue_destroy(self.queue)
        ClientEnd.destroy(self.client)
    }
}
