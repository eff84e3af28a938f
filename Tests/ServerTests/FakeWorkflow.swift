import Decisions
import Engine
import ProcessModel
import Runtime
import Synchronization
import Values

@testable import Server

/// A workflow service that records what it is asked and answers as it is told.
final class FakeWorkflow: WorkflowService {
    private struct State {
        var calls: [String] = []
        var rejection: CommandRejection?
        var jobs: [ActivatedJob] = []
        var result: [UInt8]?
        var alreadyExisted = false
        var waits: [Int64] = []
        var diagnostics: [Diagnostic] = []
        var outcome: DecisionResult?
    }

    private let state = Mutex(State())
    let definitions = DefinitionRegistry()

    /// A process without elements, which everything the fake returns belongs to.
    static let definition = DeployedProcess(
        key: Key(rawValue: 11), version: 3, resourceName: "order.bpmn", deploymentKey: Key(rawValue: 10),
        process: ExecutableProcess(
            id: "order", name: "Order", versionTag: nil,
            nodes: [FlowNode(index: 0, id: "order", name: nil, kind: .process, scope: -1, line: 1)], flows: [],
            noneStart: nil, messageStarts: [], timerStarts: []))

    static func job(_ key: UInt64) -> ActivatedJob {
        let node = FlowNode(
            index: 1, id: "charge", name: nil, kind: .serviceTask, scope: 0, line: 2,
            job: JobDefinition(type: .literal("charge"), headers: [(key: "region", value: "eu")]))
        return ActivatedJob(
            key: Key(rawValue: key), type: "charge", instanceKey: Key(rawValue: 20),
            elementInstanceKey: Key(rawValue: 21),
            definition: Self.definition, element: node, retries: 3, worker: "w", deadline: 1_700_000_000_000,
            variables: Array(#"{"amount": 1.50}"#.utf8), priority: 7)
    }

    // MARK: Telling it what to do

    /// What was asked, in words.
    var calls: [String] { state.withLock { $0.calls } }
    /// How long activations asked to wait.
    var waits: [Int64] { state.withLock { $0.waits } }

    func reject(_ code: CommandRejection.Code?, retryAfterMilliseconds: Int64? = nil) {
        state.withLock {
            $0.rejection = code.map {
                CommandRejection($0, "It is so.", remedy: "Do this.", retryAfterMilliseconds: retryAfterMilliseconds)
            }
        }
    }

    func offer(_ jobs: [ActivatedJob]) { state.withLock { $0.jobs = jobs } }

    func answer(result: String?, alreadyExisted: Bool = false) {
        state.withLock {
            $0.result = result.map { Array($0.utf8) }
            $0.alreadyExisted = alreadyExisted
        }
    }

    /// Answers evaluations with this, and says that its model was deployed.
    func answer(_ outcome: DecisionResult) { state.withLock { $0.outcome = outcome } }

    func warn(_ diagnostics: [Diagnostic]) { state.withLock { $0.diagnostics = diagnostics } }

    private func record(_ call: String) throws(CommandRejection) {
        let rejection = state.withLock { state in
            state.calls.append(call)
            return state.rejection
        }
        if let rejection { throw rejection }
    }

    private static func text(_ bytes: [UInt8]?) -> String {
        bytes.map { String(decoding: $0, as: UTF8.self) } ?? "nil"
    }

    // MARK: WorkflowService

    func deploy(
        _ resources: [DeploymentResource], profile: ImportProfile, actor: String
    ) async throws(CommandRejection) -> Deployment {
        let files = resources.map { "\($0.name):\($0.bytes.count)" }.joined(separator: ",")
        try record("deploy \(files)\(profile == .standard ? "" : " \(profile)") by \(actor)")
        let (diagnostics, outcome) = state.withLock { ($0.diagnostics, $0.outcome) }
        return Deployment(
            key: Key(rawValue: 10), definitions: [Self.definition],
            decisions: outcome.map { [$0.decision.requirements] } ?? [], diagnostics: diagnostics)
    }

    func evaluateDecision(_ request: EvaluateDecisionRequest) async throws(CommandRejection) -> DecisionResult {
        let target =
            switch request.target {
            case .decision(let id): id
            case .version(let key): "#\(key)"
            }
        try record("evaluate \(target) \(Self.text(request.variables)) by \(request.actor)")
        guard let outcome = state.withLock({ $0.outcome }) else {
            throw CommandRejection(.notFound, "There is no decision.", remedy: "Deploy it.")
        }
        return outcome
    }

    func broadcastSignal(
        name: String, variables: [UInt8]?, actor: String, idempotencyKey: String?, idempotencyMilliseconds: Int64,
        received: ReceivedEvent?
    ) async throws(CommandRejection) -> Key {
        try record("broadcast \(name) \(Self.text(variables)) by \(actor)")
        return Key(rawValue: 31)
    }

    func correlate(_ request: CorrelateRequest) async throws(CommandRejection) -> CorrelationResult {
        try record("correlate \(request.message) to \(request.correlationKey) by \(request.actor)")
        return CorrelationResult(outcome: .correlated, key: Key(rawValue: 32), alreadyExisted: false)
    }

    func evaluateConditions(
        _ request: EvaluateConditionsRequest
    ) async throws(CommandRejection) -> [CreatedInstance] {
        try record(
            "conditions \(request.definition.map { "#\($0)" } ?? "all") \(Self.text(request.variables)) "
                + "by \(request.actor)")
        return [CreatedInstance(key: Key(rawValue: 20), definition: Self.definition, alreadyExisted: false)]
    }

    func activateAdHoc(_ request: ActivateAdHocRequest) async throws(CommandRejection) {
        let activities = request.activities.map { "\($0.elementID) \(Self.text($0.variables))" }
        try record(
            "activate \(request.key) [\(activities.joined(separator: ", "))] cancelling \(request.cancelsRunning) "
                + "by \(request.actor)")
    }

    func createInstance(_ request: CreateInstanceRequest) async throws(CommandRejection) -> CreatedInstance {
        let target =
            switch request.target {
            case .process(let id, let version): "\(id)@\(version.map { "\($0)" } ?? "newest")"
            case .definition(let key): "#\(key)"
            }
        try record(
            "create \(target) \(Self.text(request.variables)) business \(request.businessID ?? "nil") "
                + "key \(request.idempotencyKey ?? "nil") await \(request.awaitMilliseconds.map { "\($0)" } ?? "nil") "
                + "by \(request.actor)")
        let (result, alreadyExisted) = state.withLock { ($0.result, $0.alreadyExisted) }
        return CreatedInstance(
            key: Key(rawValue: 20), definition: Self.definition, alreadyExisted: alreadyExisted, result: result)
    }

    func cancelInstance(key: Key, actor: String) async throws(CommandRejection) {
        try record("cancel \(key) by \(actor)")
    }

    func publishMessage(_ request: PublishMessageRequest) async throws(CommandRejection) -> Key {
        try record(
            "publish \(request.name) to \(request.correlationKey) for \(request.timeToLiveMilliseconds) "
                + "id \(request.messageID ?? "nil") \(Self.text(request.variables))")
        return Key(rawValue: 30)
    }

    func activateJobs(_ request: ActivateJobsRequest) async throws(CommandRejection) -> [ActivatedJob] {
        try record(
            "activate \(request.maximum) \(request.type) for \(request.timeoutMilliseconds) by \(request.worker) "
                + "fetching \(request.fetchVariables?.joined(separator: ",") ?? "all")")
        if request.waitMilliseconds > 0 { try? await Task.sleep(for: .milliseconds(1)) }
        return state.withLock { state in
            state.waits.append(request.waitMilliseconds)
            return state.jobs
        }
    }

    func completeJob(key: Key, variables: [UInt8]?) async throws(CommandRejection) {
        if key.rawValue == 404 {
            throw CommandRejection(.notFound, "There is no job 404", remedy: "Nothing to do.")
        }
        try record("complete \(key) \(Self.text(variables))")
    }

    func failJob(_ request: FailJobRequest) async throws(CommandRejection) {
        try record(
            "fail \(request.key) retries \(request.retries) after \(request.backoffMilliseconds) \"\(request.message)\" "
                + Self.text(request.variables))
    }

    func throwJobError(_ request: ThrowJobErrorRequest) async throws(CommandRejection) {
        try record(
            "error \(request.key) \(request.code) \(request.message ?? "nil") \(Self.text(request.variables))")
    }

    func updateJob(key: Key, retries: Int?, timeoutMilliseconds: Int64?) async throws(CommandRejection) {
        try record(
            "update \(key) retries \(retries.map { "\($0)" } ?? "nil") "
                + "timeout \(timeoutMilliseconds.map { "\($0)" } ?? "nil")")
    }

    func completeUserTask(key: Key, variables: [UInt8]?, actor: String) async throws(CommandRejection) {
        try record("complete task \(key) \(Self.text(variables)) by \(actor)")
    }

    func assignUserTask(
        key: Key, assignee: String?, allowOverride: Bool, actor: String
    ) async throws(CommandRejection) {
        try record("assign task \(key) to \(assignee ?? "nobody") override \(allowOverride) by \(actor)")
    }

    func resolveIncident(key: Key, actor: String) async throws(CommandRejection) {
        try record("resolve \(key) by \(actor)")
    }

    func setVariables(
        scope: Key, variables: [UInt8], local: Bool, actor: String
    ) async throws(CommandRejection) {
        try record("set \(Self.text(variables)) in \(scope) local \(local) by \(actor)")
    }

    func recordDeadLetter(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key {
        try record("dead letter \(letter.origin)")
        return Key(rawValue: 40)
    }

    func endDeadLetter(key: Key, as outcome: DeadLetterOutcome, actor: String) async throws(CommandRejection) {
        try record("end dead letter \(key) as \(outcome) by \(actor)")
    }

    func updateDeadLetter(key: Key, _ update: DeadLetterUpdate, actor: String) async throws(CommandRejection) {
        try record("\(update.action) dead letter \(key) by \(actor)")
    }

    func purgeDeadLetters(_ keys: [Key]) async throws(CommandRejection) {
        try record("purge \(keys.map(\.description).joined(separator: " "))")
    }

    func registerWorker(type: String, capacity: Int, _ handler: @escaping @Sendable ([ActivatedJob]) -> Void) {}

    func finishJob(key: Key, _ outcome: JobOutcome) {}

    func waitForRecords() async throws(CommandRejection) {}

    func status() -> RuntimeStatus {
        var status = RuntimeStatus()
        status.liveInstances = 5
        status.projectorLagMilliseconds = 1.6
        return status
    }
}
