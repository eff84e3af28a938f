import ConnectorKit

/// What a source holds of a queue: messages that wait to be read, that are out, and that are to be given back later.
///
/// Pure: every moment is given.
struct QueueLedger {
    /// A message and its lock.
    struct Held: Sendable {
        var message: QueueClient.Message
        var takenAt: Duration
        /// When others see it again; `nil` where nothing is hidden.
        var lockedUntil: Duration?
        /// Whether its lock can still be extended.
        var isExtensible = true
    }

    private(set) var waiting: [Held] = []
    private(set) var out: [UInt64: [Held]] = [:]
    /// Messages to be given back, and when.
    private(set) var parked: [(due: Duration, held: Held)] = []
    private var nextBatch: UInt64 = 1

    var isEmpty: Bool { self.waiting.isEmpty && self.out.isEmpty && self.parked.isEmpty }
    var count: Int { self.waiting.count + self.out.values.reduce(0) { $0 + $1.count } + self.parked.count }

    /// Adds messages that were taken.
    ///
    /// One that is held already takes the place of its former self if that waits, and is out twice if its lock has
    /// ended; where nothing is hidden it is no news.
    mutating func add(_ messages: [QueueClient.Message], at now: Duration, lock: Duration?) {
        for message in messages {
            let held = Held(message: message, takenAt: now, lockedUntil: lock.map { now + $0 })
            if let index = self.waiting.firstIndex(where: { $0.message.id == message.id }) {
                if lock != nil { self.waiting[index] = held }
                continue
            }
            if lock == nil, self.holds(message.id) { continue }
            self.waiting.append(held)
        }
    }

    private func holds(_ id: String) -> Bool {
        self.out.values.contains { $0.contains { $0.message.id == id } }
            || self.parked.contains { $0.held.message.id == id }
    }

    /// Hands out at most `maximum` messages; those whose lock has ended are left out, for they come again.
    mutating func take(_ maximum: Int, at now: Duration) -> EventBatch? {
        self.waiting.removeAll { held in held.lockedUntil.map { $0 <= now } ?? false }
        guard !self.waiting.isEmpty else { return nil }
        let taken = Array(self.waiting.prefix(max(1, maximum)))
        self.waiting.removeFirst(taken.count)
        let id = self.nextBatch
        self.nextBatch += 1
        self.out[id] = taken
        return EventBatch(id: EventBatch.ID(rawValue: id), events: taken.map(\.message.event))
    }

    /// Removes a batch that is out.
    mutating func finish(_ id: UInt64) -> [Held] { self.out.removeValue(forKey: id) ?? [] }

    /// Removes what waits.
    mutating func takeWaiting() -> [Held] {
        defer { self.waiting = [] }
        return self.waiting
    }

    /// Keeps messages until `due`, when they are given back.
    mutating func park(_ held: [Held], until due: Duration) {
        self.parked += held.map { (due, $0) }
    }

    /// Removes what is to be given back at `now`.
    mutating func due(at now: Duration) -> [Held] {
        let due = self.parked.filter { $0.due <= now }.map(\.held)
        if !due.isEmpty { self.parked.removeAll { $0.due <= now } }
        return due
    }

    /// Puts messages in front of what waits, where nothing else gives them back.
    mutating func putBack(_ held: [Held]) { self.waiting.insert(contentsOf: held, at: 0) }

    /// The messages whose lock has two thirds of its time left or less, with how long it is to be: no message is held longer
    /// than `maximum`.
    func extensions(
        at now: Duration, lock: Duration, maximum: Duration
    ) -> [(held: Held, lock: Duration)] {
        self.all.compactMap { held in
            guard held.isExtensible, let until = held.lockedUntil, until > now, until - now <= lock * 2 / 3 else {
                return nil
            }
            let left = held.takenAt + maximum - now
            let wanted = min(lock, left)
            // An extension is of use only if it ends later than what there is.
            guard wanted >= .seconds(1), now + wanted > until else { return nil }
            return (held, wanted)
        }
    }

    private var all: [Held] { self.waiting + self.out.values.joined() + self.parked.map(\.held) }

    /// Notes that the locks of messages now end at `until`; `nil`: that they cannot be extended.
    mutating func extended(_ handles: Set<String>, until: Duration?) {
        func update(_ held: inout Held) {
            guard handles.contains(held.message.handle) else { return }
            if let until { held.lockedUntil = until } else { held.isExtensible = false }
        }
        for index in self.waiting.indices { update(&self.waiting[index]) }
        for key in self.out.keys { self.out[key]?.indices.forEach { update(&self.out[key, default: []][$0]) } }
        for index in self.parked.indices { update(&self.parked[index].held) }
    }

    /// When the next message is to be given back.
    var nextDue: Duration? { self.parked.map(\.due).min() }
}
