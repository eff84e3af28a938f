/// Reads and verifies batches on a connection of its own.
final class SQLiteJournalReader {
    private let connection: SQLiteConnection
    private let lookup: JournalLookup

    init(_ connection: SQLiteConnection) throws(StoreError) {
        self.connection = connection
        self.lookup = try JournalLookup(connection)
    }

    /// Reads the batches of one partition after `sequence` until `body` returns false.
    func read(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.inSnapshot { heads throws(StoreError) in
            guard heads.indices.contains(partition) else {
                throw StoreError.noPartition(partition, count: heads.count)
            }
            let head = heads[partition]
            var hash = try self.hash(partition, at: sequence, head: head)
            var next = sequence + 1
            while next <= head.sequence {
                for id in try self.lookup.ids(partition, from: next, head: head) {
                    let (batch, newHash) = try self.lookup.batch(
                        id: id, partition: partition, sequence: next, after: hash)
                    guard try body(batch) else { return }
                    hash = newHash
                    next += 1
                }
            }
        }
    }

    /// Reads the batches of all partitions in commit order, those after `sequences`, until `body` returns false.
    func readAll(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.inSnapshot { heads throws(StoreError) in
            guard heads.count == sequences.count else {
                throw StoreError.noPartition(sequences.count, count: heads.count)
            }
            var hashes: [ChainHash] = []
            var first = Int64.max
            for (partition, head) in heads.enumerated() {
                hashes.append(try self.hash(partition, at: sequences[partition], head: head))
                if sequences[partition] < head.sequence {
                    first = min(first, try self.lookup.ids(partition, from: sequences[partition] + 1, head: head)[0])
                }
            }
            var read = sequences
            let select = try self.connection.prepare(
                "SELECT partition, sequence, events, hash, payload FROM journal WHERE id >= ?1 ORDER BY id")
            select.bind(1, first)
            defer { select.reset() }
            while try select.step() {
                let partition = select.int(0)
                let sequence = select.uint64(1)
                guard heads.indices.contains(partition) else {
                    throw StoreError.noPartition(partition, count: heads.count)
                }
                if sequence <= sequences[partition] { continue }
                guard sequence == read[partition] + 1 else {
                    throw self.lookup.broken(partition, read[partition] + 1, "it is missing")
                }
                let payload = select.bytes(4)
                let hash = hashes[partition].chained(with: payload)
                guard ChainHash(select.bytes(3)) == hash else {
                    throw self.lookup.broken(partition, sequence, "its hash does not continue the chain")
                }
                let batch = JournalBatch(
                    partition: partition, sequence: sequence, eventCount: select.int(2), payload: [UInt8](payload),
                    hash: hash.bytes)
                guard try body(batch) else { return }
                hashes[partition] = hash
                read[partition] = sequence
            }
            for (partition, head) in heads.enumerated() where read[partition] != head.sequence {
                throw self.lookup.broken(partition, read[partition] + 1, "it is missing")
            }
        }
    }

    /// The chain value at a sequence from which somebody wants to read on.
    private func hash(
        _ partition: Int, at sequence: UInt64, head: JournalWriter.Head
    ) throws(StoreError) -> ChainHash {
        guard sequence <= head.sequence else {
            throw StoreError.beyondEnd(partition, after: sequence, head: head.sequence)
        }
        guard sequence >= head.base else {
            throw StoreError.trimmed(partition, after: sequence, base: head.base)
        }
        let hash =
            if sequence == head.base {
                try self.lookup.base(partition).hash
            } else {
                try self.lookup.hash(id: try self.lookup.ids(partition, from: sequence, head: head)[0])
            }
        guard let hash else { throw self.lookup.broken(partition, sequence, "it is missing") }
        return hash
    }

    /// Reads everything from one moment, however long it takes.
    private func inSnapshot(
        _ body: ([JournalWriter.Head]) throws(StoreError) -> Void
    ) throws(StoreError) {
        try self.connection.execute("BEGIN")
        defer { self.connection.rollbackIfNeeded() }
        try body(try self.lookup.heads())
    }
}
