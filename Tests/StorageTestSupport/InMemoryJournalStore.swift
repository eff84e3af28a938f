public import Storage
internal import Synchronization

/// What an in-memory store writes to: survives the store, as a disk survives a process.
public final class InMemoryDisk: Sendable {
    let contents: Mutex<InMemoryContents>

    /// Creates an empty disk for a number of partitions.
    public init(partitionCount: Int = 64) {
        self.contents = Mutex(InMemoryContents(partitionCount: partitionCount))
    }

    /// Changes one byte of a stored batch, as a bad sector or a forger would; false when there is no such batch.
    @discardableResult
    public func damage(partition: Int, sequence: UInt64) -> Bool {
        self.contents.withLock { contents in
            guard
                let index = contents.batches.firstIndex(where: { $0.partition == partition && $0.sequence == sequence }
                ),
                !contents.batches[index].payload.isEmpty
            else { return false }
            contents.batches[index].payload[0] ^= 1
            return true
        }
    }

    /// Inverts the first byte of the stored state of every entity of a kind; doing it again repairs them.
    public func invertStates(of kind: EntityKind) {
        self.contents.withLock { contents in
            for (id, entity) in contents.entities where id.kind == kind {
                var state = entity.state
                if !state.isEmpty { state[0] ^= 0xFF }
                contents.entities[id] = InMemoryContents.Entity(index: entity.index, state: state)
            }
        }
    }

    /// Loses every stored entity of a kind.
    public func forget(_ kind: EntityKind) {
        self.contents.withLock { contents in
            contents.entities = contents.entities.filter { $0.key.kind != kind }
        }
    }
}

/// A journal store without files, for simulation: the same promises as every other, at memory speed.
public final class InMemoryJournalStore: JournalStore {
    /// What it writes to.
    public let disk: InMemoryDisk
    private let owner: UInt64

    /// Opens a disk.
    ///
    /// - Throws: `StoreError.ownedElsewhere` while another store has it open.
    public init(disk: InMemoryDisk = InMemoryDisk()) throws(StoreError) {
        self.disk = disk
        self.owner = try disk.contents.withLock { (contents) throws(StoreError) -> UInt64 in
            guard contents.owner == nil else {
                throw StoreError(
                    .ownedElsewhere, "The disk is in use by another store.", remedy: "Close that one first.")
            }
            return contents.open()
        }
    }

    /// What a new process finds after this one died: everything committed, nothing else.
    ///
    /// This store is dead from then on: all its calls throw `StoreError.closed`.
    public func survivingCrash() throws(StoreError) -> InMemoryJournalStore {
        self.close()
        return try InMemoryJournalStore(disk: self.disk)
    }

    /// See `JournalStore`.
    public func acquire() throws(StoreError) -> [PartitionHead] {
        try self.write { contents throws(StoreError) in contents.acquire() }
    }

    /// See `JournalStore`.
    public func commit(_ batches: [PartitionBatch]) throws(StoreError) {
        try self.write { contents throws(StoreError) in
            try contents.check(batches)
            for batch in batches { contents.append(batch) }
        }
    }

    /// See `JournalStore`.
    public func storeBlobs(_ blobs: [Blob]) throws(StoreError) {
        try self.write { contents throws(StoreError) in
            for blob in blobs where contents.blobs[blob.hash] == nil { contents.blobs[blob.hash] = blob.bytes }
        }
    }

    /// See `JournalStore`.
    public func trim(partition: Int, upTo sequence: UInt64) throws(StoreError) {
        try self.write { contents throws(StoreError) in try contents.trim(partition: partition, upTo: sequence) }
    }

    /// See `JournalStore`.
    public func readJournal(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let contents = try self.snapshot()
        guard contents.partitions.indices.contains(partition) else {
            throw StoreError.noPartition(partition, count: contents.partitions.count)
        }
        var sequences = contents.partitions.map(\.sequence)
        sequences[partition] = sequence
        try contents.read(after: sequences, body)
    }

    /// See `JournalStore`.
    public func readJournal(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let contents = try self.snapshot()
        guard sequences.count == contents.partitions.count else {
            throw StoreError.noPartition(sequences.count, count: contents.partitions.count)
        }
        try contents.read(after: sequences, body)
    }

    /// See `JournalStore`.
    public func retainedSequences() throws(StoreError) -> [UInt64] {
        try self.snapshot().partitions.map(\.base)
    }

    /// See `JournalStore`.
    public func makeStateReader() throws(StoreError) -> any StateReader {
        _ = try self.snapshot()
        return InMemoryStateReader(self.disk)
    }

    /// See `JournalStore`.
    public func sizeBytes() -> Int64 {
        self.disk.contents.withLock { contents in
            contents.batches.reduce(0) { $0 + Int64($1.payload.count) }
        }
    }

    /// See `JournalStore`.
    public func close() {
        self.disk.contents.withLock { contents in
            if contents.owner == self.owner { contents.owner = nil }
        }
    }

    private func write<Result: Sendable>(
        _ body: (inout InMemoryContents) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.disk.contents.withLock { (contents) throws(StoreError) -> Result in
            guard contents.owner == self.owner else { throw StoreError.closedInMemory }
            return try body(&contents)
        }
    }

    private func snapshot() throws(StoreError) -> InMemoryContents {
        try self.write { contents throws(StoreError) in contents }
    }
}

extension StoreError {
    fileprivate static var closedInMemory: StoreError {
        StoreError(.closed, "The in-memory store is closed.", remedy: "Open it again before using it.")
    }
}
