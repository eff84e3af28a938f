public import Engine
public import ProcessModel
public import Values

/// Everything a client, trigger or connector may ask of the engine.
///
/// Every command returns after what it caused is durable; an error means that nothing happened, except
/// `CommandRejection.Code.unknownOutcome`. Commands may be called from any task; commands about one process instance
/// take effect in the order in which they were called by one caller. Variables travel as JSON object documents.
public protocol WorkflowService: Sendable {
    /// Deploys documents, processes and decision models alike, together: all of them or none.
    ///
    /// A document equal to the newest version of its process or decision model does not get a new version.
    /// - Throws: `.invalidArgument` with every diagnostic when a document is refused.
    func deploy(
        _ resources: [DeploymentResource], profile: ImportProfile, actor: String
    ) async throws(CommandRejection) -> Deployment

    /// Evaluates a decision; the evaluation is recorded, with everything the decision required.
    ///
    /// A decision that cannot be evaluated is an outcome with a failure.
    /// - Throws: `.notFound` when there is no such decision.
    func evaluateDecision(_ request: EvaluateDecisionRequest) async throws(CommandRejection) -> DecisionResult

    /// Delivers a signal to everything that waits for it and to the processes that begin with it.
    ///
    /// With an idempotency key, which is unique per name, a repeated call does nothing. What was received goes to the
    /// inbox in the same commit.
    /// - Returns: The key of the signal; of the first one for a repeated call.
    func broadcastSignal(
        name: String, variables: [UInt8]?, actor: String, idempotencyKey: String?, idempotencyMilliseconds: Int64,
        received: ReceivedEvent?
    ) async throws(CommandRejection) -> Key

    /// Gives an event to whoever waits for its message, or starts a process, in one commit with its idempotency key and
    /// its entry in the inbox.
    ///
    /// A repeated call with a known idempotency key does nothing and answers what came of the first one. A refusal is
    /// an answer, not an error; it keeps neither key nor entry.
    /// - Throws: `.notFound` and `.invalidArgument` when it should start a process that is not there or cannot be
    ///   started, `.resourceExhausted` under backpressure.
    func correlate(_ request: CorrelateRequest) async throws(CommandRejection) -> CorrelationResult

    /// Starts an instance for every conditional start event that holds for the variables.
    ///
    /// - Throws: `.notFound` when there is no such definition, `.resourceExhausted` under backpressure.
    func evaluateConditions(
        _ request: EvaluateConditionsRequest
    ) async throws(CommandRejection) -> [CreatedInstance]

    /// Starts activities of an ad-hoc sub-process that runs.
    ///
    /// - Throws: `.notFound` when there is no such sub-process, `.invalidArgument` for an activity it does not have.
    func activateAdHoc(_ request: ActivateAdHocRequest) async throws(CommandRejection)

    /// Starts a process at its none start event (BPMN 2.0.2 clause 10.5.2).
    ///
    /// With an idempotency key, a repeated call returns the instance of the first one.
    /// - Throws: `.notFound` when there is no such definition, `.resourceExhausted` under backpressure.
    func createInstance(_ request: CreateInstanceRequest) async throws(CommandRejection) -> CreatedInstance

    /// Ends an instance and everything inside it, called processes included.
    func cancelInstance(key: Key, actor: String) async throws(CommandRejection)

    /// Publishes a message; it correlates at once, or is buffered for its time to live.
    ///
    /// With an idempotency key, a repeated call does nothing and returns the key of the first message.
    /// - Throws: `.alreadyExists` when a buffered message of the same name and correlation key has the same id.
    func publishMessage(_ request: PublishMessageRequest) async throws(CommandRejection) -> Key

    /// Locks up to `maximum` jobs of a type for a worker; waits up to `waitMilliseconds` for the first one.
    func activateJobs(_ request: ActivateJobsRequest) async throws(CommandRejection) -> [ActivatedJob]

    /// Completes a job with its result.
    ///
    /// - Throws: `.notFound` when it ended already (or never was), `.invalidState` when it waits in an incident.
    func completeJob(key: Key, variables: [UInt8]?) async throws(CommandRejection)

    /// Reports a failed attempt; with `retries` 0 the job becomes an incident.
    func failJob(_ request: FailJobRequest) async throws(CommandRejection)

    /// Throws a BPMN error at the job's element.
    func throwJobError(_ request: ThrowJobErrorRequest) async throws(CommandRejection)

    /// Changes a job's remaining retries or its lock deadline.
    func updateJob(key: Key, retries: Int?, timeoutMilliseconds: Int64?) async throws(CommandRejection)

    /// Completes a user task.
    func completeUserTask(key: Key, variables: [UInt8]?, actor: String) async throws(CommandRejection)

    /// Gives a user task to somebody; nil takes it away.
    ///
    /// - Throws: `.invalidState` when it has an assignee and `allowOverride` is false.
    func assignUserTask(key: Key, assignee: String?, allowOverride: Bool, actor: String) async throws(CommandRejection)

    /// Retries what an incident is about, exactly there.
    func resolveIncident(key: Key, actor: String) async throws(CommandRejection)

    /// Sets variables in the scope of an instance or element instance.
    ///
    /// `local` false writes each variable where it is already defined, else at the root.
    func setVariables(scope: Key, variables: [UInt8], local: Bool, actor: String) async throws(CommandRejection)

    /// Stores what could not be delivered. Repeating it with the same dedupe key returns the first key.
    func recordDeadLetter(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key

    /// Ends a dead letter as resolved or discarded.
    ///
    /// - Throws: `.notFound` when there is none, or it ended already.
    func endDeadLetter(key: Key, as outcome: DeadLetterOutcome, actor: String) async throws(CommandRejection)

    /// Changes a dead letter that has not ended.
    ///
    /// - Throws: `.notFound` when there is none, or it ended.
    func updateDeadLetter(key: Key, _ update: DeadLetterUpdate, actor: String) async throws(CommandRejection)

    /// Forgets dead letters that have ended; others are left as they are.
    func purgeDeadLetters(_ keys: [Key]) async throws(CommandRejection)

    /// Registers a worker inside this process. Jobs reach it in batches, after they are durable, on an engine thread:
    /// the handler must hand work over and return quickly. Every job must be answered once through `finishJob`.
    ///
    /// At most `capacity` jobs are unanswered at any time. Jobs of a type with an in-process worker are also visible to
    /// `activateJobs`.
    func registerWorker(type: String, capacity: Int, _ handler: @escaping @Sendable ([ActivatedJob]) -> Void)

    /// Answers a job handed to an in-process worker; does not wait for durability. A job that ended meanwhile is ignored.
    func finishJob(key: Key, _ outcome: JobOutcome)

    /// Returns when the records show everything committed before the call.
    ///
    /// - Throws: `.resourceExhausted` after two seconds of waiting.
    func waitForRecords() async throws(CommandRejection)

    /// The deployed processes and decisions.
    var definitions: DefinitionRegistry { get }

    /// Figures of the moment.
    func status() -> RuntimeStatus
}

extension WorkflowService {
    /// Delivers a signal, every time it is called.
    ///
    /// - Returns: The key of the signal.
    public func broadcastSignal(
        name: String, variables: [UInt8]?, actor: String
    ) async throws(CommandRejection) -> Key {
        try await self.broadcastSignal(
            name: name, variables: variables, actor: actor, idempotencyKey: nil, idempotencyMilliseconds: 0,
            received: nil)
    }
}

/// How an in-process worker answers a job.
public enum JobOutcome: Sendable {
    /// Done; the result is a JSON object, nil for none.
    case completed(variables: [UInt8]?)
    /// This attempt failed: `retries` attempts remain (0 makes an incident), the next one after the backoff.
    case failed(retries: Int, backoffMilliseconds: Int64, message: String)
    /// A BPMN error.
    case error(code: String, message: String?, variables: [UInt8]?)
    /// Not attempted, for instance because a circuit breaker is open: offered again after the delay, retries unchanged.
    case postponed(milliseconds: Int64, message: String)
}
