internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// What the thread of a `ConsumerLoop` works with; never leaves it.
final class ConsumerWorker {
    struct Place: Hashable {
        let topic: OpaquePointer
        let partition: Int32
    }

    let loop: ConsumerLoop
    let client: OpaquePointer
    private let wakeup: WakeupDescriptor
    /// Group events, errors.
    private let control: OpaquePointer
    /// Records of all assigned partitions.
    private let records: OpaquePointer
    /// Results of commits.
    let results: OpaquePointer
    private let buffer: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    /// Assigned partitions by name.
    var assigned: [String: AssignedPartition] = [:]
    /// The same by the library's topic object, as far as met.
    private var places: [Place: AssignedPartition] = [:]
    /// Queues of the assigned partitions, by name.
    private var queues: [String: OpaquePointer] = [:]
    /// Queues of partitions that were assigned once, by name: the library may still add to them.
    private var formerQueues: [String: OpaquePointer] = [:]
    var committing = CommitMachine()
    /// What the library complained about last.
    private var trouble: KafkaErrors.Fault?
    /// Since when no broker can be reached.
    private var downSince: Duration?
    private var nextProbe = Duration.zero
    private var nextCount = Duration.zero
    private var stall = StallWatch()
    private var nextStallCheck = Monotonic.now + ConsumerWorker.stallInterval
    private var hasFetched = false

    /// Whether the partitions are paused because the buffer is full.
    private(set) var isPaused = false

    /// How often a consumer that gets nothing asks whether there was something to get.
    private static let stallInterval = Duration.seconds(30)
    /// Partitions it asks about.
    private static let stallPartitionsMaximum = 16

    private static let fetchMaximum = 500
    /// Rounds of taking records before a pause.
    private static let drainMaximum = 64

    init(_ loop: ConsumerLoop, _ options: KafkaOptions, wakeup: WakeupDescriptor) throws(ConnectorError) {
        self.loop = loop
        self.wakeup = wakeup
        self.client = try options.client(RD_KAFKA_CONSUMER) { options in
            rd_kafka_conf_set_events(
                options, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT)
        }
        rd_kafka_poll_set_consumer(self.client)
        guard let control = rd_kafka_queue_get_consumer(self.client), let records = rd_kafka_queue_new(self.client),
            let results = rd_kafka_queue_new(self.client)
        else {
            rd_kafka_destroy(self.client)
            throw KafkaErrors.setup("the client has no queues")
        }
        self.control = control
        self.records = records
        self.results = results
        self.buffer = .allocate(capacity: Self.fetchMaximum)
        self.buffer.initialize(repeating: nil, count: Self.fetchMaximum)
        var one: UInt64 = 1
        for queue in [control, records, results] { rd_kafka_queue_io_event_enable(queue, wakeup.number, &one, 8) }
    }

    // MARK: - Beginning

    /// Subscribes once the brokers have answered and the topics are there.
    ///
    /// Throws `SourceInterruption.notConnected` or a `ConnectorError`.
    func connect(_ timeout: Duration) throws {
        let settings = self.loop.settings
        let deadline = Monotonic.now + timeout
        for topic in settings.topics {
            let name = topic.hasPrefix("^") ? nil : topic
            let answer = try self.probe(name, until: deadline)
            if let (topic, fault) = answer.faults.first(where: { $0.topic == name }) {
                throw KafkaErrors.error(fault, "The topic \(topic)", mayHaveExecuted: false)
            }
        }
        let list = rd_kafka_topic_partition_list_new(Int32(settings.topics.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for topic in settings.topics { rd_kafka_topic_partition_list_add(list, topic, jkr_partition_unassigned) }
        let number = rd_kafka_subscribe(self.client, list)
        guard number == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaErrors.error(KafkaErrors.Fault(number), "The subscription", mayHaveExecuted: false)
        }
    }

    private func probe(_ topic: String?, until deadline: Duration) throws -> KafkaProbe.Answer {
        while true {
            let wait = max(.milliseconds(1), min(.milliseconds(500), deadline - Monotonic.now))
            do {
                return try KafkaProbe.metadata(of: self.client, topic: topic, timeout: wait)
            } catch {
                self.serveControl()
                if let failure = self.loop.shared.withLock({ $0.failure }) { throw failure }
                if self.loop.shared.withLock({ $0.isClosing }) { throw CancellationError() }
                guard Monotonic.now < deadline else {
                    throw SourceInterruption.notConnected(reason: self.trouble?.words ?? error.words)
                }
            }
        }
    }

    // MARK: - Working

    /// One round: group events, records, commits; then sleeps until there is something to do.
    func turn() {
        self.serveControl()
        let fetched = self.fetch()
        self.serveCommits()
        self.watchOutage()
        self.countBacklog()
        self.watchStall()
        if fetched < Self.fetchMaximum { self.sleep() }
    }

    private func sleep() {
        let now = Monotonic.now
        var wait = Duration.milliseconds(200)
        let reader = self.loop.shared.withLock { shared -> CheckedContinuation<Void, Never>? in
            if shared.reader != nil {
                if shared.readerDeadline <= now {
                    defer { shared.reader = nil }
                    return shared.reader
                }
                wait = min(wait, shared.readerDeadline - now)
                if let redelivery = shared.ledger.nextRedelivery {
                    guard redelivery > now else {
                        defer { shared.reader = nil }
                        return shared.reader
                    }
                    wait = min(wait, redelivery - now)
                }
            }
            return nil
        }
        if let reader {
            reader.resume()
            return
        }
        if let due = self.committing.dueAt { wait = max(.zero, min(wait, due - now)) }
        self.wakeup.wait(wait)
    }

    /// Takes what the library has fetched; pauses the partitions when that is more than the buffer should hold.
    ///
    /// Not to take it would cost more: this version of the library lets a fetcher whose queue was full sleep for a second.
    /// Returns how many records were taken.
    private func fetch() -> Int {
        let count = self.takeRecords()
        let settings = self.loop.settings
        let fill = self.loop.shared.withLock { shared in
            max(
                Double(shared.ledger.readyCount) / Double(settings.prefetchMessages),
                Double(shared.ledger.readyBytes) / Double(settings.prefetchBytes))
        }
        if !self.isPaused, fill >= 1 {
            // Pausing throws away what the library has fetched by now: take that first.
            for _ in 0..<Self.drainMaximum where self.takeRecords() == 0 { break }
            self.pause(true)
        } else if self.isPaused, fill <= 0.5 {
            self.pause(false)
        }
        return count
    }

    /// Pauses or resumes every assigned partition; group events are polled as before.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        self.loop.shared.withLock { $0.isPaused = isPaused }
        guard !self.assigned.isEmpty else { return }
        let list = rd_kafka_topic_partition_list_new(Int32(self.assigned.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for partition in self.assigned.values {
            rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition)
        }
        if isPaused {
            rd_kafka_pause_partitions(self.client, list)
        } else {
            rd_kafka_resume_partitions(self.client, list)
        }
    }

    private func takeRecords() -> Int {
        let count = rd_kafka_consume_batch_queue(self.records, 0, self.buffer, Self.fetchMaximum)
        guard count > 0 else { return 0 }
        var chunk = RecordChunk()
        chunk.events.reserveCapacity(count)
        chunk.offsets.reserveCapacity(count)
        for index in 0..<count {
            guard let message = self.buffer[index] else { continue }
            self.take(message, into: &chunk)
            rd_kafka_message_destroy(message)
        }
        self.downSince = nil
        self.hasFetched = true
        let reader = self.loop.shared.withLock { shared -> CheckedContinuation<Void, Never>? in
            shared.ledger.add(chunk)
            guard shared.ledger.readyCount > 0 else { return nil }
            defer { shared.reader = nil }
            return shared.reader
        }
        reader?.resume()
        return count
    }

    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>, into chunk: inout RecordChunk) {
        let number = message.pointee.err
        guard number == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let words = rd_kafka_message_errstr(message).map { String(cString: $0) }
            self.complain(KafkaErrors.Fault(number, words))
            return
        }
        guard let topic = message.pointee.rkt else { return }
        let place = Place(topic: topic, partition: message.pointee.partition)
        if let partition = self.places[place] {
            self.loop.builder.append(message, of: partition, to: &chunk)
            return
        }
        let name = Self.name(String(cString: rd_kafka_topic_name(topic)), place.partition)
        // What is not assigned any more belongs to somebody else.
        guard let partition = self.assigned[name] else { return }
        self.places[place] = partition
        self.loop.builder.append(message, of: partition, to: &chunk)
    }

    static func name(_ topic: String, _ partition: Int32) -> String { "\(topic)/\(partition)" }

    // MARK: - Group events

    /// Takes group events and errors until there are none.
    func serveControl() {
        while let event = rd_kafka_queue_poll(self.control, 0) { self.serve(event) }
    }

    func serve(_ event: OpaquePointer) {
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE: self.rebalance(event)
        case RD_KAFKA_EVENT_ERROR:
            let words = rd_kafka_event_error_string(event).map { String(cString: $0) }
            self.complain(KafkaErrors.Fault(rd_kafka_event_error(event), words))
        default: break
        }
    }

    /// What the library complains about: some of it passes, some of it a person has to see.
    private func complain(_ fault: KafkaErrors.Fault) {
        self.trouble = fault
        switch fault.number {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            if self.downSince == nil { self.downSince = Monotonic.now }
        case RD_KAFKA_RESP_ERR__FATAL:
            let cause = KafkaProducer.fatal(self.client) ?? fault
            self.fail(KafkaErrors.error(cause, "The consumer", mayHaveExecuted: false))
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
            RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED:
            self.fail(KafkaErrors.error(fault, "The consumer", mayHaveExecuted: false))
        case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
            self.fail(SourceInterruption.notConnected(reason: fault.words))
        default: break
        }
    }

    /// Every read from now on throws `error`.
    private func fail(_ error: any Error) {
        let reader = self.loop.shared.withLock { shared -> CheckedContinuation<Void, Never>? in
            if shared.failure == nil { shared.failure = error }
            defer { shared.reader = nil }
            return shared.reader
        }
        reader?.resume()
    }

    /// While no broker answers, asks again now and then; gives up when it lasts.
    private func watchOutage() {
        guard let since = self.downSince else { return }
        let now = Monotonic.now
        guard now >= self.nextProbe else { return }
        self.nextProbe = now + .seconds(1)
        do {
            _ = try KafkaProbe.metadata(of: self.client, timeout: .milliseconds(100))
            self.downSince = nil
        } catch {
            if now - since >= self.loop.settings.outageTolerance {
                self.fail(SourceInterruption.notConnected(reason: self.trouble?.words ?? error.words))
            }
        }
    }

    /// Notes now and then how many records the broker has beyond those fetched, as far as its answers have told.
    private func countBacklog() {
        let now = Monotonic.now
        guard now >= self.nextCount else { return }
        self.nextCount = now + .seconds(1)
        self.drainFormerQueues()
        self.loop.shared.withLock { shared in
            shared.remoteBacklog = shared.ledger.assigned.reduce(0) { sum, partition in
                var low: Int64 = 0
                var high: Int64 = 0
                guard let fetched = partition.fetched,
                    rd_kafka_get_watermark_offsets(
                        self.client, partition.topic, partition.partition, &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR
                else {
                    return sum
                }
                return sum + Int(max(0, min(high - fetched, 1 << 40)))
            }
        }
    }

    /// Interrupts the source when records arrive at the brokers and none here.
    private func watchStall() {
        let now = Monotonic.now
        guard now >= self.nextStallCheck else { return }
        self.nextStallCheck = now + Self.stallInterval
        defer { self.hasFetched = false }
        var ends: [Int64: Int64] = [:]
        if !self.hasFetched, !self.isPaused, self.downSince == nil {
            for partition in self.assigned.values.prefix(Self.stallPartitionsMaximum) {
                var low: Int64 = 0
                var high: Int64 = 0
                let number = rd_kafka_query_watermark_offsets(
                    self.client, partition.topic, partition.partition, &low, &high, 200)
                if number == RD_KAFKA_RESP_ERR_NO_ERROR { ends[partition.generation] = high }
            }
        }
        if self.stall.observe(ends: ends, hasFetched: self.hasFetched) {
            self.fail(SourceInterruption.notConnected(reason: "records arrive at the brokers and none here"))
        }
    }

    // MARK: - Assignment

    private func rebalance(_ event: OpaquePointer) {
        let list = rd_kafka_event_topic_partition_list(event)
        let isCooperative = String(cString: rd_kafka_rebalance_protocol(self.client)) == "COOPERATIVE"
        if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            for (topic, partition) in Self.entries(list) { self.assign(topic, partition) }
            self.check(isCooperative ? rd_kafka_incremental_assign(self.client, list) : nil)
            if !isCooperative { rd_kafka_assign(self.client, list) }
            if self.isPaused { self.pause(true) }
            return
        }
        var revoked: Set<String> = []
        for (topic, partition) in Self.entries(list) { revoked.insert(Self.name(topic, partition)) }
        if !isCooperative { revoked.formUnion(self.assigned.keys) }
        self.revoke(revoked, isLost: rd_kafka_assignment_lost(self.client) != 0)
        self.check(isCooperative ? rd_kafka_incremental_unassign(self.client, list) : nil)
        if !isCooperative { rd_kafka_assign(self.client, nil) }
    }

    private func check(_ error: OpaquePointer?) {
        guard let error else { return }
        let fault = KafkaErrors.Fault(
            rd_kafka_error_code(error), rd_kafka_error_string(error).map { String(cString: $0) })
        rd_kafka_error_destroy(error)
        self.fail(SourceInterruption.notConnected(reason: "the assignment was not accepted: \(fault.words)"))
    }

    private static func entries(
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) -> [(String, Int32)] {
        guard let list else { return [] }
        return (0..<Int(list.pointee.cnt)).compactMap { index in
            let entry = list.pointee.elems[index]
            return entry.topic.map { (String(cString: $0), entry.partition) }
        }
    }

    private func assign(_ topic: String, _ partition: Int32) {
        let name = Self.name(topic, partition)
        if self.assigned[name] != nil { self.revoke([name], isLost: true) }
        self.assigned[name] = self.loop.shared.withLock { $0.ledger.assign(topic: topic, partition: partition) }
        self.places.removeAll()
        // Records go to a queue of their own: a full buffer then leaves them there, and group events get through.
        if let former = self.formerQueues.removeValue(forKey: name) {
            self.discard(former)
            rd_kafka_queue_destroy(former)
        }
        guard let queue = rd_kafka_queue_get_partition(self.client, topic, partition) else { return }
        rd_kafka_queue_forward(queue, self.records)
        self.queues[name] = queue
    }

    /// Commits what is done, unless the partitions are somebody else's already, and forgets them.
    private func revoke(_ names: Set<String>, isLost: Bool) {
        let generations = Set(names.compactMap { self.assigned[$0]?.generation })
        guard !generations.isEmpty else { return }
        if !isLost { self.commitAndWait(generations) }
        for name in names {
            self.assigned[name] = nil
            guard let queue = self.queues.removeValue(forKey: name) else { continue }
            rd_kafka_queue_forward(queue, nil)
            self.formerQueues[name] = queue
        }
        self.places.removeAll()
        self.loop.shared.withLock { $0.ledger.revoke(generations) }
    }

    /// Takes what the library has left in the queues of partitions that are not assigned any more.
    ///
    /// It leaves there, after it has stopped fetching, notes that refer to their partition. Since 2.0 nothing else takes
    /// them when the topic was unknown for a moment, as after a restart of its broker: the partition is then never freed,
    /// nor its broker's thread, and the client does not end (librdkafka #4362, #4674).
    private func drainFormerQueues() {
        for queue in self.formerQueues.values { self.discard(queue) }
    }

    /// Takes everything from `queue` and throws it away.
    private func discard(_ queue: OpaquePointer) {
        while true {
            let count = rd_kafka_consume_batch_queue(queue, 0, self.buffer, Self.fetchMaximum)
            guard count > 0 else { return }
            for index in 0..<count { rd_kafka_message_destroy(self.buffer[index]) }
        }
    }

    // MARK: - Ending

    /// Commits, leaves the group, and frees the client.
    ///
    /// In this order, each with a bound: whatever the library still holds of ours must be gone before it is closed, and
    /// only a consumer that has unsubscribed tells its group that it leaves.
    func end() {
        self.commitAndWait(nil)
        rd_kafka_unsubscribe(self.client)
        let left = Monotonic.now + .seconds(2)
        while Monotonic.now < left, !self.assigned.isEmpty || self.isMember {
            if let event = rd_kafka_queue_poll(self.control, 10) { self.serve(event) }
        }
        self.destroy()
    }

    private var isMember: Bool {
        guard let id = rd_kafka_memberid(self.client) else { return false }
        defer { rd_kafka_mem_free(self.client, id) }
        return id.pointee != 0
    }

    /// Closes the consumer and frees everything, within seconds.
    func destroy() {
        if let error = rd_kafka_consumer_close_queue(self.client, self.control) { rd_kafka_error_destroy(error) }
        let deadline = Monotonic.now + .seconds(5)
        while rd_kafka_consumer_closed(self.client) == 0, Monotonic.now < deadline {
            if let event = rd_kafka_queue_poll(self.control, 20) { self.serve(event) }
        }
        let isClosed = rd_kafka_consumer_closed(self.client) != 0
        // Everything that refers to a partition has to be gone before the client can be.
        for queue in self.queues.values { rd_kafka_queue_forward(queue, nil) }
        self.formerQueues.merge(self.queues) { former, _ in former }
        self.discard(self.records)
        self.drainFormerQueues()
        for queue in self.formerQueues.values { rd_kafka_queue_destroy(queue) }
        for queue in [self.control, self.records, self.results] {
            rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
            rd_kafka_queue_destroy(queue)
        }
        self.buffer.deallocate()
        ClientEnd.destroy(self.client, flags: isClosed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }
}
