import Values

/// What kinds of entities a partition checkpoints; the raw values of `EntityKind`.
public enum EntityKinds {
    /// A process instance, by its key.
    public static let instance: UInt8 = 1
    /// A message subscription, by its key.
    public static let subscription: UInt8 = 2
    /// A published message, by its key.
    public static let message: UInt8 = 3
    /// A unique key, by its hash.
    public static let uniqueKey: UInt8 = 4
    /// A deployed process version, by its key.
    public static let definition: UInt8 = 5
    /// A timer start event, by its key.
    public static let startTimer: UInt8 = 6
    /// A dead letter that waits, by its key.
    public static let deadLetter: UInt8 = 7
    /// Key generator and clock of the partition, key 0.
    public static let partition: UInt8 = 8
    /// The value of a data store, by the hash of its name.
    public static let dataStore: UInt8 = 9
    /// A deployed version of a decision model, by its key.
    public static let decisions: UInt8 = 10
    /// A start lock, by the key of its instance.
    public static let startLock: UInt8 = 11

    /// What is restored from its index alone.
    public static let indexed = [instance, subscription, uniqueKey]
    /// What is restored from its state.
    public static let whole = [partition, message, startTimer, deadLetter, dataStore, startLock]
    /// What is deployed: restored before everything else, from the deployment partition.
    public static let deployed = [definition, decisions]
}

/// Something that is due at a time.
///
/// Compared by time alone; stale entries are skipped when they come up.
struct Deadline: Comparable {
    enum Kind: UInt8 {
        case timer, jobBackoff, jobLock, message, uniqueKey, startTimer
    }

    var at: Int64
    var key: UInt64
    var kind: Kind

    static func < (lhs: Deadline, rhs: Deadline) -> Bool {
        lhs.at < rhs.at || (lhs.at == rhs.at && lhs.key < rhs.key)
    }
}

/// Which instance a key given out by it belongs to.
///
/// Packed: there may be millions.
struct KeyOwner {
    var instance: UInt64
    var ordinal: UInt32
    /// The number of the job type in the lower bits, all set when there is none; the top bit is `isQueued`.
    private var bits: UInt32

    private static let typeBits: UInt32 = 0x7FFF_FFFF

    init(instance: UInt64, ordinal: UInt32, jobType: Int32 = -1, isQueued: Bool = false) {
        self.instance = instance
        self.ordinal = ordinal
        bits = UInt32(bitPattern: jobType) & Self.typeBits
        self.isQueued = isQueued
    }

    /// The number of the job type; −1 when the key is not a job's.
    var jobType: Int32 {
        get { bits & Self.typeBits == Self.typeBits ? -1 : Int32(bits & Self.typeBits) }
        set { bits = bits & ~Self.typeBits | UInt32(bitPattern: newValue) & Self.typeBits }
    }

    /// Whether the job has an entry in its queue.
    var isQueued: Bool {
        get { bits & ~Self.typeBits != 0 }
        set { bits = bits & Self.typeBits | (newValue ? ~Self.typeBits : 0) }
    }
}

/// A timer start event that has not fired for the last time.
struct StartTimerState {
    var key: UInt64
    var definition: UInt64
    var node: Int32
    var dueAt: Int64
    var repetitions: Int32
    var interval: String?
}

/// A data store: a value that outlives process instances (BPMN 2.0.2 clause 10.4.1).
struct DataStoreState {
    var name: String
    var value: VariableValue
}

/// A unique key that is taken.
struct UniqueKeyState {
    var owner: UInt64
    var expiresAt: Int64
    /// What came of the event whose key it is; nil for keys of other things.
    var effect: EventEffect?
    /// The key itself while it is not checkpointed; afterwards it is read back when needed.
    var text: String?
}

/// Everything a partition knows, apart from the machinery that changes it.
///
/// `instances` holds what is in memory; an instance that is not may be in the checkpoint. The other tables are complete.
struct PartitionState {
    var keys: KeyGenerator
    /// The time of the last command; never goes back, whatever the clock does.
    var now: Int64 = 0
    var instances: [UInt64: ProcessInstance] = [:]
    /// Instances that have not ended, in memory or not.
    var liveInstances = 0
    /// Jobs, user tasks, incidents and timers that are open, by key.
    var owners: [UInt64: KeyOwner] = [:]
    var openJobs = 0
    var openTimers = 0
    var jobs = JobQueues()
    var deadlines = MinHeap<Deadline>()
    var subscriptions = MessageSubscriptions()
    var messages: [UInt64: MessageState] = [:]
    var messagesByHash: [UInt64: [UInt64]] = [:]
    var messageIDs: [UInt64: UInt64] = [:]
    /// Signal subscriptions of the partition's instances: by name, then key, the instance.
    var signals: [String: [UInt64: UInt64]] = [:]
    /// This partition's copy of the data stores, by the hash of their name.
    var dataStores: [UInt64: DataStoreState] = [:]
    var uniqueKeys: [UInt64: UniqueKeyState] = [:]
    var startLocks = StartLocks()
    var startTimers: [UInt64: StartTimerState] = [:]
    /// Dead letters that wait, with what is needed to answer commands.
    var deadLetters: [UInt64: DeadLetterRecorded] = [:]
    /// The newest version of each process id (the deployment partition only).
    var versions: [String: (version: Int32, key: UInt64, checksum: UInt64)] = [:]
    /// The newest version of each decision model by the id of its definitions (the deployment partition only).
    var decisionModels: [String: (version: Int32, key: UInt64, checksum: UInt64)] = [:]
    /// The newest version number of each decision id (the deployment partition only).
    var decisionVersions: [String: Int32] = [:]

    // What changed since the last checkpoint. Not stored.
    var dirtyInstances: [ProcessInstance] = []
    var removedInstances: Set<UInt64> = []
    /// Removed by the last checkpoint, which may not be durable yet.
    var removedInFlight: Set<UInt64> = []
    var changedEntities: Set<EntityName> = []

    init(partition: Int) {
        keys = KeyGenerator(partition: partition)
    }
}

/// An entity other than an instance.
struct EntityName: Hashable {
    var kind: UInt8
    var key: UInt64
}
