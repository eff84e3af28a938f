public import Values

/// The query model: what the projector writes and everything reads.
///
/// `apply` and the queries may run on different threads. Every transaction of `apply` also moves the projected
/// positions, so each journal batch is projected exactly once, whenever the process dies (DESIGN §2).
public protocol RecordStore: Sendable {
    /// The newest projected sequence of every partition, by number.
    func projectedSequences() throws(StoreError) -> [UInt64]

    /// Like `projectedSequences`, but only after making them survive a power failure. The journal may be trimmed up to
    /// these, not up to `projectedSequences`.
    func durableSequences() throws(StoreError) -> [UInt64]

    /// Writes one projector batch in one transaction.
    ///
    /// - Throws: `StoreError.misuse` when a position does not move forward, `.full`, `.io`; nothing is written then.
    func apply(_ batch: RecordBatch) throws(StoreError)

    /// An instance with its whole path, as projected; nil when it is not there.
    func instance(key: UInt64) throws(StoreError) -> ProcessInstanceRecord?

    /// Bytes on disk.
    func sizeBytes() -> Int64

    /// Releases files. Idempotent.
    func close()
}

/// Changes to the query model, merged per row: one entry per key, the newest state.
public struct RecordBatch: Sendable {
    /// Moves the projected position of these partitions.
    public var positions: [(partition: Int, sequence: UInt64)] = []
    /// New process definitions.
    public var definitions: [ProcessDefinitionRecord] = []
    /// New or changed process instances.
    public var instances: [ProcessInstanceRecord] = []
    /// Variables at their newest value; removed ones only when their scope ended without trace.
    public var variables: [VariableRecord] = []
    /// New jobs that exist after this batch.
    public var jobs: [JobRecord] = []
    /// Changes of jobs of earlier batches.
    public var jobChanges: [JobChange] = []
    /// Jobs that ended.
    public var endedJobs: [UInt64] = []
    /// New user tasks, ended ones included.
    public var userTasks: [UserTaskRecord] = []
    /// Changes of user tasks of earlier batches.
    public var userTaskChanges: [UserTaskChange] = []
    /// New incidents, resolved ones included.
    public var incidents: [IncidentRecord] = []
    /// Incidents of earlier batches that ended.
    public var incidentChanges: [IncidentChange] = []
    /// New messages.
    public var messages: [MessageRecord] = []
    /// Changes of messages of earlier batches.
    public var messageChanges: [MessageChange] = []
    /// New timers that exist after this batch.
    public var timers: [TimerRecord] = []
    /// Changes of timers of earlier batches.
    public var timerChanges: [TimerChange] = []
    /// Element instances whose timers all ended, beyond those of this batch.
    public var endedTimerOwners: [(instanceKey: UInt64, elementInstanceKey: UInt64)] = []
    /// Timers that ended.
    public var endedTimers: [UInt64] = []
    /// New dead letters, ended ones included.
    public var deadLetters: [DeadLetterRecord] = []
    /// Dead letters of earlier batches that ended.
    public var deadLetterChanges: [DeadLetterChange] = []
    /// What people and clients did.
    public var audit: [AuditRecord] = []

    /// Creates an empty batch.
    public init() {}
}

/// A deployed version of a process.
public struct ProcessDefinitionRecord: Sendable {
    public var key: UInt64
    public var processID: String
    public var version: Int
    public var versionTag: String?
    public var name: String?
    public var resourceName: String
    public var deploymentKey: UInt64
    /// The document as deployed.
    public var resource: [UInt8]
    public var deployedAt: Int64

    public init(
        key: UInt64, processID: String, version: Int, versionTag: String?, name: String?, resourceName: String,
        deploymentKey: UInt64, resource: [UInt8], deployedAt: Int64
    ) {
        self.key = key
        self.processID = processID
        self.version = version
        self.versionTag = versionTag
        self.name = name
        self.resourceName = resourceName
        self.deploymentKey = deploymentKey
        self.resource = resource
        self.deployedAt = deployedAt
    }
}

/// The life of a process instance, element instance or the like.
public enum LifecycleState: UInt8, Sendable, CaseIterable {
    case active = 0
    case completed = 1
    /// Ended before completion: cancelled, interrupted or terminated.
    case terminated = 2
}

/// A process instance.
public struct ProcessInstanceRecord: Sendable {
    public var key: UInt64
    public var definitionKey: UInt64
    public var parentInstanceKey: UInt64?
    public var parentElementInstanceKey: UInt64?
    public var businessID: String?
    public var state: LifecycleState
    /// Unix milliseconds.
    public var startedAt: Int64
    public var endedAt: Int64?
    public var openIncidents: Int
    /// The part of the path that this batch adds, encoded by the runtime (`PathCodec`); appended to what is stored.
    public var path: [UInt8]

    public init(
        key: UInt64, definitionKey: UInt64, parentInstanceKey: UInt64?, parentElementInstanceKey: UInt64?,
        businessID: String?, state: LifecycleState, startedAt: Int64, endedAt: Int64?, openIncidents: Int,
        path: [UInt8]
    ) {
        self.key = key
        self.definitionKey = definitionKey
        self.parentInstanceKey = parentInstanceKey
        self.parentElementInstanceKey = parentElementInstanceKey
        self.businessID = businessID
        self.state = state
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.openIncidents = openIncidents
        self.path = path
    }
}

/// A variable of a scope.
public struct VariableRecord: Sendable {
    public var instanceKey: UInt64
    /// The instance or element instance that owns it.
    public var scopeKey: UInt64
    public var name: String
    public var value: VariableValue

    public init(instanceKey: UInt64, scopeKey: UInt64, name: String, value: VariableValue) {
        self.instanceKey = instanceKey
        self.scopeKey = scopeKey
        self.name = name
        self.value = value
    }
}

/// A job that has not ended.
public struct JobRecord: Sendable {
    public var key: UInt64
    public var instanceKey: UInt64
    public var elementInstanceKey: UInt64
    public var definitionKey: UInt64
    public var elementID: String
    public var type: String
    /// 0 activatable, 1 activated, 2 failed (waits for its backoff), 3 incident.
    public var state: UInt8
    public var retries: Int
    public var priority: Int
    public var worker: String?
    public var deadline: Int64?
    public var errorMessage: String?
    public var createdAt: Int64

    public init(
        key: UInt64, instanceKey: UInt64, elementInstanceKey: UInt64, definitionKey: UInt64, elementID: String,
        type: String, state: UInt8, retries: Int, priority: Int, worker: String?, deadline: Int64?,
        errorMessage: String?, createdAt: Int64
    ) {
        self.key = key
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definitionKey = definitionKey
        self.elementID = elementID
        self.type = type
        self.state = state
        self.retries = retries
        self.priority = priority
        self.worker = worker
        self.deadline = deadline
        self.errorMessage = errorMessage
        self.createdAt = createdAt
    }
}

/// A task for a person.
public struct UserTaskRecord: Sendable {
    public var key: UInt64
    public var instanceKey: UInt64
    public var elementInstanceKey: UInt64
    public var definitionKey: UInt64
    public var elementID: String
    public var name: String?
    /// 0 created, 1 completed, 2 cancelled.
    public var state: UInt8
    public var assignee: String?
    public var candidateGroups: [String]
    public var candidateUsers: [String]
    public var priority: Int
    public var dueDate: String?
    public var followUpDate: String?
    public var formKey: String?
    public var createdAt: Int64
    public var endedAt: Int64?

    public init(
        key: UInt64, instanceKey: UInt64, elementInstanceKey: UInt64, definitionKey: UInt64, elementID: String,
        name: String?, state: UInt8, assignee: String?, candidateGroups: [String], candidateUsers: [String],
        priority: Int, dueDate: String?, followUpDate: String?, formKey: String?, createdAt: Int64, endedAt: Int64?
    ) {
        self.key = key
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definitionKey = definitionKey
        self.elementID = elementID
        self.name = name
        self.state = state
        self.assignee = assignee
        self.candidateGroups = candidateGroups
        self.candidateUsers = candidateUsers
        self.priority = priority
        self.dueDate = dueDate
        self.followUpDate = followUpDate
        self.formKey = formKey
        self.createdAt = createdAt
        self.endedAt = endedAt
    }
}

/// Something an instance cannot get past.
public struct IncidentRecord: Sendable {
    public var key: UInt64
    public var instanceKey: UInt64
    public var elementInstanceKey: UInt64
    public var definitionKey: UInt64
    public var elementID: String
    public var jobKey: UInt64?
    /// The error type of the Camunda API (`JOB_NO_RETRIES`, `CONDITION_ERROR`, …).
    public var type: String
    public var message: String
    /// What to do next.
    public var remedy: String
    public var createdAt: Int64
    public var resolvedAt: Int64?

    public init(
        key: UInt64, instanceKey: UInt64, elementInstanceKey: UInt64, definitionKey: UInt64, elementID: String,
        jobKey: UInt64?, type: String, message: String, remedy: String, createdAt: Int64, resolvedAt: Int64?
    ) {
        self.key = key
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definitionKey = definitionKey
        self.elementID = elementID
        self.jobKey = jobKey
        self.type = type
        self.message = message
        self.remedy = remedy
        self.createdAt = createdAt
        self.resolvedAt = resolvedAt
    }
}

/// A published message.
public struct MessageRecord: Sendable {
    public var key: UInt64
    public var name: String
    public var correlationKey: String
    public var messageID: String?
    /// 0 buffered, 1 correlated, 2 expired.
    public var state: UInt8
    public var instanceKey: UInt64?
    public var publishedAt: Int64
    public var expiresAt: Int64

    public init(
        key: UInt64, name: String, correlationKey: String, messageID: String?, state: UInt8, instanceKey: UInt64?,
        publishedAt: Int64, expiresAt: Int64
    ) {
        self.key = key
        self.name = name
        self.correlationKey = correlationKey
        self.messageID = messageID
        self.state = state
        self.instanceKey = instanceKey
        self.publishedAt = publishedAt
        self.expiresAt = expiresAt
    }
}

/// A timer that has not fired.
public struct TimerRecord: Sendable {
    public var key: UInt64
    public var instanceKey: UInt64?
    public var elementInstanceKey: UInt64?
    public var definitionKey: UInt64
    public var elementID: String
    public var dueAt: Int64

    public init(
        key: UInt64, instanceKey: UInt64?, elementInstanceKey: UInt64?, definitionKey: UInt64, elementID: String,
        dueAt: Int64
    ) {
        self.key = key
        self.instanceKey = instanceKey
        self.elementInstanceKey = elementInstanceKey
        self.definitionKey = definitionKey
        self.elementID = elementID
        self.dueAt = dueAt
    }
}

/// What could not be delivered (resilience.md 2.9).
public struct DeadLetterRecord: Sendable {
    public var key: UInt64
    /// The trigger or connector it came through.
    public var origin: String
    /// Where the source had it: file and line, topic and offset, …; JSON.
    public var coordinates: [UInt8]
    public var dedupeKey: String?
    /// `decode`, `validate`, `filter`, `transform`, `correlate`, `invoke`, `commit`.
    public var stage: String
    public var errorCode: String
    public var errorMessage: String
    public var contentType: String
    public var payload: [UInt8]
    /// 0 parked, 1 replayed, 2 discarded.
    public var state: UInt8
    public var redriveCount: Int
    public var createdAt: Int64
    public var endedAt: Int64?

    public init(
        key: UInt64, origin: String, coordinates: [UInt8], dedupeKey: String?, stage: String, errorCode: String,
        errorMessage: String, contentType: String, payload: [UInt8], state: UInt8, redriveCount: Int,
        createdAt: Int64, endedAt: Int64?
    ) {
        self.key = key
        self.origin = origin
        self.coordinates = coordinates
        self.dedupeKey = dedupeKey
        self.stage = stage
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.contentType = contentType
        self.payload = payload
        self.state = state
        self.redriveCount = redriveCount
        self.createdAt = createdAt
        self.endedAt = endedAt
    }
}

/// Who did what, when, to which object.
public struct AuditRecord: Sendable {
    public var key: UInt64
    public var at: Int64
    public var actor: String
    public var action: String
    public var object: String
    public var detail: String?

    public init(key: UInt64, at: Int64, actor: String, action: String, object: String, detail: String?) {
        self.key = key
        self.at = at
        self.actor = actor
        self.action = action
        self.object = object
        self.detail = detail
    }
}
