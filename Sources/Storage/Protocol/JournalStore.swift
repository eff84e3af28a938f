/// The durable side of the engine: journal, checkpoints, inboxes and blobs.
///
/// One implementation per database; all of them pass `StoreConformance`. Every method blocks the calling thread, so
/// callers run on threads of their own, never on the cooperative pool. `commit`, `storeBlobs` and `trim` are called by
/// one committer thread per store; a `StateReader` belongs to one thread; `readJournal` may run on any thread.
///
/// The protocol carries the PostgreSQL protocol of ADR-0003 too: an epoch fences every batch, the head is a
/// compare-and-set, blobs are durable before the batch that names them, and an outcome may be unknown.
public protocol JournalStore: Sendable {
    /// Takes ownership of all partitions this process may own and returns their heads, one per partition, by number.
    ///
    /// - Throws: `StoreError.ownedElsewhere` when another process has the store open, `.corrupt` when the hash chain or
    ///   the file is damaged, `.schema` when the store was written by a newer version.
    func acquire() throws(StoreError) -> [PartitionHead]

    /// Writes the batches of several partitions in one durable transaction.
    ///
    /// All or nothing; returns only when everything would survive a power failure. Each batch must follow its
    /// partition's head: `sequence == head.sequence + 1`. The store chains the hashes.
    /// - Throws: `StoreError.fenced` when another owner took a partition, `.full`, `.io`; after any error nothing of
    ///   the group is written, except `.unknownOutcome`, after which the caller must `acquire()` again.
    func commit(_ batches: [PartitionBatch]) throws(StoreError)

    /// Makes values durable that later batches will name by hash. Storing the same value twice is harmless.
    func storeBlobs(_ blobs: [Blob]) throws(StoreError)

    /// Reads journal batches of one partition in order, beginning after `sequence`, until `body` returns false.
    ///
    /// Verifies the hash chain on the way.
    /// - Throws: `StoreError.corrupt` naming the first batch that does not verify, or when the journal ends before
    ///   `sequence`; `.trimmed` when the batch after `sequence` has been dropped.
    func readJournal(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError)

    /// Reads the batches of all partitions in commit order, those of partition `p` beginning after `sequences[p]`, until
    /// `body` returns false: one pass over the file, however many partitions there are.
    ///
    /// Verifies the hash chains on the way; `sequences` has one entry per partition.
    /// - Throws: `StoreError.corrupt` naming the first batch that does not verify.
    func readJournal(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError)

    /// After which sequence the retained journal of each partition begins: what has been trimmed, 0 when nothing was.
    func retainedSequences() throws(StoreError) -> [UInt64]

    /// Opens a reader for the checkpointed state, for one thread.
    func makeStateReader() throws(StoreError) -> any StateReader

    /// Drops journal batches up to `sequence` of a partition; keeps the hash the remaining chain begins with.
    ///
    /// The caller guarantees that they are checkpointed and projected. May drop less than asked, to bound its duration.
    func trim(partition: Int, upTo sequence: UInt64) throws(StoreError)

    /// Bytes on disk, all files together.
    func sizeBytes() -> Int64

    /// Releases files and locks. Idempotent.
    func close()
}

/// Reads checkpointed entities and inboxes; used by one thread only.
public protocol StateReader: AnyObject {
    /// The state of an entity at its partition's last checkpoint, or nil when it has none.
    func load(partition: Int, kind: EntityKind, key: UInt64) throws(StoreError) -> [UInt8]?

    /// Every entity of a kind in a partition that carries an index entry, in key order: what recovery must know without
    /// loading the entities.
    func scanIndex(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ index: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError)

    /// Every entity of a kind in a partition with its full state, in key order.
    func scan(
        partition: Int, kind: EntityKind, _ body: (_ key: UInt64, _ state: UnsafeRawBufferPointer) -> Void
    ) throws(StoreError)

    /// How many entities of a kind a partition has at its last checkpoint.
    func count(partition: Int, kind: EntityKind) throws(StoreError) -> Int

    /// Messages waiting in a partition's inbox, in (source, source sequence, part) order.
    func inbox(partition: Int) throws(StoreError) -> [InboxMessage]

    /// A stored value by its hash.
    func blob(hash: [UInt8]) throws(StoreError) -> [UInt8]?
}

/// What kind of thing a checkpointed entity is; raw values are stored.
public struct EntityKind: RawRepresentable, Hashable, Sendable {
    /// The number stored.
    public let rawValue: UInt8

    /// A kind by its number; the engine names them.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }
}

/// Where a partition's journal ends.
public struct PartitionHead: Sendable, Hashable {
    /// The partition number, 0-based.
    public var partition: Int
    /// Raised by every change of owner; fences writes of earlier owners.
    public var epoch: UInt64
    /// The sequence of the newest batch; 0 when there is none.
    public var sequence: UInt64
    /// The newest batch whose effects are in the checkpointed state.
    public var checkpointSequence: UInt64
    /// SHA-256 chain value at `sequence`; 32 bytes.
    public var hash: [UInt8]

    /// Creates a head.
    public init(partition: Int, epoch: UInt64, sequence: UInt64, checkpointSequence: UInt64, hash: [UInt8]) {
        self.partition = partition
        self.epoch = epoch
        self.sequence = sequence
        self.checkpointSequence = checkpointSequence
        self.hash = hash
    }
}

/// One partition's part of a group commit.
public struct PartitionBatch: Sendable {
    /// The partition.
    public var partition: Int
    /// The epoch under which the writer owns it.
    public var epoch: UInt64
    /// The sequence of this batch: the head's plus one.
    public var sequence: UInt64
    /// How many events `payload` holds.
    public var eventCount: Int
    /// Encoded events; opaque to the store.
    public var payload: [UInt8]
    /// Messages to other partitions, put into their inboxes; `part` counts from 0.
    public var outgoing: [OutgoingMessages]
    /// Inbox rows whose messages this batch has processed; removed.
    ///
    /// Each must be there: consuming one twice is refused as `StoreError.misuse`.
    public var consumedInbox: [InboxPosition]
    /// The state of changed entities at exactly `sequence`, when this batch is a checkpoint.
    public var checkpoint: CheckpointDelta?

    /// Creates a batch.
    public init(
        partition: Int, epoch: UInt64, sequence: UInt64, eventCount: Int, payload: [UInt8],
        outgoing: [OutgoingMessages] = [], consumedInbox: [InboxPosition] = [], checkpoint: CheckpointDelta? = nil
    ) {
        self.partition = partition
        self.epoch = epoch
        self.sequence = sequence
        self.eventCount = eventCount
        self.payload = payload
        self.outgoing = outgoing
        self.consumedInbox = consumedInbox
        self.checkpoint = checkpoint
    }
}

/// The messages one batch sends to one other partition, encoded together.
public struct OutgoingMessages: Sendable {
    /// The receiving partition.
    public var target: Int
    /// Encoded messages; opaque to the store.
    public var payload: [UInt8]

    /// Creates an inbox row to be.
    public init(target: Int, payload: [UInt8]) {
        self.target = target
        self.payload = payload
    }
}

/// Identifies an inbox row of the partition that holds it.
public struct InboxPosition: Sendable, Hashable {
    /// The sending partition.
    public var source: Int
    /// The sender's batch.
    public var sourceSequence: UInt64

    /// Creates a position.
    public init(source: Int, sourceSequence: UInt64) {
        self.source = source
        self.sourceSequence = sourceSequence
    }
}

/// An inbox row not yet consumed.
public struct InboxMessage: Sendable {
    /// Who sent it, in which batch.
    public var position: InboxPosition
    /// Encoded messages.
    public var payload: [UInt8]

    /// Creates an inbox row.
    public init(position: InboxPosition, payload: [UInt8]) {
        self.position = position
        self.payload = payload
    }
}

/// Which entities changed since the partition's previous checkpoint.
public struct CheckpointDelta: Sendable {
    /// The new or changed state of one entity.
    public struct Entity: Sendable {
        /// Its kind.
        public var kind: EntityKind
        /// Its key, unique in (partition, kind).
        public var key: UInt64
        /// What recovery needs to know about it without loading it; nil when nothing.
        public var index: [UInt8]?
        /// The whole state.
        public var state: [UInt8]

        /// Creates an entity row.
        public init(kind: EntityKind, key: UInt64, index: [UInt8]?, state: [UInt8]) {
            self.kind = kind
            self.key = key
            self.index = index
            self.state = state
        }
    }

    /// Entities to write.
    public var changed: [Entity]
    /// Entities that no longer exist.
    public var removed: [(kind: EntityKind, key: UInt64)]

    /// Creates a delta.
    public init(changed: [Entity], removed: [(kind: EntityKind, key: UInt64)]) {
        self.changed = changed
        self.removed = removed
    }
}

/// A committed batch read back.
public struct JournalBatch: Sendable {
    /// The partition.
    public var partition: Int
    /// Its sequence.
    public var sequence: UInt64
    /// How many events it holds.
    public var eventCount: Int
    /// Encoded events.
    public var payload: [UInt8]
    /// The chain value after this batch: SHA-256(previous ‖ payload).
    public var hash: [UInt8]

    /// Creates a batch.
    public init(partition: Int, sequence: UInt64, eventCount: Int, payload: [UInt8], hash: [UInt8]) {
        self.partition = partition
        self.sequence = sequence
        self.eventCount = eventCount
        self.payload = payload
        self.hash = hash
    }
}

/// A value kept once, by content.
public struct Blob: Sendable {
    /// SHA-256 of `bytes`; 32 bytes.
    public var hash: [UInt8]
    /// The value.
    public var bytes: [UInt8]

    /// Creates a blob.
    public init(hash: [UInt8], bytes: [UInt8]) {
        self.hash = hash
        self.bytes = bytes
    }
}
