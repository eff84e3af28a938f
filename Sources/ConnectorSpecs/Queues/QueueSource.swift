import ConnectorKit
import Values

/// The events of a queue: taken by several receivers, held while they are worked on, and removed when acknowledged.
///
/// At least once: what is not acknowledged comes again when its lock ends. Receivers stop while as much waits as they
/// can bring in two rounds, so a slow consumer holds few messages, and their locks are extended.
actor QueueSource: EventSource {
    private let client: QueueClient
    private let clock: any ConnectorClock
    private var ledger = QueueLedger()
    private var tasks: [Task<Void, Never>] = []
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isConnected = false
    private var trouble: (any Error)?
    /// Messages that calls under way may bring.
    private var expected = 0

    /// How often an acknowledgement is tried before it is given up.
    private static let attemptsMaximum = 5
    /// After so many failures in a row the queue counts as gone.
    private static let failuresMaximum = 3

    init(client: QueueClient) {
        self.client = client
        self.clock = client.runner.clock
    }

    private var parameters: QueueParameters { self.client.parameters }
    private var spec: QueueSpec { self.client.spec }

    // MARK: - EventSource

    func connect() {
        self.stop()
        self.ledger = QueueLedger()
        self.trouble = nil
        self.expected = 0
        self.isConnected = true
        for _ in 0..<self.parameters.receivers { self.tasks.append(Task { await self.receiveForever() }) }
        self.tasks.append(Task { await self.holdForever() })
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected else { throw SourceInterruption.notConnected(reason: "The source is closed.") }
            if let batch = self.ledger.take(maximum, at: self.clock.now) {
                self.changed()
                return batch
            }
            if let trouble {
                self.stop()
                throw trouble
            }
            let left = deadline - self.clock.now
            guard left > .zero else { return nil }
            await self.waitForChange(atMost: left)
            try Task.checkCancellation()
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        let held = self.ledger.finish(batch.rawValue)
        guard !held.isEmpty else { return }
        defer { self.changed() }
        try await self.perform(self.spec.acknowledge, on: held.map(\.message))
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        let held = self.ledger.finish(batch.rawValue)
        guard !held.isEmpty else { return }
        defer { self.changed() }
        switch disposition {
        case .setAside:
            if let setAside = self.spec.setAside {
                for message in held { try await self.perform(setAside, on: [message.message]) }
            }
            try await self.perform(self.spec.acknowledge, on: held.map(\.message))
        case .redeliver(let after):
            if let release = self.spec.release, after <= release.delayMaximum {
                try await self.perform(release, on: held.map(\.message), delay: after)
            } else {
                self.ledger.park(held, until: self.clock.now + after)
            }
        }
    }

    func close() async {
        let wasConnected = self.isConnected
        self.stop()
        // What nobody has read is for others, at once.
        let waiting = self.ledger.takeWaiting()
        self.ledger = QueueLedger()
        guard wasConnected, !waiting.isEmpty, let release = self.spec.release else { return }
        for messages in self.client.batches(waiting.map(\.message), of: release) {
            guard (try? await self.client.perform(release, on: messages)) != nil else { return }
        }
    }

    func backlog() -> Int? { self.ledger.count }

    private func stop() {
        self.isConnected = false
        for task in self.tasks { task.cancel() }
        self.tasks = []
        self.changed()
    }

    // MARK: - Receiving

    private func receiveForever() async {
        let capacity = 2 * self.parameters.receivers * self.spec.receive.maximum
        var pause = self.spec.receive.pause / 8
        var failures = 0
        while self.isConnected, !Task.isCancelled {
            let room = min(self.spec.receive.maximum, capacity - self.ledger.waiting.count - self.expected)
            guard room > 0 else {
                await self.waitForChange(atMost: .seconds(60))
                continue
            }
            self.expected += room
            let began = self.clock.now
            do {
                let messages = try await self.client.receive(maximum: room)
                self.expected -= room
                failures = 0
                guard self.isConnected else { return }
                let before = self.ledger.waiting.count
                self.ledger.add(messages, at: self.clock.now, lock: self.parameters.lock)
                self.changed()
                guard self.ledger.waiting.count == before else {
                    pause = self.spec.receive.pause / 8
                    continue
                }
                // Nothing new: a service that does not wait by itself is asked less and less often.
                if self.clock.now - began < self.parameters.wait / 2 || self.parameters.wait == .zero {
                    await self.rest(pause)
                    pause = min(pause * 2, self.spec.receive.pause)
                }
            } catch {
                self.expected -= room
                guard self.isConnected, !Task.isCancelled else { return }
                let error = ConnectorError(wrapping: error)
                failures += 1
                guard error.isRetryable else { return self.fail(error) }
                let isBusy = error.kind == .rateLimited
                if !isBusy, failures >= Self.failuresMaximum {
                    return self.fail(SourceInterruption.notConnected(reason: error.message))
                }
                await self.rest(
                    error.retryAfter.map { min($0, .seconds(300)) }
                        ?? min(.milliseconds(250 << min(failures, 7)), .seconds(20)))
            }
        }
    }

    private func fail(_ error: any Error) {
        if self.trouble == nil { self.trouble = error }
        self.changed()
    }

    // MARK: - Holding

    /// Extends locks, and gives back what was rejected for later.
    private func holdForever() async {
        while self.isConnected, !Task.isCancelled {
            let due = self.ledger.due(at: self.clock.now)
            if !due.isEmpty {
                if let release = self.spec.release {
                    // Where it cannot be said now, the lock says it when it ends.
                    _ = try? await self.perform(release, on: due.map(\.message))
                } else if self.parameters.lock == nil {
                    self.ledger.putBack(due)
                    self.changed()
                }
            }
            await self.extendLocks()
            let rest = self.parameters.lock.map { $0 / 8 } ?? .seconds(60)
            let next = self.ledger.nextDue.map { max($0 - self.clock.now, .milliseconds(10)) } ?? rest
            await self.waitForChange(atMost: min(rest, next))
        }
    }

    private func extendLocks() async {
        guard self.parameters.extends, let extend = self.spec.extend, let lock = self.parameters.lock else { return }
        let wanted = self.ledger.extensions(at: self.clock.now, lock: lock, maximum: self.parameters.holdMaximum)
        for (length, group) in Dictionary(grouping: wanted, by: \.lock) {
            for messages in self.client.batches(group.map(\.held.message), of: extend) {
                guard self.isConnected, !Task.isCancelled else { return }
                let began = self.clock.now
                do {
                    let failures = try await self.client.perform(extend, on: messages, lock: length)
                    let failed = Set(failures.map(\.index))
                    let handles = messages.enumerated().filter { !failed.contains($0.offset) }.map(\.element.handle)
                    self.ledger.extended(Set(handles), until: began + length)
                    let lost = failures.filter(\.isFinal).map { messages[$0.index].handle }
                    self.ledger.extended(Set(lost), until: nil)
                } catch {
                    guard ConnectorError(wrapping: error).isRetryable else {
                        self.ledger.extended(Set(messages.map(\.handle)), until: nil)
                        continue
                    }
                    // Tried again before the lock ends: most of it is left.
                    await self.rest(min(lock / 16, .seconds(2)))
                }
            }
        }
    }

    // MARK: - Acting

    /// Carries out `action` on all of `messages`; those it fails for are tried again, a few times.
    ///
    /// A message that is no longer ours is left alone: it comes again, under the id it has.
    private func perform(
        _ action: QueueSpec.Action, on messages: [QueueClient.Message], delay: Duration = .zero
    ) async throws {
        let batches = self.client.batches(messages, of: action)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, batch) in batches.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask { try await self.perform(action, onBatch: batch, delay: delay) }
            }
            try await group.waitForAll()
        }
    }

    private nonisolated func perform(
        _ action: QueueSpec.Action, onBatch batch: [QueueClient.Message], delay: Duration
    ) async throws {
        var left = batch
        var attempt = 1
        while true {
            var reason: String
            var retryAfter: Duration?
            do {
                let failures = try await self.client.perform(action, on: left, delay: delay)
                let again = failures.filter { !$0.isFinal }
                guard let first = again.first else { return }
                reason = first.reason
                left = again.map { left[$0.index] }
            } catch {
                let error = ConnectorError(wrapping: error)
                guard error.isRetryable, attempt < Self.attemptsMaximum else { throw error }
                reason = error.message
                retryAfter = error.retryAfter
            }
            guard attempt < Self.attemptsMaximum else {
                throw ConnectorError(
                    .transient, code: SpecErrorCode.queueAction,
                    "\(action.operation) failed for \(left.count) messages \(attempt) times: \(reason)",
                    remedy: "They come again, under the ids they have; look at the service if it goes on.",
                    mayHaveExecuted: true)
            }
            try await self.clock.sleep(for: retryAfter ?? .milliseconds(100 << attempt))
            attempt += 1
        }
    }

    // MARK: - Waiting

    private func rest(_ duration: Duration) async { try? await self.clock.sleep(for: duration) }

    /// Wakes everybody who waits for something to change.
    private func changed() {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when something has changed, after `duration`, or when the task is cancelled.
    private func waitForChange(atMost duration: Duration) async {
        let timer = Task {
            guard (try? await self.clock.sleep(for: duration)) != nil else { return }
            self.changed()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { self.waiters.append($0) }
        } onCancel: {
            Task { await self.changed() }
        }
        timer.cancel()
    }
}

extension QueueClient {
    /// Messages in the portions one call of `action` takes.
    func batches(_ messages: [Message], of action: QueueSpec.Action) -> [[Message]] {
        let size = max(1, self.batch(of: action))
        return stride(from: 0, to: messages.count, by: size).map { start in
            Array(messages[start..<min(start + size, messages.count)])
        }
    }
}
