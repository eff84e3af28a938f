import ConnectorKit
import Synchronization
import Values

/// A source that is fed by requests: each waits until it is known what became of its events.
///
/// Bounded; what does not fit is refused at once. Requests that were read are answered by what the trigger's runner
/// says, others when the source closes or their patience ends, as failed. A sender that goes away changes nothing.
final class PushSource: OutcomeReceiver {
    /// How much it holds, and how long a request waits.
    struct Limits: Sendable {
        /// Events that wait to be read.
        var eventsMaximum = 8_192
        /// Their bytes.
        var bytesMaximum = 64 << 20
        /// How long a request waits for what becomes of its events.
        var patience = IngressSettings.patience
        /// Whether a request is answered at the first failure, instead of waiting for the runner's next attempt.
        var rejectsAtFailure = false
    }

    private struct Ticket: Sendable {
        let submission: Submission
        let index: Int
    }

    private struct Entry: Sendable {
        let event: SourceEvent
        let ticket: Ticket
    }

    private struct State {
        var isOpen = false
        var queue: [Entry] = []
        var head = 0
        var queuedBytes = 0
        var out: [EventBatch.ID: [Ticket]] = [:]
        var nextID: UInt64 = 1
        var waiters: [Waiter] = []
        var sweepAt = Duration.zero

        var queued: Int { self.queue.count - self.head }
    }

    private let limits: Limits
    private let clock: any ConnectorClock
    private let onOpen: @Sendable () throws -> Void
    private let onClose: @Sendable () async -> Void
    private let state = Mutex(State())

    private static let sweepInterval = Duration.milliseconds(100)
    private static let retryAfter = Duration.seconds(1)

    /// Creates a source; `onOpen` makes it reachable, `onClose` ends that.
    init(
        limits: Limits = Limits(), clock: any ConnectorClock,
        onOpen: @escaping @Sendable () throws -> Void = {}, onClose: @escaping @Sendable () async -> Void = {}
    ) {
        self.limits = limits
        self.clock = clock
        self.onOpen = onOpen
        self.onClose = onClose
    }

    // MARK: - Requests

    /// What became of `events`, in their order, once it is known of all of them.
    func submit(_ events: [SourceEvent]) async -> [EventOutcome] {
        guard !events.isEmpty else { return [] }
        let submission = Submission(count: events.count, deadline: self.clock.now + self.limits.patience)
        if let refusal = self.enqueue(events, submission) {
            return Array(repeating: refusal, count: events.count)
        }
        return await submission.outcomes()
    }

    private func enqueue(_ events: [SourceEvent], _ submission: Submission) -> EventOutcome? {
        let bytes = events.reduce(0) { $0 + $1.payload.count }
        let (refusal, waiters) = self.state.withLock { state -> (EventOutcome?, [Waiter]) in
            guard state.isOpen else {
                return (.failed(reason: "The trigger does not take events now.", retryAfter: Self.retryAfter), [])
            }
            guard state.queued + events.count <= self.limits.eventsMaximum,
                state.queuedBytes + bytes <= self.limits.bytesMaximum
            else { return (.failed(reason: "Too many events wait.", retryAfter: Self.retryAfter), []) }
            for (index, event) in events.enumerated() {
                state.queue.append(Entry(event: event, ticket: Ticket(submission: submission, index: index)))
            }
            state.queuedBytes += bytes
            return (nil, Self.wake(&state))
        }
        for waiter in waiters { waiter.wake() }
        return refusal
    }

    private static func wake(_ state: inout State) -> [Waiter] {
        guard !state.waiters.isEmpty else { return [] }
        defer { state.waiters = [] }
        return state.waiters
    }

    // MARK: - EventSource

    func connect() async throws {
        self.state.withLock { $0.isOpen = true }
        do { try self.onOpen() } catch {
            self.state.withLock { $0.isOpen = false }
            throw error
        }
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        self.sweep()
        if let batch = self.take(maximum) { return batch }
        guard wait > .zero else { return nil }
        await self.arrival(within: wait)
        try Task.checkCancellation()
        return self.take(maximum)
    }

    /// Returns when an event waits to be read, the source is closed, the time is over or the task is cancelled.
    func arrival(within wait: Duration) async {
        let waiter = Waiter()
        let isOver = self.state.withLock { state in
            if state.queued > 0 || !state.isOpen { return true }
            state.waiters.append(waiter)
            return false
        }
        if isOver { return }
        let timer = Task {
            do { try await self.clock.sleep(for: wait) } catch { return }
            waiter.wake()
        }
        await withTaskCancellationHandler {
            await waiter.wait()
        } onCancel: {
            waiter.wake()
        }
        timer.cancel()
        self.state.withLock { state in state.waiters.removeAll { $0 === waiter } }
    }

    private func take(_ maximum: Int) -> EventBatch? {
        self.state.withLock { state in
            let count = min(maximum, state.queued)
            guard count > 0 else { return nil }
            let entries = state.queue[state.head..<state.head + count]
            state.nextID += 1
            let id = EventBatch.ID(rawValue: state.nextID)
            let events = entries.map(\.event)
            state.out[id] = entries.map(\.ticket)
            state.queuedBytes -= events.reduce(0) { $0 + $1.payload.count }
            state.head += count
            if state.head == state.queue.count {
                state.queue.removeAll(keepingCapacity: state.queue.capacity <= 1_024)
                state.head = 0
            } else if state.head >= state.queued {
                // What was read is let go of; each event is moved once at most on average.
                state.queue.removeFirst(state.head)
                state.head = 0
            }
            return EventBatch(id: id, events: events)
        }
    }

    func settled(_ batch: EventBatch.ID, index: Int, _ outcome: EventOutcome) {
        guard let ticket = self.state.withLock({ $0.out[batch]?[index] }) else { return }
        if case .failed = outcome, !self.limits.rejectsAtFailure {
            ticket.submission.note(outcome)
        } else {
            ticket.submission.settle(ticket.index, outcome)
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        // Events whose trigger is content with having read them have no other outcome.
        for ticket in self.state.withLock({ $0.out.removeValue(forKey: batch) }) ?? [] {
            ticket.submission.settle(ticket.index, .accepted)
        }
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        var pause = Self.retryAfter
        if case .redeliver(let after) = disposition { pause = after }
        for ticket in self.state.withLock({ $0.out.removeValue(forKey: batch) }) ?? [] {
            ticket.submission.settle(ticket.index, .failed(reason: "The event was not taken.", retryAfter: pause))
        }
    }

    func close() async {
        let (tickets, waiters) = self.state.withLock { state in
            let tickets = state.queue[state.head...].map(\.ticket) + state.out.values.flatMap { $0 }
            let waiters = Self.wake(&state)
            state = State()
            return (tickets, waiters)
        }
        for waiter in waiters { waiter.wake() }
        for ticket in tickets {
            ticket.submission.settle(
                ticket.index, .failed(reason: "The trigger was stopped meanwhile.", retryAfter: Self.retryAfter))
        }
        await self.onClose()
    }

    func backlog() async -> Int? {
        self.sweep()
        return self.state.withLock { $0.queued }
    }

    /// Answers requests whose patience has ended; of those that were not read yet, nothing is left.
    private func sweep() {
        let now = self.clock.now
        let overdue = self.state.withLock { state -> [Ticket] in
            guard now >= state.sweepAt else { return [] }
            state.sweepAt = now + Self.sweepInterval
            var overdue: [Ticket] = []
            while state.head < state.queue.count, state.queue[state.head].ticket.submission.deadline <= now {
                let entry = state.queue[state.head]
                overdue.append(entry.ticket)
                state.queuedBytes -= entry.event.payload.count
                state.head += 1
            }
            if state.head == state.queue.count {
                state.queue = []
                state.head = 0
            }
            for tickets in state.out.values {
                overdue += tickets.filter { $0.submission.deadline <= now }
            }
            return overdue
        }
        for ticket in overdue { ticket.submission.giveUp(ticket.index) }
    }
}

/// Somebody who waits to be woken, once.
private final class Waiter: Sendable {
    private let state = Mutex<(isAwake: Bool, continuation: CheckedContinuation<Void, Never>?)>((false, nil))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isAwake = self.state.withLock { state in
                if !state.isAwake { state.continuation = continuation }
                return state.isAwake
            }
            if isAwake { continuation.resume() }
        }
    }

    func wake() {
        let continuation = self.state.withLock { state in
            defer { state = (true, nil) }
            return state.continuation
        }
        continuation?.resume()
    }
}

/// The events of one request, and the request that waits for what becomes of them.
final class Submission: Sendable {
    private struct State {
        var outcomes: [EventOutcome?]
        var missing: Int
        var trouble: EventOutcome?
        var continuation: CheckedContinuation<[EventOutcome], Never>?
    }

    /// Until when the request waits.
    let deadline: Duration
    private let state: Mutex<State>

    init(count: Int, deadline: Duration) {
        self.deadline = deadline
        self.state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
    }

    /// Waits for all outcomes; called once.
    func outcomes() async -> [EventOutcome] {
        await withCheckedContinuation { continuation in
            let known = self.state.withLock { state -> [EventOutcome]? in
                if state.missing == 0 { return state.outcomes.compactMap { $0 } }
                state.continuation = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Remembers why it takes so long.
    func note(_ trouble: EventOutcome) {
        self.state.withLock { $0.trouble = trouble }
    }

    /// Sets the outcome of one event; the first one counts.
    func settle(_ index: Int, _ outcome: EventOutcome) {
        let (continuation, outcomes) = self.state.withLock {
            state -> (CheckedContinuation<[EventOutcome], Never>?, [EventOutcome]) in
            guard index < state.outcomes.count, state.outcomes[index] == nil else { return (nil, []) }
            state.outcomes[index] = outcome
            state.missing -= 1
            guard state.missing == 0, let continuation = state.continuation else { return (nil, []) }
            state.continuation = nil
            return (continuation, state.outcomes.compactMap { $0 })
        }
        continuation?.resume(returning: outcomes)
    }

    /// Sets the outcome of an event nothing came of in time.
    func giveUp(_ index: Int) {
        let trouble = self.state.withLock { $0.trouble }
        self.settle(
            index, trouble ?? .failed(reason: "The event was not taken in time.", retryAfter: .seconds(1)))
    }
}
