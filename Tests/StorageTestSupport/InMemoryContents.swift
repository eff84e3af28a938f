import Storage
import Synchronization

/// Everything an in-memory store keeps.
struct InMemoryContents: Sendable {
    struct Partition: Sendable {
        var epoch: UInt64 = 0
        var sequence: UInt64 = 0
        var checkpointSequence: UInt64 = 0
        var hash = ChainHash.start
        var base: UInt64 = 0
        var baseHash = ChainHash.start
        var inbox: [InboxMessage] = []
    }

    struct EntityID: Hashable, Sendable {
        let partition: Int
        let kind: EntityKind
        let key: UInt64
    }

    struct Entity: Sendable {
        let index: [UInt8]?
        let state: [UInt8]
    }

    var partitions: [Partition]
    /// All batches in commit order.
    var batches: [JournalBatch] = []
    var entities: [EntityID: Entity] = [:]
    var blobs: [[UInt8]: [UInt8]] = [:]
    /// The store that has the disk open.
    var owner: UInt64?
    private var opened: UInt64 = 0
    private var isAcquired = false

    init(partitionCount: Int) {
        self.partitions = Array(repeating: Partition(), count: partitionCount)
    }

    mutating func open() -> UInt64 {
        self.opened += 1
        self.owner = self.opened
        self.isAcquired = false
        return self.opened
    }

    mutating func acquire() -> [PartitionHead] {
        self.isAcquired = true
        return self.partitions.indices.map { number in
            self.partitions[number].epoch += 1
            let partition = self.partitions[number]
            return PartitionHead(
                partition: number, epoch: partition.epoch, sequence: partition.sequence,
                checkpointSequence: partition.checkpointSequence, hash: partition.hash.bytes)
        }
    }

    /// Refuses a group that must not be written; a group that passes is written completely.
    func check(_ batches: [PartitionBatch]) throws(StoreError) {
        guard self.isAcquired else { throw StoreError.notAcquired("in memory") }
        var sequences = self.partitions.map(\.sequence)
        var inboxes: [Int: Set<InboxPosition>] = [:]
        func inbox(_ partition: Int) -> Set<InboxPosition> {
            inboxes[partition] ?? Set(self.partitions[partition].inbox.map(\.position))
        }
        for batch in batches {
            guard self.partitions.indices.contains(batch.partition) else {
                throw StoreError.noPartition(batch.partition, count: self.partitions.count)
            }
            guard batch.epoch == self.partitions[batch.partition].epoch else {
                throw StoreError.fenced(batch, current: self.partitions[batch.partition].epoch)
            }
            guard batch.sequence == sequences[batch.partition] + 1 else {
                throw StoreError.gap(batch, head: sequences[batch.partition])
            }
            sequences[batch.partition] += 1
            for message in batch.outgoing {
                guard self.partitions.indices.contains(message.target) else {
                    throw StoreError.noPartition(message.target, count: self.partitions.count)
                }
                var positions = inbox(message.target)
                positions.insert(InboxPosition(source: batch.partition, sourceSequence: batch.sequence))
                inboxes[message.target] = positions
            }
            if batch.consumedInbox.isEmpty { continue }
            var positions = inbox(batch.partition)
            for position in batch.consumedInbox where positions.remove(position) == nil {
                throw StoreError.consumedTwice(position, by: batch)
            }
            inboxes[batch.partition] = positions
        }
    }

    mutating func append(_ batch: PartitionBatch) {
        let number = batch.partition
        self.partitions[number].hash = self.partitions[number].hash.chained(with: batch.payload)
        self.partitions[number].sequence = batch.sequence
        self.batches.append(
            JournalBatch(
                partition: number, sequence: batch.sequence, eventCount: batch.eventCount, payload: batch.payload,
                hash: self.partitions[number].hash.bytes))
        let position = InboxPosition(source: number, sourceSequence: batch.sequence)
        for message in batch.outgoing {
            self.partitions[message.target].inbox.append(InboxMessage(position: position, payload: message.payload))
        }
        if !batch.consumedInbox.isEmpty {
            let consumed = Set(batch.consumedInbox)
            self.partitions[number].inbox.removeAll { consumed.contains($0.position) }
        }
        guard let delta = batch.checkpoint else { return }
        self.partitions[number].checkpointSequence = batch.sequence
        for entity in delta.changed {
            self.entities[EntityID(partition: number, kind: entity.kind, key: entity.key)] =
                Entity(index: entity.index, state: entity.state)
        }
        for (kind, key) in delta.removed {
            self.entities[EntityID(partition: number, kind: kind, key: key)] = nil
        }
    }

    mutating func trim(partition number: Int, upTo sequence: UInt64) throws(StoreError) {
        guard self.partitions.indices.contains(number) else {
            throw StoreError.noPartition(number, count: self.partitions.count)
        }
        let partition = self.partitions[number]
        guard sequence <= partition.checkpointSequence else {
            throw StoreError.trimTooFar(number, sequence, checkpoint: partition.checkpointSequence)
        }
        guard sequence > partition.base else { return }
        self.batches.removeAll { batch in
            guard batch.partition == number, batch.sequence <= sequence else { return false }
            if batch.sequence == sequence, let hash = batch.hash.withUnsafeBytes({ ChainHash($0) }) {
                self.partitions[number].baseHash = hash
            }
            return true
        }
        self.partitions[number].base = sequence
    }

    func read(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        for (number, partition) in self.partitions.enumerated() {
            guard sequences[number] <= partition.sequence else {
                throw StoreError.beyondEnd(number, after: sequences[number], head: partition.sequence)
            }
            guard sequences[number] >= partition.base else {
                throw StoreError.trimmed(number, after: sequences[number], base: partition.base)
            }
        }
        var hashes = self.partitions.map(\.baseHash)
        for batch in self.batches {
            let previous = hashes[batch.partition]
            guard let hash = batch.hash.withUnsafeBytes({ ChainHash($0) }) else { continue }
            hashes[batch.partition] = hash
            guard batch.sequence > sequences[batch.partition] else { continue }
            guard previous.chained(with: batch.payload) == hash else {
                throw StoreError.brokenChain(
                    partition: batch.partition, sequence: batch.sequence, "its hash does not continue the chain",
                    in: "in memory")
            }
            guard try body(batch) else { return }
        }
    }
}

/// Reads the entities and inboxes of an in-memory store.
final class InMemoryStateReader: StateReader {
    private let disk: InMemoryDisk

    init(_ disk: InMemoryDisk) {
        self.disk = disk
    }

    func load(partition: Int, kind: EntityKind, key: UInt64) throws(StoreError) -> [UInt8]? {
        self.disk.contents.withLock { contents in
            contents.entities[InMemoryContents.EntityID(partition: partition, kind: kind, key: key)]?.state
        }
    }

    func scanIndex(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ index: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        for (key, entity) in self.entities(partition, kind) {
            entity.index?.withUnsafeBytes { body(key, $0) }
        }
    }

    func scan(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ state: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError) {
        for (key, entity) in self.entities(partition, kind) {
            entity.state.withUnsafeBytes { body(key, $0) }
        }
    }

    func count(partition: Int, kind: EntityKind) throws(StoreError) -> Int {
        self.entities(partition, kind).count
    }

    func inbox(partition: Int) throws(StoreError) -> [InboxMessage] {
        let rows = self.disk.contents.withLock { $0.partitions[partition].inbox }
        // Parts of one batch were appended in order.
        return rows.enumerated().sorted { left, right in
            let (a, b) = (left.element.position, right.element.position)
            return (a.source, a.sourceSequence, left.offset) < (b.source, b.sourceSequence, right.offset)
        }.map(\.element)
    }

    func blob(hash: [UInt8]) throws(StoreError) -> [UInt8]? {
        self.disk.contents.withLock { $0.blobs[hash] }
    }

    private func entities(_ partition: Int, _ kind: EntityKind) -> [(key: UInt64, entity: InMemoryContents.Entity)] {
        self.disk.contents.withLock { contents in
            contents.entities
                .filter { $0.key.partition == partition && $0.key.kind == kind }
                .map { (key: $0.key.key, entity: $0.value) }
                .sorted { $0.key < $1.key }
        }
    }
}
