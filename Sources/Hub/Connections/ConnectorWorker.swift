import ConnectorKit
import Engine
import Logging
import Metrics
import Resilience
import Runtime
import Synchronization
import Values

/// Carries out the calls a process makes through one connector: takes its jobs from the engine, guards each call with
/// the resilience layer of its connection, and answers every job once.
///
/// The guard's order is fixed: total deadline → rate limit → retry with budget → circuit breaker → attempt timeout → idempotency key
/// → transport. An open breaker burns no retries: the job goes back to the engine for as long as it stays open.
final class ConnectorWorker: Sendable {
    let module: any ConnectorModule
    let service: any WorkflowService
    let pool: ConnectionPool
    let profiles: [String: ResilienceProfile]
    let clock: any ConnectorClock
    let random: @Sendable () -> Double
    let logger: Logger
    let lanes: [String: ConnectionLane]
    private let loops = Mutex<(next: Int, running: [Int: Task<Void, Never>], isStopping: Bool)>((0, [:], false))
    /// Attempts that count as failed of jobs handed back to the engine, so that a later run goes on counting.
    let failedAttempts = Mutex<[Key: Int]>([:])

    /// More remembered counts than this are forgotten; they only spare a remote some attempts.
    static let rememberedMax = 100_000

    init(
        _ module: any ConnectorModule, lanes: [ConnectionLane], profiles: [ResilienceProfile],
        service: any WorkflowService, pool: ConnectionPool, clock: any ConnectorClock,
        random: @escaping @Sendable () -> Double, logger: Logger
    ) {
        self.module = module
        self.lanes = Dictionary(lanes.map { ($0.declaration.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.profiles = Dictionary(profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.service = service
        self.pool = pool
        self.clock = clock
        self.random = random
        var logger = logger
        logger[metadataKey: "connector.id"] = "\(module.descriptor.id)"
        self.logger = logger
    }

    /// Registers the worker.
    ///
    /// Takes twice as many jobs as its connections can call at once, so that none runs dry.
    func start() {
        let capacity = 2 * self.lanes.values.reduce(0) { $0 + $1.declaration.concurrencyMax }
        self.service.registerWorker(type: "connector:\(self.module.descriptor.id)", capacity: max(capacity, 16)) {
            jobs in
            self.accept(jobs)
        }
    }

    /// Ends waits and calls that run; their jobs come again after a restart.
    func stop() async {
        let running = self.loops.withLock { loops in
            loops.isStopping = true
            return Array(loops.running.values)
        }
        for task in running { task.cancel() }
        for task in running { await task.value }
    }

    /// Takes jobs from an engine thread: hands them over and returns.
    private func accept(_ jobs: [ActivatedJob]) {
        for job in jobs {
            let name = job.header("connection")
            guard let name, let lane = self.lanes[name] else {
                self.finish(job, self.unusable(self.unknownConnection(name)))
                continue
            }
            if lane.enqueue(job) { self.startLoop(lane) }
        }
    }

    private func startLoop(_ lane: ConnectionLane) {
        self.loops.withLock { loops in
            guard !loops.isStopping else { return }
            let id = loops.next
            loops.next += 1
            loops.running[id] = Task {
                while !Task.isCancelled, let job = lane.next() {
                    if let outcome = await self.outcome(of: job, lane) { self.finish(job, outcome) }
                }
                _ = self.loops.withLock { $0.running.removeValue(forKey: id) }
            }
        }
    }

    private func finish(_ job: ActivatedJob, _ outcome: JobOutcome) {
        self.service.finishJob(key: job.key, outcome)
    }

    private func unknownConnection(_ name: String?) -> HubError {
        guard let name else {
            return HubError(
                .unknownName, "The call names no connection.", remedy: "Set the attribute connection of apg:call.")
        }
        if let declaration = self.pool.declaration(name) {
            return HubError(
                .unknownName,
                "Connection \(name) belongs to the connector \(declaration.connector), not to "
                    + "\(self.module.descriptor.id).",
                remedy: "Use a connection of this connector, or call the other one.")
        }
        return HubError.unknownConnection(name, known: Array(self.lanes.keys))
    }
}

// MARK: - One call

extension ConnectorWorker {
    /// What a job asks for, once it is known to be possible.
    struct Request {
        var job: ActivatedJob
        var operation: OperationDescriptor
        var input: Value
        var profile: ResilienceProfile
        var key: ConnectionLane.GuardKey
    }

    /// Carries out the call of a job; nil when the hub stops meanwhile.
    private func outcome(of job: ActivatedJob, _ lane: ConnectionLane) async -> JobOutcome? {
        do {
            let request = try self.request(job, lane)
            let connection = try await self.pool.connection(lane.declaration.id)
            return await self.call(request, connection, lane)
        } catch let error as HubError {
            return self.unusable(error)
        } catch {
            let error = ConnectorError(wrapping: error)
            lane.noteCall(error: self.text(error), at: self.clock.unixMilliseconds)
            lane.metrics.failed.increment()
            guard error.isRetryable else {
                return .failed(retries: 0, backoffMilliseconds: 0, message: self.text(error))
            }
            return self.retryLater(job, lane.declaration.profile, self.text(error))
        }
    }

    private func request(_ job: ActivatedJob, _ lane: ConnectionLane) throws(HubError) -> Request {
        let descriptor = self.module.descriptor
        guard let name = job.header("operation"), let operation = descriptor.operation(name) else {
            let name = job.header("operation") ?? ""
            throw HubError(
                .unknownName, "The connector \(descriptor.id) has no operation \"\(name)\".",
                remedy: ClosestMatch.of(name, in: descriptor.operations.map(\.id)).map { "Did you mean \"\($0)\"?" }
                    ?? "Use one of \(descriptor.operations.map(\.id).joined(separator: ", ")).")
        }
        var profile = lane.declaration.profile
        if let name = job.header("profile") {
            guard let named = self.profiles[name] else {
                throw HubError(
                    .unknownName, "There is no resilience profile \"\(name)\".",
                    remedy: ClosestMatch.of(name, in: self.profiles.keys.sorted()).map { "Did you mean \"\($0)\"?" }
                        ?? "Declare it in the connections file.")
            }
            profile = named
        }
        guard let input = try? JSON.parse(job.variables) else {
            throw HubError(
                .callFailed, "The input of the call is not a JSON document.", remedy: "Report this as a defect.")
        }
        return Request(
            job: job, operation: operation, input: input, profile: profile,
            key: ConnectionLane.GuardKey(group: input["url"]?.asString?.urlAuthority ?? "", profile: profile.name))
    }

    private func call(_ request: Request, _ connection: any Connection, _ lane: ConnectionLane) async -> JobOutcome? {
        let safety = self.safety(of: request, connection)
        let remembered = self.failedAttempts.withLock { $0.removeValue(forKey: request.job.key) } ?? 0
        var call = self.guarded(request, lane) { pipeline, now in
            pipeline.call(
                safety: safety, idempotencyKey: request.job.idempotencyKey, at: now, failedAttempts: remembered)
        }
        var action = self.begin(&call, request, lane)
        var last: Outcome?
        while true {
            switch action {
            case .attempt(let attempt):
                lane.noteAttempt()
                lane.metrics.attempts.increment()
                let started = self.clock.now
                let outcome = await connection.invoke(
                    OperationCall(
                        operation: request.operation.id, input: request.input, idempotencyKey: attempt.idempotencyKey,
                        timeout: attempt.timeout, attempt: attempt.number))
                lane.metrics.seconds.record(duration: self.clock.now - started)
                self.log(outcome, attempt, request, lane)
                last = outcome
                // A success is reported also while the hub stops; a failure then is no verdict.
                if Task.isCancelled, outcome.error != nil { return nil }
                action = self.end(&call, outcome, request, lane)
            case .waitThenAttempt(let delay):
                do { try await self.clock.sleep(for: delay) } catch { return nil }
                action = self.begin(&call, request, lane)
            case .succeed:
                lane.noteCall(error: nil, at: self.clock.unixMilliseconds)
                lane.metrics.succeeded.increment()
                return .completed(variables: last?.value.map { $0.objectJSON })
            case .reschedule(let reschedule):
                return self.postpone(request.job, reschedule, last?.error, lane)
            case .fail(let ending):
                return self.fail(request, ending, last?.error, lane)
            }
        }
    }

    /// What carrying the call out twice would do; some operations leave that to their input.
    private func safety(of request: Request, _ connection: any Connection) -> RepeatSafety {
        let call = OperationCall(
            operation: request.operation.id, input: request.input, idempotencyKey: request.job.idempotencyKey)
        if let isRepeatable = connection.isRepeatable(call) { return isRepeatable ? .idempotent : .unsafe }
        guard request.operation.isRepeatable else { return .unsafe }
        return request.operation.effect == .read ? .safe : .idempotent
    }

    private func begin(_ call: inout CallPipeline.Call, _ request: Request, _ lane: ConnectionLane)
        -> CallPipeline.Action
    {
        var copy = call
        let (action, after) = self.guarded(request, lane) { pipeline, now in
            let action = pipeline.begin(&copy, at: now)
            return (action, copy)
        }
        call = after
        return action
    }

    private func end(
        _ call: inout CallPipeline.Call, _ outcome: Outcome, _ request: Request, _ lane: ConnectionLane
    ) -> CallPipeline.Action {
        let result = outcome.error.map { CallPipeline.Outcome.failure(CallFailure($0, outcome)) } ?? .success
        // Only a failure needs jitter.
        let unit = outcome.error == nil ? 0 : self.random()
        var copy = call
        let (action, after) = self.guarded(request, lane) { pipeline, now in
            let action = pipeline.finish(&copy, result, at: now, unit: unit)
            return (action, copy)
        }
        call = after
        return action
    }

    /// Works on the call's pipeline under the lane's lock, and reports what its breaker did outside of it.
    private func guarded<Result: Sendable>(
        _ request: Request, _ lane: ConnectionLane, _ body: (inout CallPipeline, Duration) -> Result
    ) -> Result {
        let now = self.clock.now
        let (result, events) = lane.withPipeline(request.key, profile: request.profile) { body(&$0, now) }
        for case .stateChanged(_, let state) in events {
            self.logger.info(
                "circuit breaker changed",
                metadata: [
                    "connection.id": "\(lane.declaration.id)", "breaker.state": "\(GuardStatus.word(state))",
                    "breaker.group": "\(request.key.group)",
                ])
        }
        return result
    }
}
