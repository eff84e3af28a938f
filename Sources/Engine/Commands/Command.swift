public import Decisions
public import ProcessModel
internal import Values

/// Something a partition is asked to do.
///
/// Keys name things of this partition.
public enum Command: Sendable {
    /// Start a process instance.
    case createInstance(NewInstance)
    /// End a process instance and everything inside it.
    case cancelInstance(key: UInt64)
    /// A job is done.
    case completeJob(key: UInt64, variables: VariableDocument)
    /// An attempt of a job failed.
    case failJob(key: UInt64, retries: Int32, backoffMilliseconds: Int64, message: String, variables: VariableDocument)
    /// A job was not attempted; offer it again later, its retries unchanged.
    case postponeJob(key: UInt64, milliseconds: Int64, message: String)
    /// A worker throws a BPMN error.
    case throwJobError(key: UInt64, code: String, message: String?, variables: VariableDocument)
    /// Change the retries or the lock deadline (from now) of a job.
    case updateJob(key: UInt64, retries: Int32?, timeoutMilliseconds: Int64?)
    /// Lock jobs for an external worker.
    case activateJobs(JobActivation)
    /// A user task is done.
    case completeUserTask(key: UInt64, variables: VariableDocument)
    /// Give a user task to somebody.
    case assignUserTask(key: UInt64, assignee: String?, allowOverride: Bool)
    /// Try again what an incident is about.
    case resolveIncident(key: UInt64)
    /// Set variables in the scope of an instance or of one of its element instances.
    case setVariables(scope: UInt64, variables: VariableDocument, local: Bool)
    /// Publish a message whose hash belongs to this partition.
    case publishMessage(NewMessage)
    /// Deliver a signal to everybody who waits for it, in all partitions.
    case broadcastSignal(NewSignal)
    /// Give a message whose hash belongs to this partition to whoever waits for it.
    case correlate(NewCorrelation)
    /// Start the newest version of every process whose conditional start event holds for the variables.
    case startByConditions([DeployedProcess], variables: VariableDocument)
    /// Start activities of an ad-hoc sub-process that runs.
    case activateAdHoc(key: UInt64, activities: [AdHocActivation], cancelsRunning: Bool)
    /// Evaluate a decision without a process.
    case evaluateDecision(DeployedDecision, variables: VariableDocument)
    /// Add versions of processes and decision models (the deployment partition only).
    case deploy([NewProcess], decisions: [NewDecisions] = [])
    /// Keep what could not be delivered.
    case recordDeadLetter(DeadLetterRecorded)
    /// End a dead letter: 1 resolved, 2 discarded.
    case endDeadLetter(key: UInt64, outcome: UInt8)
    /// Change a dead letter that has not ended.
    case changeDeadLetter(key: UInt64, DeadLetterChanged)
    /// Forget dead letters that have ended; others are left as they are.
    case purgeDeadLetters([UInt64])
    /// Messages from another partition's outbox.
    case receive(payload: [UInt8])
    /// Do what has become due.
    case tick
}

/// A command with whom to answer and who asked.
public struct CommandEnvelope: Sendable {
    /// What to do.
    public var command: Command
    /// Names the request that waits for a reply; 0 when nobody does.
    public var request: UInt64
    /// The person or client behind it, for the audit trail.
    public var actor: String?

    /// Creates an envelope.
    public init(_ command: Command, request: UInt64 = 0, actor: String? = nil) {
        self.command = command
        self.request = request
        self.actor = actor
    }
}

/// A process instance to be.
public struct NewInstance: Sendable {
    /// The version to run.
    public var definition: DeployedProcess
    /// The root variables.
    public var variables: VariableDocument
    /// Its name in the business.
    public var businessID: String?
    /// Makes a repeated command return the first instance.
    public var uniqueKey: String?
    /// How long `uniqueKey` is remembered.
    public var uniqueMilliseconds: Int64
    /// Whether an `instanceEnded` effect is wanted.
    public var awaitsEnd: Bool
    /// The event behind it, to be kept in the inbox.
    public var received: ReceivedEvent?

    /// Creates a start.
    public init(
        definition: DeployedProcess, variables: VariableDocument = .empty, businessID: String? = nil,
        uniqueKey: String? = nil, uniqueMilliseconds: Int64 = 86_400_000, awaitsEnd: Bool = false,
        received: ReceivedEvent? = nil
    ) {
        self.definition = definition
        self.variables = variables
        self.businessID = businessID
        self.uniqueKey = uniqueKey
        self.uniqueMilliseconds = uniqueMilliseconds
        self.awaitsEnd = awaitsEnd
        self.received = received
    }
}

/// Which jobs an external worker wants.
public struct JobActivation: Sendable {
    /// The job type.
    public var type: String
    /// The worker's name.
    public var worker: String
    /// At most this many.
    public var maximum: Int
    /// How long they stay locked.
    public var timeoutMilliseconds: Int64
    /// Only these variables; nil for all.
    public var fetchVariables: [String]?

    /// Creates a request.
    public init(
        type: String, worker: String, maximum: Int, timeoutMilliseconds: Int64, fetchVariables: [String]? = nil
    ) {
        self.type = type
        self.worker = worker
        self.maximum = maximum
        self.timeoutMilliseconds = timeoutMilliseconds
        self.fetchVariables = fetchVariables
    }
}

/// A message to publish.
public struct NewMessage: Sendable {
    /// The message name.
    public var name: String
    /// Which instance it is for.
    public var correlationKey: String
    /// How long it may wait.
    public var timeToLiveMilliseconds: Int64
    /// Unique per name and correlation key while buffered.
    public var messageID: String?
    /// Handed to the instance.
    public var variables: VariableDocument
    /// Makes a repeated command do nothing; unique with name and correlation key.
    public var uniqueKey: String?
    /// How long `uniqueKey` is remembered.
    public var uniqueMilliseconds: Int64

    /// Creates a message.
    public init(
        name: String, correlationKey: String, timeToLiveMilliseconds: Int64 = 0, messageID: String? = nil,
        variables: VariableDocument = .empty, uniqueKey: String? = nil, uniqueMilliseconds: Int64 = 86_400_000
    ) {
        self.name = name
        self.correlationKey = correlationKey
        self.timeToLiveMilliseconds = timeToLiveMilliseconds
        self.messageID = messageID
        self.variables = variables
        self.uniqueKey = uniqueKey
        self.uniqueMilliseconds = uniqueMilliseconds
    }
}

/// A compiled process to deploy.
public struct NewProcess: Sendable {
    /// The file it came in.
    public var resourceName: String
    /// The document; several processes may share one.
    public var resource: [UInt8]
    /// The compiled graph.
    public var process: ExecutableProcess
    /// How strictly the document was read.
    public var profile: ImportProfile

    /// The process id.
    public var processID: String { process.id }

    /// Creates a process to deploy.
    public init(
        process: ExecutableProcess, resourceName: String, resource: [UInt8], profile: ImportProfile = .standard
    ) {
        self.process = process
        self.resourceName = resourceName
        self.resource = resource
        self.profile = profile
    }

    /// Differs when a version would mean something else.
    var checksum: UInt64 { Self.checksum(resource, profile) }

    static func checksum(_ resource: [UInt8], _ profile: ImportProfile) -> UInt64 {
        let checksum = StableHash.fnv1a64(resource)
        return profile == .standard ? checksum : StableHash.mixed(checksum ^ StableHash.fnv1a64(profile.rawValue))
    }
}

/// A compiled decision model to deploy.
public struct NewDecisions: Sendable {
    /// The file it came in.
    public var resourceName: String
    /// The document.
    public var resource: [UInt8]
    /// The compiled model.
    public var model: DecisionModel
    /// The deployed models its imports mean, by key.
    ///
    /// A model of the same deployment that comes before it is named by its position instead.
    public var imports: [Import]

    /// A model that is imported.
    public enum Import: Sendable {
        /// A deployed version.
        case deployed(UInt64)
        /// A model of the same deployment, by its position before the importing one.
        case together(Int)
    }

    /// Creates a model to deploy.
    public init(model: DecisionModel, resourceName: String, resource: [UInt8], imports: [Import] = []) {
        self.model = model
        self.resourceName = resourceName
        self.resource = resource
        self.imports = imports
    }
}

/// An activity to start in an ad-hoc sub-process.
public struct AdHocActivation: Sendable {
    /// The id of the activity in the document.
    public var elementID: String
    /// Variables of the sub-process before it starts.
    public var variables: VariableDocument

    /// Creates an activation.
    public init(elementID: String, variables: VariableDocument = .empty) {
        self.elementID = elementID
        self.variables = variables
    }
}

/// What a partition wants done once the batch that caused it is durable.
public enum Effect: Sendable {
    /// Answer a request.
    case reply(request: UInt64, Reply)
    /// New versions may be used; `reply` follows.
    case deployed([ProcessDeployed], decisions: [DecisionsDeployed])
    /// An awaited instance ended; the result is its root variables as JSON, nil when it was terminated.
    case instanceEnded(key: UInt64, result: [UInt8]?)
    /// Jobs for an in-process worker.
    case jobsTaken([ActivatedJob])
}

/// The answer to a command.
public enum Reply: Sendable {
    /// It was done.
    case done
    /// It was done and made something with this key.
    case key(UInt64)
    /// The instance of a start.
    case created(key: UInt64, definition: UInt64, alreadyExisted: Bool)
    /// What came of an event.
    case correlation(CorrelationReply)
    /// The jobs that were locked.
    case jobs([ActivatedJob])
    /// What was deployed, unchanged versions included; decision models by their keys.
    case deployed(
        deployment: UInt64, [(key: UInt64, processID: String, version: Int32)], decisions: [UInt64])
    /// The process instances that were started.
    case started([(key: UInt64, definition: UInt64)])
    /// A decision was evaluated.
    case evaluated(DecisionEvaluated)
    /// It was not done.
    case rejected(CommandRejection)
}
