public import ProcessModel
public import Values

/// What happened in a partition.
///
/// State changes by events alone, so replaying them rebuilds it exactly (DESIGN §2).
///
/// An instance event concerns the instance named by the last `.instance` before it and happened at the last `.time`.
/// Element instances are named by their ordinal in their process instance. The encoding of a case never changes; a
/// changed meaning is a new case with its own applier (`EventType`).
public enum Event: Sendable {
    // MARK: Context

    /// The events that follow happened at this time; Unix milliseconds, never going back within a partition.
    case time(Int64)
    /// The instance events that follow concern this process instance.
    case instance(key: UInt64)
    /// The events that follow were asked for by this person or client.
    case actor(String)

    // MARK: Process instances

    /// A process instance began; its own scope is element instance 0 and has the instance's key.
    case instanceCreated(InstanceCreated)
    /// The process instance ended normally.
    case instanceCompleted
    /// The process instance was ended from outside.
    case instanceTerminated

    // MARK: Element instances

    /// A node that neither waits nor has variables was performed: began and ended at once.
    case elementPassed(node: Int32, flow: Int32, scope: UInt32, key: UInt64)
    /// An element instance began; `flow` is −1 when no sequence flow led to it.
    case elementActivated(node: Int32, flow: Int32, scope: UInt32, key: UInt64, role: ElementRole, loopCounter: Int32)
    /// Its entry is done: it works or waits.
    case elementEntered(ordinal: UInt32)
    /// Its work is done, leaving begins; written only when leaving takes more than this command.
    case elementCompleting(ordinal: UInt32)
    /// An element instance ended normally.
    case elementCompleted(ordinal: UInt32)
    /// An element instance was ended from outside: interrupted, cancelled or terminated.
    case elementTerminated(ordinal: UInt32)
    /// A token waits at a parallel join.
    case tokenArrived(flow: Int32, scope: UInt32)
    /// A parallel join took one token of each of its incoming flows.
    case tokensJoined(node: Int32, scope: UInt32)
    /// Tokens that waited at joins of a scope were discarded.
    case arrivalsDiscarded(scope: UInt32)
    /// A multi-instance body knows its items.
    case loopStarted(ordinal: UInt32, count: Int32, items: [Value]?)
    /// An inner instance contributed to the output collection.
    case loopOutput(ordinal: UInt32, position: Int32, value: Value)
    /// A call activity started a process instance.
    case calledInstanceStarted(ordinal: UInt32, key: UInt64)

    // MARK: Variables

    /// A variable has a new value in exactly this scope.
    case variableSet(scope: UInt32, name: String, value: VariableValue)

    // MARK: Jobs

    /// The element's entry is done and its job may be taken; `type` is nil when the definition's is a literal.
    case jobCreated(ordinal: UInt32, key: UInt64, retries: Int32, priority: Int32, type: String?)
    /// An external worker took the job.
    case jobActivated(ordinal: UInt32, worker: String, until: Int64)
    /// The job is done.
    case jobCompleted(ordinal: UInt32)
    /// An attempt failed; the job may be taken again at `until`.
    case jobFailed(ordinal: UInt32, retries: Int32, until: Int64, message: String)
    /// The backoff of a failed job is over.
    case jobBackoffEnded(ordinal: UInt32)
    /// The lock of a job ran out before its worker answered.
    case jobLockExpired(ordinal: UInt32)
    /// The retries of a job were changed.
    case jobRetriesUpdated(ordinal: UInt32, retries: Int32)
    /// The lock deadline of a job was changed.
    case jobDeadlineUpdated(ordinal: UInt32, until: Int64)
    /// A worker threw a BPMN error.
    case jobErrorThrown(ordinal: UInt32, code: String, message: String?)

    // MARK: User tasks

    /// A person is asked to do something.
    case userTaskCreated(ordinal: UInt32, UserTaskCreated)
    /// The task was given to somebody, or taken away.
    case userTaskAssigned(ordinal: UInt32, assignee: String?)
    /// The task is done.
    case userTaskCompleted(ordinal: UInt32)

    // MARK: Timers, subscriptions

    /// A timer runs.
    case timerCreated(ordinal: UInt32, key: UInt64, node: Int32, dueAt: Int64, repetitions: Int32, interval: String?)
    /// A timer fired for the last time.
    case timerFired(key: UInt64)
    /// A timer fired and runs again.
    case timerRescheduled(key: UInt64, dueAt: Int64, repetitions: Int32)
    /// A message subscription was asked for.
    case subscriptionOpened(ordinal: UInt32, key: UInt64, node: Int32, name: String, correlationKey: String)
    /// A message reached the subscription, which ends unless it `stays`.
    case subscriptionCorrelated(key: UInt64, messageKey: UInt64, stays: Bool)

    // MARK: Signals, conditions, waits

    /// An element waits for a signal.
    case signalSubscribed(ordinal: UInt32, key: UInt64, node: Int32, name: String)
    /// A signal reached the subscription, which ends unless it `stays`.
    case signalCaught(key: UInt64, stays: Bool)
    /// An element waits for a condition, which `holds` now or not.
    case conditionArmed(ordinal: UInt32, key: UInt64, node: Int32, holds: Bool)
    /// A condition that is waited for became true or false.
    case conditionEvaluated(key: UInt64, holds: Bool)
    /// A timer, subscription, signal subscription or condition is no longer waited for, though its element goes on.
    case waitClosed(key: UInt64)

    // MARK: Tokens that wait

    /// An activity that needs several tokens took them (`startQuantity`).
    case tokensConsumed(node: Int32, scope: UInt32, count: Int32)
    /// A complex gateway fired with tokens from these flows and waits for the others.
    case gatewayFired(ordinal: UInt32, flows: [Int32])
    /// A complex gateway took the tokens of the other flows and is done.
    case gatewayReset(ordinal: UInt32)
    /// An ad-hoc sub-process has these activities still to start.
    case adHocPlanned(ordinal: UInt32, nodes: [Int32])

    // MARK: Compensation

    /// A completed activity of the scope can be compensated.
    case compensationRecorded(scope: UInt32, CompensationRecord)
    /// What can be compensated was taken from the scope: of one node, or everything when `node` is −1.
    case compensationTaken(scope: UInt32, node: Int32)
    /// An element compensates these, the last first.
    case compensationStarted(ordinal: UInt32, records: [CompensationRecord])
    /// It begins with the last of those that are left.
    case compensationStepped(ordinal: UInt32)
    /// A transaction is being cancelled.
    case cancelRequested(ordinal: UInt32)

    // MARK: Decisions

    /// An element evaluated a decision.
    case decisionEvaluated(ordinal: UInt32, DecisionEvaluated)
    /// Somebody evaluated a decision without a process.
    case decisionEvaluatedAlone(DecisionEvaluated)

    // MARK: Incidents

    /// The element cannot go on.
    case incidentRaised(ordinal: UInt32, key: UInt64, kind: IncidentKind, type: String, message: String)
    /// Somebody asked to try again.
    case incidentResolved(ordinal: UInt32)

    // MARK: Partition: uniqueness

    /// A key chosen by a client is taken until `expiresAt`.
    case uniqueKeyReserved(key: String, owner: UInt64, expiresAt: Int64)
    /// The key of an event is taken until `expiresAt`; what came of the event is remembered with it.
    case eventKeyReserved(key: String, effect: EventEffect, owner: UInt64, expiresAt: Int64)
    /// The key is free again.
    case uniqueKeyExpired(hash: UInt64)

    // MARK: Partition: messages

    /// A message was published.
    case messagePublished(MessagePublished)
    /// An event became a message that goes to whoever waits for it, once.
    case eventPublished(MessagePublished, CorrelationPlan)
    /// A published message ended: its time is over, or it reached whom it was for, and nothing is under way.
    case messageExpired(key: UInt64)
    /// An instance waits for a message.
    case messageSubscriptionCreated(MessageSubscriptionCreated)
    /// A message is on its way to the subscription's instance.
    case messageCorrelating(hash: UInt64, subscription: UInt64, message: UInt64)
    /// The instance took the message; the subscription ends unless it `stays`.
    case messageCorrelated(hash: UInt64, subscription: UInt64, message: UInt64, stays: Bool)
    /// The instance no longer waited; the subscription ends.
    case messageRejected(hash: UInt64, subscription: UInt64, message: UInt64)
    /// The instance no longer waits.
    case messageSubscriptionClosed(hash: UInt64, subscription: UInt64)
    /// A message started a process instance.
    case messageStartedInstance(message: UInt64, process: UInt64, instance: UInt64)
    /// As long as this instance of a process runs, events of this message and correlation key start no other.
    case startLocked(process: UInt64, hash: UInt64, instance: UInt64)
    /// An event is kept with what came of it.
    case eventReceived(EventReceived)

    // MARK: Partition: deployments, start timers

    /// A process version was deployed.
    case processDeployed(ProcessDeployed)
    /// A version of a decision model was deployed.
    case decisionsDeployed(DecisionsDeployed)
    /// A timer start event runs.
    case startTimerScheduled(
        key: UInt64, definition: UInt64, node: Int32, dueAt: Int64, repetitions: Int32, interval: String?)
    /// A timer start event is over.
    case startTimerEnded(key: UInt64)

    // MARK: Partition: signals, data stores

    /// A signal was broadcast.
    case signalBroadcast(key: UInt64, name: String)
    /// A data store has a new value.
    case dataStoreSet(name: String, value: VariableValue)

    // MARK: Partition: dead letters

    /// Something could not be delivered.
    case deadLetterRecorded(DeadLetterRecorded)
    /// A dead letter was resolved (1) or discarded (2).
    case deadLetterEnded(key: UInt64, outcome: UInt8)
    /// A dead letter that has not ended changed.
    case deadLetterChanged(key: UInt64, DeadLetterChanged)
    /// An ended dead letter is not kept any longer.
    case deadLetterPurged(key: UInt64)
}

/// The beginning of a process instance.
public struct InstanceCreated: Sendable {
    /// The key of the instance and of its own scope.
    public var key: UInt64
    /// The process version it runs.
    public var definitionKey: UInt64
    /// The calling instance; 0 when none.
    public var parent: UInt64
    /// The ordinal of the call activity in the calling instance.
    public var parentOrdinal: UInt32
    /// The key of the call activity; 0 when none.
    public var parentElementKey: UInt64
    /// How many call activities lie above; 0 for a root instance.
    public var depth: Int32
    /// Its name in the business.
    public var businessID: String?
}

/// A new user task.
public struct UserTaskCreated: Sendable {
    /// The key of the task.
    public var key: UInt64
    /// Who has it; nil when nobody yet.
    public var assignee: String?
    /// Groups that may claim it.
    public var candidateGroups: [String]
    /// Users that may claim it.
    public var candidateUsers: [String]
    /// When it should be done, as text.
    public var dueDate: String?
    /// When to look at it again, as text.
    public var followUpDate: String?
    /// From 0 to 100.
    public var priority: Int32
}

/// A published message.
public struct MessagePublished: Sendable {
    /// The key of the message.
    public var key: UInt64
    /// The message name.
    public var name: String
    /// Which instance it is for.
    public var correlationKey: String
    /// Unique with name and correlation key while the message is buffered.
    public var messageID: String?
    /// Unix milliseconds; equal to the time of publication when it is not buffered.
    public var expiresAt: Int64
    /// Handed to the instance.
    public var variables: VariableDocument
}

/// The counterpart of a subscription, in the message's partition.
public struct MessageSubscriptionCreated: Sendable {
    /// The key the instance gave it.
    public var key: UInt64
    /// `MessageHash` of name and correlation key.
    public var hash: UInt64
    /// The instance that waits.
    public var instance: UInt64
    /// Hash of the process id: a message reaches a process once.
    public var process: UInt64
}

/// A deployed version.
public struct ProcessDeployed: Sendable {
    /// The key of the version.
    public var key: UInt64
    /// The deployment that brought it.
    public var deploymentKey: UInt64
    /// The process id, shared by all versions.
    public var processID: String
    /// From 1.
    public var version: Int32
    /// The file it came in.
    public var resourceName: String
    /// The document.
    public var resource: [UInt8]
    /// How strictly it was read, and is to be read again.
    public var profile = ImportProfile.standard

    /// Differs when the version means something else.
    var checksum: UInt64 { NewProcess.checksum(resource, profile) }
}
