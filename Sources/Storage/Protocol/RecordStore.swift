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

    /// Forgets events of the inbox whose last day is over at a moment, up to `limit`; how many there were.
    func purgeInbox(at milliseconds: Int64, limit: Int) throws(StoreError) -> Int

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
    /// New versions of decision models.
    public var decisionRequirements: [DecisionRequirementsRecord] = []
    /// Their decisions.
    public var decisionDefinitions: [DecisionDefinitionRecord] = []
    /// Evaluated decisions.
    public var decisionInstances: [DecisionInstanceRecord] = []
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
    /// Dead letters that are not kept any longer.
    public var purgedDeadLetters: [UInt64] = []
    /// Events that are kept.
    public var inbox: [InboxRecord] = []
    /// What people and clients did.
    public var audit: [AuditRecord] = []

    /// Creates an empty batch.
    public init() {}
}

/// A deployed version of a process.
public struct ProcessDefinitionRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The process id of the model.
    public var processID: String
    /// Its version, counted from 1 per process id.
    public var version: Int
    /// The version tag of the model.
    public var versionTag: String?
    /// The name of the process.
    public var name: String?
    /// The file it was deployed from.
    public var resourceName: String
    /// The deployment it came with.
    public var deploymentKey: UInt64
    /// The document as deployed.
    public var resource: [UInt8]
    /// Unix milliseconds.
    public var deployedAt: Int64

    /// Creates a record.
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
    /// Under way.
    case active = 0
    /// Reached its end.
    case completed = 1
    /// Ended before completion: cancelled, interrupted or terminated.
    case terminated = 2
}

/// A process instance.
public struct ProcessInstanceRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The definition it runs.
    public var definitionKey: UInt64
    /// The instance whose call activity started it.
    public var parentInstanceKey: UInt64?
    /// That call activity.
    public var parentElementInstanceKey: UInt64?
    /// The client's own id of the case.
    public var businessID: String?
    /// Where it is in its life.
    public var state: LifecycleState
    /// Unix milliseconds.
    public var startedAt: Int64
    /// Unix milliseconds; nil while it is active.
    public var endedAt: Int64?
    /// How many of its incidents are not resolved.
    public var openIncidents: Int
    /// The part of the path that this batch adds, encoded by the runtime (`PathCodec`); appended to what is stored.
    public var path: [UInt8]

    /// Creates a record.
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
    /// The process instance.
    public var instanceKey: UInt64
    /// The instance or element instance that owns it.
    public var scopeKey: UInt64
    /// Its name, unique in the scope.
    public var name: String
    /// Its newest value.
    public var value: VariableValue

    /// Creates a record.
    public init(instanceKey: UInt64, scopeKey: UInt64, name: String, value: VariableValue) {
        self.instanceKey = instanceKey
        self.scopeKey = scopeKey
        self.name = name
        self.value = value
    }
}

/// A job that has not ended.
public struct JobRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// The process instance.
    public var instanceKey: UInt64
    /// The element instance that waits for it.
    public var elementInstanceKey: UInt64
    /// The definition of the instance.
    public var definitionKey: UInt64
    /// The id of the element in the model.
    public var elementID: String
    /// What workers ask for.
    public var type: String
    /// 0 activatable, 1 activated, 2 failed (waits for its backoff), 3 incident.
    public var state: UInt8
    /// Attempts left.
    public var retries: Int
    /// Higher is sooner.
    public var priority: Int
    /// Who works on it.
    public var worker: String?
    /// When its lock ends or its backoff is over; Unix milliseconds.
    public var deadline: Int64?
    /// Why its newest attempt failed.
    public var errorMessage: String?
    /// Unix milliseconds.
    public var createdAt: Int64

    /// Creates a record.
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
    /// Its key.
    public var key: UInt64
    /// The process instance.
    public var instanceKey: UInt64
    /// The element instance that waits for it.
    public var elementInstanceKey: UInt64
    /// The definition of the instance.
    public var definitionKey: UInt64
    /// The id of the element in the model.
    public var elementID: String
    /// The name of the element.
    public var name: String?
    /// 0 created, 1 completed, 2 cancelled.
    public var state: UInt8
    /// Who does it.
    public var assignee: String?
    /// Groups that may do it.
    public var candidateGroups: [String]
    /// People who may do it.
    public var candidateUsers: [String]
    /// 0 … 100, higher is sooner.
    public var priority: Int
    /// ISO 8601.
    public var dueDate: String?
    /// ISO 8601.
    public var followUpDate: String?
    /// The form it is done with.
    public var formKey: String?
    /// Unix milliseconds.
    public var createdAt: Int64
    /// Unix milliseconds; nil while it is open.
    public var endedAt: Int64?

    /// Creates a record.
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
    /// Its key.
    public var key: UInt64
    /// The process instance.
    public var instanceKey: UInt64
    /// The element instance that is stuck.
    public var elementInstanceKey: UInt64
    /// The definition of the instance.
    public var definitionKey: UInt64
    /// The id of the element in the model.
    public var elementID: String
    /// The job that failed, if it was one.
    public var jobKey: UInt64?
    /// The error type of the Camunda API (`JOB_NO_RETRIES`, `CONDITION_ERROR`, …).
    public var type: String
    /// What happened.
    public var message: String
    /// What to do next.
    public var remedy: String
    /// Unix milliseconds.
    public var createdAt: Int64
    /// Unix milliseconds; nil while it is open.
    public var resolvedAt: Int64?

    /// Creates a record.
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
    /// Its key.
    public var key: UInt64
    /// Its name.
    public var name: String
    /// What it correlates by.
    public var correlationKey: String
    /// The sender's id for it, unique while it is buffered.
    public var messageID: String?
    /// 0 buffered, 1 correlated, 2 expired.
    public var state: UInt8
    /// The newest instance it reached.
    public var instanceKey: UInt64?
    /// Unix milliseconds.
    public var publishedAt: Int64
    /// Unix milliseconds.
    public var expiresAt: Int64

    /// Creates a record.
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
    /// Its key.
    public var key: UInt64
    /// The process instance; nil for a timer that starts one.
    public var instanceKey: UInt64?
    /// The element instance that waits for it.
    public var elementInstanceKey: UInt64?
    /// The definition of the instance, or of the start event.
    public var definitionKey: UInt64
    /// The id of the element in the model.
    public var elementID: String
    /// Unix milliseconds.
    public var dueAt: Int64

    /// Creates a record.
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

/// Who did what, when, to which object.
public struct AuditRecord: Sendable {
    /// Its key.
    public var key: UInt64
    /// Unix milliseconds.
    public var at: Int64
    /// Who did it.
    public var actor: String
    /// What was done.
    public var action: String
    /// To which object.
    public var object: String
    /// More about it; JSON.
    public var detail: String?

    /// Creates a record.
    public init(key: UInt64, at: Int64, actor: String, action: String, object: String, detail: String?) {
        self.key = key
        self.at = at
        self.actor = actor
        self.action = action
        self.object = object
        self.detail = detail
    }
}
