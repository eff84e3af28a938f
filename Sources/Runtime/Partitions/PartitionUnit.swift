import Engine
import Storage
import Synchronization
import Values

/// A command in a partition's queue.
struct QueuedCommand: Sendable {
    var envelope: CommandEnvelope
    /// The inbox row the command came from.
    var inbox: InboxPosition?
    /// Whether the command only asks to hand out jobs.
    var isPoke = false

    /// Asks to hand out jobs.
    static let poke = QueuedCommand(envelope: CommandEnvelope(.tick), isPoke: true)
}

/// One partition with its queue: anybody may enqueue; everything else belongs to the processing thread it is assigned to.
///
/// Sendable: `queue`, `outstanding` and `durableSequence` are synchronised; the rest is used by one processing thread
/// after `WorkflowRuntime.start()` has handed the unit over.
final class PartitionUnit: @unchecked Sendable {
    let number: Int
    let thread: ProcessingThread
    let engine: PartitionEngine
    private let reader: any StateReader
    private let queue = Mutex<[QueuedCommand]>([])
    /// Jobs handed to in-process workers and not answered, with their worker.
    let outstanding = Mutex<[UInt64: JobWorkerRegistration]>([:])
    /// The newest durable batch.
    let durableSequence = Atomic<UInt64>(0)
    /// Whether nothing is left to checkpoint or evict.
    let isSettled = Atomic<Bool>(false)

    // Of the processing thread.
    let epoch: UInt64
    var sequence: UInt64
    var checkpointSequence: UInt64
    var isCheckpointPending = false
    var bytesSinceCheckpoint = 0
    var lastCheckpointAt: Int64 = 0
    var consumedInbox: [InboxPosition] = []
    /// Large values of batches that may not be durable yet, oldest first.
    var pendingBlobs: [(sequence: UInt64, hashes: [[UInt8]])] = []
    /// Types whose new jobs external workers must be told of.
    var offeredToPolls: [String] = []

    init(
        head: PartitionHead, partitionCount: Int, definitions: DefinitionRegistry, reader: any StateReader,
        thread: ProcessingThread
    ) {
        let source = ReaderSource(partition: head.partition, reader: reader)
        self.number = head.partition
        self.epoch = head.epoch
        self.sequence = head.sequence
        self.checkpointSequence = head.checkpointSequence
        self.reader = reader
        self.thread = thread
        self.source = source
        self.engine = PartitionEngine(
            partition: head.partition, partitionCount: partitionCount, definitions: definitions, source: source)
        self.durableSequence.store(head.sequence, ordering: .relaxed)
    }

    private let source: ReaderSource
    /// Whether nothing is processed any more, because of `failure`.
    var isStopped = false

    /// Why nothing of the partition may become durable any more: what was stored could not be read.
    var failure: StoreError? {
        if let failure = source.failure { return failure }
        guard let damage = engine.damage else { return nil }
        return StoreError(
            .corrupt, "The state of partition \(number) is damaged: \(damage).",
            remedy: "Run `junction doctor` and `junction audit verify`, then restore a backup.")
    }

    /// Adds a command and wakes the thread.
    func enqueue(_ command: QueuedCommand) {
        let wasEmpty = queue.withLock { queue in
            queue.append(command)
            return queue.count == 1
        }
        if wasEmpty { thread.makeReady(self) }
    }

    /// Adds several commands at once.
    func enqueue(_ commands: [QueuedCommand]) {
        guard !commands.isEmpty else { return }
        let wasEmpty = queue.withLock { queue in
            let wasEmpty = queue.isEmpty
            queue.append(contentsOf: commands)
            return wasEmpty
        }
        if wasEmpty { thread.makeReady(self) }
    }

    /// Whether a checkpoint was written and the engine does not know yet.
    var isCheckpointDurable: Bool {
        isCheckpointPending && durableSequence.load(ordering: .acquiring) >= checkpointSequence
    }

    var queuedCount: Int { queue.withLock(\.count) }

    /// Takes everything that waits.
    func drain() -> [QueuedCommand] {
        queue.withLock { queue in
            let taken = queue
            queue = []
            return taken
        }
    }
}

/// Reads a partition's checkpoint through its thread's reader.
final class ReaderSource: StateSource {
    private let partition: Int
    private let reader: any StateReader
    /// The first time that reading failed.
    private(set) var failure: StoreError?

    init(partition: Int, reader: any StateReader) {
        self.partition = partition
        self.reader = reader
    }

    func hash(_ bytes: [UInt8]) -> [UInt8]? { ContentHash.sha256(bytes) }

    func blob(hash: [UInt8]) -> [UInt8]? {
        do {
            return try reader.blob(hash: hash)
        } catch {
            failure = failure ?? error
            return nil
        }
    }

    func load(kind: UInt8, key: UInt64) -> [UInt8]? {
        do {
            return try reader.load(partition: partition, kind: EntityKind(rawValue: kind), key: key)
        } catch {
            failure = failure ?? error
            return nil
        }
    }
}
