import ConnectorKit
import Engine
import HubDocuments
import Logging
import Metrics
import Resilience
import Runtime
import Storage
import Synchronization
import Values

/// Carries out the calls a process makes through one connector: takes its jobs from the engine, guards each call with
/// the resilience layer of its connection, and answers every job once.
///
/// The guard's order is fixed: total deadline → rate limit → bulkhead → retry with budgets → circuit breaker → attempt
/// timeout → idempotency key → transport. An open breaker burns no retries: the job goes back to the engine for as long
/// as it stays open.
final class ConnectorWorker: Sendable {
    let module: any ConnectorModule
    let service: any WorkflowService
    let pool: ConnectionPool
    let profiles: [String: ResilienceProfile]
    let clock: any ConnectorClock
    let random: @Sendable () -> Double
    let logger: Logger
    /// Remembers calls that must not be made twice; nil: they are not remembered.
    let ledger: IdempotencyLedger?
    /// Keeps calls that failed for good.
    let letters: DeadLetters
    let lanes: [String: ConnectionLane]
    private let loops = Mutex<(next: Int, running: [Int: Task<Void, Never>], isStopping: Bool)>((0, [:], false))
    /// Why the calls of jobs that are being ended failed.
    let causes = Mutex<[Key: Cause]>([:])
    /// Attempts that count as failed of jobs handed back to the engine, so that a later run goes on counting.
    let failedAttempts = Mutex<[Key: Int]>([:])
    /// The profiles written in process models, by what they change and how.
    let modelProfiles = Mutex<[ModelProfile: ResilienceProfile]>([:])

    /// More remembered counts than this are forgotten; they only spare a remote some attempts.
    static let rememberedMax = 100_000

    init(
        _ module: any ConnectorModule, lanes: [ConnectionLane], profiles: [ResilienceProfile],
        service: any WorkflowService, pool: ConnectionPool, clock: any ConnectorClock,
        random: @escaping @Sendable () -> Double, ledger: IdempotencyLedger?, letters: DeadLetters,
        logger: Logger
    ) {
        self.ledger = ledger
        self.letters = letters
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
                self.endUnusable(job, self.unknownConnection(name))
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
                    if let outcome = await self.outcome(of: job, lane) { await self.settle(job, outcome) }
                }
                _ = self.loops.withLock { $0.running.removeValue(forKey: id) }
            }
        }
    }

    func finish(_ job: ActivatedJob, _ outcome: JobOutcome) {
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
        /// What makes the effect of the call happen once: the job's own unless it is replayed under a new one.
        var idempotencyKey: String
        /// What the call itself wants.
        var profile: ResilienceProfile
        var `guard`: ConnectionGuard
    }

    /// Carries out the call of a job; nil when the hub stops meanwhile.
    private func outcome(of job: ActivatedJob, _ lane: ConnectionLane) async -> JobOutcome? {
        do {
            let redrive = try await self.letters.redrive(of: job.key)
            let request = try self.request(job, redrive, lane)
            let connection = try await self.anyConnection(of: lane.declaration)
            return await self.call(request, connection, lane)
        } catch let error as HubError where error.code == .lettersUnreadable {
            // Whether the call is a replay is not known yet.
            return .postponed(milliseconds: 1_000, message: error.description)
        } catch let error as HubError {
            return self.unusable(error, job)
        } catch {
            let error = ConnectorError(wrapping: error)
            lane.noteCall(error: self.text(error), at: self.clock.unixMilliseconds)
            lane.metrics.failed.increment()
            self.note(error, of: job, attempts: 1)
            guard error.isRetryable else {
                return .failed(retries: 0, backoffMilliseconds: 0, message: self.text(error))
            }
            return self.retryLater(job, lane.declaration.profile, self.text(error))
        }
    }

    private func request(
        _ job: ActivatedJob, _ redrive: JobRedrives.Redrive?, _ lane: ConnectionLane
    ) throws(HubError) -> Request {
        let descriptor = lane.descriptor(of: self.module)
        guard let name = job.header("operation"), let operation = descriptor.operation(name) else {
            let name = job.header("operation") ?? ""
            throw HubError(
                .unknownName, "The connector \(descriptor.id) has no operation \"\(name)\".",
                remedy: ClosestMatch.of(name, in: descriptor.operations.map(\.id)).map { "Did you mean \"\($0)\"?" }
                    ?? "Use one of \(descriptor.operations.map(\.id).joined(separator: ", ")).")
        }
        let profile = try self.profile(of: job, operation, lane.declaration)
        guard let input = try? JSON.parse(redrive?.input ?? job.variables) else {
            throw HubError(
                .callFailed, "The input of the call is not a JSON document.", remedy: "Report this as a defect.")
        }
        // Calls that differ from the connection's in nothing that is shared have its breaker, limits and budgets.
        let own = lane.declaration.profile
        let shared = profile.sharesGuards(with: own) ? own : profile
        return Request(
            job: job, operation: operation, input: input,
            idempotencyKey: job.idempotencyKey + (redrive?.suffix ?? ""), profile: profile,
            guard: lane.guard(group: input["url"]?.asString?.urlAuthority ?? "", profile: shared))
    }

    /// A connection to ask about the call: to the first endpoint that can be reached.
    private func anyConnection(of declaration: ConnectionDeclaration) async throws -> any Connection {
        for endpoint in declaration.endpoints.indices.dropLast() {
            if let connection = try? await self.pool.connection(declaration.id, endpoint: endpoint) {
                return connection
            }
        }
        return try await self.pool.connection(declaration.id, endpoint: max(0, declaration.endpoints.count - 1))
    }

    private func call(_ request: Request, _ connection: any Connection, _ lane: ConnectionLane) async -> JobOutcome? {
        let safety = await self.safety(of: request, connection)
        let record = self.record(of: request, safety, lane.declaration.id)
        if let record {
            do {
                if let outcome = self.outcome(of: try await record.past(), lane) { return outcome }
            } catch {
                return self.unrecordable(error)
            }
        }
        let remembered = self.failedAttempts.withLock { $0.removeValue(forKey: request.job.key) } ?? 0
        var driver = CallDriver(
            request.guard, clock: self.clock, random: self.random, metrics: lane.metrics,
            make: { pipeline, now in
                pipeline.call(
                    profile: request.profile, safety: safety, idempotencyKey: request.idempotencyKey, at: now,
                    failedAttempts: remembered)
            },
            send: { attempt in await self.send(attempt, request, record, lane) })
        let result = await driver.run()
        let outcome = self.outcome(of: result, request, lane)
        guard let record else { return outcome }
        do {
            try await record.close(result, outcome)
        } catch {
            // In doubt the record stays: the job is answered, and a crash before that is durable ends in an incident.
            self.logger.error(
                "idempotency record not closed", metadata: ["error.code": "\(error.code.rawValue)"])
        }
        return outcome
    }

    private func outcome(
        of result: CallDriver.Result, _ request: Request, _ lane: ConnectionLane
    ) -> JobOutcome? {
        switch result {
        case .succeeded(let outcome):
            lane.noteCall(error: nil, at: self.clock.unixMilliseconds)
            lane.metrics.succeeded.increment()
            return .completed(variables: outcome.value.map { self.pool.secrets.redacted($0).objectJSON })
        case .postponed(let reschedule, let error):
            return self.postpone(request.job, reschedule, error, lane)
        case .failed(let ending, let error):
            return self.fail(request, ending, error, lane)
        case .stopped:
            return nil
        }
    }

    /// Sends one attempt to its endpoint.
    private func send(
        _ attempt: CallPipeline.Attempt, _ request: Request, _ record: CallRecord?, _ lane: ConnectionLane
    ) async -> Outcome {
        lane.noteAttempt()
        let connection: any Connection
        do {
            try await record?.make()
            connection = try await self.pool.connection(lane.declaration.id, endpoint: attempt.endpoint)
        } catch let error as StoreError {
            return .failed(
                ConnectorError(
                    .transient, code: error.code.rawValue, "The call cannot be recorded: \(error.message)",
                    remedy: error.remedy))
        } catch {
            // What could not be connected was not sent.
            var error = ConnectorError(wrapping: error)
            error.mayHaveExecuted = false
            return .failed(error)
        }
        let outcome = await lane.invoke(
            OperationCall(
                operation: request.operation.id, input: request.input, idempotencyKey: attempt.idempotencyKey,
                timeout: attempt.timeout, attempt: attempt.number),
            request.operation, endpoint: attempt.endpoint, on: connection)
        self.log(outcome, attempt, request, lane)
        return outcome
    }

    /// What carrying the call out twice would do; some operations leave that to their input.
    private func safety(of request: Request, _ connection: any Connection) async -> RepeatSafety {
        let call = OperationCall(
            operation: request.operation.id, input: request.input, idempotencyKey: request.idempotencyKey)
        if let isRepeatable = await connection.isRepeatable(call) { return isRepeatable ? .idempotent : .unsafe }
        guard request.operation.isRepeatable else { return .unsafe }
        return request.operation.effect == .read ? .safe : .idempotent
    }
}
