/// Reads the query model; any number of threads may use one reader at once.
///
/// Every call blocks its thread for the duration of a query, and sees one moment of the records: what `apply` had written
/// when the call began. All methods throw `.io`, `.corrupt`, `.closed`, and `.misuse` for a cursor that is none.
public protocol RecordReader: Sendable {
    /// Process instances without their paths.
    func processInstances(
        _ query: Query<ProcessInstanceFilter>
    ) throws(StoreError) -> ResultPage<WithDefinition<ProcessInstanceRecord>>

    /// One process instance with its whole path; nil when there is none.
    func processInstance(key: UInt64) throws(StoreError) -> WithDefinition<ProcessInstanceRecord>?

    /// The variables of an instance, all scopes, by scope and name.
    func variables(instanceKey: UInt64) throws(StoreError) -> [VariableRecord]

    /// Jobs that have not ended.
    func jobs(_ query: Query<JobFilter>) throws(StoreError) -> ResultPage<WithDefinition<JobRecord>>

    /// User tasks.
    func userTasks(_ query: Query<UserTaskFilter>) throws(StoreError) -> ResultPage<WithDefinition<UserTaskRecord>>

    /// Incidents.
    func incidents(_ query: Query<IncidentFilter>) throws(StoreError) -> ResultPage<WithDefinition<IncidentRecord>>

    /// Timers that have not fired.
    func timers(_ query: Query<TimerFilter>) throws(StoreError) -> ResultPage<WithDefinition<TimerRecord>>

    /// Published messages.
    func messages(_ query: Query<MessageFilter>) throws(StoreError) -> ResultPage<MessageRecord>

    /// Dead letters.
    func deadLetters(_ query: Query<DeadLetterFilter>) throws(StoreError) -> ResultPage<DeadLetterRecord>

    /// The events of the inbox; `keptUntil` is the beginning of their last day.
    func inbox(_ query: Query<InboxFilter>) throws(StoreError) -> ResultPage<InboxRecord>

    /// Process definitions without their documents.
    func processDefinitions(
        _ query: Query<ProcessDefinitionFilter>
    ) throws(StoreError) -> ResultPage<ProcessDefinitionRecord>

    /// One process definition with its document; nil when there is none.
    func processDefinition(key: UInt64) throws(StoreError) -> ProcessDefinitionRecord?

    /// The newest version of a process with its document; nil when there is none.
    func latestProcessDefinition(processID: String) throws(StoreError) -> ProcessDefinitionRecord?

    /// Versions of decision models without their documents.
    func decisionRequirements(
        _ query: Query<DecisionRequirementsFilter>
    ) throws(StoreError) -> ResultPage<DecisionRequirementsRecord>

    /// One version of a decision model with its document; nil when there is none.
    func decisionRequirements(key: UInt64) throws(StoreError) -> DecisionRequirementsRecord?

    /// Versions of decisions.
    func decisionDefinitions(
        _ query: Query<DecisionDefinitionFilter>
    ) throws(StoreError) -> ResultPage<DecisionDefinitionRecord>

    /// Evaluated decisions.
    func decisionInstances(_ query: Query<DecisionInstanceFilter>) throws(StoreError) -> ResultPage<WithDecision>

    /// The audit log.
    func audit(_ query: Query<AuditFilter>) throws(StoreError) -> ResultPage<AuditRecord>

    /// How many process instances each definition has, by definition key.
    func instanceTotals() throws(StoreError) -> [ProcessInstanceTotal]

    /// How much of everything there is.
    func totals() throws(StoreError) -> RecordTotals

    /// Releases files. Idempotent.
    func close()
}

/// What a process definition is called.
public struct ProcessDefinitionReference: Sendable, Hashable {
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

    /// Creates a reference.
    public init(key: UInt64, processID: String, version: Int, versionTag: String?, name: String?) {
        self.key = key
        self.processID = processID
        self.version = version
        self.versionTag = versionTag
        self.name = name
    }
}

/// A record together with the name of its definition.
public struct WithDefinition<Record: Sendable>: Sendable {
    /// The record.
    public var record: Record
    /// Its definition; nil when that is not projected yet.
    public var definition: ProcessDefinitionReference?

    /// Creates a pair.
    public init(_ record: Record, definition: ProcessDefinitionReference?) {
        self.record = record
        self.definition = definition
    }
}

/// How many instances a definition has.
public struct ProcessInstanceTotal: Sendable, Hashable {
    /// The definition.
    public var definitionKey: UInt64
    /// Instances under way.
    public var active: Int
    /// Instances that reached their end.
    public var completed: Int
    /// Instances that were ended before.
    public var terminated: Int

    /// Creates totals.
    public init(definitionKey: UInt64, active: Int, completed: Int, terminated: Int) {
        self.definitionKey = definitionKey
        self.active = active
        self.completed = completed
        self.terminated = terminated
    }
}

/// How much of everything there is.
public struct RecordTotals: Sendable, Hashable {
    /// Instances under way.
    public var activeInstances = 0
    /// Instances that reached their end.
    public var completedInstances = 0
    /// Instances that were ended before.
    public var terminatedInstances = 0
    /// Instances with open incidents.
    public var instancesWithIncidents = 0
    /// Incidents not resolved.
    public var openIncidents = 0
    /// User tasks not ended.
    public var openUserTasks = 0
    /// Jobs not ended.
    public var jobs = 0
    /// Timers not fired.
    public var timers = 0
    /// Messages that wait for a subscriber.
    public var bufferedMessages = 0
    /// Dead letters neither replayed nor discarded.
    public var parkedDeadLetters = 0
    /// Process definitions.
    public var definitions = 0

    /// Creates totals of nothing.
    public init() {}
}
