package import ConnectorKit

/// A few things that are dear to make and serve one user at a time: the physical connections of a connector connection.
///
/// At most `maximum` exist; who wants one more waits in line until the deadline. What stood idle for longer than
/// `idleMaximum`, or lives longer than `lifetimeMaximum`, is closed when it is met.
package actor ResourcePool<Resource: Sendable> {
    /// How a pool deals with its resources.
    package struct Behavior: Sendable {
        /// Makes one; the argument is the moment by which it has to be there.
        package var make: @Sendable (_ deadline: Duration) async throws -> Resource
        /// Whether one that stood idle that long still works.
        package var isUsable: @Sendable (Resource, _ idle: Duration) async -> Bool
        /// Ends one.
        package var close: @Sendable (Resource) async -> Void

        /// Creates a behavior.
        package init(
            make: @escaping @Sendable (_ deadline: Duration) async throws -> Resource,
            isUsable: @escaping @Sendable (Resource, _ idle: Duration) async -> Bool,
            close: @escaping @Sendable (Resource) async -> Void
        ) {
            self.make = make
            self.isUsable = isUsable
            self.close = close
        }
    }

    /// Why nothing could be borrowed.
    package enum Refusal: Error, Sendable, Hashable {
        /// The pool is closed.
        case closed
        /// All were in use until the deadline.
        case exhausted
    }

    /// A resource on loan, to be given back exactly once.
    package struct Loan: Sendable {
        /// What was borrowed.
        package let resource: Resource
        fileprivate let born: Duration
    }

    private struct Idle {
        let resource: Resource
        let born: Duration
        let since: Duration
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, any Error>
    }

    /// What a waiter gets: something to use, or the right to make one.
    private enum Grant {
        case resource(Idle)
        case slot
    }

    private let behavior: Behavior
    private let maximum: Int
    private let idleMaximum: Duration
    private let lifetimeMaximum: Duration
    private let clock: any ConnectorClock
    private var idle: [Idle] = []
    private var inUse = 0
    private var waiters: [Waiter] = []
    private var nextWaiter: UInt64 = 1
    private var isClosed = false

    /// Creates an empty pool.
    package init(
        maximum: Int, idleMaximum: Duration, lifetimeMaximum: Duration, clock: any ConnectorClock, behavior: Behavior
    ) {
        self.maximum = max(1, maximum)
        self.idleMaximum = idleMaximum
        self.lifetimeMaximum = lifetimeMaximum
        self.clock = clock
        self.behavior = behavior
    }

    /// Takes one out, or makes one; waits for it as long as `timeout`.
    ///
    /// Throws `Refusal`, `CancellationError`, or what making one threw.
    package func borrow(within timeout: Duration) async throws -> Loan {
        let deadline = self.clock.now + timeout
        while true {
            try Task.checkCancellation()
            switch try await self.grant(by: deadline) {
            case .slot:
                do {
                    let resource = try await self.behavior.make(deadline)
                    if self.isClosed {
                        await self.behavior.close(resource)
                        throw Refusal.closed
                    }
                    return Loan(resource: resource, born: self.clock.now)
                } catch {
                    self.freeSlot()
                    throw error
                }
            case .resource(let idle):
                let now = self.clock.now
                let isYoung = now - idle.born < self.lifetimeMaximum && now - idle.since < self.idleMaximum
                if isYoung, await self.behavior.isUsable(idle.resource, now - idle.since), !self.isClosed {
                    return Loan(resource: idle.resource, born: idle.born)
                }
                await self.behavior.close(idle.resource)
                self.freeSlot()
            }
        }
    }

    /// Takes a loan back; one that `isReusable` is not is closed.
    package func giveBack(_ loan: Loan, isReusable: Bool) async {
        guard isReusable, !self.isClosed, self.clock.now - loan.born < self.lifetimeMaximum else {
            await self.behavior.close(loan.resource)
            self.freeSlot()
            return
        }
        let idle = Idle(resource: loan.resource, born: loan.born, since: self.clock.now)
        if let waiter = self.nextInLine() {
            waiter.continuation.resume(returning: .resource(idle))
        } else {
            self.inUse -= 1
            self.idle.append(idle)
        }
    }

    /// Closes what is idle, refuses who waits, and closes what is out when it comes back.
    ///
    /// May be called twice.
    package func close() async {
        self.isClosed = true
        let (idle, waiters) = (self.idle, self.waiters)
        self.idle.removeAll()
        self.waiters.removeAll()
        for waiter in waiters { waiter.continuation.resume(throwing: Refusal.closed) }
        for item in idle { await self.behavior.close(item.resource) }
    }

    /// How many exist, and how many of them are idle.
    package var counts: (all: Int, idle: Int) { (self.inUse + self.idle.count, self.idle.count) }

    /// How many wait for one.
    package var waiting: Int { self.waiters.count }

    // MARK: - Slots

    private func grant(by deadline: Duration) async throws -> Grant {
        if self.isClosed { throw Refusal.closed }
        // The last one used is the one least likely to be stale.
        if let idle = self.idle.popLast() {
            self.inUse += 1
            return .resource(idle)
        }
        if self.inUse < self.maximum {
            self.inUse += 1
            return .slot
        }
        let left = deadline - self.clock.now
        guard left > .zero else { throw Refusal.exhausted }
        let id = self.nextWaiter
        self.nextWaiter += 1
        let clock = self.clock
        let alarm = Task {
            try await clock.sleep(for: left)
            self.refuse(id, Refusal.exhausted)
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    self.waiters.append(Waiter(id: id, continuation: continuation))
                }
            }
        } onCancel: {
            Task { await self.refuse(id, CancellationError()) }
        }
    }

    private func refuse(_ id: UInt64, _ error: any Error) {
        guard let index = self.waiters.firstIndex(where: { $0.id == id }) else { return }
        self.waiters.remove(at: index).continuation.resume(throwing: error)
    }

    private func nextInLine() -> Waiter? {
        self.waiters.isEmpty ? nil : self.waiters.removeFirst()
    }

    /// One resource less: whoever is next may make one.
    private func freeSlot() {
        if let waiter = self.nextInLine() {
            waiter.continuation.resume(returning: .slot)
        } else {
            self.inUse -= 1
        }
    }
}
