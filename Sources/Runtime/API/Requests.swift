public import Engine
public import Values

/// A document to deploy.
public struct DeploymentResource: Sendable {
    /// The file name; what the document is (BPMN, DMN) its content tells.
    public var name: String
    /// The document.
    public var bytes: [UInt8]

    /// Creates a resource.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What a deployment produced.
public struct Deployment: Sendable {
    /// The key of the deployment.
    public var key: Key
    /// The process versions of its documents, in document order; unchanged ones included.
    public var definitions: [DeployedProcess]
    /// The versions of its decision models, in document order; unchanged ones included.
    public var decisions: [DeployedDecisions]
    /// Warnings and notes.
    public var diagnostics: [Diagnostic]

    /// Creates a deployment result.
    public init(
        key: Key, definitions: [DeployedProcess], decisions: [DeployedDecisions] = [], diagnostics: [Diagnostic]
    ) {
        self.key = key
        self.definitions = definitions
        self.decisions = decisions
        self.diagnostics = diagnostics
    }
}

/// Asks for the evaluation of a decision without a process.
public struct EvaluateDecisionRequest: Sendable {
    /// Which decision.
    public enum Target: Sendable {
        /// The newest version of a decision.
        case decision(id: String)
        /// The version with this key.
        case version(Key)
    }

    /// Which decision.
    public var target: Target
    /// A JSON object document; nil for no variables.
    public var variables: [UInt8]?
    /// Who asks.
    public var actor: String

    /// Creates a request.
    public init(target: Target, variables: [UInt8]? = nil, actor: String) {
        self.target = target
        self.variables = variables
        self.actor = actor
    }
}

/// A decision that was evaluated without a process.
public struct DecisionResult: Sendable {
    /// The version of the decision.
    public var decision: DeployedDecision
    /// What came of it, as it was recorded.
    public var evaluation: DecisionEvaluated

    /// Creates an outcome.
    public init(decision: DeployedDecision, evaluation: DecisionEvaluated) {
        self.decision = decision
        self.evaluation = evaluation
    }
}

/// Asks to start processes by their conditional start events.
public struct EvaluateConditionsRequest: Sendable {
    /// Only this version of a process; nil asks the newest version of each.
    public var definition: Key?
    /// A JSON object document: what the conditions see and the instances begin with.
    public var variables: [UInt8]?
    /// Who asks.
    public var actor: String

    /// Creates a request.
    public init(definition: Key? = nil, variables: [UInt8]? = nil, actor: String) {
        self.definition = definition
        self.variables = variables
        self.actor = actor
    }
}

/// Asks to start activities of an ad-hoc sub-process.
public struct ActivateAdHocRequest: Sendable {
    /// The element instance of the sub-process.
    public var key: Key
    /// The ids of the activities, each with a JSON object of variables for the sub-process, or nil.
    public var activities: [(elementID: String, variables: [UInt8]?)]
    /// Whether what runs inside is ended first.
    public var cancelsRunning: Bool
    /// Who asks.
    public var actor: String

    /// Creates a request.
    public init(
        key: Key, activities: [(elementID: String, variables: [UInt8]?)], cancelsRunning: Bool = false, actor: String
    ) {
        self.key = key
        self.activities = activities
        self.cancelsRunning = cancelsRunning
        self.actor = actor
    }
}

/// Asks for a new process instance.
public struct CreateInstanceRequest: Sendable {
    /// Which definition.
    public enum Target: Sendable {
        /// The newest version of a process, or exactly this one.
        case process(id: String, version: Int?)
        /// The version with this key.
        case definition(Key)
    }

    /// Which definition.
    public var target: Target
    /// A JSON object document; nil for no variables.
    public var variables: [UInt8]?
    /// A name for the instance in the business (Camunda's `businessId`).
    public var businessID: String?
    /// Makes repeated calls return the first instance; unique per process id.
    public var idempotencyKey: String?
    /// How long the idempotency key is remembered; nil means 24 hours.
    public var idempotencyMilliseconds: Int64?
    /// Waits until the instance has ended, at most this long; nil does not wait.
    public var awaitMilliseconds: Int64?
    /// Who asks.
    public var actor: String
    /// The event behind it, kept in the inbox when the instance is created; nil keeps nothing.
    public var received: ReceivedEvent?

    /// Creates a request.
    public init(
        target: Target, variables: [UInt8]? = nil, businessID: String? = nil, idempotencyKey: String? = nil,
        idempotencyMilliseconds: Int64? = nil, awaitMilliseconds: Int64? = nil, actor: String,
        received: ReceivedEvent? = nil
    ) {
        self.target = target
        self.variables = variables
        self.businessID = businessID
        self.idempotencyKey = idempotencyKey
        self.idempotencyMilliseconds = idempotencyMilliseconds
        self.awaitMilliseconds = awaitMilliseconds
        self.actor = actor
        self.received = received
    }
}

/// A created instance.
public struct CreatedInstance: Sendable {
    /// The key of the process instance.
    public var key: Key
    /// The version that runs.
    public var definition: DeployedProcess
    /// The idempotency key was known: this is the instance of the first call.
    public var alreadyExisted: Bool
    /// The root variables at the end as a JSON object, when the request waited for it.
    public var result: [UInt8]?

    /// Creates a result.
    public init(key: Key, definition: DeployedProcess, alreadyExisted: Bool, result: [UInt8]? = nil) {
        self.key = key
        self.definition = definition
        self.alreadyExisted = alreadyExisted
        self.result = result
    }
}

/// Asks to publish a message.
public struct PublishMessageRequest: Sendable {
    /// The message name.
    public var name: String
    /// Which instance it is for; empty correlates only to message start events.
    public var correlationKey: String
    /// How long it may wait for a subscription; 0 drops it when nobody waits.
    public var timeToLiveMilliseconds: Int64
    /// Unique per name and correlation key while the message is buffered.
    public var messageID: String?
    /// A JSON object document.
    public var variables: [UInt8]?
    /// Makes repeated calls return the first message; unique per name and correlation key.
    public var idempotencyKey: String?
    /// How long the idempotency key is remembered; nil means 24 hours.
    public var idempotencyMilliseconds: Int64?

    /// Creates a request.
    public init(
        name: String, correlationKey: String, timeToLiveMilliseconds: Int64 = 0, messageID: String? = nil,
        variables: [UInt8]? = nil, idempotencyKey: String? = nil, idempotencyMilliseconds: Int64? = nil
    ) {
        self.name = name
        self.correlationKey = correlationKey
        self.timeToLiveMilliseconds = timeToLiveMilliseconds
        self.messageID = messageID
        self.variables = variables
        self.idempotencyKey = idempotencyKey
        self.idempotencyMilliseconds = idempotencyMilliseconds
    }
}

/// Asks for jobs.
public struct ActivateJobsRequest: Sendable {
    /// The job type.
    public var type: String
    /// The worker's name, for logs and records.
    public var worker: String
    /// At most this many; 1 or more.
    public var maximum: Int
    /// How long the jobs stay locked.
    public var timeoutMilliseconds: Int64
    /// Only these variables; nil for all visible ones.
    public var fetchVariables: [String]?
    /// How long to wait for the first job; 0 does not wait.
    public var waitMilliseconds: Int64

    /// Creates a request.
    public init(
        type: String, worker: String, maximum: Int, timeoutMilliseconds: Int64, fetchVariables: [String]? = nil,
        waitMilliseconds: Int64
    ) {
        self.type = type
        self.worker = worker
        self.maximum = maximum
        self.timeoutMilliseconds = timeoutMilliseconds
        self.fetchVariables = fetchVariables
        self.waitMilliseconds = waitMilliseconds
    }
}

/// Reports a failed attempt of a job.
public struct FailJobRequest: Sendable {
    /// The job.
    public var key: Key
    /// Attempts left; 0 makes an incident.
    public var retries: Int
    /// When it may be tried again.
    public var backoffMilliseconds: Int64
    /// What happened.
    public var message: String
    /// Variables for the element's local scope: a JSON object document.
    public var variables: [UInt8]?

    /// Creates a request.
    public init(key: Key, retries: Int, backoffMilliseconds: Int64, message: String, variables: [UInt8]? = nil) {
        self.key = key
        self.retries = retries
        self.backoffMilliseconds = backoffMilliseconds
        self.message = message
        self.variables = variables
    }
}

/// Throws a BPMN error for a job.
public struct ThrowJobErrorRequest: Sendable {
    /// The job.
    public var key: Key
    /// The error code to catch.
    public var code: String
    /// What happened.
    public var message: String?
    /// Variables for the scope that catches the error: a JSON object document.
    public var variables: [UInt8]?

    /// Creates a request.
    public init(key: Key, code: String, message: String?, variables: [UInt8]? = nil) {
        self.key = key
        self.code = code
        self.message = message
        self.variables = variables
    }
}
