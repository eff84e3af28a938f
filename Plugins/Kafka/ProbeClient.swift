internal import CRDKafka
internal import ConnectorKit
internal import Values

/// A client that only asks whether the brokers are there and accept the credentials.
///
/// `@unchecked Sendable`: used by one thread, after it was made.
struct ProbeClient: @unchecked Sendable {
    private let client: OpaquePointer
    private let queue: OpaquePointer

    /// Throws a `ConnectorError`.
    init(_ settings: KafkaSettings, _ credentials: KafkaCredentials) throws(ConnectorError) {
        self.client = try KafkaOptions(settings, credentials).client(RD_KAFKA_PRODUCER) { options in
            rd_kafka_conf_set_events(options, RD_KAFKA_EVENT_ERROR)
        }
        guard let queue = rd_kafka_queue_get_main(self.client) else {
            rd_kafka_destroy(self.client)
            throw KafkaErrors.setup("the client has no main queue")
        }
        self.queue = queue
    }

    /// Asks for the cluster's metadata; blocks the calling thread.
    ///
    /// Throws a `ConnectorError` with the last trouble the library had.
    func ask(timeout: Duration) throws(ConnectorError) {
        let deadline = Monotonic.now + timeout
        var trouble: KafkaErrors.Fault?
        while true {
            let wait = max(.milliseconds(1), min(.milliseconds(500), deadline - Monotonic.now))
            do throws(KafkaErrors.Fault) {
                _ = try KafkaProbe.metadata(of: self.client, timeout: wait)
                return
            } catch {
                while let event = rd_kafka_queue_poll(self.queue, 0) {
                    let words = rd_kafka_event_error_string(event).map { String(cString: $0) }
                    let fault = KafkaErrors.Fault(rd_kafka_event_error(event), words)
                    rd_kafka_event_destroy(event)
                    // That all brokers are down says less than why the last one is.
                    if trouble == nil || fault.number != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN { trouble = fault }
                }
                let isFinal = trouble?.number.isAuthentication ?? false
                guard isFinal || Monotonic.now >= deadline else { continue }
                throw KafkaErrors.error(trouble ?? error, "The brokers", mayHaveExecuted: false)
            }
        }
    }

    func destroy() {
        rd_kafka_queue_destroy(self.queue)
        ClientEnd.destroy(self.client)
    }
}
