/// Dropping batches.
///
/// Batches of all partitions share pages, so deleting those of one partition would write pages that mostly stay.
/// Trimming therefore only moves the partition's base; a sweep deletes dead batches in id order once all partitions have
/// moved on, whole pages at a time. A partition that rests with a few batches does not hold the sweep: it passes
/// them, and they are deleted one by one when that partition is trimmed at last.
extension JournalWriter {
    /// Batches that one call drops or deletes at most.
    static let trimmedBatchesMaximum: UInt64 = 8_192
    /// A sweep waits for that many, so that most of the pages it touches go as a whole.
    static let sweptBatchesMinimum: Int64 = 1_024
    /// A partition with no more batches than these does not hold the sweep.
    static let restingBatches: UInt64 = 256

    /// Drops the batches of a partition up to `sequence`, or as many as one call may.
    func trim(partition: Int, upTo sequence: UInt64) throws(StoreError) {
        guard self.heads.indices.contains(partition) else {
            throw StoreError.noPartition(partition, count: self.heads.count)
        }
        let head = self.heads[partition]
        guard sequence <= head.checkpointSequence else {
            throw StoreError.trimTooFar(partition, sequence, checkpoint: head.checkpointSequence)
        }
        guard sequence > head.base else { return }
        let newBase = min(sequence, head.base + Self.trimmedBatchesMaximum)
        do {
            try self.transaction { () throws(StoreError) in
                try self.moveBase(of: partition, to: newBase)
                try self.sweep()
            }
        } catch {
            self.reload()
            throw error
        }
    }

    private func moveBase(of partition: Int, to newBase: UInt64) throws(StoreError) {
        let head = self.heads[partition]
        let firstUnindexed = head.sequence - UInt64(head.unindexed.count) + 1
        let delete = try self.connection.prepare("DELETE FROM journal WHERE id = ?1")
        let lastID = try self.lookup.ids(partition, from: newBase, head: head)[0]
        guard let hash = try self.lookup.hash(id: lastID) else {
            throw self.lookup.broken(partition, newBase, "it is missing")
        }
        var next = head.base + 1
        while next <= newBase {
            let ids = try self.lookup.ids(partition, from: next, head: head).prefix(Int(newBase - next + 1))
            for id in ids where id <= self.sweptID {
                delete.bind(1, id)
                try delete.run()
            }
            next += UInt64(ids.count)
        }
        let update = try self.connection.prepare(
            "UPDATE journal_base SET base_sequence = ?2, base_hash = ?3 WHERE partition = ?1")
        update.bind(1, partition)
        update.bind(2, newBase)
        update.bind(3, hash.bytes)
        try update.run()
        let deleteIndex = try self.connection.prepare(
            """
            DELETE FROM journal_index
            WHERE partition = ?1 AND first_sequence <= ?2 AND first_sequence + length(ids) / 8 - 1 <= ?2
            """)
        deleteIndex.bind(1, partition)
        deleteIndex.bind(2, newBase)
        try deleteIndex.run()
        self.heads[partition].base = newBase
        if newBase >= firstUnindexed {
            self.heads[partition].unindexed.removeFirst(Int(newBase - firstUnindexed + 1))
        }
    }

    /// Deletes dead batches from the front of the journal.
    private func sweep() throws(StoreError) {
        let end = try self.sweepEnd()
        guard end - self.sweptID > Self.sweptBatchesMinimum else { return }
        let last = min(end - 1, self.sweptID + Int64(Self.trimmedBatchesMaximum))
        let bases = self.heads.map(\.base)
        let select = try self.connection.prepare(
            "SELECT id, partition, sequence FROM journal WHERE id > ?1 AND id <= ?2 ORDER BY id")
        select.bind(1, self.sweptID)
        select.bind(2, last)
        var runs: [ClosedRange<Int64>] = []
        while try select.step() {
            let (id, partition) = (select.int64(0), select.int(1))
            guard bases.indices.contains(partition), select.uint64(2) <= bases[partition] else { continue }
            if let run = runs.last, run.upperBound == id - 1 {
                runs[runs.count - 1] = run.lowerBound...id
            } else {
                runs.append(id...id)
            }
        }
        let delete = try self.connection.prepare("DELETE FROM journal WHERE id BETWEEN ?1 AND ?2")
        for run in runs {
            delete.bind(1, run.lowerBound)
            delete.bind(2, run.upperBound)
            try delete.run()
        }
        try self.connection.execute("UPDATE journal_sweep SET swept_id = \(last)")
        self.sweptID = last
    }

    /// The first id that the sweep must not pass: the oldest batch of a partition that is not at rest.
    private func sweepEnd() throws(StoreError) -> Int64 {
        var end = self.nextID
        for (partition, head) in self.heads.enumerated() where head.sequence - head.base > Self.restingBatches {
            end = min(end, try self.lookup.ids(partition, from: head.base + 1, head: head)[0])
        }
        return end
    }
}
