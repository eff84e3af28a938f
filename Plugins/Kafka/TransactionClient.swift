internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// A producer with a transactional id: sends messages all or nothing.
///
/// `@unchecked Sendable`: used by one thread at a time, which `Transactions` sees to; only `isCancelled` is shared.
final class TransactionClient: @unchecked Sendable {
    /// How a transaction ended.
    struct End: Sendable {
        var result: Result<[KafkaProducer.Delivery], ConnectorError>
        /// Whether the client can be used for the next.
        var isUsable: Bool
    }

    /// What the library's callbacks note, on the thread that calls the library.
    private final class Notes {
        var reports: [KafkaProducer.Delivery?] = []
        var fault: KafkaErrors.Fault?
        var trouble: KafkaErrors.Fault?
    }

    /// What is wrong with one of the library's transactional calls.
    private struct Failure {
        let fault: KafkaErrors.Fault
        let isFatal: Bool
        let isRetryable: Bool
        let requiresAbort: Bool

        /// Takes the error over and frees it.
        init?(_ error: OpaquePointer?) {
            guard let error else { return nil }
            self.fault = KafkaErrors.Fault(
                rd_kafka_error_code(error), rd_kafka_error_string(error).map { String(cString: $0) })
            self.isFatal = rd_kafka_error_is_fatal(error) != 0
            self.isRetryable = rd_kafka_error_is_retriable(error) != 0
            self.requiresAbort = rd_kafka_error_txn_requires_abort(error) != 0
            rd_kafka_error_destroy(error)
        }
    }

    private let client: OpaquePointer
    private let notes: Unmanaged<Notes>
    private var isInitialised = false
    private let cancelled = Mutex(false)

    /// A call of the library waits this long before cancellation and credentials are looked at again.
    private static let slice = Duration.milliseconds(500)
    private static let abortTimeout = Duration.seconds(10)

    /// Makes the client; throws a `ConnectorError`.
    init(_ settings: KafkaSettings, _ credentials: KafkaCredentials, transactionalID: String) throws {
        var options = KafkaOptions(settings, credentials)
        options.set("transactional.id", transactionalID)
        options.set("transaction.timeout.ms", settings.transactionTimeout)
        options.set("linger.ms", settings.linger)
        options.set("message.timeout.ms", min(settings.messageTimeout, settings.transactionTimeout))
        options.set("message.max.bytes", settings.messageBytesMaximum)
        options.set("compression.codec", settings.compression.rawValue)
        options.set("partitioner", settings.partitioner.word)
        options.set("queue.buffering.max.messages", settings.queueMessagesMaximum)
        options.set("queue.buffering.max.kbytes", settings.queueBytesMaximum / 1_024)
        let notes = Unmanaged.passRetained(Notes())
        self.notes = notes
        do {
            self.client = try options.client(RD_KAFKA_PRODUCER) { options in
                rd_kafka_conf_set_opaque(options, notes.toOpaque())
                rd_kafka_conf_set_dr_msg_cb(options) { _, message, context in
                    guard let message, let context else { return }
                    TransactionClient.report(message, to: Unmanaged<Notes>.fromOpaque(context).takeUnretainedValue())
                }
                rd_kafka_conf_set_error_cb(options) { _, number, words, context in
                    guard let context else { return }
                    let fault = KafkaErrors.Fault(rd_kafka_resp_err_t(number), words.map { String(cString: $0) })
                    Unmanaged<Notes>.fromOpaque(context).takeUnretainedValue().trouble = fault
                }
            }
        } catch {
            notes.release()
            throw error
        }
    }

    private static func report(_ message: UnsafePointer<rd_kafka_message_t>, to notes: Notes) {
        let index = Int(bitPattern: message.pointee._private) - 1
        guard notes.reports.indices.contains(index) else { return }
        let number = message.pointee.err
        guard number == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let fault = KafkaErrors.Fault(number)
            notes.reports[index] = .failed(
                KafkaErrors.error(fault, "A message of the transaction", mayHaveExecuted: false))
            let isPurged = number == RD_KAFKA_RESP_ERR__PURGE_QUEUE || number == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
            if !isPurged, notes.fault == nil { notes.fault = fault }
            return
        }
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        notes.reports[index] = .delivered(
            partition: message.pointee.partition, offset: message.pointee.offset,
            timestamp: timestamp > 0 ? timestamp : nil)
    }

    /// Makes the transaction that runs end early; from any thread.
    func cancel() { self.cancelled.withLock { $0 = true } }

    /// Takes `cancel` back, once the transaction it was meant for has ended.
    func rearm() { self.cancelled.withLock { $0 = false } }

    /// Frees the client.
    ///
    /// A transaction that is open is left to its timeout, or to the next client of the same id, which aborts it.
    func destroy() {
        // Its callbacks refer to the notes.
        if ClientEnd.destroy(self.client) { self.notes.release() }
    }

    // MARK: - A transaction

    /// Sends `messages` in one transaction, within `timeout`.
    ///
    /// Blocks the calling thread.
    func send(_ messages: [OutgoingMessage], timeout: Duration) -> End {
        let deadline = Monotonic.now + timeout
        if let end = self.begin(deadline, timeout) { return end }
        let notes = self.notes.takeUnretainedValue()
        notes.reports = [KafkaProducer.Delivery?](repeating: nil, count: messages.count)
        notes.fault = nil
        for (index, message) in messages.enumerated() {
            if let error = self.enqueue(message, UInt(index) + 1, deadline) { return self.abort(error) }
        }
        return self.commit(deadline, timeout)
    }

    private func begin(_ deadline: Duration, _ timeout: Duration) -> End? {
        while !self.isInitialised {
            guard let failure = Failure(rd_kafka_init_transactions(self.client, Self.slice.wholeMilliseconds)) else {
                self.isInitialised = true
                break
            }
            rd_kafka_poll(self.client, 0)
            if let trouble = self.notes.takeUnretainedValue().trouble, trouble.number.isAuthentication {
                return Self.failed(trouble, mayHaveExecuted: false, isUsable: false)
            }
            guard failure.isRetryable, !failure.isFatal else {
                return Self.failed(failure.fault, mayHaveExecuted: false, isUsable: false)
            }
            if let error = self.interruption(deadline, timeout, mayHaveExecuted: false) {
                return End(result: .failure(error), isUsable: true)
            }
        }
        guard let failure = Failure(rd_kafka_begin_transaction(self.client)) else { return nil }
        return Self.failed(failure.fault, mayHaveExecuted: false, isUsable: false)
    }

    private func enqueue(_ message: OutgoingMessage, _ tag: UInt, _ deadline: Duration) -> ConnectorError? {
        while true {
            let number = message.enqueue(self.client, tag: tag)
            switch number {
            case RD_KAFKA_RESP_ERR_NO_ERROR: return nil
            case RD_KAFKA_RESP_ERR__QUEUE_FULL where Monotonic.now < deadline:
                rd_kafka_poll(self.client, 20)
            default:
                return KafkaErrors.error(
                    Self.cause(number, self.client), message.title, mayHaveExecuted: false)
            }
        }
    }

    private func commit(_ deadline: Duration, _ timeout: Duration) -> End {
        while true {
            let wait = max(.milliseconds(1), min(Self.slice, deadline - Monotonic.now))
            guard let failure = Failure(rd_kafka_commit_transaction(self.client, wait.wholeMilliseconds)) else {
                let reports = self.notes.takeUnretainedValue().reports
                return End(
                    result: .success(reports.map { $0 ?? .delivered(partition: -1, offset: -1, timestamp: nil) }),
                    isUsable: true)
            }
            if failure.requiresAbort {
                let cause = self.notes.takeUnretainedValue().fault
                return self.abort(Self.aborted(failure.fault, cause))
            }
            guard failure.isRetryable, !failure.isFatal else {
                return Self.failed(
                    Self.cause(failure.fault.number, self.client, failure.fault), mayHaveExecuted: true, isUsable: false
                )
            }
            // Whether the broker has written the commit is not known from here on; a new client finds out.
            if let error = self.interruption(deadline, timeout, mayHaveExecuted: true) {
                return End(result: .failure(error), isUsable: false)
            }
        }
    }

    /// Takes the transaction back; the error is why.
    private func abort(_ error: ConnectorError) -> End {
        let deadline = Monotonic.now + Self.abortTimeout
        while let failure = Failure(rd_kafka_abort_transaction(self.client, Self.slice.wholeMilliseconds)) {
            guard failure.isRetryable, !failure.isFatal, Monotonic.now < deadline else {
                return End(result: .failure(error), isUsable: false)
            }
        }
        return End(result: .failure(error), isUsable: true)
    }

    private func interruption(_ deadline: Duration, _ timeout: Duration, mayHaveExecuted: Bool) -> ConnectorError? {
        if self.cancelled.withLock({ $0 }) {
            return KafkaErrors.cancelled("The transaction", mayHaveExecuted: mayHaveExecuted)
        }
        guard Monotonic.now >= deadline else { return nil }
        return KafkaErrors.timedOut(
            "The transaction", after: timeout, mayHaveExecuted: mayHaveExecuted,
            words: self.notes.takeUnretainedValue().trouble?.words)
    }

    private static func failed(_ fault: KafkaErrors.Fault, mayHaveExecuted: Bool, isUsable: Bool) -> End {
        End(
            result: .failure(KafkaErrors.error(fault, "The transaction", mayHaveExecuted: mayHaveExecuted)),
            isUsable: isUsable)
    }

    /// The fatal error behind a number that only says that there is one.
    private static func cause(
        _ number: rd_kafka_resp_err_t, _ client: OpaquePointer, _ standard: KafkaErrors.Fault? = nil
    ) -> KafkaErrors.Fault {
        let fault = standard ?? KafkaErrors.Fault(number)
        return number == RD_KAFKA_RESP_ERR__FATAL ? KafkaProducer.fatal(client) ?? fault : fault
    }

    /// The error of a transaction that was taken back: that of the message at fault, if it is one's.
    private static func aborted(_ fault: KafkaErrors.Fault, _ cause: KafkaErrors.Fault?) -> ConnectorError {
        if let cause { return KafkaErrors.error(cause, "The transaction was aborted", mayHaveExecuted: false) }
        var error = KafkaErrors.error(fault, "The transaction was aborted", mayHaveExecuted: false)
        if error.kind == .unknown || error.kind == .transient {
            error.kind = .transient
            error.code = KafkaErrors.Code.aborted
            error.isRetryable = true
            error.remedy = "Usually passes when it is sent again; look at the brokers' logs if it does not."
        }
        return error
    }
}
