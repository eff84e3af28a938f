@testable import Engine

/// What should come of events, said as simply as possible: one list of who waits and one of what waits per correlation
/// key, and nothing ever travels.
struct CorrelationModel {
    /// An instance that lives, at its job or waiting.
    struct Instance: Hashable {
        var process: String
        var waits: Bool
        /// The last event it began with or took.
        var event: Int
        var key: String
    }

    private struct Waiting {
        var event: Int
        var process: String?
        var expiresAt: Int64
    }

    private struct Lock: Hashable {
        var process: String
        var key: String
    }

    /// By a number of the model's own, in the order in which they began.
    private(set) var instances: [Int: Instance] = [:]
    /// Who waits, the longest first, by correlation key.
    private var waiting: [String: [Int]] = [:]
    private var buffered: [String: [Waiting]] = [:]
    private var locks: [Lock: Int] = [:]
    private var known: [String: (effect: EventEffect, until: Int64)] = [:]
    private var next = 0
    var now: Int64

    init(now: Int64) { self.now = now }

    var bufferedCount: Int { self.buffered.values.reduce(0) { $0 + $1.count } }
    var lockCount: Int { self.locks.count }

    /// What comes of an event, nil when it is refused, and whether it was known.
    mutating func correlate(
        _ key: String, event: Int, _ noMatch: NewCorrelation.NoMatch, _ many: NewCorrelation.ManyMatches,
        unique: String?
    ) -> (effect: EventEffect?, known: Bool) {
        let name = unique.map { "\(key) \($0)" }
        if let name, let before = self.known[name], before.until > self.now { return (before.effect, true) }
        let effect = self.decide(key, event, noMatch, many)
        if let effect, let name { self.known[name] = (effect, self.now + 60_000) }
        return (effect, false)
    }

    private mutating func decide(
        _ key: String, _ event: Int, _ noMatch: NewCorrelation.NoMatch, _ many: NewCorrelation.ManyMatches
    ) -> EventEffect? {
        let takers = self.waiting[key] ?? []
        if takers.count > 1, many == .refuse { return nil }
        if let first = takers.first {
            for taker in many == .all ? takers : [first] { self.take(event, taker) }
            self.settle(key)
            return .correlated
        }
        switch noMatch {
        case .refuse: return nil
        case .ignore: return .nothing
        case .buffer(let milliseconds):
            if milliseconds > 0 {
                self.buffered[key, default: []].append(
                    Waiting(event: event, process: nil, expiresAt: self.now + milliseconds))
            }
            return .buffered
        case .start(let process, _, _, let milliseconds):
            if self.locks[Lock(process: process, key: key)] == nil {
                self.begin(process, key, event, isLocked: true)
                self.settle(key)
                return .started
            }
            self.buffered[key, default: []].append(
                Waiting(event: event, process: process, expiresAt: self.now + milliseconds))
            return .buffered
        }
    }

    /// Somebody starts an instance by hand.
    mutating func start(_ process: String, _ key: String, event: Int) {
        self.begin(process, key, event, isLocked: false)
        self.settle(key)
    }

    private mutating func begin(_ process: String, _ key: String, _ event: Int, isLocked: Bool) {
        let number = self.next
        self.next += 1
        self.instances[number] = Instance(process: process, waits: false, event: event, key: key)
        if isLocked { self.locks[Lock(process: process, key: key)] = number }
        switch process {
        case "p": self.wait(number)
        case "q": self.end(number)
        default: break
        }
    }

    private mutating func wait(_ number: Int) {
        guard let key = self.instances[number]?.key else { return }
        self.instances[number]?.waits = true
        self.waiting[key, default: []].append(number)
        if let position = self.buffered[key]?.firstIndex(where: { $0.expiresAt > self.now }) {
            let event = self.buffered[key]?.remove(at: position).event
            self.take(event ?? 0, number)
        }
    }

    private mutating func take(_ event: Int, _ number: Int) {
        guard let instance = self.instances[number] else { return }
        self.waiting[instance.key]?.removeAll { $0 == number }
        self.instances[number]?.waits = false
        self.instances[number]?.event = event
        if instance.process == "w" { self.end(number) }
    }

    /// The job of an instance is done.
    mutating func complete(_ number: Int) {
        guard let instance = self.instances[number] else { return }
        if instance.process == "w" { self.wait(number) } else { self.end(number) }
        self.settle(instance.key)
    }

    mutating func cancel(_ number: Int) {
        guard let instance = self.instances[number] else { return }
        self.end(number)
        self.settle(instance.key)
    }

    private mutating func end(_ number: Int) {
        guard let instance = self.instances.removeValue(forKey: number) else { return }
        self.waiting[instance.key]?.removeAll { $0 == number }
        self.locks = self.locks.filter { $0.value != number }
    }

    /// The oldest that waits goes to who waits, or starts what it may start; until nothing moves.
    private mutating func settle(_ key: String) {
        while let position = self.buffered[key]?.firstIndex(where: { waiting in
            guard waiting.expiresAt > self.now else { return false }
            if self.waiting[key]?.isEmpty == false { return true }
            guard let process = waiting.process else { return false }
            return self.locks[Lock(process: process, key: key)] == nil
        }), let item = self.buffered[key]?.remove(at: position) {
            if let taker = self.waiting[key]?.first {
                self.take(item.event, taker)
            } else {
                self.begin(item.process ?? "", key, item.event, isLocked: true)
            }
        }
    }

    mutating func advance(_ milliseconds: Int64) {
        self.now += milliseconds
        for key in self.buffered.keys { self.buffered[key]?.removeAll { $0.expiresAt <= self.now } }
    }
}
