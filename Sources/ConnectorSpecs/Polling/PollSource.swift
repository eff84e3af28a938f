import ConnectorKit
import Synchronization
import Values

/// How far a poll has come.
struct PollProgress: Sendable, Equatable {
    /// The largest cursor of an acknowledged event; `nil` before the first.
    var position: Number?
    /// The ids of acknowledged events that the lookback may bring again, with their cursors.
    var seen: [String: Number?] = [:]

    /// The most ids remembered; beyond, the oldest are forgotten, and may come again.
    static let seenMaximum = 10_000

    /// Nothing is done before `position`.
    init(position: Number? = nil) {
        self.position = position
    }

    /// What was saved as `value`; `nil` when it is something else.
    init?(_ value: Value) {
        guard let seen = value["seen"]?.asList else { return nil }
        self.position = value["position"]?.asNumber
        for entry in seen {
            guard let id = entry["id"]?.asString else { return nil }
            self.seen.updateValue(entry["at"]?.asNumber, forKey: id)
        }
    }

    /// As it is saved.
    var value: Value {
        let seen = self.seen.sorted { $0.key < $1.key }.map { id, position -> Value in
            ["id": .string(id), "at": position.map { .number($0) } ?? .null]
        }
        return ["position": self.position.map { .number($0) } ?? .null, "seen": .list(seen)]
    }

    /// Remembers that `events` are done.
    ///
    /// - Parameter held: The smallest cursor of an event that is not done; what comes next begins there at the latest.
    mutating func acknowledge(_ events: [Poller.Found], held: Number?, lookingBack: (Number) -> Number) {
        for event in events {
            self.seen[event.id] = event.position
            if let position = event.position, self.position.map({ $0 < position }) ?? true { self.position = position }
        }
        guard var position else { return }
        if let held, held < position {
            position = held
            self.position = held
        }
        let oldest = lookingBack(position)
        self.seen = self.seen.filter { $0.value.map { $0 >= oldest } ?? true }
        if self.seen.count > Self.seenMaximum {
            let kept = self.seen.sorted { ($0.value ?? oldest) > ($1.value ?? oldest) }.prefix(Self.seenMaximum)
            self.seen = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        }
    }
}

/// The events of a poll: fetched every interval, each given out until it is acknowledged.
///
/// At least once: what was not acknowledged is fetched again, also after a restart, for progress is saved with every
/// acknowledgement. A source that never saved begins the specification's `catchUp` ago. Used by one task at a time, like
/// every source.
final class PollSource: EventSource {
    private struct State {
        var waiting: [Poller.Found] = []
        var out: [UInt64: [Poller.Found]] = [:]
        var nextBatch: UInt64 = 1
        var nextPoll: Duration?
        var isConnected = false
        var progress = PollProgress()
        /// Whether there was an answer.
        var isRead = false
    }

    /// Cursors whose events are wanted again.
    struct Range: Sendable {
        var from: Number?
        var to: Number?

        func contains(_ position: Number?) -> Bool {
            guard let position else { return true }
            return self.from.map { $0 <= position } ?? true && self.to.map { position <= $0 } ?? true
        }
    }

    private let event: EventSpec
    private let poller: Poller
    private let parameters: ValueContext
    private let start: Value?
    private let memory: any SourceMemory
    private let replay: Range?
    private let state = Mutex(State())

    init(
        event: EventSpec, poller: Poller, parameters: ValueContext, start: Value?, memory: any SourceMemory,
        replay: Range?
    ) {
        self.event = event
        self.poller = poller
        self.parameters = parameters
        self.start = start
        self.memory = memory
        self.replay = replay
    }

    private var clock: any ConnectorClock { self.poller.runner.clock }

    func connect() async throws {
        let saved = self.replay == nil ? try await self.memory.load() : nil
        let progress = saved.flatMap { PollProgress($0) } ?? PollProgress(position: self.beginning())
        self.state.withLock { state in
            state.isConnected = true
            state.waiting = []
            state.out = [:]
            state.nextPoll = nil
            state.progress = progress
            state.isRead = false
        }
    }

    /// Where a source begins that knows nothing yet.
    private func beginning() -> Number? {
        if let replay { return replay.from }
        let now = self.clock.unixMilliseconds
        switch self.start {
        case nil: return self.poller.cursor.start(unixMilliseconds: now, back: self.poller.spec.catchUp)
        case .string("beginning"): return nil
        case .string("now"): return self.poller.cursor.start(unixMilliseconds: now, back: .zero)
        case let value?: return self.poller.cursor.position(value)
        }
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.state.withLock({ $0.isConnected }) else {
                throw SourceInterruption.notConnected(reason: "The source is closed.")
            }
            if let batch = self.take(maximum) { return batch }
            let now = self.clock.now
            let due = self.state.withLock { $0.nextPoll ?? now }
            if self.replay != nil, self.state.withLock({ $0.isRead }) { throw SourceInterruption.endOfInput }
            if due <= now {
                try await self.poll()
                continue
            }
            guard due <= deadline else {
                if deadline > now { try await self.clock.sleep(for: deadline - now) }
                return nil
            }
            try await self.clock.sleep(for: due - now)
        }
    }

    private func poll() async throws {
        let progress = self.state.withLock { $0.progress }
        // The next one is due an interval after this one began, however it ends.
        self.state.withLock { $0.nextPoll = self.clock.now + self.poller.spec.interval }
        let found: [Poller.Found]
        do {
            found = try await self.poller.fetch(
                after: progress.position, source: self.parameters, timeout: .seconds(60))
        } catch {
            let error = ConnectorError(wrapping: error)
            if error.isRetryable {
                throw SourceInterruption.backOff(error.retryAfter ?? min(self.poller.spec.interval, .seconds(30)))
            }
            throw error
        }
        self.state.withLock { state in
            state.isRead = true
            let isOut = Set(state.out.values.joined().map(\.id))
            var ids: Set<String> = []
            state.waiting = found.filter { event in
                progress.seen[event.id] == nil && !isOut.contains(event.id) && ids.insert(event.id).inserted
                    && self.replay?.contains(event.position) ?? true
            }
        }
    }

    private func take(_ maximum: Int) -> EventBatch? {
        self.state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            let events = Array(state.waiting.prefix(max(1, maximum)))
            state.waiting.removeFirst(events.count)
            let id = state.nextBatch
            state.nextBatch += 1
            state.out[id] = events
            return EventBatch(id: EventBatch.ID(rawValue: id), events: events.map { self.sourceEvent($0) })
        }
    }

    private func sourceEvent(_ found: Poller.Found) -> SourceEvent {
        var coordinates: ValueContext = [
            "event": .string(self.event.id), "operation": .string(self.poller.spec.operation),
        ]
        coordinates["cursor"] = found.position.map { .number($0) }
        return SourceEvent(
            id: found.id, payload: Array(JSON.string(found.payload).utf8), contentType: "application/json",
            body: .value(found.payload), coordinates: coordinates,
            occurredAtMilliseconds: found.occurredAtMilliseconds)
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let events = self.state.withLock({ $0.out.removeValue(forKey: batch.rawValue) }) else { return }
        try await self.finish(events)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let events = self.state.withLock({ $0.out.removeValue(forKey: batch.rawValue) }) else { return }
        switch disposition {
        case .setAside: try await self.finish(events)
        case .redeliver(let after):
            guard self.replay == nil else {
                self.state.withLock { $0.waiting = events + $0.waiting }
                return
            }
            // Not acknowledged, so the next poll brings them again.
            self.state.withLock { state in
                state.nextPoll = max(self.clock.now + after, .zero)
                state.waiting = []
            }
        }
    }

    /// Remembers that events are done, as far as no earlier one is still out: a restart must find that one again.
    private func finish(_ events: [Poller.Found]) async throws {
        guard self.replay == nil, !events.isEmpty else { return }
        let progress = self.state.withLock { state in
            let held = (state.out.values.joined() + state.waiting).compactMap(\.position).min()
            state.progress.acknowledge(events, held: held) { self.poller.cursor.lookingBack($0) }
            return state.progress
        }
        try await self.memory.save(progress.value)
    }

    func close() async {
        self.state.withLock { state in
            state.isConnected = false
            state.waiting = []
            state.out = [:]
        }
    }

    func backlog() async -> Int? {
        self.state.withLock { $0.waiting.count + $0.out.values.reduce(0) { $0 + $1.count } }
    }
}
