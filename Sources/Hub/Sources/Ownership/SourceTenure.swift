import ConnectorKit
import Synchronization

/// The time during which this node owns a source.
///
/// Safe from any thread.
public final class SourceTenure: Sendable {
    private let machine: Mutex<LeaseMachine>
    private let clock: any ConnectorClock

    init(_ machine: LeaseMachine, clock: any ConnectorClock) {
        self.machine = Mutex(machine)
        self.clock = clock
    }

    /// Whether the source must not be read any more: somebody else owns it, or the lease could not be renewed.
    ///
    /// Looks at the clock, so that it is true also when nothing had a chance to run meanwhile. Never false again.
    public var isLost: Bool {
        let now = self.clock.now
        return self.machine.withLock { machine in
            if case .stop = machine.next(at: now) { return true }
            return false
        }
    }

    func change<Result: Sendable>(_ body: @Sendable (inout LeaseMachine) -> Result) -> Result {
        self.machine.withLock { body(&$0) }
    }
}
