import ConnectorKit
import Decisions
import Engine
import Logging
import ProcessModel
import Runtime
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

/// Diagnostics as `CODE line:column`, in order.
func places(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { "\($0.code) \($0.line ?? 0):\($0.column ?? 0)" }
}

/// JSON text of bytes.
func text(_ bytes: [UInt8]?) -> String {
    String(decoding: bytes ?? [], as: UTF8.self)
}

/// A seeded generator: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// An engine in memory: idempotent starts, dead letters, jobs for in-process workers; refuses on request.
final class FakeEngine: WorkflowService {
    struct Refusal: Sendable {
        var code: CommandRejection.Code
        var retryAfter: Int64?
    }

    struct State {
        var deployed: Set<String> = ["order-intake"]
        var started: [CreateInstanceRequest] = []
        var byKey: [String: Key] = [:]
        var letters: [NewDeadLetter] = []
        var letterKeys: [String: Key] = [:]
        var ended: [(key: Key, outcome: DeadLetterOutcome)] = []
        var updates: [(key: Key, update: DeadLetterUpdate)] = []
        var purged: [Key] = []
        var outcomes: [(key: Key, outcome: JobOutcome)] = []
        var workers: [String: @Sendable ([ActivatedJob]) -> Void] = [:]
        /// Refusals of the next calls of `createInstance` and `recordDeadLetter`, in order; nil lets one pass.
        var startRefusals: [Refusal?] = []
        var letterRefusals: [Refusal?] = []
        var endRefusal: Refusal?
        /// Calls of `createInstance` and `recordDeadLetter`.
        var calls = 0
        /// The call at which this process dies, as far as its callers can tell: it and all later ones fail.
        var diesAtCall: Int?
        /// Whether that call took effect all the same.
        var diesAfterEffect = false
        var isDead = false
        var nextKey: UInt64 = 1
        var waiters:
            [(condition: @Sendable (borrowing State) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
                []
    }

    let state = Mutex(State())
    let definitions = DefinitionRegistry()

    func change<Result>(_ body: (inout sending State) -> sending Result) -> Result {
        let (result, ready) = self.state.withLock { state in
            let result = body(&state)
            var ready: [CheckedContinuation<Void, Never>] = []
            let waiters = state.waiters
            state.waiters = []
            for waiter in waiters {
                if waiter.condition(state) {
                    ready.append(waiter.continuation)
                } else {
                    state.waiters.append(waiter)
                }
            }
            return (result, ready)
        }
        for continuation in ready { continuation.resume() }
        return result
    }

    /// Returns when `condition` holds.
    func wait(until condition: @escaping @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = self.state.withLock { state in
                if condition(state) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    var startedVariables: [String] { self.state.withLock { $0.started.map { text($0.variables) } } }
    var letters: [NewDeadLetter] { self.state.withLock { $0.letters } }
    var outcomes: [(key: Key, outcome: JobOutcome)] { self.state.withLock { $0.outcomes } }

    /// Counts a call; says whether it takes effect and how it fails.
    private static func enter(_ state: inout State) -> (takesEffect: Bool, failure: CommandRejection?) {
        state.calls += 1
        if state.isDead { return (false, Self.rejection(Refusal(code: .storeFailed, retryAfter: nil))) }
        guard state.calls == state.diesAtCall else { return (true, nil) }
        state.isDead = true
        return (state.diesAfterEffect, Self.rejection(Refusal(code: .unknownOutcome, retryAfter: nil)))
    }

    private static func rejection(_ refusal: Refusal) -> CommandRejection {
        CommandRejection(
            refusal.code, "refused as \(refusal.code.rawValue)", remedy: "wait",
            retryAfterMilliseconds: refusal.retryAfter)
    }

    func createInstance(_ request: CreateInstanceRequest) async throws(CommandRejection) -> CreatedInstance {
        await Task.yield()
        let result = self.change { state -> Result<CreatedInstance, CommandRejection> in
            let (takesEffect, failure) = Self.enter(&state)
            if !takesEffect, let failure { return .failure(failure) }
            if !state.startRefusals.isEmpty, let refusal = state.startRefusals.removeFirst() {
                return .failure(Self.rejection(refusal))
            }
            guard case .process(let id, _) = request.target, state.deployed.contains(id) else {
                return .failure(Self.rejection(Refusal(code: .notFound, retryAfter: nil)))
            }
            if let key = request.idempotencyKey, let known = state.byKey[key] {
                return .success(CreatedInstance(key: known, definition: Self.definition(id), alreadyExisted: true))
            }
            let key = Key(rawValue: state.nextKey)
            state.nextKey += 1
            state.started.append(request)
            if let name = request.idempotencyKey { state.byKey[name] = key }
            if let failure { return .failure(failure) }
            return .success(CreatedInstance(key: key, definition: Self.definition(id), alreadyExisted: false))
        }
        return try result.get()
    }

    func recordDeadLetter(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key {
        await Task.yield()
        let result = self.change { state -> Result<Key, CommandRejection> in
            let (takesEffect, failure) = Self.enter(&state)
            if !takesEffect, let failure { return .failure(failure) }
            if !state.letterRefusals.isEmpty, let refusal = state.letterRefusals.removeFirst() {
                return .failure(Self.rejection(refusal))
            }
            if let dedupeKey = letter.dedupeKey, let known = state.letterKeys[dedupeKey] { return .success(known) }
            let key = Key(rawValue: state.nextKey)
            state.nextKey += 1
            state.letters.append(letter)
            if let dedupeKey = letter.dedupeKey { state.letterKeys[dedupeKey] = key }
            if let failure { return .failure(failure) }
            return .success(key)
        }
        return try result.get()
    }

    func endDeadLetter(key: Key, as outcome: DeadLetterOutcome, actor: String) async throws(CommandRejection) {
        let refusal = self.change { state -> Refusal? in
            if let refusal = state.endRefusal { return refusal }
            state.ended.append((key, outcome))
            return nil
        }
        if let refusal { throw Self.rejection(refusal) }
    }

    func updateDeadLetter(key: Key, _ update: DeadLetterUpdate, actor: String) async throws(CommandRejection) {
        let refusal = self.change { state -> Refusal? in
            if let refusal = state.endRefusal { return refusal }
            state.updates.append((key, update))
            return nil
        }
        if let refusal { throw Self.rejection(refusal) }
    }

    func purgeDeadLetters(_ keys: [Key]) async throws(CommandRejection) {
        self.change { $0.purged += keys }
    }

    func registerWorker(type: String, capacity: Int, _ handler: @escaping @Sendable ([ActivatedJob]) -> Void) {
        self.change { $0.workers[type] = handler }
    }

    func finishJob(key: Key, _ outcome: JobOutcome) {
        self.change { $0.outcomes.append((key, outcome)) }
    }

    /// Hands jobs to the worker of their type.
    func push(_ jobs: [ActivatedJob]) {
        for job in jobs {
            self.state.withLock { $0.workers[job.type] }?([job])
        }
    }

    /// Runs one job and returns its outcome.
    func run(_ job: ActivatedJob) async -> JobOutcome? {
        let before = self.outcomes.count
        self.push([job])
        await self.wait { $0.outcomes.count > before }
        return self.outcomes.last?.outcome
    }

    // MARK: Not used by the hub

    private static let unused = CommandRejection(.invalidState, "not used by the hub", remedy: "none")

    func deploy(
        _ resources: [DeploymentResource], profile: ImportProfile, actor: String
    ) async throws(CommandRejection) -> Deployment {
        throw Self.unused
    }
    func evaluateDecision(_ request: EvaluateDecisionRequest) async throws(CommandRejection) -> DecisionResult {
        throw Self.unused
    }
    func broadcastSignal(
        name: String, variables: [UInt8]?, actor: String, idempotencyKey: String?, idempotencyMilliseconds: Int64,
        received: ReceivedEvent?
    ) async throws(CommandRejection) -> Key {
        throw Self.unused
    }
    func correlate(_ request: CorrelateRequest) async throws(CommandRejection) -> CorrelationResult {
        throw Self.unused
    }
    func evaluateConditions(
        _ request: EvaluateConditionsRequest
    ) async throws(CommandRejection) -> [CreatedInstance] { [] }
    func activateAdHoc(_ request: ActivateAdHocRequest) async throws(CommandRejection) { throw Self.unused }
    func cancelInstance(key: Key, actor: String) async throws(CommandRejection) { throw Self.unused }
    func publishMessage(_ request: PublishMessageRequest) async throws(CommandRejection) -> Key { throw Self.unused }
    func activateJobs(_ request: ActivateJobsRequest) async throws(CommandRejection) -> [ActivatedJob] { [] }
    func completeJob(key: Key, variables: [UInt8]?) async throws(CommandRejection) { throw Self.unused }
    func failJob(_ request: FailJobRequest) async throws(CommandRejection) { throw Self.unused }
    func throwJobError(_ request: ThrowJobErrorRequest) async throws(CommandRejection) { throw Self.unused }
    func updateJob(key: Key, retries: Int?, timeoutMilliseconds: Int64?) async throws(CommandRejection) {
        throw Self.unused
    }
    func completeUserTask(key: Key, variables: [UInt8]?, actor: String) async throws(CommandRejection) {
        throw Self.unused
    }
    func assignUserTask(
        key: Key, assignee: String?, allowOverride: Bool, actor: String
    ) async throws(CommandRejection) { throw Self.unused }
    func resolveIncident(key: Key, actor: String) async throws(CommandRejection) { throw Self.unused }
    func setVariables(scope: Key, variables: [UInt8], local: Bool, actor: String) async throws(CommandRejection) {
        throw Self.unused
    }
    func waitForRecords() async throws(CommandRejection) {}
    func status() -> RuntimeStatus { RuntimeStatus() }

    static func definition(_ id: String) -> DeployedProcess {
        DeployedProcess(
            key: Key(rawValue: 1), version: 1, resourceName: "\(id).bpmn", deploymentKey: Key(rawValue: 1),
            process: ExecutableProcess(
                id: id, name: nil, versionTag: nil, nodes: [], flows: [], noneStart: nil, messageStarts: [],
                timerStarts: []))
    }
}

/// A job of a connector call.
func callJob(
    _ number: UInt64 = 1, connector: String = "fake", operation: String? = "act", connection: String? = "remote",
    profile: String? = nil, resilience: String? = nil, input: String = "{}", retries: Int = 3,
    errors: [ResultError] = []
) -> ActivatedJob {
    let headers = [
        ("operation", operation), ("connection", connection), ("profile", profile), ("resilience", resilience),
    ].compactMap { name, value in value.map { (key: name, value: $0) } }
    let node = FlowNode(
        index: 1, id: "check-vendor", name: nil, kind: .serviceTask, scope: 0, line: 1,
        job: JobDefinition(type: .literal("connector:\(connector)"), headers: headers, errors: errors))
    return ActivatedJob(
        key: Key(rawValue: number), type: "connector:\(connector)", instanceKey: Key(rawValue: 1_000 + number),
        elementInstanceKey: Key(rawValue: 2_000 + number), definition: FakeEngine.definition("order-intake"),
        element: node, retries: retries, worker: "", deadline: 0, variables: Array(input.utf8),
        priority: 0)
}

/// Collects log lines as text.
final class LogCapture: Sendable {
    let lines = Mutex<[String]>([])

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(capture: self) }
        logger.logLevel = .trace
        return logger
    }

    var text: String { self.lines.withLock { $0.joined(separator: "\n") } }

    private struct Handler: LogHandler {
        let capture: LogCapture
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = self.metadata.merging(event.metadata ?? [:]) { _, new in new }
            let line =
                "\(event.level) \(event.message) \(all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })"
            self.capture.lines.withLock { $0.append(line) }
        }
    }
}
