internal import ConnectorKit
internal import SocketThread
internal import Values

/// Publishes on one connection to the broker, many messages at a time, and answers each when the broker confirms it.
///
/// The connection is opened by the first call and lives on the actor's own thread, which keeps its heartbeats going. Each
/// exchange has a channel of its own: the broker closes the channel of a publish it objects to, and so only messages to
/// the same exchange share its fate.
actor Publisher: SocketOwner {
    private struct Channel {
        var number: UInt16
        var window = ConfirmWindow<PublishFlight>()
        /// Whether the broker has confirmed anything on it.
        var hasConfirmed = false
    }

    private nonisolated let thread: SocketThread
    private let settings: AMQPSettings
    private let configuration: ConnectionConfiguration
    private var link: BrokerLink?
    private var opening: Task<Void, any Error>?
    /// By exchange.
    private var channels: [String: Channel] = [:]
    private var waiting: [PublishFlight] = []
    private var waitingHead = 0
    private var unconfirmedCount = 0
    private var batches: [Int: PublishBatch] = [:]
    /// Those that have all their outcomes, to be answered.
    private var finished: [PublishBatch] = []
    private var nextBatch = 0
    /// Beginning of the ids given to messages without one.
    private let messagePrefix = String(UInt64.random(in: .min ... .max), radix: 36)
    private var nextMessage = 0
    private var nextDeadline: ContinuousClock.Instant?
    private var blockedReason: String?
    private var isClosed = false

    /// So many exchanges can be written to at a time.
    private static let channelsMaximum = 64
    /// So long a message may stay unconfirmed beyond its caller's deadline before the connection is given up.
    private static let patience = Duration.seconds(60)

    init(_ settings: AMQPSettings, _ configuration: ConnectionConfiguration) throws {
        self.settings = settings
        self.configuration = configuration
        self.thread = try SocketThread.forBroker()
        self.thread.setOwner(self)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    // MARK: - Calls

    /// Opens the connection unless it is open.
    func open() async throws {
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        if self.link != nil { return }
        if let opening { return try await opening.value }
        let task = Task { try await self.openNow() }
        self.opening = task
        defer { self.opening = nil }
        try await task.value
    }

    private func openNow() async throws {
        let password = try await self.settings.resolvePassword(self.configuration)
        if self.isClosed { throw ConnectorError.closed(self.configuration.id) }
        do throws(LinkFailure) {
            self.link = try BrokerLink.open(
                self.settings, password: password, name: "junction \(self.configuration.id) publisher")
        } catch {
            throw AMQPErrors.failure(error)
        }
    }

    /// Publishes `messages` and waits for their confirmations, `timeout` at most.
    func publish(_ messages: [OutgoingMessage], timeout: Duration) async -> [Outcome] {
        let deadline = ContinuousClock.now + timeout
        do {
            try Task.checkCancellation()
            try await self.open()
            try Task.checkCancellation()
        } catch {
            var wrapped = ConnectorError(wrapping: error)
            wrapped.mayHaveExecuted = false
            return messages.map { _ in .failed(wrapped) }
        }
        let count = self.waiting.count - self.waitingHead + self.unconfirmedCount
        // A batch that is alone is let in whatever its size.
        guard count == 0 || count + messages.count <= self.settings.waitingMaximum else {
            return messages.map { _ in .failed(AMQPErrors.tooMany(count)) }
        }
        let id = self.nextBatch
        self.nextBatch += 1
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.add(messages, batch: id, deadline: deadline, continuation)
            }
        } onCancel: {
            Task { await self.cancel(batch: id) }
        }
    }

    /// Ends everything; says goodbye to the broker.
    func close() {
        self.isClosed = true
        self.link?.setPolite()
        self.drop(.closed(self.configuration.id))
    }

    private func add(
        _ messages: [OutgoingMessage], batch id: Int, deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<[Outcome], Never>
    ) {
        guard !messages.isEmpty else { return continuation.resume(returning: []) }
        let batch = PublishBatch(id, messages.count, deadline: deadline, continuation)
        self.batches[id] = batch
        self.nextDeadline = min(self.nextDeadline ?? deadline, deadline)
        for (index, message) in messages.enumerated() {
            let flight = PublishFlight(self.identified(message), batch, index)
            if self.link == nil {
                self.settle(flight, .failed(.closed(self.configuration.id)))
            } else if message.headerBytes > (self.link?.frameBytesMaximum ?? 0) {
                let error = AMQPErrors.tooLarge(
                    "Headers and properties have", message.headerBytes, self.link?.frameBytesMaximum ?? 0)
                self.settle(flight, .failed(error))
            } else {
                self.waiting.append(flight)
            }
        }
        self.flush()
        self.sweep()
    }

    /// A message that can come back gets an id to know it by.
    private func identified(_ message: OutgoingMessage) -> OutgoingMessage {
        guard message.isMandatory, message.properties.messageID == nil else { return message }
        var message = message
        self.nextMessage += 1
        message.properties.messageID = "\(self.messagePrefix)-\(self.nextMessage)"
        return message
    }

    private func cancel(batch id: Int) {
        guard let batch = self.batches[id] else { return }
        self.end(batch) { isSent in
            var error = ConnectorError(wrapping: CancellationError())
            error.mayHaveExecuted = isSent
            return error
        }
        self.sweep()
    }

    // MARK: - On the thread

    nonisolated func attend() -> SocketInterest {
        self.assumeIsolated { $0.attendNow() }
    }

    private func attendNow() -> SocketInterest {
        var isBusy = false
        if let link = self.link {
            do throws(LinkFailure) {
                isBusy = try self.read(link)
            } catch {
                self.drop(AMQPErrors.failure(error))
            }
        }
        self.flush()
        self.expire()
        self.sweep()
        guard let link = self.link else { return SocketInterest(timeout: self.timeUntilExpiry) }
        let hasWork = self.waitingHead < self.waiting.count && self.hasRoom
        var timeout = link.attentionInterval
        if let expiry = self.timeUntilExpiry { timeout = min(timeout, expiry) }
        return SocketInterest(
            descriptor: link.descriptor, wantsWrite: hasWork, timeout: isBusy ? .zero : timeout)
    }

    private var timeUntilExpiry: Duration? { self.nextDeadline.map { $0 - ContinuousClock.now } }

    private var hasRoom: Bool {
        self.blockedReason == nil && self.unconfirmedCount < self.settings.unconfirmedMaximum
    }

    /// Takes what the broker said; true when it may have said more.
    private func read(_ link: BrokerLink) throws(LinkFailure) -> Bool {
        for _ in 0..<1_000 {
            guard let event = try link.next(bodyBytesMaximum: 0) else { return false }
            switch event {
            case .confirmed(let channel, let tag, let multiple, let isTaken):
                self.confirm(channel, tag, multiple: multiple, isTaken: isTaken)
            case .returned(let channel, let id, let exchange, let routingKey, let code, let text):
                let flight = self.channels[exchange].flatMap { known in
                    known.number != channel
                        ? nil : known.window.first { $0.message.properties.messageID == id && $0.returned == nil }
                }
                flight?.returned = AMQPErrors.returned(
                    exchange: exchange, routingKey: routingKey, code: code, text: text)
            case .blocked(let reason): self.blockedReason = reason
            case .unblocked: self.blockedReason = nil
            case .channelClosed(let channel, let code, let text): self.channelClosed(channel, code, text)
            case .progress: return true
            case .delivery, .oversized, .cancelled: break
            }
        }
        return true
    }

    private func exchange(of channel: UInt16) -> String? {
        self.channels.first { $0.value.number == channel }?.key
    }

    private func confirm(_ channel: UInt16, _ tag: UInt64, multiple: Bool, isTaken: Bool) {
        guard let exchange = self.exchange(of: channel) else { return }
        self.channels[exchange]?.hasConfirmed = true
        for flight in self.channels[exchange]?.window.settle(tag, multiple: multiple) ?? [] {
            self.unconfirmedCount -= 1
            if let error = flight.returned {
                self.settle(flight, .failed(error))
            } else if isTaken {
                self.settle(flight, Self.done(flight.message))
            } else {
                self.settle(flight, .failed(AMQPErrors.nacked(exchange: exchange)))
            }
        }
    }

    private static func done(_ message: OutgoingMessage) -> Outcome {
        var result = ValueContext()
        if let id = message.properties.messageID { result["messageId"] = .string(id) }
        return .done(.context(result), facts: ["bytes": .number(Number(message.body.count))])
    }

    private func channelClosed(_ number: UInt16, _ code: Int, _ text: String) {
        guard let exchange = self.exchange(of: number), var channel = self.channels.removeValue(forKey: exchange)
        else { return }
        let flights = channel.window.drain()
        self.unconfirmedCount -= flights.count
        var error = AMQPErrors.refusal(code: code, text: text, mayHaveExecuted: channel.hasConfirmed)
        // The broker does not say which message it objects to. Alone, the guilty one is found.
        if flights.count > 1, code != 404, code != 403 {
            error.isRetryable = true
            error.mayHaveExecuted = true
        }
        for flight in flights { self.settle(flight, .failed(flight.returned ?? error)) }
    }

    /// Writes what waits, as far as the broker and the socket take it.
    private func flush() {
        while let link = self.link, self.waitingHead < self.waiting.count, self.hasRoom, link.canWrite {
            let flight = self.waiting[self.waitingHead]
            self.waitingHead += 1
            if !flight.isSettled { self.send(flight, link) }
        }
        if self.waitingHead == self.waiting.count {
            self.waiting.removeAll(keepingCapacity: true)
            self.waitingHead = 0
        } else if self.waitingHead > 1_024, self.waitingHead * 2 > self.waiting.count {
            self.waiting.removeFirst(self.waitingHead)
            self.waitingHead = 0
        }
    }

    private func send(_ flight: PublishFlight, _ link: BrokerLink) {
        let exchange = flight.message.exchange
        do throws(LinkFailure) {
            guard try self.openChannel(exchange, link), let channel = self.channels[exchange] else {
                self.settle(flight, .failed(AMQPErrors.tooManyExchanges(Self.channelsMaximum)))
                return
            }
            self.channels[exchange]?.window.append(flight)
            self.unconfirmedCount += 1
            flight.batch.isSent[flight.index] = true
            try link.publish(flight.message, channel: channel.number)
        } catch {
            self.drop(AMQPErrors.failure(error), alsoFailing: flight)
        }
    }

    /// Sees to it that `exchange` has a channel; false when all are in use.
    private func openChannel(_ exchange: String, _ link: BrokerLink) throws(LinkFailure) -> Bool {
        if self.channels[exchange] != nil { return true }
        let maximum = min(link.channelMaximum, UInt16(Self.channelsMaximum))
        var number = UInt16(self.channels.count + 1)
        if number <= maximum {
            let used = Set(self.channels.values.map(\.number))
            number = (1...maximum).first { !used.contains($0) } ?? number
        } else {
            guard let idle = self.channels.first(where: { $0.value.window.count == 0 }) else { return false }
            number = idle.value.number
            self.channels[idle.key] = nil
            try link.closeChannel(number)
        }
        try link.openChannel(number, confirms: true)
        self.channels[exchange] = Channel(number: number)
        return true
    }

    // MARK: - Endings

    /// Gives the connection up; what was sent may have arrived.
    private func drop(_ error: ConnectorError, alsoFailing flight: PublishFlight? = nil) {
        self.link = nil
        self.nextDeadline = nil
        self.blockedReason = nil
        self.unconfirmedCount = 0
        var flights = flight.map { [$0] } ?? []
        for exchange in Array(self.channels.keys) { flights += self.channels[exchange]?.window.drain() ?? [] }
        self.channels = [:]
        flights += self.waiting[self.waitingHead...]
        self.waiting = []
        self.waitingHead = 0
        for flight in flights {
            var error = error
            error.mayHaveExecuted = flight.batch.isSent[flight.index]
            self.settle(flight, .failed(error))
        }
        self.sweep()
    }

    private func settle(_ flight: PublishFlight, _ outcome: Outcome) {
        guard !flight.isSettled else { return }
        self.settle(flight.batch, flight.index, outcome)
    }

    private func expire() {
        let now = ContinuousClock.now
        guard let nextDeadline, nextDeadline <= now else { return }
        let blockedReason = self.blockedReason
        for batch in self.batches.values where batch.deadline <= now {
            self.end(batch) { AMQPErrors.unconfirmed(wasSent: $0, isBlocked: blockedReason) }
        }
        self.waiting = self.waiting[self.waitingHead...].filter { !$0.isSettled }
        self.waitingHead = 0
        let oldest = self.channels.values.compactMap { $0.window.first { _ in true }?.batch.deadline }.min()
        let limit = oldest.map { $0 + Self.patience }
        if let limit, limit <= now {
            return self.drop(
                ConnectorError(
                    .unavailable, code: AMQPErrors.Code.lost,
                    "The broker \(self.link?.broker ?? "") has confirmed nothing for too long.",
                    remedy: "The connection is opened again; look at the broker's log."))
        }
        let deadlines = self.batches.values.lazy.filter { $0.remaining > 0 }.map(\.deadline)
        self.nextDeadline = [deadlines.min(), limit].compactMap { $0 }.min()
    }

    /// Answers the unanswered calls of a batch; their confirmations are taken without effect when they come.
    private func end(_ batch: PublishBatch, _ error: (_ isSent: Bool) -> ConnectorError) {
        for index in batch.outcomes.indices where batch.outcomes[index] == nil {
            self.settle(batch, index, .failed(error(batch.isSent[index])))
        }
    }

    private func settle(_ batch: PublishBatch, _ index: Int, _ outcome: Outcome) {
        batch.outcomes[index] = outcome
        batch.remaining -= 1
        if batch.remaining == 0 { self.finished.append(batch) }
    }

    /// Lets the callers of finished batches go on.
    private func sweep() {
        for batch in self.finished {
            self.batches[batch.id] = nil
            batch.continuation.resume(returning: batch.outcomes.compactMap { $0 })
        }
        self.finished.removeAll(keepingCapacity: true)
    }
}

extension SocketThread {
    /// A thread for a connection to a broker.
    ///
    /// rabbitmq-c reads nested tables recursively, as deep as fits into a frame; the stack is made for that.
    static func forBroker() throws -> SocketThread {
        do throws(StartFailure) {
            return try SocketThread(stackBytes: 32 << 20)
        } catch {
            throw ConnectorError(
                .transient, code: AMQPErrors.Code.lost, "No thread for the connection: \(error).",
                remedy: "Raise the limits of the process.")
        }
    }
}

extension AMQPSettings {
    /// The password as it is now.
    func resolvePassword(_ configuration: ConnectionConfiguration) async throws -> Secret {
        guard let password else { return Secret("") }
        return try await configuration.secrets.secret(password)
    }
}
