import Testing

@testable import Engine

@Suite("Job queues and deadlines")
struct QueueTests {
    @Test("a queue gives by priority, then in order, and forgets what it gave", arguments: [1, 2_026])
    func order(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queues = JobQueues()
        let type = queues.number(of: "work")
        var model: [(priority: Int32, key: UInt64)] = []
        var next: UInt64 = 1
        for _ in 0..<2_000 {
            if random.chance(model.count < 100 ? 60 : 40) {
                let priority = Int32(random.below(3)) - 1
                queues.push(next, type: type, priority: priority)
                model.append((priority, next))
                next += 1
            } else {
                let best = model.indices.max { left, right in
                    (model[left].priority, model[right].key) < (model[right].priority, model[left].key)
                }
                #expect(queues.pop(type: type) == best.map { model[$0].key })
                if let best { model.remove(at: best) }
            }
            #expect(queues.counts[Int(type)] == model.count)
        }
        #expect(queues.existingNumber(of: "work") == type && queues.existingNumber(of: "other") == nil)
        #expect(queues.number(of: "work") == type && queues.number(of: "other") != type)
    }

    @Test("a long queue is given out from its head and refilled", arguments: [1_500, 5_000])
    func long(count: Int) {
        var queues = JobQueues()
        let type = queues.number(of: "work")
        for round in 0..<2 {
            for key in 0..<count { queues.push(UInt64(round * count + key), type: type, priority: 0) }
            for key in 0..<count { #expect(queues.pop(type: type) == UInt64(round * count + key)) }
            #expect(queues.pop(type: type) == nil)
        }
    }

    @Test("a heap gives the earliest first", arguments: [1, 2_026])
    func heap(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var heap = MinHeap<Int>()
        var model: [Int] = []
        for _ in 0..<2_000 {
            if random.chance(55) {
                let value = random.below(500)
                heap.insert(value)
                model.append(value)
            } else {
                #expect(heap.popFirst() == model.min())
                if let least = model.min(), let position = model.firstIndex(of: least) { model.remove(at: position) }
            }
            #expect(heap.first == model.min())
        }
    }
}
