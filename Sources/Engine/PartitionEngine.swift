import ProcessModel
import Values

/// One partition: a single-threaded state machine from commands to events and effects (DESIGN §2).
///
/// Pure apart from its `StateSource`: time arrives with each command, keys come from its own generator. Not `Sendable`:
/// one thread at a time may use it. The caller processes commands, then takes the batch with `takeBatch()` and must not
/// let any of its effects out before the batch is durable.
public final class PartitionEngine {
    /// The partition number.
    public let partition: Int
    /// How many partitions there are: decides where messages meet.
    public let partitionCount: Int
    let definitions: DefinitionRegistry
    unowned let source: any StateSource

    var state: PartitionState

    // The batch under construction.
    var writer = ByteWriter(capacity: 64 * 1024)
    var codec = EventCodec()
    var eventCount = 0
    var cursor: ProcessInstance?
    var cursorWritten = false
    var writtenTime: Int64 = -1
    /// Whether the batch names an actor for the events that follow.
    var hasActor = false
    var effects: [Effect] = []
    var outgoing: [Int: ByteWriter] = [:]

    /// Job types with new activatable jobs since the runtime last looked.
    var offeredTypes: Set<Int32> = []
    /// The message hashes of subscriptions in `state.changedEntities`.
    var changedSubscriptionHashes: [UInt64: UInt64] = [:]
    /// The last key given out at the last checkpoint.
    var checkpointedKey: UInt64 = 0
    /// Large values named by batches that may not be durable yet.
    var freshBlobs: [[UInt8]: [UInt8]] = [:]
    /// Those of the batch under construction.
    var newBlobs: [(hash: [UInt8], bytes: [UInt8])] = []
    /// Unique keys in the last checkpoint, whose text may leave memory once that is durable.
    var checkpointedUniqueKeys: [UInt64] = []
    /// Everything deployed (the deployment partition only), for checkpoints.
    var deployments: [UInt64: ProcessDeployed] = [:]
    /// Every decision model deployed (the deployment partition only), for checkpoints.
    var decisionDeployments: [UInt64: DecisionsDeployed] = [:]
    /// Instances whose end somebody awaits.
    ///
    /// Lost with the process, as is the one who awaits.
    var awaited: Set<UInt64> = []

    // The command under way.
    /// Steps of the current segment, in order; `nextStep` is the first not done.
    var steps: [Step] = []
    var nextStep = 0
    var stepsTaken = 0
    /// Elements whose event is thrown when the steps are done; `nextThrower` is the first not done.
    var throwers: [(instance: ProcessInstance, ordinal: UInt32)] = []
    var nextThrower = 0
    /// Instances with inclusive or complex joins that may have become possible.
    var openJoins: [ProcessInstance] = []
    /// Instances that wait for conditions and whose variables changed.
    var changedConditions: [ProcessInstance] = []
    /// How often a node came round since the command took more than `stepsPerCommandMax` steps.
    var visits: [Visit: Int] = [:]
    /// Start timers that are due but whose definition may not be used yet.
    var undeployedStarts: [Deadline] = []
    /// Messages this partition sent itself, processed after the command that sent them.
    var localMessages: [PartitionMessage] = []
    /// Where events that wait may have got a way on.
    var unsettled: [Unsettled] = []
    var commandCounter: UInt64 = 0
    let scopeView = ScopeView()

    /// What of the stored state is damaged, as far as it was met; nil while nothing is.
    ///
    /// From then on the state in memory is not what it should be, and nothing of it may become durable or leave.
    public private(set) var damage: String?

    /// Remembers damage; the first is what counts.
    func noteDamage(_ what: String) {
        if damage == nil { damage = what }
    }

    /// Figures since the engine began, for metrics.
    public internal(set) var counters = EngineCounters()

    /// After this many steps in one command, elements that come round again raise an incident, since a process that
    /// loops without ever waiting would otherwise hold its partition for ever.
    public static let stepsPerCommandMax = 100_000
    /// How often one node of one scope may come round after that; a large fan-out visits each only once.
    static let visitsMax = 100
    /// No command takes more steps than this.
    static let stepsMax = 2_000_000
    /// How deep call activities may nest.
    public static let callDepthMax = 256

    /// Creates an engine with empty state; `restore` fills it.
    public init(partition: Int, partitionCount: Int, definitions: DefinitionRegistry, source: any StateSource) {
        self.partition = partition
        self.partitionCount = partitionCount
        self.definitions = definitions
        self.source = source
        self.state = PartitionState(partition: partition)
        self.scopeView.engine = self
    }

    // MARK: Events

    /// Records a partition event: applies it and adds it to the batch.
    func emit(_ event: Event) {
        if writtenTime != state.now {
            codec.write(.time(state.now), into: &writer)
            writtenTime = state.now
        }
        codec.write(event, into: &writer)
        eventCount += 1
        apply(event)
    }

    /// Records an event of an instance.
    func emit(_ event: Event, on instance: ProcessInstance) {
        if case .variableSet(let scope, let name, let value) = event {
            if value.isLarge(over: Self.inlineValueBytesMax) {
                let kept = stored(value)
                if kept.reference != nil {
                    emit(.variableSet(scope: scope, name: name, value: kept), on: instance)
                    return
                }
            }
            if !instance.conditions.isEmpty, changedConditions.last !== instance { changedConditions.append(instance) }
        }
        if instance.process.hasInclusiveJoins { noteJoins(instance) }
        if cursor !== instance || !cursorWritten {
            cursor = instance
            if writtenTime != state.now {
                codec.write(.time(state.now), into: &writer)
                writtenTime = state.now
            }
            codec.write(.instance(key: instance.key), into: &writer)
            cursorWritten = true
        }
        emit(event)
    }

    /// The time that lies so far after the present; a time nobody will see (the year 9999 and later) is cut.
    func time(after milliseconds: Int64) -> Int64 {
        state.now + Swift.min(Swift.max(0, milliseconds), 253_402_300_799_999)
    }

    func newKey() -> UInt64 {
        state.keys.next(at: state.now).rawValue
    }

    // MARK: Batches

    /// Whether there is anything to commit.
    public var hasBatch: Bool { eventCount > 0 || !effects.isEmpty }

    /// Bytes of events since the last `takeBatch`.
    public var batchBytes: Int { writer.count }

    /// Takes the events and effects since the last call.
    public func takeBatch() -> EngineBatch {
        let batch = EngineBatch(
            eventCount: eventCount, payload: writer.bytes, effects: effects,
            blobs: newBlobs, outgoing: outgoing.sorted { $0.key < $1.key }.map { ($0.key, $0.value.bytes) })
        writer = ByteWriter(capacity: Swift.max(4096, Swift.min(writer.count * 2, 1 << 20)))
        codec = EventCodec()
        eventCount = 0
        cursor = nil
        cursorWritten = false
        writtenTime = -1
        hasActor = false
        effects = []
        outgoing = [:]
        newBlobs = []
        return batch
    }

    // MARK: Instances

    /// A live instance, loaded from the checkpoint when it is not in memory; nil when there is none.
    func instance(_ key: UInt64) -> ProcessInstance? {
        if let instance = state.instances[key] {
            instance.lastUse = commandCounter
            return instance
        }
        guard key != 0, Key(rawValue: key).partition == partition,
            !state.removedInstances.contains(key), !state.removedInFlight.contains(key),
            let bytes = source.load(kind: EntityKinds.instance, key: key),
            let instance = decodeInstance(key: key, bytes)
        else { return nil }
        instance.isCheckpointed = true
        instance.lastUse = commandCounter
        state.instances[key] = instance
        return instance
    }

    func markDirty(_ instance: ProcessInstance) {
        if !instance.isDirty {
            instance.isDirty = true
            state.dirtyInstances.append(instance)
        }
    }
}

/// What a run of commands produced.
public struct EngineBatch {
    /// How many events `payload` holds, context events not counted.
    public var eventCount: Int
    /// The encoded events; empty when nothing happened.
    public var payload: [UInt8]
    /// What to do once the batch is durable, in order.
    public var effects: [Effect]
    /// Large values the events name; to be durable before the events are.
    public var blobs: [(hash: [UInt8], bytes: [UInt8])]
    /// Encoded messages to other partitions.
    public var outgoing: [(target: Int, payload: [UInt8])]
}

/// Figures of an engine since it began.
public struct EngineCounters: Sendable {
    /// Process instances started.
    public var instancesStarted = 0
    /// Process instances completed.
    public var instancesCompleted = 0
    /// Process instances ended from outside.
    public var instancesTerminated = 0
    /// Element instances that began.
    public var elementsStarted = 0
    /// Jobs created.
    public var jobsCreated = 0
    /// Jobs completed.
    public var jobsCompleted = 0
    /// Incidents raised.
    public var incidentsRaised = 0
}
