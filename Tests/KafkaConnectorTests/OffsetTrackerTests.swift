import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Offsets are committed contiguously")
struct OffsetTrackerTests {
    @Test func thePositionStopsBeforeASpanThatIsOut() {
        var tracker = OffsetTracker()
        let first = tracker.deliver(through: 9)
        let second = tracker.deliver(through: 19)
        let third = tracker.deliver(through: 29)
        #expect(tracker.position == nil)
        do {
            let isNews = tracker.finish(third)
            #expect(!isNews)
        }
        #expect(tracker.position == nil && !tracker.isDirty)
        do {
            let isNews = tracker.finish(first)
            #expect(isNews)
        }
        #expect(tracker.position == 10 && tracker.isDirty)
        do {
            let isNews = tracker.finish(first)
            #expect(!isNews)
        }
        do {
            let isNews = tracker.finish(second)
            #expect(isNews)
        }
        #expect(tracker.position == 30)
        tracker.commit(30)
        #expect(!tracker.isDirty)
        #expect(tracker.spanCount == 0)
    }

    /// Random deliveries and acknowledgements against a model that remembers every offset.
    @Test func randomSchedulesNeverPassAGap() {
        for round in 0..<2_000 {
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = SeededRandom(seed: seed)
            var tracker = OffsetTracker()
            var out: [(span: OffsetTracker.Span, offsets: [Int64])] = []
            var delivered: [Int64] = []
            var done: Set<Int64> = []
            var next: Int64 = Int64.random(in: 0...100, using: &random)
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                if out.isEmpty || Bool.random(using: &random) {
                    // Compaction and transaction markers leave holes.
                    let offsets = (0..<Int.random(in: 1...5, using: &random)).map { _ -> Int64 in
                        next += Int64.random(in: 1...3, using: &random)
                        return next
                    }
                    delivered += offsets
                    out.append((tracker.deliver(through: offsets[offsets.count - 1]), offsets))
                } else {
                    let item = out.remove(at: Int.random(in: 0..<out.count, using: &random))
                    tracker.finish(item.span)
                    done.formUnion(item.offsets)
                    if Bool.random(using: &random) { tracker.finish(item.span) }
                }
                let prefix = delivered.prefix { done.contains($0) }
                let expected = prefix.last.map { $0 + 1 }
                #expect(tracker.position == expected, "round \(round), seed \(seed)")
                if Bool.random(using: &random), let position = tracker.position { tracker.commit(position) }
            }
            guard tracker.position == delivered.prefix(while: { done.contains($0) }).last.map({ $0 + 1 }) else {
                return
            }
        }
    }
}

@Suite("A consumer that gets nothing")
struct StallWatchTests {
    @Test func isStuckWhenRecordsArriveAtTheBrokersOnly() {
        var watch = StallWatch()
        let looks = [
            (ends: [Int64(1): Int64(10)], hasFetched: false, isStuck: false),
            (ends: [1: 12], hasFetched: false, isStuck: false),
            (ends: [1: 12], hasFetched: false, isStuck: false),
            (ends: [1: 13], hasFetched: false, isStuck: false),
            (ends: [:], hasFetched: true, isStuck: false),
            (ends: [1: 20], hasFetched: false, isStuck: false),
            (ends: [1: 21], hasFetched: false, isStuck: false),
            (ends: [2: 30], hasFetched: false, isStuck: false),
            (ends: [2: 31], hasFetched: false, isStuck: false),
            (ends: [2: 32], hasFetched: false, isStuck: true),
        ]
        for (number, look) in looks.enumerated() {
            let isStuck = watch.observe(ends: look.ends, hasFetched: look.hasFetched)
            #expect(isStuck == look.isStuck, "look \(number)")
        }
    }
}

@Suite("The ledger of a consumer")
struct RecordLedgerTests {
    private static func chunk(_ partition: AssignedPartition, _ offsets: ClosedRange<Int64>) -> RecordChunk {
        var chunk = RecordChunk()
        for offset in offsets {
            chunk.events.append(
                SourceEvent(
                    id: "\(partition.idPrefix)\(offset)", payload: [1, 2], contentType: "text/plain",
                    coordinates: [
                        "generation": .number(Number(partition.generation)), "offset": .number(Number(offset)),
                    ]))
            chunk.offsets.append(offset)
            chunk.byteCount += 2
        }
        chunk.runs = [
            RecordChunk.Run(generation: partition.generation, count: offsets.count, last: offsets.upperBound)
        ]
        return chunk
    }

    private static func batch(_ ledger: inout RecordLedger, _ maximum: Int, at now: Duration = .zero) -> EventBatch? {
        if case .batch(let batch) = ledger.next(maximum, at: now) { return batch }
        return nil
    }

    @Test func acknowledgementsOfARevokedAssignmentDoNotCount() throws {
        var ledger = RecordLedger(firstBatch: 1, outMaximum: 100)
        let first = ledger.assign(topic: "t", partition: 0)
        ledger.add(Self.chunk(first, 0...4))
        let batchBatch = Self.batch(&ledger, 10)
        let batch = try #require(batchBatch)
        ledger.revoke([first.generation])
        let second = ledger.assign(topic: "t", partition: 0)
        ledger.add(Self.chunk(second, 0...4))
        do {
            let isNews = ledger.acknowledge(batch.id)
            #expect(!isNews)
        }
        #expect(ledger.commits().isEmpty)
        let againBatch = Self.batch(&ledger, 10)
        let again = try #require(againBatch)
        #expect(again.events.map(\.id) == batch.events.map(\.id))
        do {
            let isNews = ledger.acknowledge(again.id)
            #expect(isNews)
        }
        #expect(ledger.commits().map(\.offset) == [5])
    }

    @Test func revocationForgetsOnlyItsOwnRecords() throws {
        var ledger = RecordLedger(firstBatch: 1, outMaximum: 100)
        let first = ledger.assign(topic: "t", partition: 0)
        let second = ledger.assign(topic: "t", partition: 1)
        var chunk = Self.chunk(first, 0...2)
        let other = Self.chunk(second, 7...8)
        chunk.events += other.events
        chunk.offsets += other.offsets
        chunk.runs += other.runs
        chunk.byteCount += other.byteCount
        ledger.add(chunk)
        let batchBatch = Self.batch(&ledger, 4)
        let batch = try #require(batchBatch)
        #expect(batch.events.count == 4)
        ledger.redeliver(batch.id, notBefore: .seconds(5))
        ledger.revoke([first.generation])
        #expect(ledger.readyCount == 1 && ledger.outCount == 1)
        let rest = Self.batch(&ledger, 10)
        #expect(rest?.events.map(\.id) == ["t/1/8"])
        let early = Self.batch(&ledger, 10, at: .seconds(4))
        #expect(early == nil)
        let lateBatch = Self.batch(&ledger, 10, at: .seconds(5))
        let late = try #require(lateBatch)
        #expect(late.events.map(\.id) == ["t/1/7"])
        #expect(ledger.commits().isEmpty)
        do {
            let isNews = ledger.acknowledge(late.id)
            #expect(isNews)
        }
        #expect(ledger.commits().map(\.offset) == [8])
    }

    @Test func noMoreIsHandedOutThanMayBeOut() throws {
        var ledger = RecordLedger(firstBatch: 1, outMaximum: 3)
        let partition = ledger.assign(topic: "t", partition: 0)
        ledger.add(Self.chunk(partition, 0...9))
        let batchBatch = Self.batch(&ledger, 10)
        let batch = try #require(batchBatch)
        #expect(batch.events.count == 3)
        guard case .full = ledger.next(10, at: .zero) else {
            Issue.record("More was handed out.")
            return
        }
        do {
            let isNews = ledger.acknowledge(batch.id)
            #expect(isNews)
        }
        let more = Self.batch(&ledger, 2)
        #expect(more?.events.map(\.id) == ["t/0/3", "t/0/4"])
        #expect(ledger.readyCount == 5 && ledger.readyBytes == 10)
    }

    /// Random batches, rejections and rebalances: what may be committed is what a model of every offset says.
    @Test func randomSchedulesCommitWhatIsDone() {
        for _ in 0..<500 {
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = SeededRandom(seed: seed)
            var ledger = RecordLedger(firstBatch: 1, outMaximum: 40)
            var current: [Int32: AssignedPartition] = [:]
            var fetched: [Int64: Int64] = [:]
            var delivered: [Int64: Set<Int64>] = [:]
            var done: [Int64: Set<Int64>] = [:]
            var out: [EventBatch] = []
            var now = Duration.zero
            for _ in 0..<80 {
                now += .seconds(1)
                let partition = Int32.random(in: 0...2, using: &random)
                switch Int.random(in: 0...9, using: &random) {
                case 0:
                    if let old = current.removeValue(forKey: partition) {
                        ledger.revoke([old.generation])
                    } else {
                        current[partition] = ledger.assign(topic: "t", partition: partition)
                    }
                case 1...3:
                    guard let assigned = current[partition] else { continue }
                    let start = fetched[assigned.generation] ?? 0
                    let end = start + Int64.random(in: 0...5, using: &random)
                    ledger.add(Self.chunk(assigned, start...end))
                    fetched[assigned.generation] = end + 1
                case 4...6:
                    guard let batch = Self.batch(&ledger, Int.random(in: 1...7, using: &random), at: now) else {
                        continue
                    }
                    out.append(batch)
                case 7:
                    guard !out.isEmpty else { continue }
                    let batch = out.remove(at: Int.random(in: 0..<out.count, using: &random))
                    ledger.redeliver(batch.id, notBefore: now + .seconds(Int.random(in: 0...5, using: &random)))
                default:
                    guard !out.isEmpty else { continue }
                    let batch = out.remove(at: Int.random(in: 0..<out.count, using: &random))
                    _ = ledger.acknowledge(batch.id)
                    for event in batch.events {
                        guard let (generation, offset) = Self.place(event) else { continue }
                        done[generation, default: []].insert(offset)
                    }
                }
                for batch in out {
                    for event in batch.events {
                        guard let (generation, offset) = Self.place(event) else { continue }
                        delivered[generation, default: []].insert(offset)
                    }
                }
                for commit in ledger.commits() {
                    let expected = (delivered[commit.generation] ?? []).sorted()
                        .prefix { done[commit.generation]?.contains($0) ?? false }.last
                    #expect(expected.map { $0 + 1 } == commit.offset, "seed \(seed)")
                    #expect(current[commit.partition]?.generation == commit.generation, "seed \(seed)")
                }
            }
        }
    }

    /// Generation and offset, from an event of `chunk`.
    private static func place(_ event: SourceEvent) -> (Int64, Int64)? {
        guard let generation = event.coordinates["generation"]?.asInt64,
            let offset = event.coordinates["offset"]?.asInt64
        else { return nil }
        return (generation, offset)
    }
}
