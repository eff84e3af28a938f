import Resilience

/// Where a trigger stands between its declaration and its events.
///
/// Pure: no clock, no randomness.
///
/// `draft` → `arming` when the hub starts it; `arming` → `armed`, or `failed` when the source cannot be reached;
/// `armed` ↔ `degraded` while the engine or the source is in trouble; `failed` → `arming` after a backoff that grows
/// with each failure in a row; every state → `paused` by an operator, and from there → `arming`.
struct ActivationMachine: Sendable {
    private(set) var state: ActivationState = .draft
    /// What is wrong, while something is.
    private(set) var trouble: String?
    /// When a failed trigger is armed again.
    private(set) var rearmAt: Duration?
    private var memory = BackoffMemory()
    private let backoff: Backoff

    init(backoff: Backoff = .fullJitter(base: .seconds(1), cap: .seconds(60))) {
        self.backoff = backoff
    }

    /// The source is being armed.
    mutating func arm() {
        self.state = .arming
        self.rearmAt = nil
    }

    /// The source is armed.
    mutating func armed() {
        guard self.state == .arming else { return }
        self.state = .armed
        self.trouble = nil
    }

    /// The trigger works, but not as it should.
    mutating func degraded(_ reason: String) {
        guard self.state == .armed || self.state == .degraded else { return }
        self.state = .degraded
        self.trouble = reason
    }

    /// An event went through: the trouble is over, and the next failure starts with a short wait again.
    mutating func progressed() {
        guard self.state == .armed || self.state == .degraded else { return }
        self.state = .armed
        self.trouble = nil
        self.memory = BackoffMemory()
    }

    /// Arming failed, or the source did.
    ///
    /// Returns how long to wait before arming again.
    mutating func failed(_ reason: String, at now: Duration, unit: Double) -> Duration {
        guard self.state != .paused else { return .zero }
        let delay = max(.milliseconds(100), self.memory.nextDelay(self.backoff, unit: unit))
        self.state = .failed
        self.trouble = reason
        self.rearmAt = now + delay
        return delay
    }

    /// Somebody else reads the source; it is armed when they stop.
    mutating func standby(_ reason: String) {
        guard self.state == .arming else { return }
        self.trouble = reason
    }

    /// An operator paused it.
    mutating func pause() {
        self.state = .paused
        self.trouble = nil
        self.rearmAt = nil
    }

    /// An operator resumed it.
    mutating func resume() {
        guard self.state == .paused else { return }
        self.state = .draft
        self.memory = BackoffMemory()
    }
}

/// The states of a trigger.
public enum ActivationState: String, Sendable, CaseIterable {
    /// Declared, not started.
    case draft
    /// Getting its source ready.
    case arming
    /// Reading events.
    case armed
    /// Reading events, with trouble.
    case degraded
    /// Stopped by an operator.
    case paused
    /// Its source failed; it is armed again after a while.
    case failed
}
