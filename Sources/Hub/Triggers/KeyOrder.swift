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
        var parked: Set<String> = []
        /// Keys that were parked while the list was being read.
        var added: Set<String> = []
        /// When the list is read again; nil before it was read at all.
        var readAt: Duration?
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
    func isParked(_ key: String) -> Bool { self.state.withLock { $0.parked.contains(key) } }

    /// A dead letter of this key is about to be written.
    func park(_ key: String) {
        self.state.withLock { state in
            state.parked.insert(key)
            state.added.insert(key)
        }
    }

    /// Reads the list again when it may have changed.
    ///
    /// Throws `HubError` when it cannot be read: then nothing must go on, since a key may be parked.
    func refresh(at now: Duration) async throws(HubError) {
        let isDue = self.state.withLock { state in
            if let readAt = state.readAt, state.parked.isEmpty || now < readAt { return false }
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
            state.parked = keys.union(state.added)
            state.readAt = now + interval
        }
    }
}

extension DeadLetterRecord {
    /// Whether it is there only because an earlier event of its ordering key is, and nothing is being done about it.
    fileprivate var onlyWaits: Bool { self.state == 0 && self.stage == TriggerPipeline.Stage.order.rawValue }
}
