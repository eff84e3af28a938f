/// Finds batches in `journal.db` through one connection.
final class JournalLookup {
    private let connection: SQLiteConnection
    private let selectHeads: SQLiteStatement
    private let selectBase: SQLiteStatement
    private let selectHash: SQLiteStatement
    private let selectPrevious: SQLiteStatement
    private let selectBatch: SQLiteStatement
    private let selectLastIndex: SQLiteStatement
    private let selectIndex: SQLiteStatement

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.selectHeads = try connection.prepare(
            """
            SELECT partition, epoch, sequence, checkpoint_sequence, last_id, base_sequence, base_hash
            FROM partition JOIN journal_base USING (partition) ORDER BY partition
            """)
        self.selectBase = try connection.prepare(
            "SELECT base_sequence, base_hash FROM journal_base WHERE partition = ?1")
        self.selectHash = try connection.prepare("SELECT hash FROM journal WHERE id = ?1")
        self.selectPrevious = try connection.prepare("SELECT previous_id FROM journal WHERE id = ?1")
        self.selectBatch = try connection.prepare(
            "SELECT partition, sequence, events, hash, payload FROM journal WHERE id = ?1")
        self.selectLastIndex = try connection.prepare(
            """
            SELECT first_sequence + length(ids) / 8 - 1 FROM journal_index
            WHERE partition = ?1 ORDER BY first_sequence DESC LIMIT 1
            """)
        self.selectIndex = try connection.prepare(
            """
            SELECT first_sequence, ids FROM journal_index
            WHERE partition = ?1 AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1
            """)
    }

    /// Where every partition stands.
    func heads() throws(StoreError) -> [JournalWriter.Head] {
        var heads: [JournalWriter.Head] = []
        while try self.selectHeads.step() {
            guard self.selectHeads.int(0) == heads.count, let hash = ChainHash(self.selectHeads.bytes(6)) else {
                throw StoreError(
                    .corrupt, "The partition table of \(self.connection.path) is damaged.",
                    remedy: "Stop the server, keep a copy of the directory, and restore the newest backup.")
            }
            heads.append(
                JournalWriter.Head(
                    epoch: self.selectHeads.uint64(1), sequence: self.selectHeads.uint64(2),
                    checkpointSequence: self.selectHeads.uint64(3), hash: hash, lastID: self.selectHeads.int64(4),
                    base: self.selectHeads.uint64(5), unindexed: []))
        }
        for partition in heads.indices where heads[partition].sequence > heads[partition].base {
            heads[partition].unindexed = try self.unindexed(partition, head: heads[partition])
            guard let hash = try self.hash(id: heads[partition].lastID) else {
                throw self.broken(partition, heads[partition].sequence, "it is missing")
            }
            heads[partition].hash = hash
        }
        return heads
    }

    /// Where the retained journal of a partition begins.
    func base(_ partition: Int) throws(StoreError) -> (sequence: UInt64, hash: ChainHash?) {
        self.selectBase.bind(1, partition)
        defer { self.selectBase.reset() }
        guard try self.selectBase.step() else { throw StoreError.noPartition(partition, count: 0) }
        return (self.selectBase.uint64(0), ChainHash(self.selectBase.bytes(1)))
    }

    /// The chain value stored with a batch.
    func hash(id: Int64) throws(StoreError) -> ChainHash? {
        self.selectHash.bind(1, id)
        defer { self.selectHash.reset() }
        return try self.selectHash.step() ? ChainHash(self.selectHash.bytes(0)) : nil
    }

    /// The id of the batch before a batch of the same partition; 0 when there is none.
    func previousID(id: Int64) throws(StoreError) -> Int64 {
        self.selectPrevious.bind(1, id)
        defer { self.selectPrevious.reset() }
        return try self.selectPrevious.step() ? self.selectPrevious.int64(0) : 0
    }

    /// The ids of the newest batches, which no index row holds, oldest first: found by walking back from the head.
    private func unindexed(_ partition: Int, head: JournalWriter.Head) throws(StoreError) -> [Int64] {
        self.selectLastIndex.bind(1, partition)
        let indexed = try self.selectLastIndex.step() ? self.selectLastIndex.uint64(0) : 0
        self.selectLastIndex.reset()
        let count = head.sequence - max(indexed, head.base)
        var ids: [Int64] = []
        var id = head.lastID
        for _ in 0..<count {
            guard id > 0 else { throw self.broken(partition, head.sequence - UInt64(ids.count), "it is missing") }
            ids.append(id)
            id = try self.previousID(id: id)
        }
        return ids.reversed()
    }

    /// The ids of a run of batches that begins at `sequence`, as many as lie in one index row.
    func ids(_ partition: Int, from sequence: UInt64, head: JournalWriter.Head) throws(StoreError) -> [Int64] {
        let firstUnindexed = head.sequence - UInt64(head.unindexed.count) + 1
        if sequence >= firstUnindexed { return Array(head.unindexed[Int(sequence - firstUnindexed)...]) }
        self.selectIndex.bind(1, partition)
        self.selectIndex.bind(2, sequence)
        defer { self.selectIndex.reset() }
        guard try self.selectIndex.step() else { throw self.broken(partition, sequence, "the index misses it") }
        let skipped = Int(sequence - self.selectIndex.uint64(0))
        let bytes = self.selectIndex.bytes(1)
        guard bytes.count > skipped * 8 else { throw self.broken(partition, sequence, "the index misses it") }
        return (skipped..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
    }

    /// Reads one batch and checks that it is the one expected and continues the chain; returns its hash.
    func batch(
        id: Int64, partition: Int, sequence: UInt64, after previous: ChainHash
    ) throws(StoreError) -> (batch: JournalBatch, hash: ChainHash) {
        self.selectBatch.bind(1, id)
        defer { self.selectBatch.reset() }
        guard try self.selectBatch.step() else { throw self.broken(partition, sequence, "it is missing") }
        guard self.selectBatch.int(0) == partition, self.selectBatch.uint64(1) == sequence else {
            throw self.broken(partition, sequence, "another batch stands in its place")
        }
        let payload = self.selectBatch.bytes(4)
        let hash = previous.chained(with: payload)
        guard ChainHash(self.selectBatch.bytes(3)) == hash else {
            throw self.broken(partition, sequence, "its hash does not continue the chain")
        }
        let batch = JournalBatch(
            partition: partition, sequence: sequence, eventCount: self.selectBatch.int(2), payload: [UInt8](payload),
            hash: hash.bytes)
        return (batch, hash)
    }

    func broken(_ partition: Int, _ sequence: UInt64, _ what: String) -> StoreError {
        StoreError.brokenChain(partition: partition, sequence: sequence, what, in: self.connection.path)
    }
}
