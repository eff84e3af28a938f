/// The jobs of a partition that may be taken: per type, by priority, then oldest first.
///
/// An index derived from the instances; not stored. A job stands in it at most once (`KeyOwner.isQueued`). Entries go
/// stale when a job ends or changes phase: who pops one asks whether it still stands.
struct JobQueues {
    private struct Lane {
        let priority: Int32
        var keys: [UInt64] = []
        var head = 0

        mutating func pop() -> UInt64? {
            guard head < keys.count else { return nil }
            let key = keys[head]
            head += 1
            if head > 1024, head * 2 > keys.count {
                keys.removeFirst(head)
                head = 0
            } else if head == keys.count {
                keys.removeAll(keepingCapacity: true)
                head = 0
            }
            return key
        }
    }

    /// The lanes of one type, highest priority first.
    private struct Queue {
        var lanes: [Lane] = []
    }

    private var queues: [Queue] = []
    private(set) var names: [String] = []
    private var numbers: [String: Int32] = [:]
    /// Entries per type, stale ones included: an upper bound for what `take` can find.
    private(set) var counts: [Int] = []

    /// The number of a job type, given out on first use.
    mutating func number(of type: String) -> Int32 {
        if let number = numbers[type] { return number }
        let number = Int32(queues.count)
        numbers[type] = number
        names.append(type)
        queues.append(Queue())
        counts.append(0)
        return number
    }

    /// The number of a job type, when it was ever used.
    func existingNumber(of type: String) -> Int32? { numbers[type] }

    mutating func push(_ key: UInt64, type: Int32, priority: Int32) {
        let type = Int(type)
        counts[type] += 1
        var position = 0
        while position < queues[type].lanes.count {
            let lane = queues[type].lanes[position].priority
            if lane == priority {
                queues[type].lanes[position].keys.append(key)
                return
            }
            if lane < priority { break }
            position += 1
        }
        queues[type].lanes.insert(Lane(priority: priority, keys: [key]), at: position)
    }

    /// The next entry of a type; nil when there is none.
    mutating func pop(type: Int32) -> UInt64? {
        let type = Int(type)
        for lane in queues[type].lanes.indices {
            if let key = queues[type].lanes[lane].pop() {
                counts[type] -= 1
                return key
            }
        }
        return nil
    }
}
