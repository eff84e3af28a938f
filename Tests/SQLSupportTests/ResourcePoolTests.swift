import ConnectorKit
import SQLSupport
import Synchronization
import Testing

@Suite struct ResourcePoolTests {
    /// Counts what is made and closed.
    final class Factory: Sendable {
        struct State {
            var made = 0
            var closed: [Int] = []
            var broken: Set<Int> = []
            var failures = 0
        }

        struct Failure: Error {}

        let state = Mutex(State())

        func pool(_ maximum: Int, clock: any ConnectorClock) -> ResourcePool<Int> {
            ResourcePool(
                maximum: maximum, idleMaximum: .seconds(60), lifetimeMaximum: .seconds(600), clock: clock,
                behavior: .init(
                    make: { _ in
                        try self.state.withLock { state in
                            if state.failures > 0 {
                                state.failures -= 1
                                throw Failure()
                            }
                            state.made += 1
                            return state.made
                        }
                    },
                    isUsable: { item, _ in self.state.withLock { !$0.broken.contains(item) } },
                    close: { item in self.state.withLock { $0.closed.append(item) } }))
        }

        var closed: [Int] { self.state.withLock { $0.closed } }
    }

    /// Who came when.
    actor Order {
        private(set) var numbers: [Int] = []
        func append(_ number: Int) { self.numbers.append(number) }
    }

    @Test func whatComesBackIsUsedAgain() async throws {
        let factory = Factory()
        let pool = factory.pool(2, clock: ManualConnectorClock())
        for _ in 0..<3 {
            let loan = try await pool.borrow(within: .seconds(1))
            #expect(loan.resource == 1)
            await pool.giveBack(loan, isReusable: true)
        }
        #expect(await pool.counts == (1, 1))
    }

    @Test func brokenAndOldOnesAreReplaced() async throws {
        let factory = Factory()
        let clock = ManualConnectorClock()
        let pool = factory.pool(1, clock: clock)
        await pool.giveBack(try await pool.borrow(within: .seconds(1)), isReusable: true)
        factory.state.withLock { _ = $0.broken.insert(1) }
        let second = try await pool.borrow(within: .seconds(1))
        #expect(second.resource == 2)
        await pool.giveBack(second, isReusable: true)
        clock.advance(by: .seconds(61))
        let third = try await pool.borrow(within: .seconds(1))
        #expect(third.resource == 3)
        clock.advance(by: .seconds(601))
        await pool.giveBack(third, isReusable: true)
        let fourth = try await pool.borrow(within: .seconds(1))
        #expect(fourth.resource == 4)
        await pool.giveBack(fourth, isReusable: false)
        #expect(factory.closed == [1, 2, 3, 4])
        #expect(await pool.counts == (0, 0))
    }

    @Test func whoWaitsIsServedInOrder() async throws {
        let factory = Factory()
        let pool = factory.pool(1, clock: SystemConnectorClock())
        let loan = try await pool.borrow(within: .seconds(1))
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                let before = number
                group.addTask {
                    let loan = try await pool.borrow(within: .seconds(20))
                    await order.append(number)
                    await pool.giveBack(loan, isReusable: number != 2)
                }
                while await pool.waiting <= before { await Task.yield() }
            }
            await pool.giveBack(loan, isReusable: true)
            try await group.waitForAll()
        }
        #expect(await order.numbers == [0, 1, 2, 3, 4])
        #expect(factory.closed == [1])
    }

    @Test func waitingEndsAtTheDeadlineAndWhenCancelled() async throws {
        let pool = Factory().pool(1, clock: SystemConnectorClock())
        let loan = try await pool.borrow(within: .seconds(1))
        await #expect(throws: ResourcePool<Int>.Refusal.exhausted) { try await pool.borrow(within: .milliseconds(10)) }
        let task = Task { try await pool.borrow(within: .seconds(60)) }
        while await pool.waiting == 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        await pool.giveBack(loan, isReusable: true)
        #expect(await pool.counts == (1, 1))
    }

    @Test func whatCannotBeMadeTakesNoPlace() async throws {
        let factory = Factory()
        let pool = factory.pool(1, clock: ManualConnectorClock())
        factory.state.withLock { $0.failures = 2 }
        for _ in 0..<2 {
            await #expect(throws: Factory.Failure.self) { try await pool.borrow(within: .seconds(1)) }
        }
        #expect(try await pool.borrow(within: .seconds(1)).resource == 1)
    }

    @Test func closedPoolRefusesAndCloses() async throws {
        let factory = Factory()
        let pool = factory.pool(1, clock: SystemConnectorClock())
        let loan = try await pool.borrow(within: .seconds(1))
        let task = Task { try await pool.borrow(within: .seconds(60)) }
        while await pool.waiting == 0 { await Task.yield() }
        await pool.close()
        await pool.close()
        await #expect(throws: ResourcePool<Int>.Refusal.closed) { _ = try await task.value }
        await #expect(throws: ResourcePool<Int>.Refusal.closed) { try await pool.borrow(within: .seconds(1)) }
        await pool.giveBack(loan, isReusable: true)
        #expect(factory.closed == [1])
    }
}
