import ConnectorKit
import Storage
import Synchronization
import Testing

/// Owners of sources in memory; fails on request.
final class OwnersInMemory: SourceStateStore {
    struct State {
        var rows: [String: SourceState] = [:]
        /// Every position that was kept, with the fence that kept it.
        var saves: [(fence: Int64, memory: [UInt8])] = []
        var fails = false
        var calls = 0
    }

    let state = Mutex(State())

    func setFailing(_ fails: Bool) { self.state.withLock { $0.fails = fails } }

    private func use<Result: Sendable>(
        _ body: (inout State) -> Result
    ) throws(StoreError) -> Result {
        let result = self.state.withLock { state -> Result? in
            state.calls += 1
            return state.fails ? nil : body(&state)
        }
        guard let result else { throw StoreError(.io, "no answer", remedy: "Wait.") }
        return result
    }

    func acquire(_ id: String, owner: String, until: Int64, now: Int64) throws(StoreError) -> Int64? {
        try self.use { state in
            var row = state.rows[id] ?? SourceState(id: id, owner: nil, fence: 0, leaseUntil: 0)
            if let other = row.owner, other != owner, row.leaseUntil > now { return nil }
            row.owner = owner
            row.fence += 1
            row.leaseUntil = until
            state.rows[id] = row
            return row.fence
        }
    }

    func renew(_ id: String, owner: String, fence: Int64, until: Int64) throws(StoreError) -> Bool {
        try self.use { state in
            guard let row = state.rows[id], row.owner == owner, row.fence == fence else { return false }
            state.rows[id]?.leaseUntil = until
            return true
        }
    }

    func release(_ id: String, owner: String, fence: Int64) throws(StoreError) -> Bool {
        try self.use { state in
            guard let row = state.rows[id], row.owner == owner, row.fence == fence else { return false }
            state.rows[id]?.owner = nil
            return true
        }
    }

    func save(_ id: String, fence: Int64, memory: [UInt8]) throws(StoreError) -> Bool {
        try self.use { state in
            guard let row = state.rows[id], row.owner != nil, row.fence == fence else { return false }
            state.rows[id]?.memory = memory
            state.saves.append((fence, memory))
            return true
        }
    }

    func load(_ id: String) throws(StoreError) -> [UInt8]? { try self.find(id)?.memory }

    func find(_ id: String) throws(StoreError) -> SourceState? { try self.use { $0.rows[id] } }

    func list(prefix: String) throws(StoreError) -> [SourceState] {
        try self.use { state in
            state.rows.values.filter { $0.id.hasPrefix(prefix) }.sorted { $0.id < $1.id }
        }
    }

    func reset(_ id: String, now: Int64) throws(StoreError) -> Bool {
        try self.use { state in
            guard let row = state.rows[id] else { return true }
            if row.owner != nil, row.leaseUntil > now { return false }
            state.rows[id]?.memory = nil
            state.rows[id]?.owner = nil
            return true
        }
    }

    func close() {}
}

/// A clock whose sleepers wake when it is moved past their time.
final class SteppedClock: ConnectorClock {
    private struct State {
        var now = Duration.zero
        var sleepers: [Int: (until: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var last = 0
    }

    private let state = Mutex(State())

    var now: Duration { self.state.withLock { $0.now } }

    var unixMilliseconds: Int64 {
        let (seconds, attoseconds) = self.now.components
        return 1_750_000_000_000 + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    func sleep(for duration: Duration) async throws {
        let id = self.state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isDone = self.state.withLock { state -> Bool? in
                    if state.cancelled.remove(id) != nil { return false }
                    if duration <= .zero { return true }
                    state.sleepers[id] = (state.now + duration, continuation)
                    return nil
                }
                switch isDone {
                case .some(true): continuation.resume()
                case .some(false): continuation.resume(throwing: CancellationError())
                case nil: break
                }
            }
        } onCancel: {
            let sleeper = self.state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    func advance(by duration: Duration) {
        let due = self.state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due
        }
        for sleeper in due.values { sleeper.continuation.resume() }
    }

    /// When the next sleeper wakes, and how many sleep.
    private var sleep: (next: Duration?, count: Int) {
        self.state.withLock { state in (state.sleepers.values.map(\.until).min(), state.sleepers.count) }
    }

    /// Moves to where the next sleeper wakes, again and again, until `condition` holds; says so when it does not within
    /// an hour of the clock.
    ///
    /// Waits before each move until `count` tasks sleep, so that nobody who was woken is left behind; not for ever,
    /// since tasks end.
    func advance(whenAsleep count: Int, until condition: () -> Bool) async {
        let end = self.now + .seconds(3_600)
        let giveUp = ContinuousClock.now + .seconds(30)
        while self.now < end, ContinuousClock.now < giveUp {
            let patience = ContinuousClock.now + .milliseconds(20)
            repeat {
                if condition() { return }
                if self.sleep.count >= count { break }
                try? await Task.sleep(for: .microseconds(100))
            } while ContinuousClock.now < patience
            if let next = self.sleep.next { self.advance(by: max(.zero, next - self.now)) }
        }
        Issue.record("nothing happened within an hour of the clock, or 30 s")
    }
}

/// Waits for something other tasks bring about.
func eventually(_ what: String, _ condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("\(what): not within 20 s")
            return
        }
        try? await Task.sleep(for: .milliseconds(1))
    }
}
