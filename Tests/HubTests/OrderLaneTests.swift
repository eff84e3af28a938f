import ConnectorKit
import Resilience
import Testing

@testable import Hub

/// Events of one ordering key are worked on in the order in which they came.
@Suite struct OrderLaneTests {
    private static func machine(concurrencyMax: Int, perKeyMax: Int) -> IntakeMachine {
        var retry = RetryPolicy()
        retry.maximumAttempts = 1_000
        return IntakeMachine(
            IntakeMachine.Settings(
                concurrencyMax: concurrencyMax, perKeyMax: perKeyMax, windowMax: 200, retry: retry,
                retryElapsedMax: .seconds(1_000_000), idleWait: .seconds(1)))
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func randomSchedulesKeepTheOrderOfEachKey(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let perKey = Int.random(in: 1...3, using: &random)
        var machine = Self.machine(concurrencyMax: Int.random(in: 1...8, using: &random), perKeyMax: perKey)
        var keys: [IntakeMachine.RecordID: String?] = [:]
        var arrived: [String: [IntakeMachine.RecordID]] = [:]
        var begun: [String: [IntakeMachine.RecordID]] = [:]
        var active: [IntakeMachine.RecordID] = []
        var seen: Set<IntakeMachine.RecordID> = []
        var acknowledged = 0
        var (now, batch, accounted) = (Duration.zero, UInt64(0), 0)
        for _ in 0..<4_000 {
            now += .milliseconds(Int.random(in: 0...20, using: &random))
            // Something under way may end at any moment.
            if !active.isEmpty, Int.random(in: 0..<3, using: &random) == 0 {
                let record = active.remove(at: Int.random(in: 0..<active.count, using: &random))
                if Int.random(in: 0..<4, using: &random) == 0 {
                    machine.failed(record, .transient("no"), at: now, unit: 0.5)
                    if let key = keys[record] ?? nil { begun[key]?.removeAll { $0 == record } }
                    seen.remove(record)
                } else {
                    machine.accounted(record)
                    accounted += 1
                }
            }
            switch machine.next(at: now) {
            case .acknowledge: acknowledged += 1
            case .process(let record):
                #expect(seen.insert(record).inserted, "seed \(seed): \(record) is under way twice")
                active.append(record)
                guard let key = keys[record] ?? nil else { continue }
                let sameKey = active.filter { (keys[$0] ?? nil) == key }
                #expect(sameKey.count <= perKey, "seed \(seed): \(sameKey.count) of \(key) at once")
                begun[key, default: []].append(record)
            case .read(let maximum, _) where batch < 20:
                batch += 1
                let count = Int.random(in: 1...min(maximum, 12), using: &random)
                let id = EventBatch.ID(rawValue: batch)
                let drawn = (0..<count).map { _ in ["a", "b", "c", nil].randomElement(using: &random) ?? nil }
                for (index, key) in drawn.enumerated() {
                    let record = IntakeMachine.RecordID(batch: id, index: index)
                    keys[record] = key
                    if let key { arrived[key, default: []].append(record) }
                }
                machine.received(id, count: count, orderedBy: drawn)
            case .read: machine.received(nil, count: 0)
            case .wait(let duration): now += duration
            case .awaitRecord, .finish: break
            }
            if batch == 20, accounted == keys.count { break }
        }
        #expect(accounted == keys.count, "seed \(seed): \(keys.count - accounted) records were never worked on")
        while case .acknowledge = machine.next(at: now) { acknowledged += 1 }
        #expect(acknowledged == 20, "seed \(seed)")
        if perKey == 1 { #expect(begun == arrived, "seed \(seed)") }
    }
}
