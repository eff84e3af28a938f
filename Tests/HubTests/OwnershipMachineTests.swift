import ConnectorKit
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

@Suite struct OwnershipMachineTests {
    private let settings = LeaseMachine.Settings(lease: .seconds(30))

    @Test func asksAtOnceAndThenNowAndThen() {
        var machine = LeaseMachine(self.settings)
        #expect(machine.next(at: .seconds(5)) == .acquire)
        machine.refused(at: .seconds(5), unit: 0)
        #expect(machine.next(at: .seconds(5)) == .wait(.seconds(5)))
        #expect(machine.next(at: .seconds(10)) == .acquire)
        machine.refused(at: .seconds(10), unit: 0.5)
        #expect(machine.next(at: .seconds(10)) == .wait(.seconds(7.5)))
    }

    @Test func renewsAtAThirdOfTheLease() {
        var machine = LeaseMachine(self.settings)
        machine.acquired(askedAt: .seconds(100))
        #expect(machine.next(at: .seconds(101)) == .wait(.seconds(9)))
        #expect(machine.next(at: .seconds(110)) == .renew)
        machine.renewed(askedAt: .seconds(110))
        #expect(machine.next(at: .seconds(112)) == .wait(.seconds(8)))
        #expect(machine.loss == nil)
    }

    @Test func stopsBeforeALeaseEndsThatCannotBeRenewed() {
        var machine = LeaseMachine(self.settings)
        machine.acquired(askedAt: .zero)
        #expect(machine.next(at: .seconds(10)) == .renew)
        machine.renewalFailed(at: .seconds(12))
        #expect(machine.next(at: .seconds(12)) == .wait(.seconds(2.5)))
        #expect(machine.next(at: .seconds(15)) == .renew)
        machine.renewalFailed(at: .seconds(24.5))
        #expect(machine.next(at: .seconds(24.5)) == .wait(.seconds(0.5)))
        #expect(machine.next(at: .seconds(25)) == .stop(.expired))
        // For good, whatever a late answer says.
        machine.renewed(askedAt: .seconds(20))
        #expect(machine.next(at: .seconds(25)) == .stop(.expired))
    }

    @Test func stopsAfterALongPause() {
        var machine = LeaseMachine(self.settings)
        machine.acquired(askedAt: .zero)
        #expect(machine.next(at: .seconds(300)) == .stop(.expired))
    }

    @Test func stopsAtOnceWhenAnotherHasIt() {
        var machine = LeaseMachine(self.settings)
        machine.acquired(askedAt: .zero)
        machine.taken()
        #expect(machine.next(at: .seconds(1)) == .stop(.taken))
        machine.renewalFailed(at: .seconds(1))
        #expect(machine.loss == .taken)
    }

    // MARK: Several nodes

    /// A node that reads numbers and keeps how far it has read; its requests take time, and it may stand still.
    private struct Node {
        enum Request {
            case acquire(asked: Duration)
            case renew(asked: Duration)
            case save(UInt64)
        }

        let name: String
        /// By how much its wall clock is ahead, in milliseconds.
        let skew: Int64
        var machine: LeaseMachine
        var fence: Int64 = 0
        var position: UInt64 = 0
        var pausedUntil = Duration.zero
        /// How long it stands still at most, in milliseconds.
        var pauseMax: Int64
        /// The request that is under way, when it reaches the store, and when its answer arrives.
        var request: (what: Request, arrives: Duration, answers: Duration)?
        var answer: ((inout Node) -> Void)?

        func wall(_ now: Duration) -> Int64 {
            1_750_000_000_000 + self.skew + now.wholeMilliseconds
        }
    }

    private func bytes(_ number: UInt64) -> [UInt8] { Array(String(number).utf8) }
    private func number(_ bytes: [UInt8]?) -> UInt64 { UInt64(String(decoding: bytes ?? [], as: UTF8.self)) ?? 0 }

    /// Nodes with pauses, slow requests and clocks that differ: positions are kept by one owner after the other, and
    /// each goes on where the one before stopped.
    @Test(arguments: 1...60)
    func onlyTheLastOwnerMovesThePosition(_ seed: Int) throws {
        try self.simulate(seed: UInt64(seed), pauseMax: 300_000, skewMax: 60_000, oneReads: false)
    }

    /// Clocks that differ by less than the margin, and requests that are answered in time: no two nodes read at once.
    @Test(arguments: 1...30)
    func onlyOneNodeReads(_ seed: Int) throws {
        try self.simulate(seed: UInt64(seed) + 1_000, pauseMax: 90_000, skewMax: 2_400, oneReads: true)
    }

    private func simulate(seed: UInt64, pauseMax: Int64, skewMax: Int64, oneReads: Bool) throws {
        var random = SeededGenerator(seed: seed)
        let store = OwnersInMemory()
        var nodes = ["a", "b", "c"].prefix(Int.random(in: 2...3, using: &random)).map { name in
            Node(
                name: name, skew: Int64.random(in: -skewMax...skewMax, using: &random),
                machine: LeaseMachine(self.settings), pauseMax: pauseMax)
        }
        var now = Duration.zero
        var owners: [String] = []
        while now < .seconds(2_500) {
            now += .milliseconds(Int64.random(in: 1...700, using: &random))
            for index in nodes.indices {
                try self.step(&nodes[index], store, at: now, &random, &owners)
            }
            if oneReads {
                let readers = nodes.filter { node in
                    var machine = node.machine
                    if case .held = machine.state, case .stop = machine.next(at: now) { return false }
                    if case .held = machine.state { return true }
                    return false
                }
                #expect(readers.count <= 1, "seed \(seed) at \(now): \(readers.map(\.name)) read")
            }
        }
        let saves = store.state.withLock { $0.saves }
        // Every position once, in order, by fences that never fall.
        #expect(saves.map { self.number($0.memory) } == saves.indices.map { UInt64($0) + 1 }, "seed \(seed)")
        #expect(zip(saves, saves.dropFirst()).allSatisfy { $0.fence <= $1.fence }, "seed \(seed)")
        #expect(saves.count > 100, "seed \(seed): nothing was read")
        #expect(Set(owners).count > 1, "seed \(seed): nobody ever took over")
    }

    private func step(
        _ node: inout Node, _ store: OwnersInMemory, at now: Duration, _ random: inout SeededGenerator,
        _ owners: inout [String]
    ) throws {
        // What is under way reaches the store also when its sender stands still.
        if let request = node.request, node.answer == nil, now >= request.arrives {
            node.answer = try self.perform(request.what, for: node, store, at: now, &owners)
        }
        guard now >= node.pausedUntil else { return }
        if let request = node.request {
            guard let answer = node.answer, now >= request.answers else { return }
            node.request = nil
            node.answer = nil
            answer(&node)
            return
        }
        if Int.random(in: 0..<150, using: &random) == 0 {
            node.pausedUntil = now + .milliseconds(Int64.random(in: 0...node.pauseMax, using: &random))
            return
        }
        let isRead = Bool.random(using: &random)
        let what: Node.Request
        switch node.machine.next(at: now) {
        case .acquire: what = .acquire(asked: now)
        case .renew: what = .renew(asked: now)
        case .stop:
            node.machine = LeaseMachine(self.settings)
            return
        case .wait:
            guard case .held = node.machine.state, isRead else { return }
            what = .save(node.position + 1)
        }
        let arrives = now + .milliseconds(Int64.random(in: 0...2_000, using: &random))
        node.request = (what, arrives, arrives + .milliseconds(Int64.random(in: 0...2_000, using: &random)))
    }

    private func perform(
        _ request: Node.Request, for node: Node, _ store: OwnersInMemory, at now: Duration, _ owners: inout [String]
    ) throws -> (inout Node) -> Void {
        let lease = self.settings.lease.wholeMilliseconds
        switch request {
        case .acquire(let asked):
            let wall = node.wall(asked)
            guard let fence = try store.acquire("s", owner: node.name, until: wall + lease, now: wall) else {
                return { $0.machine.refused(at: now, unit: 0.3) }
            }
            owners.append(node.name)
            let position = self.number(try store.load("s"))
            return { node in
                node.machine.acquired(askedAt: asked)
                node.fence = fence
                node.position = position
            }
        case .renew(let asked):
            let wall = node.wall(asked)
            let isHeld = try store.renew("s", owner: node.name, fence: node.fence, until: wall + lease)
            return { isHeld ? $0.machine.renewed(askedAt: asked) : $0.machine.taken() }
        case .save(let position):
            let isKept = try store.save("s", fence: node.fence, memory: self.bytes(position))
            return { node in
                if isKept { node.position = position } else { node.machine.taken() }
            }
        }
    }
}
