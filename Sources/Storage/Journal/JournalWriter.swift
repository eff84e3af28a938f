internal import CSQLite

/// The writing side of `journal.db`.
///
/// Callers hold the store's lock.
final class JournalWriter {
    /// A partition as this process left it.
    struct Head {
        var epoch: UInt64
        var sequence: UInt64
        var checkpointSequence: UInt64
        var hash: ChainHash
        /// `journal.id` of the newest batch; 0 when there is none.
        var lastID: Int64
        /// What has been trimmed.
        var base: UInt64
        /// Ids of the newest batches, which no `journal_index` row holds yet.
        var unindexed: [Int64]
    }

    let connection: SQLiteConnection
    let lookup: JournalLookup
    var heads: [Head] = []
    /// The id of the next batch.
    var nextID: Int64 = 1
    /// Batches up to this id that are still there wait for their own partition's trim.
    var sweptID: Int64 = 0
    /// Whether `acquire` ran since the store was opened or an outcome became unknown.
    private var isAcquired = false
    private let meter: WALMeter

    private let begin: SQLiteStatement
    private let commit: SQLiteStatement
    private let insertBatch: SQLiteStatement
    private let moveHead: SQLiteStatement
    private let insertIndex: SQLiteStatement
    private let insertInbox: SQLiteStatement
    private let deleteInbox: SQLiteStatement
    private let upsertState: SQLiteStatement
    private let deleteState: SQLiteStatement
    private let insertBlob: SQLiteStatement

    /// Batches whose ids share one `journal_index` row.
    static let indexedBatches = 64

    /// Prepares a migrated database, adding its partitions when it is new.
    init(_ connection: SQLiteConnection, partitionCount: Int) throws(StoreError) {
        self.connection = connection
        self.lookup = try JournalLookup(connection)
        self.meter = WALMeter(connection)
        self.begin = try connection.prepare("BEGIN IMMEDIATE")
        self.commit = try connection.prepare("COMMIT")
        self.insertBatch = try connection.prepare("INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        self.moveHead = try connection.prepare(
            """
            UPDATE partition SET sequence = ?4, checkpoint_sequence = ?5, last_id = ?6
            WHERE partition = ?1 AND epoch = ?2 AND sequence = ?3
            """)
        self.insertIndex = try connection.prepare("INSERT INTO journal_index VALUES (?1, ?2, ?3)")
        self.insertInbox = try connection.prepare("INSERT INTO inbox VALUES (?1, ?2, ?3, ?4, ?5)")
        self.deleteInbox = try connection.prepare(
            "DELETE FROM inbox WHERE target = ?1 AND source = ?2 AND source_sequence = ?3")
        self.upsertState = try connection.prepare(
            """
            INSERT INTO state VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (scope, key) DO UPDATE SET idx = excluded.idx, state = excluded.state
            """)
        self.deleteState = try connection.prepare("DELETE FROM state WHERE scope = ?1 AND key = ?2")
        self.insertBlob = try connection.prepare("INSERT OR IGNORE INTO blob VALUES (?1, ?2)")
        if try connection.integer("SELECT 1 FROM partition") == nil { try self.addPartitions(partitionCount) }
        try self.load()
    }

    /// Pages in the write-ahead log after the newest commit.
    var walPages: Int { self.meter.pageCount }

    /// Closes the file.
    func close() {
        self.connection.rollbackIfNeeded()
        self.connection.close()
    }

    /// Raises every epoch and tells where the partitions stand.
    func acquire() throws(StoreError) -> [PartitionHead] {
        self.isAcquired = false
        try self.transaction { () throws(StoreError) in
            try self.connection.execute("UPDATE partition SET epoch = epoch + 1")
        }
        try self.load()
        try self.verifyHeads()
        self.isAcquired = true
        return self.heads.enumerated().map { partition, head in
            PartitionHead(
                partition: partition, epoch: head.epoch, sequence: head.sequence,
                checkpointSequence: head.checkpointSequence, hash: head.hash.bytes)
        }
    }

    /// Writes a group of batches; all or nothing.
    func commit(_ batches: [PartitionBatch]) throws(StoreError) {
        guard self.isAcquired else {
            throw StoreError.notAcquired(self.connection.path)
        }
        do {
            try self.transaction { () throws(StoreError) in
                for batch in batches { try self.append(batch) }
            }
        } catch {
            self.reload()
            throw error
        }
    }

    /// Forgets what a failed transaction changed in memory; the file knows the truth.
    func reload() {
        do { try self.load() } catch { self.isAcquired = false }
    }

    /// Stores values by content.
    func store(_ blobs: [Blob]) throws(StoreError) {
        try self.transaction { () throws(StoreError) in
            for blob in blobs {
                self.insertBlob.bind(1, blob.hash)
                let code = blob.bytes.withUnsafeBytes { bytes in
                    self.insertBlob.bind(2, borrowing: bytes)
                    return self.insertBlob.runReturningCode()
                }
                guard code == SQLITE_DONE else { throw self.insertBlob.failure(code) }
            }
        }
    }

    /// Runs `body` in a transaction that ends durable or without a trace.
    ///
    /// - Throws: what `body` throws; `.unknownOutcome` when committing failed with an I/O error, because a log whose
    ///   sync failed may still be found complete after a crash.
    func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        guard self.connection.handle != nil else { throw StoreError.closed(self.connection.path) }
        try self.begin.run()
        do {
            try body()
        } catch {
            self.connection.rollbackIfNeeded()
            throw error
        }
        let code = self.commit.runReturningCode()
        if code == SQLITE_DONE { return }
        let cause = self.commit.failure(code)
        self.connection.rollbackIfNeeded()
        guard code & 0xFF == SQLITE_IOERR else { throw cause }
        self.isAcquired = false
        throw StoreError(
            .unknownOutcome, "Whether a transaction is durable is unknown. \(cause.message)",
            remedy: "Acquire the partitions again, which settles it. Check the volume and the kernel log.")
    }

    // MARK: One batch

    private func append(_ batch: PartitionBatch) throws(StoreError) {
        let partition = batch.partition
        guard self.heads.indices.contains(partition) else {
            throw StoreError.noPartition(partition, count: self.heads.count)
        }
        let id = self.nextID
        let head = self.heads[partition]
        guard batch.epoch == head.epoch else { throw self.fenced(batch) }
        guard batch.sequence == head.sequence + 1 else {
            throw StoreError.gap(batch, head: head.sequence)
        }
        let hash = try self.insert(batch, id: id, after: head)
        let checkpoint = batch.checkpoint == nil ? head.checkpointSequence : batch.sequence
        self.moveHead.bind(1, partition)
        self.moveHead.bind(2, batch.epoch)
        self.moveHead.bind(3, head.sequence)
        self.moveHead.bind(4, batch.sequence)
        self.moveHead.bind(5, checkpoint)
        self.moveHead.bind(6, id)
        try self.moveHead.run()
        guard self.connection.changes == 1 else { throw self.fenced(batch) }

        self.nextID += 1
        self.heads[partition].sequence = batch.sequence
        self.heads[partition].checkpointSequence = checkpoint
        self.heads[partition].hash = hash
        self.heads[partition].lastID = id
        self.heads[partition].unindexed.append(id)
        // Staggered, so that partitions that move in step do not all write their row in the same commit.
        if (batch.sequence &+ UInt64(partition)) % UInt64(Self.indexedBatches) == 0 {
            try self.flushIndex(partition)
        }
        try self.writeInboxes(batch)
        if let delta = batch.checkpoint { try self.write(delta, partition: partition) }
    }

    private func insert(_ batch: PartitionBatch, id: Int64, after head: Head) throws(StoreError) -> ChainHash {
        self.insertBatch.bind(1, id)
        self.insertBatch.bind(2, batch.partition)
        self.insertBatch.bind(3, batch.sequence)
        self.insertBatch.bind(4, batch.epoch)
        self.insertBatch.bind(5, head.lastID)
        self.insertBatch.bind(6, batch.eventCount)
        let (hash, code) = batch.payload.withUnsafeBytes { payload in
            let hash = head.hash.chained(with: payload)
            let code = hash.withUnsafeBytes { bytes in
                self.insertBatch.bind(7, borrowing: bytes)
                self.insertBatch.bind(8, borrowing: payload)
                return self.insertBatch.runReturningCode()
            }
            return (hash, code)
        }
        guard code == SQLITE_DONE else { throw self.insertBatch.failure(code) }
        return hash
    }

    private func flushIndex(_ partition: Int) throws(StoreError) {
        let head = self.heads[partition]
        self.insertIndex.bind(1, partition)
        self.insertIndex.bind(2, head.sequence - UInt64(head.unindexed.count) + 1)
        let code = head.unindexed.withUnsafeBytes { ids in
            self.insertIndex.bind(3, borrowing: ids)
            return self.insertIndex.runReturningCode()
        }
        guard code == SQLITE_DONE else { throw self.insertIndex.failure(code) }
        self.heads[partition].unindexed.removeAll(keepingCapacity: true)
    }

    private func writeInboxes(_ batch: PartitionBatch) throws(StoreError) {
        for (part, message) in batch.outgoing.enumerated() {
            guard self.heads.indices.contains(message.target) else {
                throw StoreError.noPartition(message.target, count: self.heads.count)
            }
            self.insertInbox.bind(1, message.target)
            self.insertInbox.bind(2, batch.partition)
            self.insertInbox.bind(3, batch.sequence)
            self.insertInbox.bind(4, part)
            let code = message.payload.withUnsafeBytes { payload in
                self.insertInbox.bind(5, borrowing: payload)
                return self.insertInbox.runReturningCode()
            }
            guard code == SQLITE_DONE else { throw self.insertInbox.failure(code) }
        }
        for position in batch.consumedInbox {
            self.deleteInbox.bind(1, batch.partition)
            self.deleteInbox.bind(2, position.source)
            self.deleteInbox.bind(3, position.sourceSequence)
            try self.deleteInbox.run()
            guard self.connection.changes > 0 else { throw StoreError.consumedTwice(position, by: batch) }
        }
    }

    private func write(_ delta: CheckpointDelta, partition: Int) throws(StoreError) {
        // In key order, so that neighbours in the tree are written one after the other.
        let order = delta.changed.indices.sorted { left, right in
            let (a, b) = (delta.changed[left], delta.changed[right])
            return (a.kind.rawValue, Int64(bitPattern: a.key)) < (b.kind.rawValue, Int64(bitPattern: b.key))
        }
        for index in order { try self.write(delta.changed[index], partition: partition) }
        for (kind, key) in delta.removed {
            self.deleteState.bind(1, stateScope(partition, kind))
            self.deleteState.bind(2, key)
            try self.deleteState.run()
        }
    }

    private func write(_ entity: CheckpointDelta.Entity, partition: Int) throws(StoreError) {
        self.upsertState.bind(1, stateScope(partition, entity.kind))
        self.upsertState.bind(2, entity.key)
        self.upsertState.bind(3, entity.index)
        let code = entity.state.withUnsafeBytes { state in
            self.upsertState.bind(4, borrowing: state)
            return self.upsertState.runReturningCode()
        }
        guard code == SQLITE_DONE else { throw self.upsertState.failure(code) }
    }

    private func fenced(_ batch: PartitionBatch) -> StoreError {
        StoreError.fenced(batch, current: self.heads[batch.partition].epoch)
    }
}

/// The `state.scope` of a partition's entities of one kind.
func stateScope(_ partition: Int, _ kind: EntityKind) -> Int64 {
    Int64(partition) << 8 | Int64(kind.rawValue)
}
