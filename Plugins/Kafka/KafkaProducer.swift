internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// A producer: a client of the library, and a thread that takes its delivery reports.
final class KafkaProducer: Sendable {
    /// What became of a message.
    enum Delivery: Sendable {
        case delivered(partition: Int32, offset: Int64, timestamp: Int64?)
        case failed(ConnectorError)
    }

    /// Messages sent together, waiting for their reports.
    private struct Group {
        var deliveries: [Delivery?]
        var remaining: Int
        var deadline: Duration
        var timeout: Duration
        /// What messages call each of them.
        var titles: [String]
        var continuation: CheckedContinuation<[Delivery], Never>?

        /// The deliveries; those still open are `missing`.
        func result(missing: (String) -> ConnectorError) -> [Delivery] {
            zip(self.deliveries, self.titles).map { $0 ?? .failed(missing($1)) }
        }
    }

    private struct State {
        var groups: [UInt: Group] = [:]
        var nextGroup: UInt = 1
        /// Callers that wait for room in the queue.
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Why the client takes no more messages.
        var failure: ConnectorError?
        /// Whether the failure is that the connection was closed.
        var isClosing = false
        var hasEnded = false
        var ending: [CheckedContinuation<Void, Never>] = []
        /// What the library complained about last, since the last success.
        var trouble: String?
    }

    /// The library's client, for the thread and for enqueuing.
    ///
    /// `@unchecked Sendable`: the library's functions may be called from any thread; `KafkaProducer` calls none after
    /// its thread has destroyed the client, which `State.hasEnded` says before.
    private struct Client: @unchecked Sendable {
        let pointer: OpaquePointer
        let queue: OpaquePointer
    }

    private let connection: String
    private let client: Client
    private let state = Mutex(State())

    /// Messages of one group; a tag holds the group and the message's place in it.
    static let groupMaximum = 1 << 16

    /// How long messages that are under way may still arrive when the connection is closed.
    private static let closingGrace = Duration.seconds(1)

    /// Makes the client of `connection` and starts its thread; throws a `ConnectorError`.
    init(_ connection: String, _ settings: KafkaSettings, _ credentials: KafkaCredentials) throws {
        self.connection = connection
        var options = KafkaOptions(settings, credentials)
        options.set("enable.idempotence", settings.isIdempotent)
        options.set("acks", "all")
        options.set("linger.ms", settings.linger)
        options.set("message.timeout.ms", settings.messageTimeout)
        options.set("message.max.bytes", settings.messageBytesMaximum)
        options.set("compression.codec", settings.compression.rawValue)
        options.set("partitioner", settings.partitioner.word)
        options.set("queue.buffering.max.messages", settings.queueMessagesMaximum)
        options.set("queue.buffering.max.kbytes", settings.queueBytesMaximum / 1_024)
        let pointer = try options.client(RD_KAFKA_PRODUCER) { options in
            rd_kafka_conf_set_events(options, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
        }
        guard let queue = rd_kafka_queue_get_main(pointer) else {
            rd_kafka_destroy(pointer)
            throw KafkaErrors.setup("the client has no main queue")
        }
        self.client = Client(pointer: pointer, queue: queue)
        do {
            try KafkaThread.start { self.run() }
        } catch {
            rd_kafka_queue_destroy(queue)
            rd_kafka_destroy(pointer)
            throw error
        }
    }

    /// Whether messages can still be sent; if not, the next need a new producer.
    var isUsable: Bool { self.state.withLock { $0.failure == nil } }

    // MARK: - Sending

    /// Sends messages and waits for their reports, at most `timeout`.
    ///
    /// At most `groupMaximum`. The deliveries are in the order of the messages. Cancelling the task ends the wait.
    func send(_ messages: [OutgoingMessage], timeout: Duration) async -> [Delivery] {
        let deadline = Monotonic.now + timeout
        let group = self.state.withLock { state in
            let group = state.nextGroup
            state.nextGroup += 1
            state.groups[group] = Group(
                deliveries: [Delivery?](repeating: nil, count: messages.count), remaining: messages.count,
                deadline: deadline, timeout: timeout, titles: messages.map(\.title))
            return group
        }
        for (index, message) in messages.enumerated() {
            if let error = await self.enqueue(message, tag: group << 16 | UInt(index), deadline: deadline) {
                self.settle(group, index, .failed(error))
            }
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let done = self.state.withLock { state -> [Delivery]? in
                    guard let waiting = state.groups[group] else {
                        // The thread has ended meanwhile.
                        return messages.map { .failed(Self.lost($0.title)) }
                    }
                    guard waiting.remaining == 0 else {
                        state.groups[group]?.continuation = continuation
                        return nil
                    }
                    state.groups[group] = nil
                    return waiting.result(missing: Self.lost)
                }
                if let done { continuation.resume(returning: done) }
                if Task.isCancelled { self.cancel(group) }
            }
        } onCancel: {
            self.cancel(group)
        }
    }

    /// Adds a message to the library's queue, waiting for room until `deadline`.
    private func enqueue(_ message: OutgoingMessage, tag: UInt, deadline: Duration) async -> ConnectorError? {
        while true {
            if Task.isCancelled { return KafkaErrors.cancelled(message.title, mayHaveExecuted: false) }
            let number = self.state.withLock { state -> Result<rd_kafka_resp_err_t, ConnectorError> in
                if let failure = state.failure { return .failure(failure) }
                return .success(message.enqueue(self.client.pointer, tag: tag))
            }
            switch number {
            case .failure(let error): return error
            case .success(RD_KAFKA_RESP_ERR_NO_ERROR): return nil
            case .success(RD_KAFKA_RESP_ERR__QUEUE_FULL):
                guard Monotonic.now < deadline else {
                    return KafkaErrors.error(
                        KafkaErrors.Fault(RD_KAFKA_RESP_ERR__QUEUE_FULL), message.title, mayHaveExecuted: false)
                }
                await withCheckedContinuation { continuation in
                    self.state.withLock { $0.waiting.append(continuation) }
                }
            case .success(RD_KAFKA_RESP_ERR__FATAL):
                // The next message needs a new client.
                let cause = self.fatal() ?? KafkaErrors.Fault(RD_KAFKA_RESP_ERR__FATAL)
                self.fail(KafkaErrors.error(cause, "The producer", mayHaveExecuted: false))
                return KafkaErrors.error(cause, message.title, mayHaveExecuted: false)
            case .success(let number):
                return KafkaErrors.error(KafkaErrors.Fault(number), message.title, mayHaveExecuted: false)
            }
        }
    }

    private static func lost(_ title: String) -> ConnectorError {
        KafkaErrors.error(KafkaErrors.Fault(RD_KAFKA_RESP_ERR__DESTROY), title, mayHaveExecuted: true)
    }

    private func settle(_ group: UInt, _ index: Int, _ delivery: Delivery) {
        self.state.withLock { Self.settle(&$0, group, index, delivery) }?()
    }

    /// Notes a delivery; gives what is to be done outside the lock when the group is complete.
    private static func settle(
        _ state: inout State, _ id: UInt, _ index: Int, _ delivery: Delivery
    ) -> (@Sendable () -> Void)? {
        guard state.groups[id]?.deliveries[index] == nil, state.groups[id] != nil else { return nil }
        state.groups[id]?.deliveries[index] = delivery
        state.groups[id]?.remaining -= 1
        guard let group = state.groups[id], group.remaining == 0, let continuation = group.continuation else {
            return nil
        }
        state.groups[id] = nil
        return { continuation.resume(returning: group.result(missing: Self.lost)) }
    }

    private func cancel(_ id: UInt) {
        self.finish(id) { KafkaErrors.cancelled($0, mayHaveExecuted: true) }
    }

    /// Ends the wait of a group: what has no report yet gets `missing`.
    private func finish(_ id: UInt, missing: (String) -> ConnectorError) {
        let group = self.state.withLock { state -> Group? in
            guard state.groups[id]?.continuation != nil else { return nil }
            return state.groups.removeValue(forKey: id)
        }
        if let group { group.continuation?.resume(returning: group.result(missing: missing)) }
    }

    // MARK: - Ending

    /// Lets what is under way arrive for a moment, drops the rest, and frees the client.
    ///
    /// What was dropped has failed. May be called twice.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let hasEnded = self.state.withLock { state -> Bool in
                state.isClosing = true
                if state.failure == nil { state.failure = ConnectorError.closed(self.connection) }
                if !state.hasEnded { state.ending.append(continuation) }
                return state.hasEnded
            }
            if hasEnded {
                continuation.resume()
            } else {
                self.wakeThread()
            }
        }
    }

    private func wakeThread() {
        self.state.withLock { state in
            if !state.hasEnded { rd_kafka_queue_yield(self.client.queue) }
        }
    }

    // MARK: - The thread

    private func run() {
        var nextExpiry = Monotonic.now
        while !self.state.withLock({ $0.isClosing }) {
            self.poll(.milliseconds(50))
            if Monotonic.now >= nextExpiry {
                self.expire()
                nextExpiry = Monotonic.now + .milliseconds(50)
            }
        }
        let deadline = Monotonic.now + Self.closingGrace
        while rd_kafka_outq_len(self.client.pointer) > 0, Monotonic.now < deadline { self.poll(.milliseconds(20)) }
        _ = rd_kafka_purge(self.client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        let end = Monotonic.now + .seconds(5)
        while rd_kafka_outq_len(self.client.pointer) > 0, Monotonic.now < end { self.poll(.milliseconds(20)) }
        let (groups, waiting, ending) = self.state.withLock { state in
            state.hasEnded = true
            defer {
                state.groups = [:]
                state.waiting = []
                state.ending = []
            }
            return (state.groups, state.waiting, state.ending)
        }
        rd_kafka_queue_destroy(self.client.queue)
        ClientEnd.destroy(self.client.pointer)
        for group in groups.values { group.continuation?.resume(returning: group.result(missing: Self.lost)) }
        for continuation in waiting { continuation.resume() }
        for continuation in ending { continuation.resume() }
    }

    /// Takes one event, if one comes in time.
    private func poll(_ wait: Duration) {
        guard let event = rd_kafka_queue_poll(self.client.queue, wait.wholeMilliseconds) else { return }
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR: self.takeReports(event)
        case RD_KAFKA_EVENT_ERROR: self.takeError(event)
        default: break
        }
    }

    private func takeReports(_ event: OpaquePointer) {
        var actions: [@Sendable () -> Void] = []
        let waiting = self.state.withLock { state in
            while let message = rd_kafka_event_message_next(event) {
                let tag = UInt(bitPattern: message.pointee._private)
                let delivery = Self.delivery(message, state)
                if case .delivered = delivery { state.trouble = nil }
                if let action = Self.settle(&state, tag >> 16, Int(tag & 0xFFFF), delivery) { actions.append(action) }
            }
            defer { state.waiting = [] }
            return state.waiting
        }
        for action in actions { action() }
        for continuation in waiting { continuation.resume() }
    }

    private static func delivery(_ message: UnsafePointer<rd_kafka_message_t>, _ state: State) -> Delivery {
        let number = message.pointee.err
        if number == RD_KAFKA_RESP_ERR_NO_ERROR {
            var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
            let timestamp = rd_kafka_message_timestamp(message, &type)
            return .delivered(
                partition: message.pointee.partition, offset: message.pointee.offset,
                timestamp: timestamp > 0 ? timestamp : nil)
        }
        let mayHaveExecuted = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED
        let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? "a topic"
        let isPurged = number == RD_KAFKA_RESP_ERR__PURGE_QUEUE || number == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
        if isPurged, let failure = state.failure {
            var error = failure
            error.mayHaveExecuted = mayHaveExecuted
            return .failed(error)
        }
        var fault = KafkaErrors.Fault(number)
        if number == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, let trouble = state.trouble {
            fault = KafkaErrors.Fault(number, "\(fault.words); last trouble: \(trouble)")
        }
        return .failed(KafkaErrors.error(fault, "The message to \(topic)", mayHaveExecuted: mayHaveExecuted))
    }

    private func takeError(_ event: OpaquePointer) {
        let number = rd_kafka_event_error(event)
        let words = rd_kafka_event_error_string(event).map { String(cString: $0) }
        let fault = KafkaErrors.Fault(number, words)
        if number == RD_KAFKA_RESP_ERR__FATAL {
            self.fail(
                KafkaErrors.error(Self.fatal(self.client.pointer) ?? fault, "The producer", mayHaveExecuted: false))
        } else if number.isAuthentication {
            self.fail(KafkaErrors.error(fault, "The producer", mayHaveExecuted: false))
        } else {
            self.state.withLock { $0.trouble = fault.words }
        }
    }

    /// The error that made the client useless, unless it is gone already.
    private func fatal() -> KafkaErrors.Fault? {
        self.state.withLock { $0.hasEnded ? nil : Self.fatal(self.client.pointer) }
    }

    /// The error that made `client` useless, if there is one.
    static func fatal(_ client: OpaquePointer) -> KafkaErrors.Fault? {
        var words = [CChar](repeating: 0, count: 512)
        let number = rd_kafka_fatal_error(client, &words, words.count)
        return number == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaErrors.Fault(number, KafkaOptions.text(words))
    }

    /// No more messages over this client; those that wait are dropped, and say what was known of them.
    private func fail(_ error: ConnectorError) {
        let isFirst = self.state.withLock { state in
            defer { if state.failure == nil { state.failure = error } }
            return state.failure == nil
        }
        guard isFirst else { return }
        self.state.withLock { state in
            guard !state.hasEnded else { return }
            _ = rd_kafka_purge(
                self.client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
        }
    }

    /// Ends the waits that are over; lets callers that wait for room look again.
    private func expire() {
        let now = Monotonic.now
        let (late, waiting, trouble) = self.state.withLock { state in
            defer { state.waiting = [] }
            return (state.groups.filter { $0.value.deadline <= now }, state.waiting, state.trouble)
        }
        for continuation in waiting { continuation.resume() }
        for (id, group) in late {
            self.finish(id) {
                KafkaErrors.timedOut($0, after: group.timeout, mayHaveExecuted: true, words: trouble)
            }
        }
    }
}
