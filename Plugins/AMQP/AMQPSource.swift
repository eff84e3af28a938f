internal import ConnectorKit
internal import SocketThread
internal import Values

/// Consumes one queue, on a connection to the broker and a thread of its own.
///
/// A batch is acknowledged as a whole. Delivery tags belong to the connection they came on: when that is lost, the
/// batches that are out are forgotten, late acknowledgements of them are ignored, and the broker delivers them again.
actor AMQPSource: EventSource, SocketOwner {
    /// A rejected batch that is kept until it may come again.
    private struct Held {
        var tags: [UInt64]
        var due: ContinuousClock.Instant
    }

    private nonisolated let thread: SocketThread
    private let settings: AMQPSettings
    private let source: AMQPSourceSettings
    private let configuration: ConnectionConfiguration
    private var link: BrokerLink?
    private var window = DeliveryWindow()
    private var ready: [Delivery] = []
    private var readyHead = 0
    private var batches: [EventBatch.ID: [UInt64]] = [:]
    private var nextBatch: UInt64 = 1
    private var held: [Held] = []
    private var reader: CheckedContinuation<Void, Never>?
    private var readDeadline: ContinuousClock.Instant?
    /// Why there is no link.
    private var reason = "connect was not called"
    /// What a person has to see before the source can go on.
    private var obstacle: ConnectorError?
    private var isClosed = false

    private static let channel: UInt16 = 1
    /// A message that was rejected comes again no sooner than this, so that one nobody can process costs little.
    private static let redeliveryMinimum = Duration.milliseconds(250)
    /// Longer than this nothing is kept back, since the broker wants its answer within half an hour.
    private static let redeliveryMaximum = Duration.seconds(20 * 60)

    init(_ settings: AMQPSettings, _ source: AMQPSourceSettings, _ configuration: ConnectionConfiguration) throws {
        self.settings = settings
        self.source = source
        self.configuration = configuration
        self.thread = try SocketThread.forBroker()
        self.thread.setOwner(self)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    // MARK: - EventSource

    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        self.drop("connect was called again")
        self.obstacle = nil
        let password = try await self.settings.resolvePassword(self.configuration)
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        do throws(LinkFailure) {
            let link = try BrokerLink.open(
                self.settings, password: password, name: "junction \(self.configuration.id) \(self.source.queue)")
            try link.consume(self.source, channel: Self.channel)
            self.link = link
        } catch {
            throw AMQPErrors.failure(error)
        }
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        try self.checkReadable()
        if self.readyCount == 0, wait > .zero {
            self.readDeadline = ContinuousClock.now + wait
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    self.reader?.resume()
                    self.reader = continuation
                    if Task.isCancelled || self.link == nil { self.wakeReader() }
                }
            } onCancel: {
                Task { await self.wakeReader() }
            }
            if self.readyCount == 0 { try self.checkReadable() }
        }
        let count = min(self.readyCount, max(1, maximum))
        guard count > 0 else { return nil }
        let deliveries = self.ready[self.readyHead..<self.readyHead + count]
        self.readyHead += count
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.batches[id] = deliveries.map(\.tag)
        let events = deliveries.map {
            SourceEvent($0, queue: self.source.queue, decoding: self.source.decoding)
        }
        if self.readyHead == self.ready.count {
            self.ready.removeAll(keepingCapacity: true)
            self.readyHead = 0
        }
        return EventBatch(id: id, events: events)
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let tags = self.batches.removeValue(forKey: batch), let link = self.link else { return }
        do throws(LinkFailure) {
            for settlement in self.window.settle(tags) {
                try link.acknowledge(settlement.tag, multiple: settlement.isMultiple, channel: Self.channel)
            }
        } catch {
            // The broker delivers the batch again; `read` says why.
            self.drop(AMQPErrors.failure(error).message)
        }
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let tags = self.batches.removeValue(forKey: batch), let link = self.link else { return }
        switch disposition {
        case .redeliver(let after):
            let delay = min(max(after, Self.redeliveryMinimum), Self.redeliveryMaximum)
            self.held.append(Held(tags: tags, due: ContinuousClock.now + delay))
        case .setAside:
            do throws(LinkFailure) {
                try self.settle(tags, requeue: false, link)
            } catch {
                self.drop(AMQPErrors.failure(error).message)
            }
        }
    }

    func close() async {
        self.isClosed = true
        self.link?.setPolite()
        self.drop("the source is closed")
    }

    func backlog() async -> Int? { self.window.count }

    // MARK: - On the thread

    nonisolated func attend() -> SocketInterest {
        self.assumeIsolated { $0.attendNow() }
    }

    private func attendNow() -> SocketInterest {
        var isBusy = false
        if let link = self.link {
            do throws(LinkFailure) {
                isBusy = try self.receive(link)
                try self.releaseHeld(link)
            } catch {
                self.drop(AMQPErrors.failure(error).message)
            }
        }
        let now = ContinuousClock.now
        if self.readyCount > 0 || self.link == nil || (self.readDeadline.map { $0 <= now } ?? false) {
            self.wakeReader()
        }
        guard let link = self.link else { return SocketInterest(timeout: nil) }
        var timeout = link.attentionInterval
        if let deadline = self.readDeadline { timeout = min(timeout, deadline - now) }
        if let due = self.held.map(\.due).min() { timeout = min(timeout, due - now) }
        return SocketInterest(descriptor: link.descriptor, timeout: isBusy ? .zero : timeout)
    }

    /// Takes what the broker said; true when it may have said more.
    private func receive(_ link: BrokerLink) throws(LinkFailure) -> Bool {
        for _ in 0..<1_000 {
            guard let event = try link.next(bodyBytesMaximum: self.settings.messageBytesMaximum) else { return false }
            switch event {
            case .delivery(let delivery):
                guard self.arrive(delivery.tag) else { return false }
                self.ready.append(delivery)
            case .oversized(let tag, let bytes):
                guard self.arrive(tag) else { return false }
                try self.putAside(tag, bytes, link)
            case .cancelled:
                self.drop("the broker ended the consumer; the queue \(self.source.queue) may have been deleted")
            case .channelClosed(_, let code, let text):
                self.drop(AMQPErrors.refusal(code: code, text: text).message)
            case .progress: return true
            case .returned, .confirmed, .blocked, .unblocked: break
            }
            if self.link == nil { return false }
        }
        return true
    }

    /// Notes a delivery; one that the broker may not make costs it the connection.
    private func arrive(_ tag: UInt64) -> Bool {
        guard self.window.count < self.source.prefetch, self.window.arrive(tag) else {
            self.drop("the broker delivered more than prefetch allows, or miscounted")
            return false
        }
        return true
    }

    private func putAside(_ tag: UInt64, _ bytes: UInt64, _ link: BrokerLink) throws(LinkFailure) {
        switch self.source.oversized {
        case .setAside: try self.settle([tag], requeue: false, link)
        case .stop:
            self.obstacle = AMQPErrors.tooLarge(
                "A message in the queue \(self.source.queue) has", Int(clamping: bytes),
                self.settings.messageBytesMaximum)
            self.drop("a message is too large")
        }
    }

    private func releaseHeld(_ link: BrokerLink) throws(LinkFailure) {
        guard !self.held.isEmpty else { return }
        let now = ContinuousClock.now
        let due = self.held.filter { $0.due <= now }
        self.held.removeAll { $0.due <= now }
        for held in due { try self.settle(held.tags, requeue: true, link) }
    }

    private func settle(_ tags: [UInt64], requeue: Bool, _ link: BrokerLink) throws(LinkFailure) {
        for settlement in self.window.settle(tags) {
            try link.reject(
                settlement.tag, multiple: settlement.isMultiple, requeue: requeue, channel: Self.channel)
        }
    }

    // MARK: - Endings

    private var readyCount: Int { self.ready.count - self.readyHead }

    private func checkReadable() throws {
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        if let obstacle { throw obstacle }
        if self.link == nil { throw SourceInterruption.notConnected(reason: self.reason) }
    }

    /// Forgets the connection and everything that hangs on it: the broker has, or will have, its messages back.
    private func drop(_ reason: String) {
        self.link = nil
        self.reason = reason
        self.window = DeliveryWindow()
        self.ready = []
        self.readyHead = 0
        self.batches = [:]
        self.held = []
        self.wakeReader()
    }

    private func wakeReader() {
        self.readDeadline = nil
        self.reader?.resume()
        self.reader = nil
    }
}
