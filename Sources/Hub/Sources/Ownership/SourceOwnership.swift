public import ConnectorKit
import HubDocuments
public import Storage
import Synchronization
public import Values

/// Lets one node at a time read what must have one reader, and keeps that reader's position.
///
/// A node that owns a source renews its lease at every third of it. One that cannot renew stops reading before the lease
/// ends; another node takes over when it has ended. Whatever clocks and pauses do, only the last owner can move a
/// position: every write carries the fence of its acquisition (ADR 0029).
///
/// Safe from any thread.
public final class SourceOwnership: Sendable {
    /// What a source is owned as, and by whom.
    public struct Owned: Sendable, Hashable {
        /// What is owned, such as `trigger:orders`.
        public var resource: String
        /// Who owns it: node and trigger; nil when nobody does.
        public var owner: String?
        /// Until when nobody else may take it, in Unix milliseconds.
        public var leaseUntil: Int64
        /// The position last kept.
        public var position: Value?
    }

    /// Name of this node: the same after a restart, another for each node.
    public let node: String
    private let table: OwnerTable
    private let clock: any ConnectorClock
    private let settings: LeaseMachine.Settings
    private let random: @Sendable () -> Double
    /// What this process holds: the store does not keep two parts of one owner apart.
    private let reserved = Mutex<Set<String>>([])

    /// Creates the ownership of one node.
    ///
    /// - Parameters:
    ///   - store: Common to all nodes.
    ///   - node: See `node`.
    ///   - lease: How long the sources of a node that died stay unread; 1 s at least.
    ///   - clock: The time.
    ///   - random: A number in [0, 1).
    public init(
        store: any SourceStateStore, node: String, lease: Duration = .seconds(30), clock: any ConnectorClock,
        random: @escaping @Sendable () -> Double
    ) {
        self.table = OwnerTable(store)
        self.node = node
        self.settings = LeaseMachine.Settings(lease: max(lease, .seconds(1)))
        self.clock = clock
        self.random = random
    }

    /// Waits until this node owns the trigger and `resources`, runs `body`, and gives them back.
    ///
    /// `body` gets the trigger's position, and the tenure. When the tenure is lost, `body` is cancelled: it stops
    /// reading at once, and may finish what it has read; what it cannot save comes again elsewhere.
    ///
    /// - Parameters:
    ///   - trigger: The id of the trigger; owned as `trigger:<id>`, under which its position is kept.
    ///   - resources: What else is owned, see `resources(of:connection:parameters:)`.
    ///   - onStandby: Told each time that somebody else has one of them; nil for another part of this process.
    ///   - onTrouble: Told each time that the table of owners fails (HB612); it is asked again later.
    /// - Throws: `ConnectorError` HB610 when the tenure was lost; what `body` throws; `CancellationError`.
    public func run<Result: Sendable>(
        trigger: String, resources: [String] = [], onStandby: @Sendable (Owned?) -> Void = { _ in },
        onTrouble: @Sendable (ConnectorError) -> Void = { _ in },
        body: @escaping @Sendable (_ memory: any SourceMemory, _ tenure: SourceTenure) async throws -> Result
    ) async throws -> Result {
        let names = Set([Self.resource(of: trigger)] + resources).sorted()
        let owner = "\(self.node)/\(trigger)"
        let (machine, fences) = try await self.acquire(names, owner: owner, onStandby, onTrouble)
        let tenure = SourceTenure(machine, clock: self.clock)
        let memory = OwnedSourceMemory(
            resource: Self.resource(of: trigger), fence: fences[Self.resource(of: trigger)] ?? 0, table: self.table,
            tenure: tenure)
        let outcome = await self.hold(fences, owner: owner, tenure: tenure) { try await body(memory, tenure) }
        await self.table.release(fences, owner: owner)
        self.unreserve(names)
        return try outcome.get()
    }

    // MARK: For operators

    /// What is owned or has a position, by name; names begin with `prefix`.
    ///
    /// - Throws: `ConnectorError` HB612.
    public func owned(prefix: String = "") async throws -> [Owned] {
        do {
            let states = try await self.table.perform { store throws(StoreError) in try store.list(prefix: prefix) }
            return try states.map { try Self.owned($0) }
        } catch let error as StoreError {
            throw Self.unavailable(error)
        }
    }

    /// Forgets the position of a trigger that nobody owns now; false when somebody does.
    ///
    /// - Throws: `ConnectorError` HB612.
    public func forgetPosition(of trigger: String) async throws -> Bool {
        let now = self.clock.unixMilliseconds
        do {
            return try await self.table.perform { store throws(StoreError) in
                try store.reset(Self.resource(of: trigger), now: now)
            }
        } catch {
            throw Self.unavailable(error)
        }
    }

    private static func owned(_ state: SourceState) throws -> Owned {
        Owned(
            resource: state.id, owner: state.owner, leaseUntil: state.leaseUntil,
            position: try OwnedSourceMemory.value(state.memory, of: state.id))
    }

    /// The name under which a trigger is owned.
    public static func resource(of trigger: String) -> String { "trigger:\(trigger)" }
}

// MARK: - The life of a tenure

extension SourceOwnership {
    private func acquire(
        _ names: [String], owner: String, _ onStandby: @Sendable (Owned?) -> Void,
        _ onTrouble: @Sendable (ConnectorError) -> Void
    ) async throws -> (LeaseMachine, [String: Int64]) {
        var machine = LeaseMachine(self.settings)
        while true {
            try Task.checkCancellation()
            switch machine.next(at: self.clock.now) {
            case .acquire:
                let asked = self.clock.now
                do throws(StoreError) {
                    if let fences = try await self.tryToAcquire(names, owner: owner, onStandby) {
                        machine.acquired(askedAt: asked)
                        return (machine, fences)
                    }
                } catch {
                    onTrouble(Self.unavailable(error))
                }
                machine.refused(at: self.clock.now, unit: self.random())
            case .wait(let duration):
                try await self.clock.sleep(for: duration)
            case .renew, .stop:
                preconditionFailure("a lease that was never held is neither renewed nor lost")
            }
        }
    }

    private func tryToAcquire(
        _ names: [String], owner: String, _ onStandby: @Sendable (Owned?) -> Void
    ) async throws(StoreError) -> [String: Int64]? {
        guard self.reserve(names) else {
            onStandby(nil)
            return nil
        }
        let now = self.clock.unixMilliseconds
        let until = now + self.settings.lease.wholeMilliseconds
        do throws(StoreError) {
            if let fences = try await self.table.acquire(names, owner: owner, until: until, now: now) { return fences }
            self.unreserve(names)
        } catch {
            self.unreserve(names)
            throw error
        }
        let other = try await self.table.perform { store throws(StoreError) -> SourceState? in
            for name in names {
                if let state = try store.find(name), let holder = state.owner, holder != owner, state.leaseUntil > now {
                    return state
                }
            }
            return nil
        }
        // Nobody, when it was given back since.
        if let other {
            onStandby(
                Owned(
                    resource: other.id, owner: other.owner, leaseUntil: other.leaseUntil,
                    position: try? OwnedSourceMemory.value(other.memory, of: other.id)))
        }
        return nil
    }

    /// Runs `body` and renews the lease beside it.
    private func hold<Value: Sendable>(
        _ fences: [String: Int64], owner: String, tenure: SourceTenure,
        _ body: @escaping @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
        await withTaskGroup(of: Result<Value, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await body()) } catch { return .failure(error) }
            }
            group.addTask {
                await self.renew(fences, owner: owner, tenure: tenure)
                return nil
            }
            var outcome: Result<Value, any Error>?
            while let ended = await group.next() {
                // Whichever ends first ends the other: a lost tenure the reading, the end of the reading the renewals.
                if let ended { outcome = ended }
                group.cancelAll()
            }
            if let loss = tenure.change({ $0.loss }) {
                return .failure(Self.lost(fences.keys.min() ?? "", loss))
            }
            guard let outcome else { preconditionFailure("the body of a tenure ended without an outcome") }
            return outcome
        }
    }

    /// Renews until the tenure is lost or the task is cancelled.
    private func renew(_ fences: [String: Int64], owner: String, tenure: SourceTenure) async {
        while !Task.isCancelled {
            let now = self.clock.now
            switch tenure.change({ $0.next(at: now) }) {
            case .renew:
                let until = self.clock.unixMilliseconds + self.settings.lease.wholeMilliseconds
                do {
                    let isHeld = try await self.table.renew(fences, owner: owner, until: until)
                    tenure.change { isHeld ? $0.renewed(askedAt: now) : $0.taken() }
                } catch {
                    let now = self.clock.now
                    tenure.change { $0.renewalFailed(at: now) }
                }
            case .wait(let duration):
                do { try await self.clock.sleep(for: duration) } catch { return }
            case .stop:
                return
            case .acquire:
                preconditionFailure("a lease that is held is not acquired")
            }
        }
    }

    private func reserve(_ names: [String]) -> Bool {
        self.reserved.withLock { reserved in
            guard reserved.isDisjoint(with: names) else { return false }
            reserved.formUnion(names)
            return true
        }
    }

    private func unreserve(_ names: [String]) {
        self.reserved.withLock { $0.subtract(names) }
    }
}

// MARK: - Errors

extension SourceOwnership {
    static func lost(_ resource: String, _ loss: LeaseMachine.Loss) -> ConnectorError {
        let reason =
            switch loss {
            case .taken: "another owner has taken it over"
            case .expired: "its lease could not be renewed in time"
            }
        return ConnectorError(
            .unavailable, code: HubCode.ownershipLost.rawValue,
            "This node does not own \(resource) any more: \(reason).",
            remedy: "Nothing: it is read where it is owned, and this node stands by.")
    }

    static func unavailable(_ error: StoreError) -> ConnectorError {
        ConnectorError(
            .unavailable, code: HubCode.ownersUnavailable.rawValue,
            "The table of owners cannot be used: \(error.code.rawValue) \(error.message)", remedy: error.remedy)
    }
}
