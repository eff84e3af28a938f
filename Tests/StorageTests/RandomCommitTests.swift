import Storage
import StorageTestSupport
import Testing
import Values

/// Random commits, refusals, trims and restarts: the SQLite store and the in-memory store must always agree.
@Suite struct RandomCommitTests {
    static let partitionCount = 5

    @Test(arguments: UInt64(1)...16)
    func bothStoresAgree(seed: UInt64) throws {
        let fixture = try StoreFixture(
            partitionCount: Self.partitionCount, database: SQLiteOptions(pageBytes: 1_024, walBytes: 64 << 10))
        var run = RandomRun(
            generator: SeededGenerator(seed: seed), fixture: fixture,
            model: try InMemoryJournalStore(disk: InMemoryDisk(partitionCount: Self.partitionCount)))
        try run.acquire()
        for step in 0..<100 {
            try run.step()
            if step % 20 == 0 { try run.compare("seed \(seed), step \(step)") }
        }
        try run.compare("seed \(seed), the end")
        #expect(try fixture.store.verifyChains().allSatisfy { $0.failure == nil }, "seed \(seed)")
    }
}

private struct RandomRun {
    var generator: SeededGenerator
    let fixture: StoreFixture
    var model: InMemoryJournalStore
    var heads: [PartitionHead] = []

    mutating func acquire() throws {
        self.heads = try self.model.acquire()
        self.fixture.heads = try self.fixture.store.acquire()
    }

    mutating func step() throws {
        switch Int.random(in: 0..<20, using: &self.generator) {
        case 0:
            try self.fixture.reopen()
            self.model = try self.model.survivingCrash()
            try self.acquire()
        case 1...2:
            let partition = self.partition()
            let sequence = UInt64.random(in: 0...self.heads[partition].sequence, using: &self.generator)
            try self.both { store in try store.trim(partition: partition, upTo: sequence) }
        case 3:
            let bytes = self.generator.bytes(40_000)
            try self.both { store in try store.storeBlobs([Blob(hash: ContentHash.sha256(bytes), bytes: bytes)]) }
        default:
            try self.commit()
        }
    }

    private mutating func partition() -> Int {
        Int.random(in: 0..<RandomCommitTests.partitionCount, using: &self.generator)
    }

    private mutating func commit() throws {
        var heads = self.heads
        var group: [PartitionBatch] = []
        for _ in 0..<Int.random(in: 1...8, using: &self.generator) {
            let partition = self.partition()
            // Now and then a gap.
            heads[partition].sequence += Int.random(in: 0..<60, using: &self.generator) == 0 ? 2 : 1
            group.append(try self.batch(heads[partition]))
        }
        let codes = try self.both { store in
            let epochs = (store is InMemoryJournalStore ? self.heads : self.fixture.heads).map(\.epoch)
            try store.commit(
                group.map { batch in
                    var batch = batch
                    batch.epoch = epochs[batch.partition]
                    return batch
                })
        }
        if codes == nil { self.heads = heads }
        for batch in group where batch.checkpoint != nil && codes == nil {
            self.heads[batch.partition].checkpointSequence = batch.sequence
        }
    }

    private mutating func batch(_ head: PartitionHead) throws -> PartitionBatch {
        let size = [0, 10, 300, 3_000].randomElement(using: &self.generator) ?? 0
        var batch = PartitionBatch(
            partition: head.partition, epoch: head.epoch, sequence: head.sequence, eventCount: size,
            payload: self.generator.bytes(size))
        for _ in 0..<Int.random(in: 0...2, using: &self.generator) {
            batch.outgoing.append(OutgoingMessages(target: self.partition(), payload: self.generator.bytes(20)))
        }
        // Batches of one group may both pick a message; then the group is refused.
        let inbox = try self.model.makeStateReader().inbox(partition: head.partition)
        if let message = inbox.randomElement(using: &self.generator) { batch.consumedInbox = [message.position] }
        if Bool.random(using: &self.generator) {
            var delta = CheckpointDelta(changed: [], removed: [])
            for _ in 0..<Int.random(in: 0...40, using: &self.generator) {
                let (kind, key) = self.entity()
                let index = Bool.random(using: &self.generator) ? self.generator.bytes(8) : nil
                delta.changed.append(
                    CheckpointDelta.Entity(kind: kind, key: key, index: index, state: self.generator.bytes(50)))
            }
            for _ in 0..<Int.random(in: 0...10, using: &self.generator) { delta.removed.append(self.entity()) }
            batch.checkpoint = delta
        }
        return batch
    }

    private mutating func entity() -> (kind: EntityKind, key: UInt64) {
        let key = UInt64.random(in: 0..<60, using: &self.generator) &* 0x0800_0000_0000_0001
        return (EntityKind(rawValue: UInt8.random(in: 0..<3, using: &self.generator)), key)
    }

    /// Does the same to both stores, which must answer alike; the code of their error.
    @discardableResult
    private func both(_ body: (any JournalStore) throws -> Void) throws -> StoreError.Code? {
        let expected = try storeError { try body(self.model) }?.code
        let actual = try storeError { try body(self.fixture.store) }
        #expect(actual?.code == expected, "\(actual?.description ?? "no error")")
        return expected
    }

    func compare(_ context: String) throws {
        let stores: [any JournalStore] = [self.model, self.fixture.store]
        let contents = try stores.map { try self.describe($0) }
        for (expected, actual) in zip(contents[0], contents[1]) { #expect(actual == expected, "\(context)") }
    }

    /// Everything in a store, as lines.
    private func describe(_ store: any JournalStore) throws -> [String] {
        var lines: [String] = []
        // A store may drop less than asked, but never more.
        let retained = try self.model.retainedSequences()
        try store.readJournal(after: retained) { (batch) throws(StoreError) in
            lines.append(
                "\(batch.partition)/\(batch.sequence) \(batch.eventCount) \(batch.payload.count) \(batch.hash[0]) \(batch.hash[31])"
            )
            return true
        }
        let reader = try store.makeStateReader()
        for partition in 0..<RandomCommitTests.partitionCount {
            for kind in (UInt8(0)..<3).map(EntityKind.init(rawValue:)) {
                try reader.scan(partition: partition, kind: kind) { key, state in
                    lines.append("\(partition) \(kind.rawValue) \(key) \(StableHash.fnv1a64(state))")
                }
                try reader.scanIndex(partition: partition, kind: kind) { key, index in
                    lines.append("\(partition) \(kind.rawValue) \(key) \([UInt8](index))")
                }
                lines.append("\(try reader.count(partition: partition, kind: kind))")
            }
            for message in try reader.inbox(partition: partition) {
                lines.append("\(partition) from \(message.position): \(message.payload)")
            }
        }
        return lines
    }
}
