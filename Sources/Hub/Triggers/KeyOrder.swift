import Engine
import HubDocuments
import Runtime
import Storage
import Synchronization
import Values

/// The ordering keys of one trigger that have open dead letters: later events of such a key wait behind them.
///
/// What the dead-letter list says counts: it survives a restart, and whoever replays or discards the last letter of a key
/// frees it. When all letters of a key that are left only wait, the oldest of them is queued: they follow each other in
/// their order.
final class KeyOrder: Sendable {
    private struct State {
        /// Keys with open letters when the list was read last, and those recorded before it was.
        var known: Set<String> = []
        /// Keys whose letters were recorded since then.
        var added: Set<String> = []
        /// How many letters of a key are being recorded.
        var recording: [String: Int] = [:]
        /// When the list is read again; nil before it was read at all.
        var readAt: Duration?

        var parked: Set<String> { self.known.union(self.added).union(self.recording.keys) }

        mutating func ended(_ key: String) {
            let left = (self.recording[key] ?? 1) - 1
            self.recording[key] = left == 0 ? nil : left
        }
    }

    private let trigger: String
    private let letters: DeadLetters
    private let service: any WorkflowService
    private let state = Mutex(State())

    /// How often the list is read while a key is parked.
    private static let interval = Duration.milliseconds(500)
    /// The same while letters follow each other.
    private static let releaseInterval = Duration.milliseconds(50)

    init(trigger: String, letters: DeadLetters, service: any WorkflowService) {
        self.trigger = trigger
        self.letters = letters
        self.service = service
    }

    /// The keys that have open dead letters.
    var parked: Set<String> { self.state.withLock { $0.parked } }

    /// Whether later events of a key must wait.
    func isParked(_ key: String) -> Bool {
        self.state.withLock { state in
            state.known.contains(key) || state.added.contains(key) || state.recording[key] != nil
        }
    }

    /// Records a dead letter of this key; the key is parked from the beginning, and stays so when that succeeds.
    func parking<Result>(_ key: String, _ record: () async throws(CommandRejection) -> Result)
        async throws(CommandRejection) -> Result
    {
        self.state.withLock { $0.recording[key, default: 0] += 1 }
        do throws(CommandRejection) {
            let result = try await record()
            self.state.withLock { state in
                state.ended(key)
                state.added.insert(key)
            }
            return result
        } catch {
            self.state.withLock { $0.ended(key) }
            throw error
        }
    }

    /// Reads the list again when it may have changed.
    ///
    /// Throws `HubError` when it cannot be read: then nothing must go on, since a key may be parked.
    func refresh(at now: Duration) async throws(HubError) {
        let isDue = self.state.withLock { state in
            if let readAt = state.readAt, state.parked.isEmpty || now < readAt { return false }
            state.known.formUnion(state.added)
            state.added = []
            return true
        }
        guard isDue else { return }
        do {
            try await self.service.waitForRecords()
        } catch {
            throw HubError(.lettersUnreadable, error.message, remedy: error.remedy)
        }
        var open: [String: [DeadLetterRecord]] = [:]
        for letter in try await self.letters.open(of: self.trigger) {
            if let key = letter.orderingKey { open[key, default: []].append(letter) }
        }
        var isReleasing = false
        for letters in open.values {
            isReleasing = isReleasing || letters.contains { $0.state != 0 }
            guard letters.allSatisfy(\.onlyWaits),
                let oldest = letters.min(by: { ($0.createdAt, $0.key) < ($1.createdAt, $1.key) })
            else { continue }
            try await self.letters.queue(oldest, actor: "trigger:\(self.trigger)")
            isReleasing = true
        }
        let (keys, interval) = (Set(open.keys), isReleasing ? Self.releaseInterval : Self.interval)
        self.state.withLock { state in
            state.known = keys
            state.readAt = now + interval
        }
    }
}

extension DeadLetterRecord {
    /// Whether it is there only because an earlier event of its ordering key is, and nothing is being done about it.
    fileprivate var onlyWaits: Bool { self.state == 0 && self.stage == TriggerPipeline.Stage.order.rawValue }
}
