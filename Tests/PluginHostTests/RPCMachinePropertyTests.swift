import Testing
import Values

@testable import PluginHost

/// Random schedules of everything that can happen, against what must hold always.
@Suite struct RPCMachinePropertyTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var word = self.state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    /// A world in which at most one process lives, and everything is written down.
    private struct World {
        enum Process { case none, asked, running }

        var machine: RPCMachine
        var now: Duration = .zero
        var process = Process.none
        var endedAt: Duration?
        /// Requests the process was sent and has not answered, and those of calls.
        var unanswered: [Int64] = []
        var sentCalls: Set<UInt64> = []
        var open: [UInt64: Duration?] = [:]
        var isStopped = false
        var isReady = false
        var failures: [String] = []

        mutating func apply(_ actions: [RPCMachine.Action]) {
            if self.isStopped, !actions.isEmpty,
                actions.contains(where: { if case .complete = $0 { false } else { true } })
            {
                self.failures.append("after the end: \(actions)")
            }
            for action in actions {
                switch action {
                case .spawn:
                    if self.process != .none { self.failures.append("a second process") }
                    if let ended = self.endedAt, self.now - ended < .milliseconds(100) {
                        self.failures.append("a start without a pause")
                    }
                    self.process = .asked
                case .send(let frame):
                    if self.process != .running { self.failures.append("sent to nobody") }
                    guard case .request(let id, let method, _)? = try? RPCMessage(frame[...]) else { continue }
                    if method == "go" {
                        if !self.isReady { self.failures.append("a call before the handshake") }
                        self.sentCalls.insert(UInt64(id.asInt64 ?? 0))
                    }
                    self.unanswered.append(id.asInt64 ?? 0)
                case .complete(let id, let result):
                    guard self.open.removeValue(forKey: id) != nil else {
                        self.failures.append("\(id) was completed twice")
                        continue
                    }
                    switch result {
                    case .failure(.lost(_, let executed, _)), .failure(.timedOut(let executed)),
                        .failure(.cancelled(let executed)):
                        if executed != self.sentCalls.contains(id) {
                            self.failures.append("\(id): executed \(executed)")
                        }
                    case .failure(.closed), .failure(.overloaded), .failure(.unusable), .failure(.handshake),
                        .failure(.tooLarge):
                        if self.sentCalls.contains(id) { self.failures.append("\(id) was sent") }
                    case .success, .failure(.refused): break
                    }
                case .stopped: self.isStopped = true
                case .closeInput, .terminate, .kill, .request, .notification, .log: break
                }
            }
        }

        mutating func end(_ random: inout Random) {
            guard self.process != .none else { return }
            let failed = self.process == .asked
            self.process = .none
            self.isReady = false
            self.unanswered = []
            if !self.isStopped { self.endedAt = self.now }
            self.apply(
                failed ? self.machine.spawnFailed("f", at: self.now) : self.machine.exited("e", at: self.now))
        }

        mutating func receive(_ line: String) {
            self.apply(self.machine.received(Array(line.utf8)[...], at: self.now))
        }

        mutating func step(_ random: inout Random) {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<25:
                let id = self.machine.reserveID()
                let deadline: Duration? =
                    Bool.random(using: &random)
                    ? self.now + .milliseconds(Int.random(in: 0..<3_000, using: &random)) : nil
                self.open[id] = .some(deadline)
                let isWait = Int.random(in: 0..<8, using: &random) == 0
                self.apply(self.machine.call(id, isWait ? nil : "go", [:], deadline: deadline, at: self.now))
            case 25..<33:
                if let id = self.open.keys.randomElement(using: &random) { self.apply(self.machine.cancel(id)) }
            case 33..<43:
                if self.process == .asked {
                    self.process = .running
                    self.apply(self.machine.spawned(at: self.now))
                }
            case 43..<73:
                guard self.process == .running, !self.unanswered.isEmpty else { break }
                let id = self.unanswered.remove(at: Int.random(in: 0..<self.unanswered.count, using: &random))
                // Ready is what the answer to the handshake makes it; the calls that waited are sent with it.
                self.isReady = true
                if Int.random(in: 0..<20, using: &random) == 0 {
                    self.receive("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"error\":{\"code\":-1,\"message\":\"m\"}}")
                } else {
                    self.receive("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":{}}")
                }
            case 73..<77:
                if self.process == .running { self.receive("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}") }
            case 77..<79:
                if self.process == .running { self.receive("garbage") }
            case 79: if self.process == .running { self.apply(self.machine.receivedOversized()) }
            case 80..<84: self.end(&random)
            default:
                self.now += .milliseconds(Int.random(in: 0..<1_500, using: &random))
                self.apply(self.machine.tick(at: self.now))
                for (id, deadline) in self.open {
                    if let deadline, deadline <= self.now { self.failures.append("\(id) outlived its deadline") }
                }
                if let next = self.machine.nextDeadline, next <= self.now { self.failures.append("a deadline is past") }
            }
        }
    }

    @Test func whateverHappensEveryCallEndsOnceAndTruly() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var limits = RPCLimits()
        limits.backoffBase = .milliseconds(100)
        limits.callsMax = 20
        limits.abandonedMax = 5
        limits.violationsMax = 3
        let dialect = RPCDialect(
            handshake: [.request(method: "hello", params: [:]) { _ in nil }], cancelMethod: "cancel",
            cancelField: "id", closeMethod: "close")
        for schedule in 0..<1_000 {
            var random = Random(state: seed &+ UInt64(schedule))
            var world = World(machine: RPCMachine(dialect: dialect, limits: limits))
            for _ in 0..<120 { world.step(&random) }
            world.apply(world.machine.close(at: world.now))
            if Bool.random(using: &random) { world.end(&random) }
            for _ in 0..<10 {
                world.now += .seconds(5)
                world.apply(world.machine.tick(at: world.now))
            }
            if !world.open.isEmpty { world.failures.append("calls \(world.open.keys.sorted()) never ended") }
            if !world.isStopped { world.failures.append("it did not stop") }
            #expect(world.failures == [], "seed \(seed), schedule \(schedule)")
            if !world.failures.isEmpty { break }
        }
    }
}
