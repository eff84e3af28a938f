import ProcessModel
import Testing
import Values

@testable import Engine

/// Random events, jobs, cancellations, restarts and times against `CorrelationModel`, and against what must hold
/// whatever travels when.
@Suite("Correlation, random")
struct CorrelationModelTests {
    private static let keys = ["k1", "k2", "k3"]
    private static let processes = ["p", "w", "m", "q"]
    private static let seeds = 0..<setting("JUNCTION_CORRELATION_RUNS", default: 16)

    private func noMatch(_ random: inout SplitMix64) -> NewCorrelation.NoMatch {
        switch random.below(10) {
        case 0..<6: .start(random.pick(Self.processes), buffer: random.pick([20_000, 3_600_000]))
        case 6..<8: .buffer(milliseconds: random.pick([0, 15_000]))
        case 8: .refuse
        default: .ignore
        }
    }

    /// What an instance is, in the model's words.
    private func seen(_ instance: ProcessInstance, _ harness: EngineHarness) -> CorrelationModel.Instance {
        func member(_ name: String) -> String? {
            let text = harness.variables(instance.key)
            guard let document = try? document(text) else { return nil }
            return document.members.first { $0.name == name }.map { String(decoding: $0.value.json, as: UTF8.self) }
        }
        return CorrelationModel.Instance(
            process: instance.process.id, waits: !instance.subscriptions.isEmpty,
            event: member("e").flatMap { Int($0) } ?? 0,
            key: member("key").map { String($0.dropFirst().dropLast()) } ?? "")
    }

    @Test("when nothing travels, everything is as the model says", arguments: seeds)
    func model(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let harness = EngineHarness(partitions: [1, 2, 5][seed % 3])
        harness.report = { Issue.record("seed \(seed): \($0)") }
        try CorrelationModels.deploy(to: harness)
        var model = CorrelationModel(now: harness.now)
        /// The model's numbers of the instances.
        var numbers: [UInt64: Int] = [:]
        for step in 0..<150 {
            let key = random.pick(Self.keys)
            var what = ""
            // After a restart, who has waited longest is known to the millisecond.
            harness.advance(milliseconds: 1)
            model.advance(1)
            switch random.below(20) {
            case 0..<9:
                let noMatch = self.noMatch(&random)
                let many = random.pick([.refuse, .all, .first] as [NewCorrelation.ManyMatches])
                let unique = random.chance(50) ? "u\(random.below(10))" : nil
                what = "correlate \(key) \(noMatch) \(many) \(unique ?? "")"
                let reply = try harness.correlate(
                    key, "{\"key\":\"\(key)\",\"e\":\(step)}", noMatch, unique: unique, many: many)
                let expected = model.correlate(key, event: step, noMatch, many, unique: unique)
                switch reply {
                case .correlation(.decided(let effect, _, let existed)):
                    #expect(
                        effect == expected.effect && existed == expected.known, "seed \(seed) step \(step): \(what)")
                default: #expect(expected.effect == nil, "seed \(seed) step \(step): \(what) is \(reply)")
                }
            case 9..<12:
                let process = random.pick(["p", "w"])
                what = "start \(process) \(key)"
                try harness.start(
                    process, "{\"key\":\"\(key)\",\"e\":\(-step)}", in: random.below(harness.partitions.count))
                model.start(process, key, event: -step)
            case 12..<16:
                guard let job = harness.jobs.isEmpty ? nil : random.pick(harness.jobs),
                    let instance = harness.instances.first(where: { $0.key == job.instance })
                else { continue }
                what = "complete \(job.element) of \(seen(instance, harness))"
                harness.send(.completeJob(key: job.key, variables: .empty), forKey: job.key)
                model.complete(try #require(numbers[instance.key]))
            case 16:
                guard let instance = harness.instances.isEmpty ? nil : random.pick(harness.instances) else { continue }
                what = "cancel \(seen(instance, harness))"
                harness.send(.cancelInstance(key: instance.key), forKey: instance.key)
                model.cancel(try #require(numbers[instance.key]))
            case 17..<19:
                let time = Int64(random.pick([1_000, 9_000, 20_000]))
                what = "wait \(time)"
                harness.advance(milliseconds: time)
                model.advance(time)
            default:
                what = "restart"
                harness.restart()
            }
            // Instances that began with this step differ in their event.
            let live = Dictionary(uniqueKeysWithValues: harness.instances.map { ($0.key, seen($0, harness)) })
            for (instance, look) in live where numbers[instance] == nil {
                numbers[instance] = model.instances.first { !numbers.values.contains($0.key) && $0.value == look }?.key
            }
            let same =
                live.count == model.instances.count
                && live.allSatisfy { instance, look in numbers[instance].flatMap { model.instances[$0] } == look }
            let locks = harness.partitions.reduce(0) { $0 + $1.engine.state.startLocks.sorted.count }
            guard same, harness.messageCount == model.bufferedCount, locks == model.lockCount else {
                Issue.record(
                    """
                    seed \(seed) step \(step), \(what):
                    \(live.values), \(harness.messageCount) messages, \(locks) locks, but expected
                    \(model.instances.values), \(model.bufferedCount), \(model.lockCount)
                    """)
                return
            }
        }
    }

    @Test("whatever travels when, each event is taken once or starts one instance, and locks hold", arguments: seeds)
    func invariants(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) ^ 0xC0)
        let harness = EngineHarness(partitions: 4)
        harness.report = { Issue.record("seed \(seed): \($0)") }
        harness.recordsEvents = true
        harness.holdsMessages = true
        try CorrelationModels.deploy(to: harness)
        harness.deliver()
        /// Events that were accepted, and what they were accepted as.
        var accepted: [(effect: EventEffect, key: UInt64, isForAll: Bool)] = []
        for step in 0..<250 {
            let key = random.pick(Self.keys)
            switch random.below(24) {
            case 0..<8:
                let many = random.pick([.all, .first] as [NewCorrelation.ManyMatches])
                let reply = try harness.correlate(
                    key, "{\"key\":\"\(key)\",\"e\":\(step)}", self.noMatch(&random),
                    unique: random.chance(50) ? "u\(random.below(40))" : nil, many: many)
                if case .correlation(.decided(let effect, let made, false)) = reply {
                    accepted.append((effect, made, many == .all))
                }
            case 8..<10:
                try harness.start(
                    random.pick(["p", "w"]), "{\"key\":\"\(key)\"}", in: random.below(harness.partitions.count))
            case 10..<13:
                guard let job = harness.jobs.isEmpty ? nil : random.pick(harness.jobs) else { continue }
                harness.send(.completeJob(key: job.key, variables: .empty), forKey: job.key)
            case 13..<15:
                guard let instance = harness.instances.isEmpty ? nil : random.pick(harness.instances) else { continue }
                harness.send(.cancelInstance(key: instance.key), forKey: instance.key)
            case 15: harness.advance(milliseconds: Int64(random.pick([1_000, 20_000])))
            case 16: harness.checkpoint(random.below(harness.partitions.count))
            case 17: harness.crash(random.below(harness.partitions.count))
            default: harness.deliverOne(to: random.below(harness.partitions.count))
            }
            checkLocks(harness, "seed \(seed) step \(step)")
        }
        harness.holdsMessages = false
        harness.deliver()
        harness.checkSubscriptions()
        var taken: [UInt64: Int] = [:]
        var started: [UInt64: Int] = [:]
        var created: Set<UInt64> = []
        for event in harness.events {
            switch event {
            case .subscriptionCorrelated(_, let message, _): taken[message, default: 0] += 1
            case .messageStartedInstance(let message, _, _): started[message, default: 0] += 1
            case .instanceCreated(let instance): created.insert(instance.key)
            default: continue
            }
        }
        let waiting = Set(harness.partitions.flatMap { $0.engine.state.messages.keys })
        harness.advance(seconds: 3_600)
        #expect(harness.messageCount == 0, "seed \(seed)")
        for event in accepted {
            let times = (taken[event.key] ?? 0) + (started[event.key] ?? 0)
            switch event.effect {
            case .started: #expect(created.contains(event.key), "seed \(seed)")
            case .correlated where event.isForAll: #expect((started[event.key] ?? 0) <= 1, "seed \(seed)")
            case .correlated, .buffered: #expect(times <= 1, "seed \(seed): event \(event.key) \(times) times")
            default: #expect(event.key == 0, "seed \(seed)")
            }
            if waiting.contains(event.key) { #expect(times == 0, "seed \(seed): it was over") }
        }
    }

    /// No two instances that events started live for one process and correlation key.
    private func checkLocks(_ harness: EngineHarness, _ when: String) {
        for partition in harness.partitions {
            let locks = partition.engine.state.startLocks.sorted
            #expect(Set(locks.map(\.name)).count == locks.count, "\(when)")
            for lock in locks { #expect(partition.engine.instance(lock.instance) != nil, "\(when)") }
        }
    }
}
